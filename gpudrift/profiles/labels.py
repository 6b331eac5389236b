"""Text for values and bins: numbers short, times as times."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from gpudrift.profiles.columns import NumericColumn
from gpudrift.profiles.extent import extent


def value_label(value: Any, meaning: str, digits: int = 6) -> str:
    """A value of a numeric column for people; a float to some significant digits.

    Examples
    --------
    >>> value_label(0.30000000000000004, "number"), value_label(1_500_000_000, "timestamp/s")
    ('0.3', '2017-07-14T02:40')
    """
    name, _, unit = meaning.partition("/")
    if name in ("timestamp", "instant", "date"):
        moment = np.array(int(value), f"M8[{unit or 'D'}]").astype("M8[m]" if unit else "M8[D]")
        return str(moment) + ("Z" if name == "instant" else "")
    if name in ("duration", "time"):
        return f"{int(value)} {unit}"
    if isinstance(value, np.integer):
        return str(value)
    return f"{float(value):.{digits}g}"


@lru_cache(maxsize=1024)
def bin_labels(column: NumericColumn) -> list[str]:
    """Labels of the PSI bins: (a, b] by the last value of each; a bin of one value is that value.

    Beside such an atom the bin is open: "< 0", "0", "(0, 1.5]".
    """
    if not column.bin_starts.size:
        return ["all"]
    inner = extent(column.bin_starts[:-1], column.plan, until=column.bin_starts[1:])
    first = extent(column.bin_starts[-1:], column.plan).first
    starts, ends = np.append(inner.first, first), inner.last
    atom = np.append(inner.single, False)
    below = extent(column.bin_starts - 1, column.plan).last
    ends = np.append(below[:1], ends)
    for digits in (6, 9, 17):  # until neighbours read differently
        at_start = [value_label(value, column.meaning, digits) for value in starts]
        at_end = [value_label(value, column.meaning, digits) for value in ends]
        if len(set(at_end)) == len(at_end):
            break
    labels = [f"< {at_start[0]}" if atom[0] else f"<= {at_end[0]}"]
    for k in range(ends.size - 1):
        close = f"{at_start[k + 1]})" if atom[k + 1] else f"{at_end[k + 1]}]"
        labels.append(at_start[k] if atom[k] else f"({at_end[k]}, {close}")
    return [*labels, f"> {at_end[-1]}"]
