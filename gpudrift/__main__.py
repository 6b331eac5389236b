"""``python -m gpudrift``."""

from __future__ import annotations

from gpudrift.cli import main

main()
