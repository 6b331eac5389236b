"""The stated error rate, on fewer streams than ``make error-rates`` draws; fixed seeds."""

from __future__ import annotations

import numpy as np
import pytest

import gpudrift as gd
from benchmarks.error_rates import populations
from benchmarks.error_rates.intervals import interval, most_alarms
from benchmarks.error_rates.kinds import KINDS, kinds_of
from benchmarks.error_rates.outcome import OWN
from benchmarks.error_rates.scenarios import Scenario
from benchmarks.error_rates.shifts import SIZES, shift
from benchmarks.error_rates.simulate import ALPHA, run_streams
from benchmarks.error_rates.streams import Process
from gpudrift_kernels.cpu.backend import CpuBackend


@pytest.mark.parametrize(
    ("process", "rows", "features", "streams"),
    [("iid", 200, 8, 200), ("iid", 10_000, 8, 20), ("iid", 10_000_000, 8, 100), ("common factor", 200, 8, 100)],
)
def test_null_streams_alarm_at_most_at_alpha(process: str, rows: int, features: int, streams: int) -> None:
    correlation = 0.5 if process == "common factor" else 0.0
    total = run_streams(Scenario(process, correlation, rows, features, streams, with_peers=0), range(streams))
    verdict, p_value, _ = (int(total[rule][0]) for rule in OWN)
    # at a true rate of alpha more come with probability .001
    assert verdict <= p_value <= most_alarms(streams, ALPHA)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [200, 10_000_000])
def test_null_streams_of_200_features_alarm_at_most_at_alpha(rows: int) -> None:
    total = run_streams(Scenario("iid", 0.0, rows, 200, 20, with_peers=0), range(20))
    assert total[OWN[0]][0] <= most_alarms(20, ALPHA)


def test_dependent_rows_break_the_p_values_and_effect_sizes_hold_the_alarms_back() -> None:
    total = run_streams(Scenario("AR(1)", 0.5, 10_000, 8, 20, with_peers=0), range(20))
    verdict, p_value, _ = (int(total[rule][0]) for rule in OWN)
    assert p_value > most_alarms(20, ALPHA)
    assert verdict <= most_alarms(20, ALPHA)


@pytest.mark.parametrize("family", SIZES)
def test_the_largest_shift_of_each_family_is_named_at_any_number_of_rows(family: str) -> None:
    for rows in (200, 10_000, 10_000_000):
        total = run_streams(Scenario("iid", 0.0, rows, 8, 5, 0, family, SIZES[family][-1]), range(5))
        assert total[OWN[0]][1] == 5


def test_a_stream_is_the_same_whenever_it_is_drawn() -> None:
    scenario = Scenario("iid", 0.0, 200, 8, 3, 3)
    first, again = (run_streams(scenario, [2]) for _ in range(2))
    assert {rule: counts.tolist() for rule, counts in first.items()} == {r: c.tolist() for r, c in again.items()}


def test_counts_give_the_report_of_the_rows_behind_them() -> None:
    rng = np.random.default_rng(0)
    moved = shift("mean", 0.3)
    sides = [populations.side(rng, 2000, 8, 0.0, s) for s in (None, moved)]
    drawn = populations.compared(*sides, CpuBackend(1))
    tables = [
        {f"x{f}": kind.column(np.repeat(law.values, counts.sum(axis=0))) for f, (kind, (law, counts)) in columns}
        for columns in (enumerate(zip(kinds_of(8), side, strict=True)) for side in sides)
    ]
    report = gd.check_drift(reference=tables[0], current=tables[1], columns=list(tables[0]))
    for name, feature in report.items():
        # every value of these populations has a cell of its own under either plan
        assert feature.psi == pytest.approx(drawn[name].psi, rel=1e-12)
        assert feature.log_p_value == pytest.approx(drawn[name].log_p_value, rel=1e-9)
        assert feature.drifted == drawn[name].drifted
    assert report.drifted == ("x0",)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_dependent_draws_inflate_the_variance_of_a_count_as_their_autocorrelation_says(phi: float) -> None:
    law = populations.population(KINDS[4])
    counts = np.concatenate([law.draw(np.random.default_rng(k), 50_000, phi)[:, 0] for k in range(200)])
    share = law.shares[0]
    expected = 5000 * share * (1 - share) * (1 + phi) / (1 - phi)
    # 2,000 stretches: the standard error of a variance is sqrt(2 / 2000) = 3 %
    assert counts.var() == pytest.approx(expected, rel=0.12)
    assert counts.mean() == pytest.approx(5000 * share, rel=0.01)


def test_autoregressive_rows_have_the_autocorrelation_and_the_law_they_claim() -> None:
    z = Process(phi=0.8).latents(np.random.default_rng(0), 200_000, 1)[0]
    assert np.mean(z[1:] * z[:-1]) == pytest.approx(0.8, abs=0.02)
    assert z.var() == pytest.approx(1.0, abs=0.03)


def test_shares_of_shifted_populations_add_up() -> None:
    for family, sizes in SIZES.items():
        moved = shift(family, sizes[2])
        law = populations.population(KINDS[moved.feature]).after(moved)
        assert law.shares.sum() == pytest.approx(1.0, abs=1e-12)


def test_intervals_hold_the_rate_and_agree_with_the_exact_tails() -> None:
    assert interval(0, 100) == (0.0, pytest.approx(1 - 0.025 ** (1 / 100)))
    assert interval(100, 100)[1] == 1.0
    assert most_alarms(2000, 0.05) == 131
