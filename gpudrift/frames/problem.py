"""Problem: one thing that kept a column out of a run, or that its reader should know."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong with a column, and the remedy.

    Examples
    --------
    >>> str(Problem("age", "is missing from the current data", "add the column"))
    'age: is missing from the current data; add the column'
    """

    feature: str
    what: str
    remedy: str

    def __str__(self) -> str:
        """One line, whatever the column is called."""
        plain = self.feature.isprintable() and self.feature.strip()
        return f"{self.feature if plain else repr(self.feature)}: {self.what}; {self.remedy}"

    def to_dict(self) -> dict[str, str]:
        """The three texts by name."""
        return asdict(self)
