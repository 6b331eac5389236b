"""The command ``gpudrift``: one command, one file, one public call."""

from __future__ import annotations

from gpudrift.cli.main import app, main

__all__ = ["app", "main"]
