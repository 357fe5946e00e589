"""Cohorts: their schema, column provenance, sources, checks and packing."""
