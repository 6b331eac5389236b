"""One file for each model library: what it does differently, and nothing else."""
