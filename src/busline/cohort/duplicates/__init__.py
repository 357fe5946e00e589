"""Images that are in a cohort twice."""
