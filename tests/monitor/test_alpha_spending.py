"""Alpha spending: what is spent adds up, when is a choice."""

from __future__ import annotations

import pytest
import scipy.stats

import gpudrift as gd
from gpudrift.monitor.alpha_spending import SPENDING


@pytest.mark.parametrize("shape", SPENDING)
@pytest.mark.parametrize("looks", [1, 2, 52, 1000])
def test_alphas_are_positive_and_add_up_to_the_total(shape: str, looks: int) -> None:
    spending = gd.AlphaSpending(0.05, looks, shape)
    alphas = [spending.alpha(k) for k in range(1, looks + 1)]
    assert min(alphas) > 0
    assert sum(alphas) == pytest.approx(0.05, rel=1e-9)


def test_shapes_spend_as_published() -> None:
    # Lan and DeMets (1983): 2 (1 - Phi(1.96 / sqrt t)) is spent by t = 0.2 ... 0.8
    late = gd.AlphaSpending(0.05, 5, "obrien-fleming")
    spent = [sum(late.alpha(j) for j in range(1, k + 1)) for k in (1, 2, 3, 4)]
    upper = scipy.stats.norm.isf(0.025)
    expected = [2.0 * scipy.stats.norm.sf(upper / (k / 5) ** 0.5) for k in (1, 2, 3, 4)]
    assert spent == pytest.approx(expected, rel=1e-9)
    early = gd.AlphaSpending(0.05, 5, "pocock")
    assert early.alpha(1) == pytest.approx(0.0147701, abs=1e-6)  # 0.05 ln(1 + (e - 1) / 5)
    assert [late.alpha(k) < early.alpha(k) for k in (1, 5)] == [True, False]


def test_every_alpha_is_one_that_settings_take() -> None:
    spending = gd.AlphaSpending(0.05, 10_000)
    assert all(gd.Settings(alpha=spending.alpha(k)).alpha > 0 for k in (1, 5000, 10_000))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"total": 0}, "^total must be between 0 and 1, got 0$"),
        ({"looks": 0}, "^looks must be a whole number of at least 1, got 0$"),
        ({"looks": True}, "^looks must be a whole number of at least 1, got True$"),
        ({"shape": "pocok"}, r"^shape 'pocok' is unknown: did you mean 'pocock'\?$"),
    ],
)
def test_what_cannot_be_spent_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(gd.ConfigError, match=message):
        gd.AlphaSpending(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [0, 53, -1])
def test_a_look_that_was_not_planned_has_no_alpha(k: int) -> None:
    with pytest.raises(gd.ConfigError, match=f"^k must lie in 1 to 52, the looks that were planned, got {k}$"):
        gd.AlphaSpending().alpha(k)
