"""What outlives a process: artifact folders under one digest, what fits cost, and the model registry."""

from __future__ import annotations

from gpudrift.store.artifact import HEADER, artifact_digest, read_artifact, write_artifact
from gpudrift.store.cost import Cost, predict_cost
from gpudrift.store.registry import Registry
from gpudrift.store.versions import Served, Version

__all__ = [
    "HEADER",
    "Cost",
    "Registry",
    "Served",
    "Version",
    "artifact_digest",
    "predict_cost",
    "read_artifact",
    "write_artifact",
]
