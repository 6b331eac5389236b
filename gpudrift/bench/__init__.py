"""Measuring: what the benchmarks of the repository and ``gpudrift bench`` share."""

from __future__ import annotations

from gpudrift.bench.limit import streaming_sum
from gpudrift.bench.machine import machine, processors
from gpudrift.bench.timing import Timing, clocked, interleaved

__all__ = ["Timing", "clocked", "interleaved", "machine", "processors", "streaming_sum"]
