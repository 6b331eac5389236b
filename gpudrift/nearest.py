"""The hint that follows an unknown name: the nearest known one, or what there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def hint(name: str, known: Iterable[str]) -> str:
    """'did you mean ...?', or the first ten names and how many more, where none is near.

    Examples
    --------
    >>> hint("agee", ["age", "income"]), hint("x", ["age", "income"])
    ("did you mean 'age'?", "there is 'age', 'income'")
    >>> hint("x", "abcdefghijkl")
    "there is 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j' and 2 more"
    """
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1)  # what was passed may be no text at all
    if near:
        return f"did you mean {near[0]!r}?"
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return f"there is {', '.join(map(repr, names[:10])) or 'none'}{more}"
