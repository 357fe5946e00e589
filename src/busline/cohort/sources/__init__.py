"""Where cases come from: the table of sources, and one file each."""
