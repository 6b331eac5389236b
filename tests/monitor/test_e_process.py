"""The e-process: no false alarm for good, an alarm soon after a change, and a state that goes on where it was."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import gpudrift as gd

from .conftest import Table, category_counts, day


@pytest.fixture(scope="module")
def dice() -> gd.Profile:
    """A column of four categories with known shares, so well known that the reference's own noise hardly counts."""
    return gd.profile({"side": np.repeat(np.array(list("abcd")), [400_000, 300_000, 200_000, 100_000])})


def stream(profile: gd.Profile, shares: list[list[float]], rng: np.random.Generator, rows: int = 500) -> gd.EProcess:
    monitor = gd.EProcess(profile)
    for p in shares:
        monitor.update(category_counts(profile, rng.multinomial(rows, p)))
    return monitor


def test_streams_at_the_edge_of_the_tolerance_alarm_at_most_at_alpha(dice: gd.Profile) -> None:
    # 150 streams of 40 windows: at a true rate of .05 more than 16 alarms come with probability .002
    rng = np.random.default_rng(0)
    edge = [0.38, 0.32, 0.18, 0.12]  # every share has moved by just the tolerance of .02
    assert sum(stream(dice, [edge] * 40, rng).alarm for _ in range(150)) <= 16


def test_the_expected_evidence_at_a_limit_is_its_start(dice: gd.Profile) -> None:
    # a bet on one share alone, at its very limit, is a fair game: the mean of many tosses stays where it began
    rng = np.random.default_rng(1)
    monitor = gd.EProcess(dice)
    limit = float(monitor._limit[3])
    shares = [0.4 - limit + 0.1, 0.3, 0.2, limit]
    tosses = np.array([rng.multinomial(200, shares)[3] for _ in range(40_000)])
    gain, loss = monitor._gain[3], monitor._loss[3]
    growth = np.exp(tosses[:, np.newaxis] * gain + (200 - tosses)[:, np.newaxis] * loss)[:, :2]
    error = growth.std(axis=0) / np.sqrt(tosses.size)
    assert (np.abs(growth.mean(axis=0) - 1.0) < 4 * error).all()


def test_a_reference_of_few_rows_raises_no_alarm_of_its_own() -> None:
    # 40 references of 300 rows: without limits for their own noise most would be left for good within 20 windows
    rng = np.random.default_rng(2)
    for _ in range(40):
        profile = gd.profile({"side": np.array(list("abcd"))[rng.integers(0, 4, 300)]})
        monitor = gd.EProcess(profile, tolerance=0.0)
        for _ in range(20):
            monitor.update(category_counts(profile, np.append(rng.multinomial(2000, [0.25] * 4), [0, 0])))
        assert not monitor.alarm


def test_a_change_is_found_soon_even_after_a_long_time_without(dice: gd.Profile) -> None:
    rng = np.random.default_rng(3)
    before, after = [0.4, 0.3, 0.2, 0.1], [0.34, 0.3, 0.2, 0.16]
    monitor = stream(dice, [before] * 100, rng)
    assert monitor.peak < 1
    for _ in range(12):
        monitor.update(category_counts(dice, rng.multinomial(500, after)))
    assert monitor.alarm
    assert monitor.e_value >= 20


def test_an_alarm_stays_and_names_the_feature(champion: gd.Profile) -> None:
    rng = np.random.default_rng(4)
    monitor = gd.EProcess(champion)
    moved = {**day(rng, 3000), "count": rng.poisson(6, 3000)}
    monitor.update(champion.count(moved))
    assert monitor.alarm
    assert max(monitor.features, key=lambda name: monitor.features[name]) == "count"
    for _ in range(5):
        monitor.update(champion.count(day(rng, 3000)))
    assert monitor.alarm
    assert monitor.peak >= 20


def test_missing_values_and_new_categories_are_evidence(champion: gd.Profile) -> None:
    rng = np.random.default_rng(5)
    table = day(rng, 4000)
    table["gaps"][:2000] = np.nan
    table["category"][:3000] = "z"
    features = {}
    monitor = gd.EProcess(champion)
    monitor.update(champion.count(table))
    features = monitor.features
    assert features["gaps"] > 20
    assert features["category"] > 20
    assert features["normal"] < 1


