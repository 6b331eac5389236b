"""Four sets that the package nannyml carries, each a stretch of time that a model served: files, read without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from gpudrift.errors import ConfigError, DependencyMissing
from gpudrift.nearest import hint


@dataclass(frozen=True)
class Served:
    """Files of a set, the column that is to be predicted, and those that no model may see.

    ``leaks`` are predictions of the model that served, row numbers and clocks.
    """

    reference: str
    analysis: str
    labels: str
    target: str
    leaks: Sequence[str]


#: By name. ``car_loan`` is synthetic, with a change near row 75,000; ``employment`` is real (Massachusetts, 2015 to
#: 2018) and hardly drifts; ``credit_card`` has three classes; ``car_price`` is a number.
SERVED: Final = {
    "car_loan": Served(
        "synthetic_car_loan_reference.csv",
        "synthetic_car_loan_analysis.csv",
        "synthetic_car_loan_analysis_target.csv",
        "repaid",
        ("id", "timestamp", "y_pred_proba", "y_pred"),
    ),
    "employment": Served(
        "employment_MA_reference.pq",
        "employment_MA_analysis.pq",
        "employment_MA_analysis_target.pq",
        "employed",
        ("id", "year", "prediction", "predicted_probability"),
    ),
    "credit_card": Served(
        "mc_reference.csv",
        "mc_analysis.csv",
        "mc_analysis_gt.csv",
        "y_true",
        (
            "id", "timestamp", "y_pred_proba_prepaid_card", "y_pred_proba_highstreet_card",
            "y_pred_proba_upmarket_card", "y_pred",
        ),
    ),
    "car_price": Served(
        "regression_synthetic_reference.csv",
        "regression_synthetic_analysis.csv",
        "regression_synthetic_analysis_targets.csv",
        "y_true",
        ("id", "timestamp", "y_pred"),
    ),
}  # fmt: skip


def load_served(name: str) -> pa.Table:
    """Read one of the sets: its reference, then its analysis period with the labels that came later.

    Parameters
    ----------
    name : {"car_loan", "employment", "credit_card", "car_price"}

    Returns
    -------
    pyarrow.Table
        Rows in the order of time; the columns of the files, ``SERVED[name].leaks`` among them.

    Raises
    ------
    ConfigError
        There is no set of that name.
    DependencyMissing
        The package nannyml is not installed. Only its files are read, so it needs none of its own dependencies.

    Notes
    -----
    The files come with nannyml 0.13.1 (Apache-2.0).

    Examples
    --------
    >>> load_served("car_lone")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    gpudrift.errors.ConfigError: set 'car_lone' is unknown: did you mean 'car_loan'?
    """
    if name not in SERVED:
        raise ConfigError(f"set {name!r} is unknown: {hint(name, SERVED)}")
    served, folder = SERVED[name], _data_folder()
    reference, analysis, labels = (_read(folder / file) for file in (served.reference, served.analysis, served.labels))
    at = pc.index_in(analysis["id"], value_set=labels["id"].combine_chunks())
    analysis = analysis.append_column(served.target, labels[served.target].take(at))
    columns = reference.column_names
    return pa.concat_tables([reference, analysis.select(columns)], promote_options="permissive").combine_chunks()


def _data_folder() -> Path:
    # Found, not imported: the package's __init__ needs all that it depends on.
    spec = find_spec("nannyml")
    if spec is None or not spec.submodule_search_locations:
        raise DependencyMissing("these data need nannyml's files: pip install --no-deps nannyml==0.13.1")
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data"


def _read(file: Path) -> pa.Table:
    return pq.read_table(file) if file.suffix == ".pq" else csv.read_csv(file)
