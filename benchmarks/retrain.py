"""What does a warm start cost and lose against a full fit?

On a year of flights month by month, and on the sets that nannyml carries: a model is fitted on the past, updated by the
newest tenth of the rows, and scored on the stretch that follows, beside a full fit of all rows. Defaults were chosen on
the flights of January to August (scored on June, July and August); what is reported here was not looked at for that.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import pyarrow as pa

import gpudrift as gd
from benchmarks.flights import COLUMNS, kept_out, months_of_flights, rows_of
from benchmarks.options import Options
from benchmarks.retrain_peers import peers
from gpudrift.bench import clocked, interleaved
from gpudrift.datasets import SERVED, load_served
from gpudrift.retrain.losses import auc, loss

TRAINERS: Final = ("ridge", "naive_bayes", "logistic", "forest", "xgboost", "torch", "sklearn")
MARGIN: Final = 0.02
GAP: Final = 0.005
RATIO: Final = 5.0


@dataclass(frozen=True)
class Cut:
    """Rows before the newest tenth, the newest tenth, the rows that follow, and anchors, kept out of both."""

    past: pa.Table
    newest: pa.Table
    following: pa.Table
    anchors: Mapping[str, pa.Table]


def run(options: Options) -> Iterator[dict[str, Any]]:
    """The newest tenth by every trainer and its peers, the year as a chain of updates, and the loop of PyTorch."""
    months = months_of_flights()
    repeats = max(options.repeats, 5)
    flights = cuts_of_flights(months)
    yield {
        "question": "retrain",
        "repeats": repeats,
        "flights": every_trainer(flights, "late", repeats),
        "peers": peers(months, repeats),
        "bundled": bundled(),
        "year": {
            "late": {name: year(name, months, "late") for name in TRAINERS},
            "minutes": {name: year(name, months, "minutes") for name in ("ridge", "forest", "xgboost", "torch")},
        },
        "ridge_update_minus_fit": ridge_difference(months),
        "torch_loop": torch_loop(months, repeats),
    }


def cuts_of_flights(months: dict[int, pa.Table]) -> list[Cut]:
    """Updates by September, October and November, each scored on the month after it."""
    return [
        Cut(
            rows_of(months, range(1, newest), "late"),
            rows_of(months, [newest], "late"),
            months[newest + 1].select([*COLUMNS, "late"]),
            {f"month {m}": kept_out(months[m], "late") for m in (1, 4, 7)},
        )
        for newest in (9, 10, 11)
    ]


def cuts_of_served(name: str) -> tuple[list[Cut], str]:
    """Updates by the tenth that follows a half, two thirds and 0.8 of the rows, each scored on the rows after it."""
    table, served = load_served(name), SERVED[name]
    table = table.drop_columns(list(served.leaks))
    if name == "car_loan":  # a number in one file and a class in the other
        table = table.set_column(
            table.column_names.index("repaid"), "repaid", pa.array(np.asarray(table["repaid"]) == 1)
        )
    every = np.arange(len(table))
    kept = every % 20 == 0  # for anchors
    cuts = []
    for share in (0.5, 0.65, 0.8):
        first, step = int(share * len(table)), int(share * len(table)) // 9
        regimes = np.array_split(every[kept & (every < first)], 3)
        cuts.append(
            Cut(
                table.take(pa.array(every[~kept & (every < first)])),
                table.take(pa.array(every[~kept & (every >= first) & (every < first + step)])),
                table.slice(first + step, step),
                {f"third {k + 1}": table.take(pa.array(rows)) for k, rows in enumerate(regimes)},
            )
        )
    return cuts, served.target


def bundled() -> dict[str, Any]:
    """The sets that nannyml carries, where it is installed; one seed for each cut."""
    if find_spec("nannyml") is None:
        return {"left_out": "nannyml is not installed (pip install --no-deps nannyml==0.13.1)"}
    found = {}
    for name in SERVED:
        cuts, target = cuts_of_served(name)
        print(f" {name}", flush=True)
        found[name] = every_trainer(cuts, target, 1)
    return found


def every_trainer(cuts: list[Cut], target: str, seeds: int) -> dict[str, Any]:
    """By trainer and kind of update; a trainer that does not do the task is left out."""
    found = {}
    for name in TRAINERS:
        if target == "y_true" and name in ("logistic", "naive_bayes") and not is_class(cuts[0].past[target]):
            continue
        for how in trainer_of(name, 0).capabilities:
            if how != "full":
                found[f"{name}, {how}"] = newest_tenth(name, how, cuts, target, seeds)
    return found


def newest_tenth(name: str, how: Any, cuts: list[Cut], target: str, seeds: int) -> dict[str, Any]:
    """Medians over cuts and seeds of frozen, updated and fully fitted models; what the default would have refused."""
    found: list[dict[str, float]] = []
    numeric = not is_class(cuts[0].past[target])
    for k, cut in enumerate(cuts):
        unit = float(np.std(cut.following[target].to_numpy())) if numeric else 1.0  # of a mean absolute error
        for seed in range(seeds):
            trainer = trainer_of(name, seed, numeric=numeric)
            frozen = trainer.fit(cut.past, target=target).with_anchors(cut.anchors)
            full = trainer.fit(pa.concat_tables([cut.past, cut.newest]), target=target)
            warm = trainer.update(frozen, cut.newest, target=target, how=how)
            assert warm.transfer is not None
            found.append(
                {
                    "cut": k,
                    "frozen": frozen.score(cut.following) / unit,
                    "full": full.score(cut.following) / unit,
                    "warm": warm.score(cut.following) / unit,
                    "full seconds": full.cost.wall_s,
                    "warm seconds": warm.cost.wall_s,
                    "worst": warm.transfer.worst,
                    "mean": warm.transfer.mean,
                }
            )
    gaps = [entry["full"] - entry["warm"] for entry in found]
    ratios = [entry["full seconds"] / entry["warm seconds"] for entry in found]
    summary = {
        **{kind: statistics.median(entry[kind] for entry in found) for kind in ("frozen", "full", "warm")},
        "gap": statistics.median(gaps),
        "gap_by_cut": [
            statistics.median(g for g, entry in zip(gaps, found, strict=True) if entry["cut"] == k)
            for k in range(len(cuts))
        ],
        "full_s": statistics.median(entry["full seconds"] for entry in found),
        "warm_s": statistics.median(entry["warm seconds"] for entry in found),
        "times_faster": statistics.median(ratios),
        "range_of_times_faster": [min(ratios), max(ratios)],
        "mean_anchor": statistics.median(entry["mean"] for entry in found),
        "worst_anchor": min(entry["worst"] for entry in found),
        "refused": sum(entry["worst"] < -MARGIN for entry in found) if how != "exact_sums" else 0,
        "updates": len(found),
    }
    summary["reaches"] = summary["gap"] <= GAP and summary["times_faster"] >= RATIO
    shown = "  ".join(f"{k} {v:.4f}" for k, v in summary.items() if isinstance(v, float))
    print(f"  {name}, {how}: {shown}  refused {summary['refused']}/{len(found)}", flush=True)
    return summary


def is_class(column: pa.ChunkedArray) -> bool:
    """Whether a target is a class: text, a boolean, or 0 and 1."""
    return not pa.types.is_floating(column.type)


def year(name: str, months: dict[int, pa.Table], target: str) -> dict[str, Any]:
    """January, then each month to November, the next one scored: a chain of updates, full fits of all so far, and what
    the defaults come to: an update, or the full fit where one is due or the update would be refused."""
    trainer = trainer_of(name, 0)
    chain: dict[str, list[dict[str, float]]] = {"warm": [], "full": [], "default": []}
    warm = default = trainer.fit(rows_of(months, [1], target), target=target)
    for month in range(2, 12):
        newest = rows_of(months, [month], target)
        warm = trainer.update(warm, newest, target=target)
        full = trainer.fit(rows_of(months, range(1, month + 1), target), target=target)
        seconds = 0.0
        if trainer.due(default) is None:
            default = trainer.update(default, newest, target=target)
            seconds = default.cost.wall_s
        if not seconds or (default.how != "exact_sums" and default.transfer and default.transfer.beyond(MARGIN)):
            default, seconds = full, seconds + full.cost.wall_s
        for kind, made, took in (
            ("warm", warm, warm.cost.wall_s),
            ("full", full, full.cost.wall_s),
            ("default", default, seconds),
        ):
            entry = {"month": month + 1, "seconds": took, "full_fit": made is full}
            chain[kind].append(entry | scores(made, months[month + 1]))
    measures = [key for key in chain["warm"][0] if key not in ("month", "seconds", "full_fit")]
    summary = {
        kind: {"seconds": sum(e["seconds"] for e in entries), "full_fits": sum(e["full_fit"] for e in entries)}
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


def trainer_of(name: str, seed: int, *, numeric: bool = False) -> gd.Trainer:
    """A trainer with its defaults, which tells of what it forgot so that it can be measured; a linear model by SGD."""
    if name != "sklearn":
        return gd.get_trainer(name, device="cpu", seed=seed, on_forgetting="tell")
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    linear = SGDRegressor(average=True) if numeric else SGDClassifier(loss="log_loss", alpha=1e-4, average=True)
    return gd.get_trainer(name, device="cpu", seed=seed, estimator=linear, on_forgetting="tell")


def scores(model: gd.Model, rows: pa.Table) -> dict[str, float]:
    """AUC and log loss of classes, mean absolute error of minutes."""
    if model.target.n_classes is None:
        return {"mae": float(np.mean(np.abs(model.predict(rows) - rows[model.target.name].to_numpy())))}
    p, labels = model.predict_proba(rows), rows["late"].to_numpy(zero_copy_only=False).astype(np.int64)
    return {"auc": auc(p[:, 1], labels), "log_loss": loss(p, labels)}
