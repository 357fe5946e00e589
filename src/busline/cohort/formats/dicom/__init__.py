"""Read one picture of a DICOM file, and nothing else of it but its device and pixel size."""
