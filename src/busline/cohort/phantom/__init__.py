"""The phantom source: synthetic scans drawn finding by finding, and the clinical table that goes with them."""
