"""One file for each thing measured; each gives figures for the report."""
