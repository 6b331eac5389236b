"""What does a warm start cost and lose against a full fit, on a year of real flights, month by month?

Arrival more than 15 minutes late ("late"), and the minutes ("minutes"), from what is known before departure: carrier,
route, schedule and the weather of the hour. Departure and arrival times, delays and air time would tell the answer.
Every tenth row of each month is kept out of training; anchors are cut from those.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import gpudrift as gd
from benchmarks.options import Options
from gpudrift.bench import clocked, interleaved
from gpudrift.datasets import by_month, load_flights
from gpudrift.retrain.losses import auc, loss

COLUMNS: Final = [
    "carrier", "origin", "dest", "distance", "hour", "minute", "weekday", "temp", "dewp", "humid", "wind_dir",
    "wind_speed", "precip", "pressure", "visib",
]  # fmt: skip
NUMBERS: Final = COLUMNS[3:]
TRAINERS: Final = ("ridge", "naive_bayes", "logistic", "forest", "xgboost", "torch", "sklearn")
NEWEST: Final = 10
MARGIN: Final = 0.02


def run(options: Options) -> Iterator[dict[str, Any]]:
    """The newest tenth by every trainer and its peers, the year as a chain of updates, and the loop of PyTorch."""
    months = months_of_flights()
    repeats = max(options.repeats, 5)
    tenth = {name: newest_tenth(name, None, months, repeats) for name in TRAINERS}
    tenth["xgboost, refresh_leaves"] = newest_tenth("xgboost", "refresh_leaves", months, repeats)
    yield {
        "question": "retrain",
        "repeats": repeats,
        "newest_tenth": tenth,
        "peers": peers(months, repeats),
        "year": {
            "late": {name: year(name, months, "late") for name in TRAINERS},
            "minutes": {name: year(name, months, "minutes") for name in ("ridge", "forest", "xgboost", "torch")},
        },
        "ridge_update_minus_fit": ridge_difference(months),
        "torch_loop": torch_loop(months, repeats),
    }


def months_of_flights() -> dict[int, pa.Table]:
    """Flights that arrived, by month, in the order of their schedule."""
    flights = load_flights().sort_by("time_hour")
    flights = flights.filter(pc.is_valid(flights["arr_delay"]))
    day = np.datetime64("2013-01-01", "M") + (flights["month"].to_numpy() - 1)
    date = day.astype("datetime64[D]") + (flights["day"].to_numpy() - 1)
    flights = flights.append_column("weekday", pa.array(date.astype(np.int64) % 7))
    flights = flights.append_column("late", pc.greater(flights["arr_delay"], 15))
    flights = flights.append_column("minutes", flights["arr_delay"].cast(pa.float64()))
    return by_month(flights)


def newest_tenth(name: str, how: Any, months: dict[int, pa.Table], repeats: int) -> dict[str, Any]:
    """January to September, then October as an update and within a full fit; scored on November. Medians over seeds."""
    past, newest = rows_of(months, range(1, NEWEST), "late"), rows_of(months, [NEWEST], "late")
    every, following = rows_of(months, range(1, NEWEST + 1), "late"), months[NEWEST + 1]
    anchors = {f"month {m}": kept_out(months[m], "late") for m in (1, 4, 7)}
    found: list[dict[str, float]] = []
    for seed in range(repeats):
        trainer = trainer_of(name, seed)
        frozen = trainer.fit(past, target="late").with_anchors(anchors)
        full = trainer.fit(every, target="late")
        warm = trainer.update(frozen, newest, target="late", how=how)
        assert warm.transfer is not None
        found.append(
            {
                **{f"frozen {k}": v for k, v in scores(frozen, following).items()},
                **{f"full {k}": v for k, v in scores(full, following).items()},
                **{f"warm {k}": v for k, v in scores(warm, following).items()},
                "full seconds": full.cost.wall_s,
                "warm seconds": warm.cost.wall_s,
                "worst": warm.transfer.worst,
                "mean": warm.transfer.mean,
            }
        )
        print(f"  {name:12} " + "  ".join(f"{key} {value:.4f}" for key, value in found[-1].items()), flush=True)
    median = {key: statistics.median(entry[key] for entry in found) for key in found[0]}
    ratios = [entry["full seconds"] / entry["warm seconds"] for entry in found]
    return {
        "how": warm.how,
        **{
            kind: {key.partition(" ")[2]: value for key, value in median.items() if key.startswith(f"{kind} ")}
            for kind in ("frozen", "full", "warm")
        },
        "full_minus_warm_auc": statistics.median(entry["full auc"] - entry["warm auc"] for entry in found),
        "full_seconds_per_warm_second": statistics.median(ratios),
        "range_of_ratio": [min(ratios), max(ratios)],
        "mean_anchor": median["mean"],
        "worst_anchor": median["worst"],
        "anchor_margin": MARGIN,
    }


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


def year(name: str, months: dict[int, pa.Table], target: str) -> dict[str, Any]:
    """January, then an update by each month to November, beside full fits of all so far; the next month is scored."""
    trainer = trainer_of(name, 0)
    model = trainer.fit(rows_of(months, [1], target), target=target)
    chain: dict[str, list[dict[str, float]]] = {"warm": [], "full": []}
    for month in range(2, 12):
        model = trainer.update(model, rows_of(months, [month], target), target=target)
        full = trainer.fit(rows_of(months, range(1, month + 1), target), target=target)
        for kind, made in (("warm", model), ("full", full)):
            chain[kind].append({"month": month + 1, "seconds": made.cost.wall_s, **scores(made, months[month + 1])})
    measures = [key for key in chain["warm"][0] if key not in ("month", "seconds")]
    summary = {
        kind: {"seconds": sum(e["seconds"] for e in entries)}
        | {m: statistics.mean(e[m] for e in entries) for m in measures}
        for kind, entries in chain.items()
    }
    print(f"  {target} {name:12} " + "  ".join(f"{k} {v}" for k, v in summary.items()), flush=True)
    return {"mean": summary, "months": chain}


def ridge_difference(months: dict[int, pa.Table]) -> float:
    """Largest difference of a probability between updates month by month and one fit, with the same features."""
    trainer = gd.get_trainer("ridge")
    full = trainer.fit(rows_of(months, range(1, 13), "late"), target="late")
    model = trainer.fit(rows_of(months, [1], "late"), target="late", features=full.features)
    for month in range(2, 13):
        model = trainer.update(model, rows_of(months, [month], "late"), target="late")
    return float(np.abs(model.predict_proba(months[12]) - full.predict_proba(months[12])).max())


def torch_loop(months: dict[int, pa.Table], repeats: int) -> dict[str, Any]:
    """Rows a second of two epochs, against a plain DataLoader loop on the same network, batch size and optimizer."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    from gpudrift.frames import open_source
    from gpudrift.retrain.learner import Job
    from gpudrift.retrain.learners.network import Network
    from gpudrift.retrain.stream import Labelled, Stream

    rows = rows_of(months, [1, 2], "late")
    model = gd.get_trainer("ridge").fit(rows, target="late")
    stream = Stream(Labelled(open_source(rows, "rows", again=True), "late", None, "rows"), model.features, model.target)
    n_rows, job = stream.summary().n_rows, Job(model.features, 2, "cpu", 0)
    learner = Network(epochs=2, patience=9, batch_size=1024)
    held = stream.joined()
    tensors = (
        torch.from_numpy(held.inputs.numbers.astype(np.float32)),
        torch.from_numpy(held.inputs.codes.astype(np.int64)),
        torch.tensor(held.labels),
    )
    own = torch.arange(n_rows) % 10 != 0

    def plain() -> None:
        network = learner.module(job)
        optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
        training = DataLoader(TensorDataset(*(t[own] for t in tensors)), batch_size=1024, shuffle=True)
        validation = DataLoader(TensorDataset(*(t[~own] for t in tensors)), batch_size=4096)
        for _ in range(2):
            network.train()
            for numbers, codes, labels in training:
                loss = nn.functional.cross_entropy(network(numbers, codes), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            network.eval()
            with torch.no_grad():
                for numbers, codes, labels in validation:
                    nn.functional.cross_entropy(network(numbers, codes), labels)

    timings = interleaved(
        {"gpudrift": clocked(lambda: learner.fit(stream, job)), "DataLoader": clocked(plain)}, repeats
    )
    seconds = {name: timing.to_dict() for name, timing in timings.items()}
    rates = {name: 2 * n_rows / figures["median_s"] for name, figures in seconds.items()}
    print(f"  torch loop, rows/s: {rates}", flush=True)
    return {"rows": n_rows, "epochs": 2, "batch_size": 1024, "rows_per_s": rates, "seconds": seconds}


def trainer_of(name: str, seed: int) -> gd.Trainer:
    """A trainer with its defaults; the adapter gets a linear model by SGD."""
    if name != "sklearn":
        return gd.get_trainer(name, device="cpu", seed=seed)
    from sklearn.linear_model import SGDClassifier

    return gd.get_trainer(
        name, device="cpu", seed=seed, estimator=SGDClassifier(loss="log_loss", alpha=1e-4, average=True)
    )


def rows_of(months: dict[int, pa.Table], which: Sequence[int], target: str) -> pa.Table:
    """Rows to train on: nine of ten of each month."""
    tables = (months[month].select([*COLUMNS, target]) for month in which)
    return pa.concat_tables([table.filter(pa.array(np.arange(len(table)) % 10 != 0)) for table in tables])


def kept_out(table: pa.Table, target: str) -> pa.Table:
    """The tenth that is never trained on."""
    return table.select([*COLUMNS, target]).take(pa.array(np.arange(0, len(table), 10)))


def scores(model: gd.Model, rows: pa.Table) -> dict[str, float]:
    """AUC and log loss of classes, mean absolute error of minutes."""
    if model.target.n_classes is None:
        return {"mae": float(np.mean(np.abs(model.predict(rows) - rows[model.target.name].to_numpy())))}
    p, labels = model.predict_proba(rows), rows["late"].to_numpy(zero_copy_only=False).astype(np.int64)
    return {"auc": auc(p[:, 1], labels), "log_loss": loss(p, labels)}


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
