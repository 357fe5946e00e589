"""Cohorts: sources of cases, their schema, column provenance, and packing."""
