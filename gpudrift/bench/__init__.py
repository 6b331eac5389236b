"""Measuring: what the benchmarks of the repository and ``gpudrift bench`` share."""

from __future__ import annotations

from gpudrift.bench.limit import BEYOND_CACHES, streaming_sum
from gpudrift.bench.machine import machine, processors
from gpudrift.bench.timing import Timing, clocked, interleaved

__all__ = ["BEYOND_CACHES", "Timing", "clocked", "interleaved", "machine", "processors", "streaming_sum"]
