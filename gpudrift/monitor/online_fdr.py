"""LORD++: alpha of each window of a stream without end, at a stated false discovery rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gpudrift.errors import ConfigError, DataError

#: Of the weights j^-1.6: the Riemann zeta function at 1.6, so that they add up to 1.
_ZETA: Final = 2.2857656656801293
_POWER: Final = 1.6


@dataclass(frozen=True)
class OnlineFDR:
    """alpha of the next window, which every alarm raises: at most ``rate`` of all alarms are false on average.

    A value that never changes: ``after`` gives the state behind the next window.

    Attributes
    ----------
    rate : float in (0, 1)
        Expected false alarms over expected alarms, at every time (the marginal false discovery rate).
    looks : int
        Windows so far.
    alarms : tuple of int
        Numbers of the windows that raised one, from 1, ascending.

    Raises
    ------
    ConfigError
        A rate out of range.
    DataError
        Numbers of alarms that no stream could have left.

    Notes
    -----
    With weights g_j = j^-1.6 / zeta(1.6), w = rate / 2 and alarms at t_1 < t_2 < ...,

        alpha_t = w g_t + (rate - w) g_(t - t_1) + rate sum_(i >= 2) g_(t - t_i).

    The alphas spent so far never pass rate max(1, alarms), and an alarm of a report without drift comes with a
    probability of at most its alpha, given the past. So the rate holds if, given the past, the p-values of a window
    without drift are valid; all windows share one reference, whose own noise makes that an approximation that is
    good where the reference is much larger than a window. Without alarms alpha falls as t^-1.6: a stream without
    drift has a false alarm with a probability of at most rate / 2.

    References
    ----------
    Ramdas, Yang, Wainwright and Jordan (2017), Online Control of the False Discovery Rate with Decaying Memory.
    arXiv:1710.00499
    Javanmard and Montanari (2018), Online Rules for Control of False Discovery Rate and False Discovery
    Exceedance. doi:10.1214/17-AOS1559

    Examples
    --------
    >>> stream = OnlineFDR(0.1)
    >>> round(stream.alpha, 4)
    0.0219
    >>> stream = stream.after(alarm=False)
    >>> round(stream.alpha, 4), round(stream.after(alarm=True).alpha, 4)
    (0.0072, 0.0256)
    """

    rate: float = 0.05
    looks: int = 0
    alarms: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.rate, int | float) or not 0 < self.rate < 1:
            raise ConfigError(f"rate must be between 0 and 1, got {self.rate!r}")
        if not isinstance(self.looks, int) or self.looks < 0:
            raise DataError(f"looks must be a whole number of at least 0, got {self.looks!r}")
        ordered = all(isinstance(k, int) for k in self.alarms) and list(self.alarms) == sorted(set(self.alarms))
        if not ordered or (self.alarms and not 1 <= self.alarms[0] <= self.alarms[-1] <= self.looks):
            raise DataError(f"alarms must be ascending numbers from 1 to {self.looks}, got {self.alarms!r}")

    @property
    def alpha(self) -> float:
        """alpha of the next window: for ``Settings(alpha=...)``."""
        t, w = self.looks + 1, 0.5 * self.rate
        earned = [(self.rate - w if i == 0 else self.rate) * _weight(t - alarm) for i, alarm in enumerate(self.alarms)]
        return w * _weight(t) + sum(earned)

    def after(self, *, alarm: bool) -> OnlineFDR:
        """The state behind the next window, which raised an alarm or did not."""
        looks = self.looks + 1
        return replace(self, looks=looks, alarms=(*self.alarms, looks) if alarm else self.alarms)

    def to_dict(self) -> dict[str, Any]:
        """The state as plain values."""
        return {"rate": self.rate, "looks": self.looks, "alarms": list(self.alarms)}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> OnlineFDR:
        """From ``to_dict``."""
        try:
            return cls(state["rate"], state["looks"], tuple(state["alarms"]))
        except (KeyError, TypeError) as error:
            raise DataError(f"no state of OnlineFDR: {error}; pass what to_dict gave") from error


def _weight(j: int) -> float:
    return float(j**-_POWER / _ZETA)
