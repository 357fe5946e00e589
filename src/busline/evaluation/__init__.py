"""From predictions to metrics: votes, summaries, operating points, calibration, comparisons and the plots' tables."""
