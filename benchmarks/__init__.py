"""Speed as ratios within one run, against honest baselines: ``python -m benchmarks``."""
