"""Real data sets for the demo, tests and benchmarks, read from installed packages, never downloaded."""

from gpudrift.datasets.flights import by_month, load_flights
from gpudrift.datasets.nannyml import SERVED, load_served

__all__ = ["SERVED", "by_month", "load_flights", "load_served"]
