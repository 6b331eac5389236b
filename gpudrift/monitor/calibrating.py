"""gd.calibrate: thresholds of every feature from windows without drift, for a chosen rate of false alarms."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import reduce
from operator import add
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.errors import ConfigError, DataError
from gpudrift.monitor.calibration import Calibration
from gpudrift.monitor.false_alarms import FalseAlarms
from gpudrift.monitor.null_windows import NullLaw, block_resampling, leave_one_out, multinomial_resampling
from gpudrift.monitor.window_reports import WindowReports
from gpudrift.nearest import hint
from gpudrift.period import Period
from gpudrift.profiles import Counts, Profile
from gpudrift.profiles.compare import wanted_columns
from gpudrift.profiles.grid import Grid, id_without_grid
from gpudrift.stats import STATISTICS
from gpudrift_kernels.backend import Backend, get_backend

How = Literal["block", "leave-one-out", "multinomial"]

#: Windows from which they, and not an assumption, say how windows differ.
MIN_WINDOWS: Final = 10

#: A rate may be this much finer than windows can show; thresholds then rise by its power below.
_FINEST: Final = 10.0
_TAIL_INDEX: Final = 0.25

#: Null windows that should lie beyond the thresholds, for these to be known.
_BEYOND: Final = 10

#: Part of a statistic's bound from which a threshold is next to never reached.
_NEAR_BOUND: Final = 0.99
_MOST_NAMED: Final = 5


def calibrate(
    profile: Profile,
    windows: Sequence[Counts] | Mapping[Hashable, Counts] | WindowReports,
    *,
    false_alarms: str | float,
    window: str | float | None = None,
    how: How = "block",
    replicates: int = 10_000,
    block: int | None = None,
    held_out: bool = False,
    settings: Settings | None = None,
    seed: int = 0,
    backend: str | Backend = "auto",
) -> Calibration:
    """Find the thresholds at which a report of a window without drift is flagged as rarely as asked for.

    Parameters
    ----------
    profile : Profile
    windows : sequence of Counts, or mapping of anything to Counts, or WindowReports
        Windows without drift in time order, of the length to be monitored: parts of the reference, counted with the
        profile; or ``report.windows`` of a check of the reference against itself, which keep counts of their own.
    false_alarms : str or float
        "1 per quarter", "2 per year"; or the probability that the report of a window has any flag.
    window : str or float, optional
        For a text: how long a window is ("1d", "6h", "1w", "1mo"), or how many there are in the period named. That of
        WindowReports by default. A length is kept, and a check of windows of another length says so.
    how : {"block", "leave-one-out", "multinomial"}
        Where windows without drift come from. "block": stretches of neighbouring windows against references made of
        blocks of the others, which keeps what windows and features share. "leave-one-out": each window against the
        reference without it, by the very comparison of a report. "multinomial": independent rows drawn from the
        reference's shares; of the windows only their sizes are used, and one is enough. Right for rows that are
        independent, and only for those.
    replicates : int
        Null windows to draw; leave-one-out has as many as there are windows.
    block : int, optional
        Neighbouring windows drawn together; by default 2 windows^(1/3), at most a quarter of them.
    held_out : bool
        The windows are no part of the reference.
    settings : Settings, optional
        ``columns`` limits the calibration to those named; columns of ``time`` and ``weights``, and those that look like
        an index, are calibrated only if named, as they are compared only then. ``thresholds`` of statistics that never
        vary are not touched. Those of WindowReports by default.
    seed : int
        The same one gives the same thresholds.
    backend : {"auto", "cpu", "cuda"} or Backend
        Its threads do the arithmetic.

    Returns
    -------
    Calibration

    Raises
    ------
    ConfigError
        An argument out of range, or a rate that the windows or replicates cannot show.
    DataError
        Windows that are no Counts of this profile, hold no rows, are too few, or are no part of the reference.

    Notes
    -----
    All thresholds lie at one height on a common scale, on which the largest effect size of any feature passes it
    with the probability asked for (max-statistic): it is the whole report that has the rate. The scale of each
    effect size comes from its own bulk and its own tail, and ends at its bound. A flag also needs a rejected
    p-value, so the rate of reports is at most that of the thresholds, and at most alpha where windows are
    independent.

    W windows show no rate below 1 / (W + 1): the chance that the next one is the most unusual of all. Where the
    rate asked for is finer, up to tenfold, the height is multiplied by (1 / (W + 1) / rate)^(1/4), which for 55
    windows and more is enough for every law whose tail is no heavier than exponential on that scale; `notes` says
    so. Finer still is an error. Windows are taken as exchangeable but for their neighbours: a trend or a season
    that the windows do not show whole is not covered.

    References
    ----------
    Westfall and Young (1993), Resampling-Based Multiple Testing. ISBN 978-0-471-55761-6
    Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World. doi:10.1007/b106715

    Examples
    --------
    >>> import numpy as np
    >>> import gpudrift as gd
    >>> rng = np.random.default_rng(0)
    >>> days = [{"x": rng.normal(rng.normal(0, 0.1), size=500)} for _ in range(60)]
    >>> champion = gd.profile({"x": np.concatenate([day["x"] for day in days])})
    >>> found = gd.calibrate(champion, [champion.count(day) for day in days], false_alarms="1 per month", window="1d")
    >>> round(found.rate, 4), found.thresholds["x"]["ks"] > 0.1
    (0.0329, True)
    >>> settings = found.settings()
    """
    _check_options(how, replicates, block, seed)
    if not isinstance(profile, Profile):
        raise DataError(f"calibrate takes a Profile, got {type(profile).__name__}; make one with gpudrift.profile")
    if isinstance(windows, WindowReports):
        settings, windows = settings or windows.question.settings, _counts_of(windows, profile)
    settings = settings or Settings()
    window = window or settings.window
    profile, counts = _checked_windows(profile, windows)
    asked = FalseAlarms.parse(false_alarms, window)
    rate, n_windows = asked.per_window, len(counts)
    notes: list[str] = []
    places = _places(profile, counts, settings, notes)
    if how != "multinomial":
        if n_windows < MIN_WINDOWS:
            raise DataError(
                f"{how} needs at least {MIN_WINDOWS} windows, got {n_windows}; "
                "pass more, or how='multinomial' if rows are independent"
            )
        if not held_out:
            _check_parts(profile, counts)
    height_rate, factor = _within_reach(rate, n_windows, how, asked.asked, notes)
    if how != "leave-one-out" and replicates * height_rate < _BEYOND:
        needed = math.ceil(_BEYOND / height_rate)
        raise ConfigError(f"a rate of {height_rate:.3g} a window needs {needed:,} replicates, got {replicates:,}")
    device = get_backend(backend)
    if how == "leave-one-out":
        law = leave_one_out(profile, counts, places, held_out=held_out, backend=device)
    elif how == "block":
        together = block or _default_block(n_windows)
        if 2 * together > n_windows:
            raise ConfigError(f"block must be at most half of the {n_windows} windows, got {together}")
        law = block_resampling(
            profile, counts, places, held_out=held_out, backend=device, replicates=replicates, block=together, seed=seed
        )
    else:
        law = multinomial_resampling(profile, counts, places, backend=device, replicates=replicates, seed=seed)
    if how != "leave-one-out" and any(profile.plans[f].kind == "categorical" for f in places):
        notes.append("new_rate keeps its threshold: no new category can be drawn; how='leave-one-out' calibrates it")
    length = window if isinstance(window, str) else settings.window
    return _calibration(profile, counts, length, law, asked, (height_rate, factor), how, seed, notes)


def _calibration(
    profile: Profile,
    windows: Sequence[Counts],
    length: str | None,
    law: NullLaw,
    asked: FalseAlarms,
    height: tuple[float, float],
    how: How,
    seed: int,
    notes: Sequence[str],
) -> Calibration:
    rate, factor = height
    n = law.largest.size
    descending = np.sort(law.largest)[::-1]
    # of n windows and the one to come, each is as likely to be the k-th largest
    k = math.floor(rate * (n + 1) * (1 + 1e-12)) if how == "leave-one-out" else math.floor(rate * n) + 1
    top = float(descending[k - 1])
    if not math.isfinite(top):
        raise DataError("no feature of the windows varies, or all have too few values; there is nothing to calibrate")
    beyond = law.largest > top
    reached, error, run_length = asked.per_window, None, 1.0 / asked.per_window  # as the extrapolation has it
    if factor == 1.0:
        reached, error = _reached(law, beyond, k, how)
        run_length = _run_length(beyond, law.run) if law.run > 1 else 1.0 / reached
    thresholds = {name: scale.thresholds(top * factor) for name, scale in law.scales.items()}
    at = law.largest >= top
    notes = [*notes, *_out_of_reach(thresholds)]
    leaders = Counter(zip(law.feature[at].tolist(), law.statistic[at].tolist(), strict=True))
    (feature, statistic), _ = leaders.most_common(1)[0]
    leading = list(law.scales)[feature]
    return Calibration(
        thresholds={name: found for name, found in thresholds.items() if found},
        asked=asked.asked,
        rate=asked.per_window,
        reached=reached,
        reached_error=error,
        average_run_length=run_length,
        how=how,
        windows=len(windows),
        window=length,
        columns=tuple(law.scales),
        weights=profile.weights,
        rows=float(np.median([window.n_rows for window in windows])),
        replicates=n,
        block=law.run if how == "block" else None,
        seed=None if how == "leave-one-out" else seed,
        leader=(leading, law.scales[leading].names[statistic]),
        notes=tuple(notes),
        profile_id=id_without_grid(profile.profile_id),
    )


def _out_of_reach(thresholds: Mapping[str, Mapping[str, float]]) -> list[str]:
    """One line on the statistics that windows without drift already take to their bound, or none."""
    found = {
        feature: names
        for feature, of in thresholds.items()
        if (names := [name for name, value in of.items() if value >= _NEAR_BOUND * STATISTICS[name].bounds[1]])
    }
    if not found:
        return []
    named = [f"{feature} by {', '.join(names)}" for feature, names in list(found.items())[:_MOST_NAMED]]
    more = f"; and {len(found) - _MOST_NAMED} more features" if len(found) > _MOST_NAMED else ""
    return [f"hardly able to alarm, as windows without drift differ as much: {'; '.join(named)}{more}"]


def _reached(law: NullLaw, beyond: NDArray[np.bool_], k: int, how: How) -> tuple[float, float | None]:
    """Share of null windows beyond the thresholds, and its standard error."""
    n = beyond.size
    if how == "leave-one-out":
        share = k / (n + 1)
        return share, math.sqrt(share * (1.0 - share) / (n + 2))
    share = float(beyond.mean())
    runs = np.add.reduceat(beyond, np.arange(0, n, law.run)) / law.run  # windows of one stretch go together
    return share, float(runs.std() / math.sqrt(runs.size))


def _run_length(beyond: NDArray[np.bool_], run: int) -> float:
    """Windows until the first alarm, in a stream of independent stretches."""
    stretches = beyond[: beyond.size // run * run].reshape(-1, run)
    any_alarm = stretches.any(axis=1)
    share = float(any_alarm.mean())
    if not share:
        return float(beyond.size)
    first = float(stretches[any_alarm].argmax(axis=1).mean()) + 1.0
    return run * (1.0 - share) / share + first


def _within_reach(rate: float, n_windows: int, how: How, asked: str, notes: list[str]) -> tuple[float, float]:
    """The rate that the windows can show, and what the height is multiplied by for a finer one."""
    limit = 1.0 / (n_windows + 1)
    if how == "multinomial" or rate >= limit:
        return rate, 1.0
    if rate < limit / _FINEST:
        needed = math.ceil(1.0 / (rate * _FINEST)) - 1
        raise ConfigError(
            f"{asked} is {rate:.3g} a window, and {n_windows:,} windows show no rate below {limit:.3g}: "
            f"pass at least {needed:,} windows, or how='multinomial' if rows are independent"
        )
    factor = (limit / rate) ** _TAIL_INDEX
    notes.append(
        f"{asked} is {rate:.3g} a window, finer than the {limit:.3g} that {n_windows:,} windows can show: "
        f"thresholds are extrapolated, their height above the median times {factor:.2f}"
    )
    return limit, factor


def _default_block(n_windows: int) -> int:
    return max(1, min(round(2.0 * math.cbrt(n_windows)), n_windows // 4))


def _check_options(how: str, replicates: int, block: int | None, seed: int) -> None:
    if how not in get_args(How):
        raise ConfigError(f"how {how!r} is unknown: {hint(str(how), get_args(How))}")
    for name, value in (("replicates", replicates), ("block", 1 if block is None else block)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"{name} must be a whole number of at least 1, got {value!r}")
    if not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed must be a whole number of at least 0, got {seed!r}")


def _counts_of(windows: WindowReports, profile: Profile) -> dict[Hashable, Counts]:
    """The counts behind reports of windows, which must be windows that a calibration is of."""
    settings = windows.question.settings
    if windows.place is not None:
        raise DataError("windows of a slice have a reference of their own; pass those of the whole report")
    in_turn = settings.every is None or Period.parse(settings.every) == Period.parse(settings.window or "")
    if not in_turn or settings.expanding or settings.against != "reference":
        raise DataError("windows must follow each other, and be compared with the reference; check with window alone")
    theirs = windows.question.profile
    if profile.profile_id not in (theirs.profile_id, id_without_grid(theirs.profile_id)):
        apart = ", ".join(map(repr, sorted({*theirs.columns} ^ {*profile.columns})))
        what = f"the profile, of which only one has {apart}" if apart else "the profile"
        raise DataError(f"the reference of the windows is not that of {what}; profile the same rows and columns")
    return {span: windows.counts(span) for span in windows}


def _checked_windows(
    profile: Profile, windows: Sequence[Counts] | Mapping[Hashable, Counts]
) -> tuple[Profile, list[Counts]]:
    """The windows, and the profile that they were counted with: the one given, or that of its grid."""
    if not isinstance(windows, Mapping | Sequence):
        raise DataError(f"windows must be a sequence of Counts or a mapping to them, got {type(windows).__name__}")
    named = list(windows.items() if isinstance(windows, Mapping) else enumerate(windows))
    if not named:
        raise DataError("there are no windows; count some parts of the reference with profile.count")
    for name, counts in named:
        if not isinstance(counts, Counts):
            raise DataError(f"window {name} is no Counts but {type(counts).__name__}; count it with profile.count")
    first = named[0][1].profile_id
    if first != profile.profile_id and id_without_grid(first) == profile.profile_id:
        profile = Grid.of(profile).profile
    for name, counts in named:
        if counts.profile_id != profile.profile_id:
            raise DataError(f"window {name} was counted with another profile; count it with this one")
        if not counts.n_rows:
            raise DataError(f"window {name} has no rows; leave it out")
        if (counts.weights is None) != (profile.reference.weights is None):
            raise DataError(f"window {name} and the profile must both have weights, or neither; count both alike")
    return profile, [counts for _, counts in named]


def _places(profile: Profile, windows: Sequence[Counts], settings: Settings, notes: list[str]) -> list[int]:
    """Columns that take part in a verdict and that some window holds."""
    wanted = wanted_columns(profile, settings)
    explicit = profile.explicit | set(settings.columns)
    places = []
    for f, column in enumerate(profile.plans):
        if column.name not in wanted:
            continue
        if (column.unique or column.grows) and column.name not in explicit:
            notes.append(f"{column.name!r} looks like an index: it is left out, as it is of verdicts")
        elif not any(window.column(f)[0].size for window in windows):
            notes.append(f"{column.name!r} is in no window: its thresholds stay as they are")
        else:
            places.append(f)
    if not places:
        raise DataError("no column of the profile can be calibrated; those that look like an index are left out")
    return places


def _check_parts(profile: Profile, windows: Sequence[Counts]) -> None:
    try:
        profile.reference - reduce(add, windows)  # raises where they are no part
    except DataError:
        raise DataError(
            "the windows are no part of the reference; pass held_out=True, or windows of the rows it was made from"
        ) from None
