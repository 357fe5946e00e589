"""The report in three layers: summarise (data to dict), figures, render (dict to Jinja)."""
