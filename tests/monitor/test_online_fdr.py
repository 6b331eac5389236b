"""LORD++: the false discovery rate of a stream, by its definition and by simulation."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.special

import gpudrift as gd
from gpudrift.monitor import online_fdr


def test_alphas_are_those_of_the_definition() -> None:
    # alpha_t = g_t w + (rate - w) g_(t - t1) + rate sum g_(t - tj), g_j = j^-1.6 / zeta(1.6), alarms at 2, 3 and 6
    def g(j: int) -> float:
        return float(j**-1.6 / scipy.special.zeta(1.6))

    stream = gd.OnlineFDR(0.1)
    for t in range(1, 9):
        expected = 0.05 * g(t) + (0.05 * g(t - 2) if t > 2 else 0) + sum(0.1 * g(t - j) for j in (3, 6) if t > j)
        assert stream.alpha == pytest.approx(expected, rel=1e-12)
        stream = stream.after(alarm=t in (2, 3, 6))
    assert stream.alarms == (2, 3, 6)


def test_what_is_spent_never_passes_the_rate_times_the_alarms() -> None:
    rng = np.random.default_rng(0)
    stream, spent = gd.OnlineFDR(0.05), 0.0
    for alarm in rng.random(400) < 0.1:
        spent += stream.alpha
        assert spent <= 0.05 * max(1, len(stream.alarms))
        stream = stream.after(alarm=bool(alarm))


def test_false_alarms_are_no_larger_a_part_of_alarms_than_asked_for() -> None:
    # 300 streams of 100 windows, one in five of them with a real drift of 3.5 standard deviations
    rng = np.random.default_rng(1)
    false = alarms = 0
    for _ in range(300):
        stream, drifts = gd.OnlineFDR(0.1), rng.random(100) < 0.2
        p_values = scipy.special.ndtr(-(rng.normal(size=100) + 3.5 * drifts))
        for drift, p in zip(drifts.tolist(), p_values.tolist(), strict=True):
            alarm = p <= stream.alpha
            alarms, false = alarms + alarm, false + (alarm and not drift)
            stream = stream.after(alarm=alarm)
    assert alarms > 3000  # of some 6,000 drifts: it has power
    assert false / alarms < 0.1


def test_a_state_goes_through_json() -> None:
    stream = gd.OnlineFDR(0.05).after(alarm=True).after(alarm=False)
    assert gd.OnlineFDR.from_dict(json.loads(json.dumps(stream.to_dict()))) == stream


def test_the_weights_add_up_to_one() -> None:
    assert scipy.special.zeta(1.6) == pytest.approx(online_fdr._ZETA, rel=1e-12)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"rate": 0.05, "looks": 1}, "^no state of OnlineFDR: 'alarms'; pass what to_dict gave$"),
        ({"rate": 0.05, "looks": 1, "alarms": [2]}, r"^alarms must be ascending numbers from 1 to 1, got \(2,\)$"),
        ({"rate": 0.05, "looks": -1, "alarms": []}, "^looks must be a whole number of at least 0, got -1$"),
        ({"rate": 2, "looks": 1, "alarms": []}, "^rate must be between 0 and 1, got 2$"),
    ],
)
def test_no_state_is_refused(state: dict[str, object], message: str) -> None:
    with pytest.raises(gd.GpudriftError, match=message):
        gd.OnlineFDR.from_dict(state)
