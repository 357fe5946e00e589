"""Getting files: downloads, the mirror, archives and names that nobody vouches for."""
