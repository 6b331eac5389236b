"""Real data sets for the demo, tests and benchmarks, read from installed packages, never downloaded."""

from gpudrift.datasets.flights import by_month, load_flights

__all__ = ["by_month", "load_flights"]
