"""Later: a value that is made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

_Value = TypeVar("_Value")


class Later(Generic[_Value]):
    """What ``make`` returns, which is called once; compared, copied and pickled as that value.

    Two threads that ask at once may both call it, and get equal values.

    Examples
    --------
    >>> total = Later(lambda: sum(range(4)))
    >>> total.value, total == Later(lambda: 6)
    (6, True)
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], _Value]) -> None:
        self._make: Callable[[], _Value] | None = make
        self._made: tuple[_Value, ...] = ()

    @property
    def value(self) -> _Value:
        make = self._make
        if make is not None:
            self._made = (make(),)
            self._make = None  # lets go of what the value was made from
        return self._made[0]

    def __eq__(self, other: object) -> bool:
        return self is other or (self.value == other.value if isinstance(other, Later) else NotImplemented)

    def __hash__(self) -> int:
        return hash(self.value)

    def __reduce__(self) -> tuple[Callable[[Any], Later[Any]], tuple[_Value]]:
        return known, (self.value,)

    def __repr__(self) -> str:
        return f"Later({self.value!r})"


def known(value: _Value) -> Later[_Value]:
    """A value that there is already."""
    later = Later(lambda: value)
    later.value  # noqa: B018  asked for now, so that no function is kept
    return later
