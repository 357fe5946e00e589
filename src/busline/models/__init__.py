"""Networks and tabular estimators, built from one literal table a family."""
