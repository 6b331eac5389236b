"""Counts of a window as a report keeps them are over the grid of a profile: which profile is it?"""

from __future__ import annotations

from typing import Final

#: What the id of a grid has behind that of the profile it was made from.
_GRID: Final = "/grid"


def id_without_grid(profile_id: str) -> str:
    """The id of a profile, from its own or from that of its grid.

    Examples
    --------
    >>> id_without_grid("5f3a"), id_without_grid("5f3a/grid")
    ('5f3a', '5f3a')
    """
    return profile_id.removesuffix(_GRID)
