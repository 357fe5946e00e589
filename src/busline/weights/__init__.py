"""Initial weights: fetched once, checked, pinned, and put into networks."""
