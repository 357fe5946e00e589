"""The benchmark: how fast the project's engine is against the loop a competent user would write, and at what scores."""
