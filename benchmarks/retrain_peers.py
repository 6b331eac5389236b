"""What a user would write instead: partial_fit behind a frozen pipeline, river row by row, XGBoost from scratch."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks.flights import COLUMNS, NEWEST, NUMBERS, rows_of
from gpudrift.retrain.losses import auc, loss


def peers(months: dict[int, pa.Table], repeats: int) -> dict[str, Any]:
    """What a user would write: partial_fit behind a frozen pipeline, river row by row, XGBoost from scratch."""
    following = months[NEWEST + 1]
    labels = following["late"].to_numpy(zero_copy_only=False).astype(np.int64)
    found: dict[str, Any] = {}
    for name, (prepare, learn, predict) in PEERS.items():
        start = time.perf_counter()
        fitted = prepare(months)
        prepared = time.perf_counter() - start
        seconds = []
        for _ in range(repeats if prepared < 60 else 1):
            learned = copy.deepcopy(fitted)
            start = time.perf_counter()
            learned = learn(learned, months)
            seconds.append(time.perf_counter() - start)
        p = predict(learned, following)
        found[name] = {
            "seconds": statistics.median(seconds),
            "prepared_seconds": prepared,
            "auc": auc(p, labels),
            "log_loss": loss(np.stack([1 - p, p], axis=1), labels),
        }
        print(f"  {name:34} AUC {found[name]['auc']:.4f}  {found[name]['seconds']:6.2f} s", flush=True)
    return found


def frame(table: pa.Table) -> tuple[Any, Any]:
    """pandas rows and labels."""
    return table.select(COLUMNS).to_pandas(), table["late"].to_numpy(zero_copy_only=False).astype(np.int64)


def sgd_prepare(months: dict[int, pa.Table]) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import SGDClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    x, y = frame(rows_of(months, range(1, NEWEST), "late"))
    transform = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (OneHotEncoder(handle_unknown="ignore"), COLUMNS[:3]),
    )
    return transform.fit(x), SGDClassifier(loss="log_loss", alpha=1e-4, random_state=0).fit(transform.transform(x), y)


def sgd_learn(fitted: Any, months: dict[int, pa.Table]) -> Any:
    x, y = frame(rows_of(months, [NEWEST], "late"))
    return fitted[0], fitted[1].partial_fit(fitted[0].transform(x), y)


def sgd_predict(fitted: Any, table: pa.Table) -> Any:
    return fitted[1].predict_proba(fitted[0].transform(frame(table)[0]))[:, 1]


def river_rows(table: pa.Table) -> Any:
    for row in table.to_pylist():
        y = row.pop("late")
        yield {k: (v if v is not None else 0.0) if k in NUMBERS else v for k, v in row.items()}, y


def river_prepare(months: dict[int, pa.Table]) -> Any:
    from river import compose, linear_model, preprocessing

    numbers = compose.Select(*NUMBERS) | preprocessing.StandardScaler()
    texts = compose.Select(*COLUMNS[:3]) | preprocessing.OneHotEncoder()
    model = (numbers + texts) | linear_model.LogisticRegression()
    for x, y in river_rows(rows_of(months, range(1, NEWEST), "late")):
        model.learn_one(x, y)
    return model


def river_learn(model: Any, months: dict[int, pa.Table]) -> Any:
    for x, y in river_rows(rows_of(months, [NEWEST], "late")):
        model.learn_one(x, y)
    return model


def river_predict(model: Any, table: pa.Table) -> Any:
    rows = river_rows(table.select([*COLUMNS, "late"]))
    return np.array([model.predict_proba_one(x).get(True, 0.5) for x, _ in rows])


def xgboost_prepare(months: dict[int, pa.Table]) -> Any:
    return None


def xgboost_matrix(table: pa.Table) -> Any:
    import xgboost

    x, y = frame(table)
    for name in COLUMNS[:3]:
        x[name] = x[name].astype("category")
    return xgboost.DMatrix(x, y, enable_categorical=True)


def xgboost_learn(_: Any, months: dict[int, pa.Table]) -> Any:
    import xgboost

    settings = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 6, "eta": 0.1}
    return xgboost.train(settings, xgboost_matrix(rows_of(months, range(1, NEWEST + 1), "late")), 200)


def xgboost_predict(booster: Any, table: pa.Table) -> Any:
    return booster.predict(xgboost_matrix(table))


PEERS: Final[dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]]] = {
    "SGDClassifier.partial_fit": (sgd_prepare, sgd_learn, sgd_predict),
    "river LogisticRegression.learn_one": (river_prepare, river_learn, river_predict),
    "XGBoost from scratch": (xgboost_prepare, xgboost_learn, xgboost_predict),
}
