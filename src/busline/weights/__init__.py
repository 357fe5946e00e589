"""Initial weights: fetched once, checked and pinned."""
