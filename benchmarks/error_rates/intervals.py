"""What a count of alarms among so many streams says about their rate."""

from __future__ import annotations

from scipy.stats import beta, binom


def interval(alarms: int, streams: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of the rate (1934, doi:10.1093/biomet/26.4.404).

    Examples
    --------
    >>> low, high = interval(100, 2000)
    >>> round(low, 4), round(high, 4)
    (0.0408, 0.0605)
    """
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, alarms, streams - alarms + 1)) if alarms else 0.0
    high = float(beta.ppf(1 - tail, alarms + 1, streams - alarms)) if alarms < streams else 1.0
    return low, high


def most_alarms(streams: int, alpha: float, chance: float = 0.001) -> int:
    """Most alarms that a rate of alpha gives; more come with a probability below ``chance``.

    Examples
    --------
    >>> most_alarms(2000, 0.05)
    131
    """
    return int(binom.ppf(1 - chance, streams, alpha))
