"""The leakage audit: what would make a figure better than it is, looked for and measured."""
