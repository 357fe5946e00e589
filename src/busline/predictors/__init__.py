"""Models that are read from their files and applied to cases they have never seen, as training applied them."""
