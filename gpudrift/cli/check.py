"""``gpudrift check``: have the current data drifted from the reference?"""

import sys
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

import typer

import gpudrift as gd
from gpudrift.atomic import replacing
from gpudrift.cli.consoles import console, line, visible
from gpudrift.cli.errors import DRIFT
from gpudrift.cli.options import (
    Backend,
    Categorical,
    Columns,
    Numeric,
    Time,
    Weights,
    Window,
    Zone,
    given_settings,
    named,
    split_names,
)
from gpudrift.cli.outputs import check_place
from gpudrift.cli.own_statistics import OwnStatistics, load_statistics
from gpudrift.cli.progress import count_rows, rows_bar


def _rate(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number; pass one between 0 and 1, such as 0.01") from None


def check(
    reference: Annotated[
        list[str],
        typer.Option(
            metavar="FILE",
            callback=named,
            help="Parquet file, directory or quoted glob (repeatable), or a profile that ends in .gdp.",
        ),
    ],
    current: Annotated[
        list[str],
        typer.Option(metavar="FILE", callback=named, help="Parquet file, directory or quoted glob (repeatable)."),
    ],
    config: Annotated[
        str | None,
        typer.Option(metavar="TOML", callback=named, help="Settings, in a [check] table; options given here win."),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", callback=named, help="Write the report as JSON; '-' is stdout, and nothing else is."
        ),
    ] = None,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", callback=named, help="Write the report as one HTML page.")
    ] = None,
    columns: Columns = None,
    categorical: Categorical = None,
    numeric: Numeric = None,
    exact: Annotated[
        bool | None,
        typer.Option(help="KS and Wasserstein from sorted rows, not only where the verdict hangs on them."),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(metavar="RATE", parser=_rate, help="Error rate over the features of the report; 0.05 by default."),
    ] = None,
    time: Time = None,
    window: Window = None,
    every: Annotated[
        str | None,
        typer.Option(metavar="LENGTH", help="A new window begins after so long; as long as a window by default."),
    ] = None,
    expanding: Annotated[bool | None, typer.Option(help="Every window begins with the first one.")] = None,
    against: Annotated[
        Literal["reference", "previous"] | None, typer.Option(help="What a window is compared with.")
    ] = None,
    zone: Zone = None,
    slices: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Report by the categories of these columns too. As --columns."),
    ] = None,
    max_slices: Annotated[
        int | None, typer.Option(metavar="N", help="Slices kept apart, the largest; 50 by default.")
    ] = None,
    weights: Weights = None,
    calibrate: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", callback=named, help="Use the thresholds of one window that gpudrift calibrate wrote."
        ),
    ] = None,
    statistics: OwnStatistics = None,
    backend: Backend = "auto",
) -> None:
    """Tell whether the current data have drifted from the reference.

    The exit code is 0 for no drift, 1 for drift, 2 for an error. Windows and slices have no part in it: it is that of
    all current rows together.
    """
    load_statistics(statistics)  # before the settings, which may hold thresholds for them
    settings = _settings(
        config,
        columns=split_names("--columns", columns) or None,
        categorical=split_names("--categorical", categorical) or None,
        numeric=split_names("--numeric", numeric) or None,
        exact=exact,
        alpha=alpha,
        time=time,
        window=window,
        every=every,
        expanding=expanding,
        against=against,
        zone=zone,
        slices=split_names("--slices", slices) or None,
        max_slices=max_slices,
        weights=weights,
        calibrate=calibrate,
    )
    calibrate = calibrate or _calibrate_of(config)
    calibration = None if calibrate is None else gd.Calibration.load(calibrate)
    inputs = [*reference, *current, *filter(None, [config, calibrate]), *(statistics or ())]
    _check_outputs(json, html, inputs=inputs)
    profiled = [path for path in reference if path.lower().endswith(".gdp")]
    if profiled and len(reference) > 1:
        raise typer.BadParameter(f"{profiled[0]} is a profile and must be the only one", param_hint="--reference")
    with rows_bar("Reading") as bar:
        if bar.shown:
            n_reference = 0 if profiled else count_rows(reference, "reference")
            n_current = count_rows(current, "current")
            bar.start("Reading", 2 * (n_reference or 0) + (n_current or 0))  # a reference is read twice
        report = gd.check_drift(
            reference=reference[0] if profiled else reference,
            current=current,
            settings=settings,
            backend=backend,
            progress=bar.advance,
        )
    if calibration is not None:
        report = replace(report, problems=(*report.problems, *calibration.problems(report)))
    _write(report, json, html)
    raise typer.Exit(DRIFT if report.dataset_drift else 0)


def _settings(config: str | None, **options: Any) -> "gd.Settings":
    given = {name: value for name, value in options.items() if value is not None}
    if config is None:
        calibrate = given.pop("calibrate", None)
        settings = given_settings(**given)
        return settings if calibrate is None else gd.Calibration.load(calibrate).settings(settings)
    gd.load_settings(config)  # on its own first: what is wrong afterwards is not the file's fault
    try:
        return gd.load_settings(config, **given)
    except gd.ConfigError as error:
        raise typer.BadParameter(str(error)) from error


def _calibrate_of(config: str | None) -> str | None:
    from gpudrift.monitor.settings_file import calibration_file

    file = None if config is None else calibration_file(config)
    return None if file is None else str(file)


def _check_outputs(json: str | None, html: str | None, *, inputs: list[str]) -> None:
    if html == "-":
        raise typer.BadParameter("a page goes to a file; name one", param_hint="--html")
    taken = list(inputs)
    for path in (json, html):
        if path is not None and path != "-":
            check_place(path, taken=taken)
            taken.append(path)


def _write(report: "gd.DriftReport", json: str | None, html: str | None) -> None:
    """Files first: a reader of the terminal that goes away must not cost them."""
    from gpudrift.cli.tables import print_report

    text = report.to_json() + "\n" if json else ""
    if json and json != "-":
        with replacing(json) as file:
            file.write_text(text, encoding="utf-8")
    if html:
        report.save_html(html, created=datetime.now().astimezone().isoformat(" ", "minutes"))
    screen = console(stderr=json == "-")
    print_report(screen, report)
    for path in (json, html):
        if path and path != "-":
            line(screen, f"wrote {visible(path)}")
    if json == "-":
        sys.stdout.buffer.write(text.encode())  # JSON is UTF-8 whatever the terminal is
        sys.stdout.flush()
