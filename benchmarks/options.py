"""What the command line asks of every question."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Rows, features and dtype replace the cases of a question; quick ones have a tenth of the rows."""

    rows: int | None = None
    features: int | None = None
    dtype: str | None = None
    repeats: int = 5
    quick: bool = False

    def scaled(self, rows: int, least: int = 1_000) -> int:
        """Rows of a case."""
        return max(rows // 10, min(rows, least)) if self.quick else rows
