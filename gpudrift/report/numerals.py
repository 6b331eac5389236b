"""How a number is written for a reader; an unknown number is an en dash."""

from __future__ import annotations

import math

UNKNOWN = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_ARROW = "\N{RIGHTWARDS ARROW}"


def integer(count: int | None) -> str:
    """Write a count with thousands separators.

    Examples
    --------
    >>> integer(336776)
    '336,776'
    """
    return UNKNOWN if count is None else f"{count:,}".replace("-", _MINUS)


def number(value: float | None) -> str:
    """Write a statistic with three significant digits, at most four decimals, an exponent below 0.0001.

    NaN is unknown; infinities are written as such.

    Examples
    --------
    >>> number(0.01234), number(1.25), number(1.234e-30), number(48213.0), number(None)
    ('0.0123', '1.25', '1.2e-30', '48,213', '–')
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    sign = _MINUS if value < 0 else ""
    size = abs(value)
    if math.isinf(size):
        return sign + "\N{INFINITY}"
    if size == 0:
        return "0"
    if size < 1e-4 or size >= 1e9:
        return sign + f"{size:.1e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    decimals = min(max(0, 2 - math.floor(math.log10(size))), 4)
    return sign + f"{size:,.{decimals}f}"


def probability(p_value: float | None) -> str:
    """Write a p-value; one that underflowed is a bound, not a zero.

    Examples
    --------
    >>> probability(1e-30), probability(0.0), probability(0.21)
    ('1.0e-30', '<1e-300', '0.210')
    """
    return "<1e-300" if p_value is not None and p_value <= 0.0 else number(p_value)


def probability_from_log(log_pvalue: float | None) -> str:
    """Write a p-value from its natural logarithm, however small it is.

    Examples
    --------
    >>> probability_from_log(-5000.0), probability_from_log(-1.0)
    ('3.4e-2172', '0.368')
    """
    if log_pvalue is None or math.isnan(log_pvalue):
        return UNKNOWN
    if log_pvalue > -600.0:
        return probability(math.exp(min(log_pvalue, 0.0)))
    if math.isinf(log_pvalue):
        return probability(0.0)
    exponent = math.floor(log_pvalue / math.log(10))
    mantissa = f"{math.exp(log_pvalue - exponent * math.log(10)):.1f}"
    return f"1.0e{exponent + 1}" if mantissa == "10.0" else f"{mantissa}e{exponent}"


def percent(share: float | None) -> str:
    """Write a share of rows as a percentage; neither 0% nor 100% unless it is exactly that.

    Examples
    --------
    >>> percent(0.1234), percent(0.00171), percent(0.0), percent(0.00001), percent(0.99999), percent(1.0)
    ('12.3%', '0.17%', '0%', '<0.01%', '>99.9%', '100%')
    """
    if share is None or not math.isfinite(share):
        return UNKNOWN
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    if 0.0 < share < 0.0001:
        return "<0.01%"
    if 0.999 < share < 1.0:
        return ">99.9%"
    return (f"{share:.2%}" if abs(share) < 0.01 else f"{share:.1%}").replace("-", _MINUS)


def points(difference: float) -> str:
    """Write a difference of two shares in percentage points, with its sign.

    Examples
    --------
    >>> points(0.0321), points(-0.2), points(-0.0017), points(0.0)
    ('+3.2', '−20.0', '−0.17', '0')
    """
    size = abs(difference) * 100
    if size < 0.005:
        return "0"
    return ("+" if difference > 0 else _MINUS) + (f"{size:.2f}" if size < 1 else f"{size:.1f}")


def before_after(before: str, after: str) -> str:
    """Join two written numbers by an arrow, once where they are both unknown.

    Examples
    --------
    >>> before_after("3.1%", "4.0%")
    '3.1% → 4.0%'
    """
    return UNKNOWN if before == after == UNKNOWN else f"{before} {_ARROW} {after}"


def ratio(part: int | None, whole: int | None) -> float | None:
    """Divide two counts; None where either is unknown or the whole is empty.

    Examples
    --------
    >>> ratio(1, 4), ratio(0, 0)
    (0.25, None)
    """
    return part / whole if part is not None and whole else None
