"""A rate of false alarms from words or a number."""

from __future__ import annotations

import pytest

import gpudrift as gd
from gpudrift.monitor.false_alarms import FalseAlarms


@pytest.mark.parametrize(
    ("text", "window", "rate"),
    [
        ("1 per quarter", "1d", 4 / 365.2425),
        ("2 per year", "1w", 14 / 365.2425),
        ("1 per month", "6h", 12 / 365.2425 / 4),
        ("0.5 a week", "1d", 0.5 / 7),
        ("1 every year", "1mo", 1 / 12),
        ("3 per day", "10 min", 3 / 144),
        ("1 per quarter", 91, 1 / 91),
        ("2 per years", 2.5, 0.8),
    ],
)
def test_words_become_a_probability_per_window(text: str, window: str | float, rate: float) -> None:
    assert FalseAlarms.parse(text, window).per_window == pytest.approx(rate, rel=1e-12)


def test_a_number_is_the_probability() -> None:
    assert FalseAlarms.parse(0.02) == FalseAlarms("0.02 per window", 0.02)


@pytest.mark.parametrize(
    ("asked", "window", "message"),
    [
        ("often", None, "^false_alarms 'often' is no rate: write '1 per quarter', or a probability per window$"),
        ("1 per quartr", "1d", "^false_alarms '1 per quartr': 'quartr' is unknown: did you mean 'quarter'\\?$"),
        ("1 per quarter", None, "needs the length of a window: pass window='1d', or the windows in a quarter$"),
        ("1 per quarter", "soon", "^window must be a length such as 1d, .*, got 'soon'$"),
        ("1 per quarter", "5000 rows", "^windows of 5,000 rows have no length in time; give "),
        ("1 per quarter", "0d", "^window must be a length such as 1d, .*, got '0d'$"),
        ("1 per quarter", 0, "^window must be a length such as '1d' or the windows in a quarter, got 0$"),
        ("1 per day", "1d", r"^false_alarms must be a probability between 0 and 1 a window, got 1 \(1 per day\)$"),
        ("0 per day", "1h", "got 0 "),
        (0, None, "got 0 "),
        (1, None, "got 1 "),
        (-0.1, None, "got -0.1 "),
        (float("nan"), None, "got nan "),
        (True, None, "^false_alarms must be a text such as '1 per quarter' or a probability, got True$"),
    ],
)
def test_what_is_no_rate_is_refused_in_one_line(asked: str | float, window: str | float | None, message: str) -> None:
    with pytest.raises(gd.ConfigError, match=message) as caught:
        FalseAlarms.parse(asked, window)
    assert "\n" not in str(caught.value)
