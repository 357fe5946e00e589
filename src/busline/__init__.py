"""BUSline: a reproducible DVC pipeline for diagnosing small breast-ultrasound cohorts.

Research software, not a medical device.

"Chowdhary & Dennis 2026" in docstrings is: Veer Chowdhary and Mitchell T. Dennis, "Deep Neural Networks for Breast
Cancer Ultrasound Classification and Segmentation in Data-Constrained Settings: An Exploratory Study", 2026. Its figures
are in report/published/chowdhary2026.yaml.
"""

from busline.base.kernels import cap_kernels

__version__ = "0.1.0"

cap_kernels()  # before anything imports NumPy, which reads the variables once
