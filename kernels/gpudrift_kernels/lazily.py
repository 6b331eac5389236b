"""lazily: a property that is made when it is first asked for, without a lock that a fork could take along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_Value = TypeVar("_Value")


class lazily(Generic[_Value]):  # noqa: N801  used as property is
    """``functools.cached_property`` as it is from Python 3.12 on.

    Before, it holds one lock for all instances of a class: a child that is forked while another thread holds that lock
    waits for ever. Two threads that ask at once may both make the value, and one is kept.

    Examples
    --------
    >>> class Circle:
    ...     radius = 2.0
    ...
    ...     @lazily
    ...     def area(self) -> float:
    ...         return 3.14 * self.radius**2
    >>> circle = Circle()
    >>> circle.area is circle.area
    True
    """

    def __init__(self, make: Callable[[Any], _Value]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> lazily[_Value]: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> _Value: ...

    def __get__(self, instance: object | None, owner: type | None = None) -> lazily[_Value] | _Value:
        if instance is None:
            return self
        value: _Value = instance.__dict__.setdefault(self._name, self._make(instance))
        return value
