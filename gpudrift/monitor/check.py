"""check_drift: the whole question in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

import numpy as np

from gpudrift.config import Against, Settings
from gpudrift.errors import ConfigError, DataError
from gpudrift.frames import NumberReader, Source, TableLike, open_source, require_columns
from gpudrift.monitor.section_counter import SectionCounter
from gpudrift.profiles.build import profile_source
from gpudrift.profiles.columns import NumericColumn
from gpudrift.profiles.compare import compare, compare_exactly
from gpudrift.profiles.counting import Progress, count_source
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.feature_drift import FeatureDrift
from gpudrift.profiles.gdp import load_profile
from gpudrift.profiles.numeric_drift import Exact
from gpudrift.profiles.reference_profile import Profile
from gpudrift.profiles.verdict import DISTRIBUTION, decide
from gpudrift.stats import Wasserstein, ks_from_statistic, mean_std_sorted, relative_scale, wasserstein_exact
from gpudrift_kernels.backend import Backend, get_backend
from gpudrift_kernels.on_host import on_host

#: Rows that are converted at once: what a column of another type costs in memory.
_ROWS_PER_SLICE: Final = 1 << 18


def check_drift(
    *,
    reference: TableLike | Profile,
    current: TableLike,
    columns: Sequence[str] = (),
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    exact: bool = False,
    alpha: float = 0.05,
    correction: str = "benjamini-hochberg",
    thresholds: Mapping[str, float] | None = None,
    drift_share: float | None = None,
    time: str | None = None,
    window: str | None = None,
    every: str | None = None,
    expanding: bool = False,
    against: Against = "reference",
    zone: str | None = None,
    slices: Sequence[str] = (),
    max_slices: int = 50,
    weights: str | None = None,
    settings: Settings | None = None,
    now: datetime | None = None,
    backend: str | Backend = "auto",
    progress: Progress | None = None,
) -> DriftReport:
    """Tell whether the current data have moved away from the reference, feature by feature.

    Parameters
    ----------
    reference, current : table
        pandas, polars or pyarrow table, RecordBatchReader, NumPy array (1-D or 2-D), mapping of names to arrays, or
        Parquet: a file, a directory, a glob, or a list of them. The reference may also be a Profile or the path of a
        ``.gdp`` file.
    columns : sequence of str, optional
        Columns to compare; all by default. Those named here count in the verdict even if they look like an index.
    categorical, numeric : sequence of str, optional
        Columns to treat as such whatever their type.
    exact : bool
        KS and Wasserstein from the sorted rows. Without it they come with a certified interval from the counts, and
        rows are sorted only for a feature whose verdict hangs on it.
    alpha : float
        Error rate over the features of the report.
    correction : {"benjamini-hochberg", "bonferroni", "none"}
    thresholds : mapping of statistic to effect size, optional
        Replaces the defaults of ``gpudrift.stats.STATISTICS``.
    drift_share : float, optional
        Share of features that must drift before the dataset does; one feature is enough by default.
    time : str, optional
        Column of timestamps or dates; with it ``window``. It is not compared unless ``columns`` names it.
    window : str, optional
        Length of a window: "1d", "6h", "2w", "1mo", "5000 rows". The report then has ``windows``. Days and longer
        units begin where the calendar's do, on the wall clock of ``zone``; rows may come in any order.
        An hour that the clock shows twice is in one window, or where windows are shorter in those of its first time.
    every : str, optional
        A new window begins after so long, for windows that overlap: "1d" beside a window of "7d".
    expanding : bool
        Every window begins with the first one.
    against : {"reference", "previous"}
        What a window is compared with: the reference, or the window before it.
    zone : str, optional
        Time zone, such as "Europe/Paris", whose wall clock windows follow; that of the column by default.
    slices : sequence of str, optional
        Columns whose combinations of categories are compared one by one, each with the same slice of the reference.
        The report then has ``slices``, worst first.
    max_slices : int
        The largest slices are kept, so many; the rest is pooled.
    weights : str, optional
        Column of row weights, at least 0, on both sides; it is not compared. Tests use the effective number of rows.
        Bins are those of the rows. A profile made with weights asks for them of the current data too.
    settings : Settings, optional
        All of the above in one value, instead of them: both is an error.
    now : datetime, optional
        Times after it are named as a problem; the present by default.
    backend : {"auto", "cpu", "cuda", "cuda:1", ...} or Backend
    progress : callable, optional
        Called with a number of rows whenever so many have been read.

    Returns
    -------
    DriftReport

    Raises
    ------
    DataError
        Nothing to compare, an unreadable input, or a column asked for by name that is not there. Otherwise one bad
        column never raises: it is named in ``problems``.
    ConfigError
        A setting out of range.
    BackendUnavailable
        The backend asked for is not there.

    Examples
    --------
    >>> import numpy as np
    >>> import gpudrift as gd
    >>> rng = np.random.default_rng(0)
    >>> train, today = rng.normal(size=10_000), rng.normal(0.5, size=10_000)
    >>> report = gd.check_drift(reference={"x": train}, current={"x": today})
    >>> report.dataset_drift, round(report["x"].psi, 2)
    (True, 0.24)
    """
    single = Settings(
        alpha=alpha,
        correction=correction,
        thresholds=thresholds or {},
        drift_share=drift_share,
        columns=_names(columns),
        categorical=_names(categorical),
        numeric=_names(numeric),
        exact=exact,
        time=time,
        window=window,
        every=every,
        expanding=expanding,
        against=against,
        zone=zone,
        slices=_names(slices),
        max_slices=max_slices,
        weights=weights,
    )
    chosen = _one_of(settings, single)
    if now is not None and not isinstance(now, datetime):
        raise ConfigError(f"now must be a datetime, got {now!r}")
    device = get_backend(backend)
    sectioned = chosen.window is not None or bool(chosen.slices)
    champion, reference_source = _reference(reference, chosen, device, progress, named=sectioned)
    again = chosen.exact or bool(chosen.slices) or (chosen.window is not None and chosen.time is not None)
    current_source = open_source(current, "current", again=again, residence=device.residence)
    require_columns(current_source, chosen.columns, "current")
    counter = None
    if sectioned:
        counter = SectionCounter.of(champion, reference_source, current_source, chosen, device, now)
    counts = count_source(
        current_source, champion.plans, champion.profile_id, device, progress,
        weights=champion.row_weights(current_source, chosen.weights or champion.weights), groups=counter,
    )  # fmt: skip
    report = compare(champion, counts, chosen, device)
    # A weighted distance has no order of rows to be read off.
    has_rows = reference_source is not None and not current_source.one_pass and counts.weights is None
    if has_rows and reference_source and (names := _undecided(report, chosen)):
        report = compare_exactly(report, _exact(champion, names, reference_source, current_source, device))
    return report if counter is None else counter.attach(report, counts.problems)


def _names(names: Sequence[str] | None) -> tuple[str, ...]:
    """For the settings, which refuse what is no list: the letters of a text are no names."""
    if names is None:
        return ()
    return tuple(names) if isinstance(names, Iterable) and not isinstance(names, str) else names  # type: ignore[return-value]


def _one_of(settings: Settings | None, single: Settings) -> Settings:
    """The settings given in one value, or one by one; never both, since one of them would be lost."""
    if settings is None:
        return single
    if not isinstance(settings, Settings):
        raise ConfigError(f"settings must be gpudrift.Settings, got {type(settings).__name__}")
    default = Settings()
    names = [f.name for f in fields(Settings) if getattr(single, f.name) != getattr(default, f.name)]
    if names:
        raise ConfigError(f"{', '.join(names)} and settings are both given: put them into the settings")
    return settings


def _reference(
    reference: TableLike | Profile, settings: Settings, backend: Backend, progress: Progress | None, *, named: bool
) -> tuple[Profile, Source | None]:
    """The profile, ``named`` if its counts are handed out, and the rows it was made from where there are any."""
    if isinstance(reference, str | PathLike) and Path(fspath(reference)).suffix.lower() == ".gdp":
        reference = load_profile(reference)
    if not isinstance(reference, Profile):
        source = open_source(reference, "reference", again=True, residence=backend.residence)
        made = profile_source(
            source, columns=settings.columns, categorical=settings.categorical, numeric=settings.numeric,
            backend=backend, progress=progress, weights=settings.weights, named=named,
        )  # fmt: skip
        return made, source
    if settings.exact:
        raise DataError("exact needs the rows of the reference, a profile has only counts; pass the reference itself")
    for kind, names in (("categorical", settings.categorical), ("numeric", settings.numeric)):
        for name in names:
            if name in reference.columns and reference.plans[reference.columns.index(name)].kind != kind:
                raise DataError(f"{name!r} was not profiled as {kind}; make the profile again and name it under {kind}")
    return reference, None


def _undecided(report: DriftReport, settings: Settings) -> list[str]:
    """Numeric features to sort: all on request, else those whose verdict hangs on what the counts only bound."""
    numeric = [f for f in report.values() if f.ks is not None and not math.isnan(f.ks.statistic)]
    if settings.exact:
        return [f.name for f in numeric]
    lowest, highest = (
        {f.name: f.drifted for f in decide([_at_bound(f, upper=upper) for f in report.values()], settings)}
        for upper in (False, True)
    )
    return [f.name for f in numeric if not lowest[f.name] == highest[f.name] == f.drifted]


def _at_bound(feature: FeatureDrift, *, upper: bool) -> FeatureDrift:
    """The feature without a verdict, as if KS and Wasserstein lay at one end of their intervals."""
    if feature.ks is None or math.isnan(feature.ks.statistic):
        return feature.undecided()
    ks = feature.ks
    if upper and not ks.exact:
        n, m = (side.n - side.missing - side.infinite for side in (feature.reference, feature.current))
        ks = ks_from_statistic(ks.upper, n, m)
    tests = dict(feature.tests)
    if upper and DISTRIBUTION in tests:
        # it is twice or thrice the smallest p-value: taking ks's own can only reject more, and sort once too often
        tests[DISTRIBUTION] = min(tests[DISTRIBUTION], ks.log_pvalue)
    distance = feature.wasserstein_upper if upper else feature.wasserstein_lower
    return feature.undecided(ks=ks, tests=tests, wasserstein=distance)


def _exact(
    profile: Profile, names: Iterable[str], reference: Source, current: Source, backend: Backend
) -> dict[str, Exact]:
    """KS and Wasserstein from sorted rows; as many columns at once in memory as the backend has threads."""
    wanted = set(names)
    columns = [column for column in profile.plans if column.name in wanted and isinstance(column, NumericColumn)]

    def exact(column: NumericColumn, *, spread: Callable[..., Iterable[Any]] = map) -> Exact:
        f, g = spread(lambda source: backend.sort(_values(source, column), overwrite=True), (reference, current))
        distance = backend.ks_sorted(f, g)
        w1 = wasserstein_exact(f, g, relative_scale(*mean_std_sorted(f)))
        return Exact(ks_from_statistic(distance, f.size, g.size), Wasserstein(w1, w1, w1))

    if len(columns) == 1:  # a thread for each side instead
        return {columns[0].name: exact(columns[0], spread=backend.map)}
    return dict(zip((column.name for column in columns), backend.map(exact, columns), strict=True))


def _values(source: Source, column: NumericColumn) -> Any:
    """In an array of their own; where all of them lie on a GPU, as they are there."""
    dtype = np.dtype(column.plan.dtype)
    values, n = np.empty(source.n_rows or 0, dtype), 0
    for batch in source.batches([column.name]):
        reader = NumberReader(batch.columns[column.name], column.meaning, column.plan.dtype)
        if batch.n_rows == source.n_rows and not isinstance(reader.values(0, 0)[0], np.ndarray):
            return reader.values(0, batch.n_rows)[0].astype(dtype, copy=False)
        for start in range(0, batch.n_rows, _ROWS_PER_SLICE):
            part, _ = reader.values(start, min(start + _ROWS_PER_SLICE, batch.n_rows))
            values[n : n + len(part)] = on_host(part)
            n += len(part)
    return values[:n]
