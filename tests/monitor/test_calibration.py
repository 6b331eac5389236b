"""Calibration: thresholds that keep the rate asked for."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.monitor.calibrating import How
from gpudrift.stats import STATISTICS

from .conftest import Table, day, joined

HOWS: tuple[How, ...] = ("multinomial", "block", "leave-one-out")


def share_beyond(profile: gd.Profile, found: gd.Calibration, batches: list[gd.Counts]) -> float:
    """Share of batches with any effect size at its threshold, whatever the p-values."""
    hits = [
        any(
            value >= found.thresholds[feature.name].get(name, math.inf)
            for feature in profile.compare(batch).values()
            for name, value in feature.effects.items()
        )
        for batch in batches
    ]
    return sum(hits) / len(hits)


@pytest.mark.parametrize("how", HOWS)
def test_fresh_windows_pass_the_thresholds_as_rarely_as_asked(how: How) -> None:
    # windows whose rows are independent; of 120 fresh ones at a rate of .1 more than a quarter come with a probability
    # below 1e-5 for known thresholds, and of about .003 with the luck of 60 windows
    rng = np.random.default_rng(21)
    days = [day(rng) for _ in range(60)]
    profile = gd.profile(joined(days), columns=["tails", "count", "category"])
    windows = [profile.count(table) for table in days]
    found = gd.calibrate(profile, windows, false_alarms=0.1, how=how, replicates=2000)
    assert found.reached == pytest.approx(0.1, abs=0.01)
    assert 0.01 < share_beyond(profile, found, [profile.count(day(rng)) for _ in range(120)]) < 0.25


def test_windows_that_move_from_day_to_day_need_their_own_spread() -> None:
    # means that wander with a standard deviation of .15: rows drawn independently know nothing of it
    rng = np.random.default_rng(22)
    days = [{"x": rng.normal(rng.normal(0, 0.15), size=400)} for _ in range(160)]
    profile = gd.profile(joined(days[:80]))
    windows = [profile.count(table) for table in days]
    rates = {
        how: share_beyond(
            profile, gd.calibrate(profile, windows[:80], false_alarms=0.1, how=how, replicates=1000), windows[80:]
        )
        for how in HOWS
    }
    assert rates["multinomial"] > 0.4
    # three standard errors above .1, of 80 fresh windows and of thresholds from 80
    assert rates["block"] < 0.24
    assert rates["leave-one-out"] < 0.24


def test_settings_carry_the_thresholds_into_the_verdict(champion: gd.Profile, windows: list[gd.Counts]) -> None:
    found = gd.calibrate(champion, windows, false_alarms=0.1, replicates=1000)
    base = gd.Settings(alpha=0.01, feature_thresholds={"other": {"psi": 0.3}})
    settings = found.settings(base)
    assert settings.alpha == 0.01
    assert settings.threshold("psi", "other") == 0.3
    assert settings.threshold("ks", "normal") == found.thresholds["normal"]["ks"]
    report = champion.compare(champion.count(day(np.random.default_rng(0), 2000, shift=0.8)), settings=settings)
    assert {reason.how for reason in report["normal"].reasons} == {"calibrated", "benjamini-hochberg over 5 features"}


def test_leaving_a_window_out_gives_the_numbers_of_its_report(champion: gd.Profile, windows: list[gd.Counts]) -> None:
    from gpudrift.monitor.max_statistic import effect
    from gpudrift.monitor.null_windows import leave_one_out
    from gpudrift_kernels.backend import get_backend

    law = leave_one_out(champion, windows, range(5), held_out=False, backend=get_backend("cpu"))
    others = replace(champion, reference=champion.reference - windows[3])
    report = others.compare(windows[3])
    for name, scale in law.scales.items():
        # undo the standardisation: each threshold at the window's own z is its effect size
        assert set(scale.names) >= {s for s in report[name].effects if STATISTICS[s].threshold is not None}
    z = float(law.largest[3])
    name = list(law.scales)[int(law.feature[3])]
    scale, s = law.scales[name], int(law.statistic[3])
    x = scale.centre_without[3, s] + z * scale.spread_without[3, s]
    value = effect(scale.names[s], x)
    # W1 is in units of the whole reference's standard deviation, the report's of that without the window
    tolerance = 0.05 if scale.names[s] == "wasserstein" else 1e-9
    assert value == pytest.approx(report[name].effects[scale.names[s]], rel=tolerance)


@pytest.mark.parametrize("how", HOWS)
def test_the_same_seed_gives_the_same_thresholds(how: How, champion: gd.Profile, windows: list[gd.Counts]) -> None:
    one, other = (gd.calibrate(champion, windows, false_alarms=0.1, how=how, replicates=500, seed=3) for _ in range(2))
    assert one == other
    assert one.replicates == (40 if how == "leave-one-out" else 500)
    assert one.average_run_length >= 1 / one.reached * 0.9


def test_a_mapping_in_time_order_is_as_good_as_a_sequence(champion: gd.Profile, windows: list[gd.Counts]) -> None:
    named = {f"day {i}": window for i, window in enumerate(windows)}
    one, other = (gd.calibrate(champion, w, false_alarms=0.1, how="leave-one-out") for w in (windows, named))
    assert one == other
    assert one.average_run_length == pytest.approx(41 / 4)  # the 4 largest of 41


def test_held_out_windows_are_measured_against_the_whole_reference(
    champion: gd.Profile, windows: list[gd.Counts]
) -> None:
    rng = np.random.default_rng(5)
    fresh = [champion.count(day(rng)) for _ in range(12)]
    with pytest.raises(gd.DataError, match=r"^the windows are no part of the reference; pass held_out=True, or"):
        gd.calibrate(champion, windows + fresh, false_alarms=0.1)
    for how in ("block", "leave-one-out"):
        found = gd.calibrate(champion, fresh, false_alarms=0.2, how=how, held_out=True, replicates=500)  # type: ignore[arg-type]
        assert found.thresholds["normal"]["ks"] > 0


def test_a_rate_finer_than_the_windows_show_is_extrapolated_and_said(
    champion: gd.Profile, windows: list[gd.Counts]
) -> None:
    at_the_limit = gd.calibrate(champion, windows, false_alarms=1 / 41, how="leave-one-out")
    finer = gd.calibrate(champion, windows, false_alarms="1 per quarter", window="1d", how="leave-one-out")
    assert at_the_limit.notes == ()
    assert finer.notes == (
        "1 per quarter is 0.011 a window, finer than the 0.0244 that 40 windows can show: "
        "thresholds are extrapolated, their height above the median times 1.22",
    )
    assert finer.reached_error is None
    assert finer.average_run_length == pytest.approx(91.31, abs=0.01)
    assert finer.thresholds["normal"]["ks"] > at_the_limit.thresholds["normal"]["ks"]
    with pytest.raises(gd.ConfigError, match=r"^1 per year is 0\.000114 a window, and 40 windows show no rate below"):
        gd.calibrate(champion, windows, false_alarms="1 per year", window="1h")


def test_what_never_varies_keeps_its_threshold(champion: gd.Profile, windows: list[gd.Counts]) -> None:
    found = gd.calibrate(champion, windows, false_alarms=0.1, how="leave-one-out")
    assert "missing_rate" not in found.thresholds["normal"]
    assert "missing_rate" in found.thresholds["gaps"]
    assert found.settings().threshold("missing_rate", "normal") == 0.05


def test_columns_like_an_index_and_columns_without_windows_are_left_out(days: list[Table]) -> None:
    n = sum(table["normal"].size for table in days)
    profile = gd.profile({**joined(days), "id": np.arange(n)})
    windows = [profile.count({"normal": table["normal"]}) for table in days]
    found = gd.calibrate(profile, windows, false_alarms=0.1, replicates=500, settings=gd.Settings(columns=("normal",)))
    assert set(found.thresholds) == {"normal"}
    some = gd.calibrate(profile, windows, false_alarms=0.1, replicates=500)
    assert set(some.thresholds) == {"normal"}
    assert "'tails' is in no window: its thresholds stay as they are" in some.notes


def test_windows_of_a_report_are_as_good_as_their_counts() -> None:
    rng = np.random.default_rng(12)
    table = {"x": rng.normal(size=4000), "w": rng.exponential(size=4000), "plan": rng.choice(list("abc"), 4000)}
    profile = gd.profile(table, weights="w")
    report = gd.check_drift(reference=profile, current=table, window="200 rows")
    assert report.windows is not None
    found = gd.calibrate(profile, report.windows, false_alarms=0.2, replicates=500)
    assert found.profile_id == profile.profile_id
    assert found == gd.calibrate(
        profile, [report.windows.counts(span) for span in report.windows], false_alarms=0.2, replicates=500,
        settings=report.settings,
    )  # fmt: skip
    in_turn = gd.check_drift(reference=profile, current=table, window="200 rows", every="200 rows").windows
    assert in_turn is not None
    assert gd.calibrate(profile, in_turn, false_alarms=0.2, replicates=500).thresholds == found.thresholds
    overlapping = gd.check_drift(reference=profile, current=table, window="400 rows", every="200 rows").windows
    assert overlapping is not None
    with pytest.raises(gd.DataError, match=r"^windows must follow each other, and be compared with the reference; "):
        gd.calibrate(profile, overlapping, false_alarms=0.2)


@pytest.mark.parametrize("how", HOWS)
def test_rows_of_unequal_weight_vary_as_their_effective_number(how: How) -> None:
    # weights of coefficient of variation 1 halve the effective rows of either side: distances grow by sqrt(2)
    rng = np.random.default_rng(16)
    n = 20_000
    table = {
        "x": rng.normal(size=n),
        "plan": rng.choice(list("abcde"), n),
        "w": rng.exponential(size=n),
        "gap": np.where(rng.random(n) < 0.1, np.nan, 1.0),
    }
    found = []
    for weights in (None, "w"):
        profile = gd.profile(table, columns=["x", "plan", "gap"], weights=weights)
        days = [{name: values[i : i + 400] for name, values in table.items()} for i in range(0, n, 400)]
        windows = [profile.count(day) for day in days]
        found.append(gd.calibrate(profile, windows, false_alarms=0.1, how=how, replicates=2000).thresholds)
    for feature, statistic in (("x", "ks"), ("x", "wasserstein"), ("plan", "js_distance"), ("gap", "missing_rate")):
        ratio = found[1][feature][statistic] / found[0][feature][statistic]
        assert ratio == pytest.approx(math.sqrt(2), rel=0.25)
    assert found[1]["plan"]["cramers_v"] == pytest.approx(math.sqrt(2) * found[0]["plan"]["cramers_v"], rel=0.25)


def test_counts_with_weights_and_without_are_not_mixed() -> None:
    rng = np.random.default_rng(17)
    table = {"x": rng.normal(size=400), "w": rng.exponential(size=400)}
    profile = gd.profile(table, columns=["x"], weights="w")
    without = replace(profile.count(table), weights=None)
    with pytest.raises(gd.DataError, match=r"^window 0 and the profile must both have weights, or neither; "):
        gd.calibrate(profile, [without], false_alarms=0.1, how="multinomial")


def test_columns_of_times_and_weights_are_no_features() -> None:
    rng = np.random.default_rng(13)
    n = 2000
    start = np.datetime64("2024-01-01", "us")
    shuffled = rng.permutation(n)
    table = {
        "x": rng.normal(size=n),
        "w": rng.exponential(size=n),
        "ts": start + shuffled // 100 * np.timedelta64(1, "D"),
        "id": np.arange(n),
    }
    asked = gd.Settings(time="ts", window="1d", weights="w")
    report = gd.check_drift(reference=table, current=table, settings=asked)
    assert report.windows is not None
    profile = report.windows.question.profile
    found = gd.calibrate(profile, report.windows, false_alarms=0.2, how="leave-one-out")
    assert set(found.thresholds) == {"x"}
    assert found.notes == ("'id' looks like an index: it is left out, as it is of verdicts",)
    assert all(value < 1 for name, value in found.thresholds["x"].items() if name in {"ks", "js_distance", "hellinger"})


def test_a_feature_that_was_restless_once_is_named_as_the_leader(champion: gd.Profile) -> None:
    rng = np.random.default_rng(7)
    days = [day(rng) for _ in range(30)]
    days[10]["tails"] = days[10]["tails"] * 30
    profile = gd.profile(joined(days))
    found = gd.calibrate(profile, [profile.count(table) for table in days], false_alarms=0.05, how="leave-one-out")
    assert found.leader[0] == "tails"


@pytest.mark.parametrize("how", ["block", "leave-one-out"])
def test_storms_of_one_feature_raise_its_own_thresholds(how: How) -> None:
    # one window in six has delays twenty times as long: calm features do not pay for them
    rng = np.random.default_rng(14)
    calm = [{"calm": rng.normal(size=300)} for _ in range(72)]
    scale = np.where(np.arange(72) % 6, 1.0, 20.0 * rng.exponential(size=72))
    days = [{**day, "delay": k * rng.exponential(size=300)} for day, k in zip(calm, scale, strict=True)]
    found = {}
    for name, tables in (("calm", calm), ("both", days)):
        profile = gd.profile(joined(tables))
        counts = [profile.count(table) for table in tables]
        found[name] = gd.calibrate(profile, counts, false_alarms=0.05, how=how, replicates=2000).thresholds
    for name, alone in found["calm"]["calm"].items():
        assert found["both"]["calm"][name] < (2.25 if name == "psi" else 1.5) * alone  # PSI is a square
    assert found["both"]["delay"]["ks"] > 2 * found["both"]["calm"]["ks"]


@pytest.mark.parametrize("how", HOWS)
def test_no_threshold_lies_beyond_the_bound_of_its_statistic(how: How) -> None:
    # each day holds one of three places and none of the others: all of them differ from the reference as they can
    rng = np.random.default_rng(15)
    days = [{"place": np.full(100, "abc"[rng.integers(3)]), "x": rng.normal(size=100)} for _ in range(30)]
    days[7] = {**days[7], "x": np.full(100, 50.0)}
    profile = gd.profile(joined(days))
    found = gd.calibrate(profile, [profile.count(d) for d in days], false_alarms=0.05, how=how, replicates=500)
    for thresholds in found.thresholds.values():
        assert all(value <= STATISTICS[name].bounds[1] for name, value in thresholds.items())
    near = [n for n, of in found.thresholds.items() if any(v >= 0.99 * STATISTICS[s].bounds[1] for s, v in of.items())]
    assert any(note.startswith("hardly able to alarm") for note in found.notes) == bool(near)
    if how != "multinomial":
        assert near


def test_one_window_is_enough_where_only_its_size_is_used(champion: gd.Profile, windows: list[gd.Counts]) -> None:
    found = gd.calibrate(champion, windows[:1], false_alarms=0.01, how="multinomial", replicates=2000)
    assert found.rows == 200
    # KS of 200 rows against 8,000 at one in 10,000, Kolmogorov's law: 2.225 sqrt(1/200 + 1/8000)
    assert 0.1 < found.thresholds["normal"]["ks"] < 2.225 * math.sqrt(1 / 200 + 1 / 8000) * 1.05


@pytest.mark.parametrize("how", HOWS)
def test_columns_at_the_edge_of_their_type_get_plain_thresholds_or_none(how: How) -> None:
    rng = np.random.default_rng(9)
    n = 1200
    table = {
        "huge": rng.choice([-1.7e308, 0.0, 1.7e308], n),
        "beyond 2**53": 2**60 + rng.poisson(40, n),
        "hashes": rng.integers(-(2**63), 2**63 - 1, n),
        "infinite": np.where(rng.random(n) < 0.05, np.inf, rng.normal(size=n)),
        "missing": np.full(n, np.nan),
        "constant": np.full(n, 7.25),
        "rare": (np.arange(n) % 400 == 0).astype(np.float64),
        "flag": rng.random(n) < 0.3,
        "many": np.array([f"c{k % 300}" for k in rng.zipf(1.5, n)]),
    }
    profile = gd.profile(table)
    windows = [profile.count({name: v[i : i + 100] for name, v in table.items()}) for i in range(0, n, 100)]
    found = gd.calibrate(profile, windows, false_alarms=0.1, how=how, replicates=500)
    assert {"huge", "beyond 2**53", "infinite", "flag", "many"} <= set(found.thresholds)
    assert not {"missing", "constant", "hashes"} & set(found.thresholds)  # nothing varies; or it looks like an index
    assert found.settings()  # every threshold is positive and finite
