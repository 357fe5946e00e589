"""BUSline: a reproducible DVC pipeline for diagnosing small breast-ultrasound cohorts.

Research software, not a medical device.
"""

from busline.base.kernels import cap_kernels

__version__ = "0.1.0"

cap_kernels()  # before anything imports NumPy, which reads the variables once