def test_a_column_that_a_window_does_not_have_changes_nothing(champion: gd.Profile, days: list[Table]) -> None:
    monitor = gd.EProcess(champion)
    monitor.update(champion.count({name: values for name, values in days[0].items() if name != "tails"}))
    assert monitor.features["tails"] == pytest.approx(0.9, rel=1e-12)


def test_a_state_goes_through_json_and_goes_on_to_the_same_bits(champion: gd.Profile, windows: list[gd.Counts]) -> None:
    whole = gd.EProcess(champion, alpha=0.01, tolerance=0.03)
    for window in windows[:6]:
        whole.update(window)
    part = gd.EProcess(champion, alpha=0.01, tolerance=0.03)
    for window in windows[:3]:
        part.update(window)
    again = gd.EProcess.from_dict(champion, json.loads(json.dumps(part.to_dict(), allow_nan=False)))
    for window in windows[3:6]:
        again.update(window)
    assert again.to_dict() == whole.to_dict()
    assert gd.EProcess.from_dict(champion, gd.EProcess(champion).to_dict()).to_dict() == gd.EProcess(champion).to_dict()


def test_evidence_beyond_the_largest_double_stays_plain(dice: gd.Profile) -> None:
    monitor = gd.EProcess(dice)
    assert monitor.update(category_counts(dice, np.array([0, 0, 0, 10**7]))) == np.inf
    assert json.dumps(monitor.to_dict(), allow_nan=False)
    assert gd.EProcess.from_dict(dice, monitor.to_dict()).alarm


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 1}, "^alpha must be between 0 and 1, got 1$"),
        ({"tolerance": 0.5}, "^tolerance must be at least 0 and below 0.5, got 0.5$"),
        ({"tolerance": -0.1}, "^tolerance must be at least 0 and below 0.5, got -0.1$"),
    ],
)
def test_settings_out_of_range_are_named(champion: gd.Profile, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(gd.ConfigError, match=message):
        gd.EProcess(champion, **arguments)


def test_what_is_no_window_of_the_profile_is_refused_and_leaves_the_state(
    champion: gd.Profile, dice: gd.Profile, days: list[Table]
) -> None:
    monitor = gd.EProcess(champion)
    for window, message in (
        (days[0], "^update takes the Counts of a window, got dict; call profile.count first$"),
        (dice.reference, "^the counts belong to another profile; count the window with the monitor's one$"),
        (gd.Counts.empty(champion.profile_id), "^the window has no rows; leave it out$"),
    ):
        with pytest.raises(gd.DataError, match=message):
            monitor.update(window)  # type: ignore[arg-type]
    assert monitor.windows == 0


def test_no_state_is_refused(champion: gd.Profile, dice: gd.Profile) -> None:
    state = gd.EProcess(champion).to_dict()
    for wrong, message in (
        ({**state, "profile_id": dice.profile_id}, "^the state belongs to another profile; "),
        ({**state, "windows": 1}, "^no state of EProcess: 0 bets after 1 windows; pass what to_dict gave$"),
        ({"alpha": 0.05}, "^no state of EProcess: 'tolerance'; pass what to_dict gave$"),
    ):
        with pytest.raises(gd.DataError, match=message):
            gd.EProcess.from_dict(champion, wrong)


def test_a_profile_of_indices_alone_has_nothing_to_watch() -> None:
    with pytest.raises(gd.DataError, match=r"^the profile has no column to watch; name those that look like an index"):
        gd.EProcess(gd.profile({"id": np.arange(1000)}))


def test_windows_of_a_report_update_as_their_rows_would() -> None:
    rng = np.random.default_rng(8)
    names = np.array([f"c{k}" for k in range(400)])  # more than a grid has cells for
    table = {"x": rng.normal(size=6000), "plan": names[np.minimum(rng.geometric(0.1, 6000) * 3, 399)]}
    table["plan"][:400] = names
    profile = gd.profile(table, columns=["x", "plan"])
    windows = gd.check_drift(reference=profile, current=table, window="1000 rows").windows
    assert windows is not None
    by_counts, by_rows = gd.EProcess(profile), gd.EProcess(profile)
    for k, span in enumerate(windows):
        rows = {name: values[1000 * k : 1000 * (k + 1)] for name, values in table.items()}
        assert by_counts.update(windows.counts(span)) == pytest.approx(by_rows.update(profile.count(rows)), rel=1e-12)
    assert by_counts.windows == 6
