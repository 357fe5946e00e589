"""BUSline: a reproducible DVC pipeline for diagnosing small breast-ultrasound cohorts.

Research software, not a medical device.
"""

__version__ = "0.1.0"
