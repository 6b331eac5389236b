"""Every trainer passes the common checks, for classes and for numbers."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier, SGDRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

import gpudrift as gd
from gpudrift.retrain import LEARNERS
from gpudrift.retrain.twins import TWINS
from gpudrift.testing import TRAINER_CHECKS, MakeTrainer, check_trainer, rows_of

from .conftest import QUICK, month

CASES: dict[str, MakeTrainer] = {
    **{name: partial(gd.get_trainer, name, device="cpu", **params) for name, params in QUICK.items()},
    **{
        f"{name}, numbers": partial(gd.get_trainer, name, device="cpu", task="regression", **QUICK[name])
        for name in ("ridge", "forest", "xgboost", "torch")
    },
    "sklearn, sgd": partial(gd.get_trainer, "sklearn", estimator=SGDClassifier(loss="log_loss")),
    "sklearn, sgd, numbers": partial(gd.get_trainer, "sklearn", estimator=SGDRegressor(), task="regression"),
    "sklearn, add_trees": partial(gd.get_trainer, "sklearn", estimator=GradientBoostingClassifier(n_estimators=30)),
    "sklearn, warm_solver": partial(gd.get_trainer, "sklearn", estimator=LogisticRegression()),
    "sklearn, full": partial(gd.get_trainer, "sklearn", estimator=DecisionTreeClassifier(max_depth=5)),
}


@pytest.mark.parametrize("check", TRAINER_CHECKS.values(), ids=TRAINER_CHECKS)
@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_trainer(make: MakeTrainer, check: Callable[[MakeTrainer], None]) -> None:
    check(make)


@pytest.mark.parametrize("name", ["forest", "xgboost"])
def test_a_few_numbers_that_stand_for_nothing_leave_trees_what_they_learned(name: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=4_000)
    marked = np.where(rng.random(x.size) < 0.02, 1e12, x)
    scores = [
        gd.get_trainer(name, device="cpu", **QUICK[name]).fit(rows, target="y").score(rows)
        for rows in ({"x": held, "y": (x > 0).astype(int)} for held in (x, marked))
    ]
    assert scores[1] > scores[0] - 0.03  # a fiftieth of the rows is half wrong


@pytest.mark.parametrize("how", ["full", "add_trees"])
@pytest.mark.parametrize("name", ["forest", "xgboost"])
def test_trees_learn_numbers_far_from_zero_as_they_do_near_it(name: str, how: str, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=2_000)
    errors = []
    for origin in (0.0, 1e10):
        rows = {"x": x, "y": origin + np.sin(2 * x)}
        trainer = gd.get_trainer(name, device="cpu", task="regression", **QUICK[name])
        model = trainer.update(trainer.fit(rows, target="y"), rows, target="y", how=how)
        model.save(tmp_path / f"{origin}")
        errors.append(-gd.load_model(tmp_path / f"{origin}").score(rows))
    assert errors[1] == pytest.approx(errors[0], rel=0.05)  # of labels rounded at their 17th digit


def test_every_trainer_of_the_catalogue_is_checked() -> None:
    assert {name.partition(",")[0] for name in CASES} == set(LEARNERS)


def test_checks_find_a_learner_that_never_goes_on_or_takes_no_heed_of_weights() -> None:
    from gpudrift.retrain.learners.ridge import Ridge

    class Frozen(Ridge):
        def update(self, state: Any, *args: Any) -> Any:
            return state

    class Heedless(Ridge):
        def fit(self, stream: Any, job: Any) -> Any:
            return super().fit([replace(rows, weights=None) for rows in stream], job)  # type: ignore[arg-type]

    with pytest.raises(AssertionError, match=r"^update_learns: update by exact_sums on other rows changed their score"):
        check_trainer(lambda: gd.Trainer(Frozen(), device="cpu"))
    with pytest.raises(AssertionError, match=r"^rows_of_weight_0_do_not_count: labels of rows that weigh 0 changed"):
        check_trainer(lambda: gd.Trainer(Heedless(), device="cpu"))


def test_a_check_that_fails_names_itself() -> None:
    class Forgetful(gd.Trainer):
        def update(self, model: gd.Model, *args: Any, **kwargs: Any) -> gd.Model:
            return model

    with pytest.raises(AssertionError, match=r"^update_leaves_the_old_model: update by exact_sums forgot its parent$"):
        check_trainer(lambda: Forgetful(gd.get_trainer("ridge").learner))


@pytest.mark.parametrize("name", ["logistic", "forest", "xgboost", "torch", "ridge", "naive_bayes"])
def test_several_classes_are_learned(name: str) -> None:
    rows = rows_of(900, seed=1)
    rows["y"] = np.array(["low", "mid", "high"])[np.digitize(rows["numbers"], [-0.5, 0.5])]
    trainer = gd.get_trainer(name, device="cpu", **QUICK[name])
    model = trainer.fit(rows, target="y")
    assert model.target.classes == ("high", "low", "mid")
    assert model.score(rows) > 0.7  # a third by chance
    for how in trainer.capabilities:
        assert trainer.update(model, rows, target="y", how=how).score(rows) > 0.7


def test_the_classes_come_back_as_they_were() -> None:
    trainer = gd.get_trainer("ridge")
    for labels in (np.array([0, 1] * 50), np.array([True, False] * 50), np.array(["a", "b"] * 50)):
        model = trainer.fit({"x": np.arange(100.0), "z": np.array([0.0, 1.0] * 50), "y": labels}, target="y")
        assert np.array_equal(model.predict({"x": np.arange(100.0), "z": np.array([0.0, 1.0] * 50)}), labels)
    integers = trainer.fit({"x": np.arange(100.0), "y": np.arange(100)}, target="y")
    assert integers.target.n_classes is None


def test_ridge_updates_equal_a_full_fit_to_1e_8() -> None:
    first, second = ({name: values for name, values in month(seed, 500).items() if name != "wind"} for seed in (1, 2))
    both = {name: np.concatenate([first[name], second[name]]) for name in first}
    trainer = gd.get_trainer("ridge")
    warm = trainer.update(trainer.fit(first, target="late"), second, target="late")
    full = trainer.fit(both, target="late")
    assert warm.features != full.features  # scaled by other means and deviations
    assert np.abs(warm.predict_proba(both) - full.predict_proba(both)).max() < 1e-8


def test_ridge_is_scikit_learns() -> None:
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    y = x @ [1.0, -2.0, 0.5] + 3 + rng.normal(size=300)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    oracle = Ridge(alpha=10.0).fit(scaled, y).predict(scaled)
    names = ["a", "b", "c"]
    model = gd.get_trainer("ridge", alpha=10.0).fit({**dict(zip(names, x.T, strict=True)), "y": y}, target="y")
    assert np.allclose(model.predict(dict(zip(names, x.T, strict=True))), oracle, atol=1e-10)


def test_ridge_takes_the_penalty_of_the_trainer_that_updates_it(tmp_path: Path) -> None:
    rows = month(1)
    newer = gd.get_trainer("ridge", alpha=1e3).update(
        gd.get_trainer("ridge").fit(rows, target="late"), rows, target="late"
    )
    newer.save(tmp_path / "newer")
    assert np.array_equal(gd.load_model(tmp_path / "newer").predict_proba(rows), newer.predict_proba(rows))
    assert (
        newer.predict_proba(rows)[:, 1].std()
        < gd.get_trainer("ridge").fit(rows, target="late").predict_proba(rows)[:, 1].std()
    )


def test_different_models_have_different_ids() -> None:
    rows = month(1)
    sgd = SGDClassifier(loss="log_loss")
    trainers = [gd.get_trainer("sklearn", estimator=e) for e in (sgd, GaussianNB(), SGDClassifier(alpha=1e-3), sgd)]
    models = [trainer.fit(rows, target="late") for trainer in trainers]
    assert len({model.id for model in models}) == 3
    assert models[0].id == models[3].id
    with_replay, without = (trainers[0].update(models[0], month(2), target="late", replay=n) for n in (None, 0))
    assert with_replay.id != without.id


def test_a_full_update_keeps_categories_that_hold_numbers() -> None:
    rows = month(1) | {"hour": np.arange(800) % 24}
    model = gd.get_trainer("logistic", device="cpu", categorical=["hour"]).fit(rows, target="late")
    full = gd.get_trainer("logistic", device="cpu").update(model, rows, target="late", how="full")
    assert [category.name for category in full.features.categories] == ["carrier", "hour"]
    constant = gd.get_trainer("logistic", device="cpu").update(
        model, rows | {"wind": np.ones(800)}, target="late", how="full", replay=0
    )
    assert list(map(str, constant.problems)) == ["wind: has one value; it is left out"]


def test_trees_deep_in_a_pipeline_are_found_and_read(tmp_path: Path) -> None:
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from gpudrift.retrain.skops_files import _trees

    boosted = AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=5)
    model = gd.get_trainer("sklearn", estimator=make_pipeline(StandardScaler(), boosted)).fit(month(1), target="late")
    assert len(list(_trees(model.state))) == len(model.state[-1].estimators_)
    model.save(tmp_path / "model")
    loaded = gd.load_model(tmp_path / "model")
    assert np.array_equal(loaded.predict_proba(month(2)), model.predict_proba(month(2)))


@pytest.mark.parametrize(
    "estimator",
    [SGDClassifier(loss="log_loss"), SGDClassifier(loss="log_loss", average=True), LogisticRegression()],
    ids=str,
)
def test_the_pull_of_a_linear_estimator_is_the_one_stated(estimator: Any) -> None:
    free, half = (gd.get_trainer("sklearn", estimator=estimator, pull=pull) for pull in (0.0, 1.0))
    model = free.fit(month(1), target="late")
    moved, pulled = (trainer.update(model, month(2, shift=2.0), target="late").state for trainer in (free, half))
    for name in ("coef_", "intercept_"):
        old, far, near = (getattr(state, name) for state in (model.state, moved, pulled))
        assert np.allclose(near, (old + far) / 2)
        assert not np.allclose(far, old)


def test_refreshed_leaves_move_as_far_as_they_are_told() -> None:
    quick = {"n_rounds": 20, "n_threads": 1, "device": "cpu"}
    model = gd.get_trainer("xgboost", **quick).fit(month(1), target="late")
    rows = month(3)

    def margin(leaf_step: float) -> Any:
        trainer = gd.get_trainer("xgboost", leaf_step=leaf_step, **quick)
        p = trainer.update(model, month(2, shift=2.0), target="late", how="refresh_leaves").predict_proba(rows)[:, 1]
        return np.log(p / (1 - p))

    p = model.predict_proba(rows)[:, 1]
    old, half, whole = np.log(p / (1 - p)), margin(0.5), margin(1.0)
    assert np.allclose(half, (old + whole) / 2, atol=1e-4)  # margins add up over leaves, in float32
    assert np.abs(whole - old).max() > 0.1


def test_statistics_of_batch_norm_are_not_shrunk() -> None:
    import torch
    from torch import nn

    class Normed(nn.Module):
        def __init__(self, n_numbers: int, sizes: Any, n_outputs: int) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.BatchNorm1d(n_numbers, momentum=1e-9), nn.Linear(n_numbers, n_outputs))

        def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> Any:
            return self.layers(numbers.nan_to_num(0.0))

    trainer = gd.get_trainer("torch", device="cpu", network=Normed, shrink=0.3)
    model = trainer.fit(month(1), target="late")
    newer = trainer.update(model, month(2), target="late")
    key = "layers.0.running_var"
    assert torch.allclose(newer.state.weights[key], model.state.weights[key], atol=1e-4)


def test_shards_of_ridge_add_up_in_any_order() -> None:
    trainer = gd.get_trainer("ridge")
    whole = month(1, 900)
    model = trainer.fit(whole, target="late")
    shards = [{name: values[start : start + 300] for name, values in whole.items()} for start in (0, 300, 600)]
    a, b, c = (trainer.fit(shard, target="late", features=model.features) for shard in shards)
    merged = trainer.merge(trainer.merge(c, a), b)
    assert np.abs(merged.predict_proba(whole) - model.predict_proba(whole)).max() < 1e-10
    assert (merged.full_rows, merged.cost.rows) == (900, 900)
    with pytest.raises(gd.ConfigError, match="share features and target"):
        trainer.merge(model, trainer.fit(shards[0], target="late"))
    with pytest.raises(gd.ConfigError, match="logistic cannot merge models; it can warm_solver, full"):
        gd.get_trainer("logistic").merge(model, model)


@pytest.mark.parametrize("name", ["ridge", "naive_bayes"])
def test_decay_forgets_the_past(name: str) -> None:
    old, new = month(1), month(2, shift=4.0)
    keep, forget = (gd.get_trainer(name, decay=decay) for decay in (1.0, 0.01))
    model = keep.fit(old, target="late")
    kept, forgot = (trainer.update(model, new, target="late") for trainer in (keep, forget))
    alone = keep.fit(new, target="late", features=model.features)
    rows = month(3, shift=4.0)
    distance = [np.abs(m.predict_proba(rows) - alone.predict_proba(rows)).mean() for m in (kept, forgot)]
    assert distance[1] < distance[0] / 5


def test_naive_bayes_of_numbers_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 2)), rng.integers(0, 2, 300)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    oracle = GaussianNB().fit(scaled, y).predict_proba(scaled)
    model = gd.get_trainer("naive_bayes").fit({"a": x[:, 0], "b": x[:, 1], "y": y}, target="y")
    assert np.allclose(model.predict_proba({"a": x[:, 0], "b": x[:, 1]}), oracle, atol=1e-8)


def test_the_solvers_of_logistic_regression_agree() -> None:
    from gpudrift.retrain.features import Category, Features, Number
    from gpudrift.retrain.learner import Job
    from gpudrift.retrain.learners.logistic import solve_by_torch
    from gpudrift.retrain.stream import Rows

    rows = month(1)
    sklearn = gd.get_trainer("logistic", device="cpu").fit(rows, target="late")
    features = sklearn.features
    assert isinstance(features, Features)
    assert isinstance(features.numbers[0], Number)
    assert isinstance(features.categories[0], Category)
    inputs = features.transform({name: gd_column(rows[name]) for name in features.names})
    x = features.dense(inputs)
    labels = rows["late"].astype(np.int64)
    weights = solve_by_torch(x, Rows(inputs, labels), Job(features, 2, "cpu", 0), None, max_iter=200, c=1.0)
    torch_probability = 1 / (1 + np.exp(-(x @ weights.coefficients[0] + weights.intercepts[0])))
    assert np.abs(torch_probability - sklearn.predict_proba(rows)[:, 1]).max() < 2e-3  # both stop at their tolerance


def gd_column(values: Any) -> Any:
    from gpudrift.frames.column import as_column

    return as_column(values)


def test_the_forest_slides() -> None:
    trainer = gd.get_trainer("forest", device="cpu", n_trees=10, grow=4, n_threads=1)
    model = trainer.fit(month(1), target="late")
    newer = trainer.update(model, month(2), target="late")
    old, new = model.state.estimators_, newer.state.estimators_
    assert len(new) == 10
    assert all(a is b for a, b in zip(old[4:], new[:6], strict=True))


def test_xgboost_adds_trees_up_to_its_cap() -> None:
    trainer = gd.get_trainer("xgboost", device="cpu", n_rounds=10, grow=5, max_rounds=18, n_threads=1)
    model = trainer.fit(month(1), target="late")
    once = trainer.update(model, month(2), target="late")
    assert once.state.num_boosted_rounds() == 15
    assert trainer.update(once, month(3), target="late", how="refresh_leaves").state.num_boosted_rounds() == 15
    with pytest.raises(gd.ConfigError, match="the model has 15 rounds, and 5 more pass max_rounds=18; fit in full, or"):
        trainer.update(once, month(3), target="late")


def test_a_network_of_your_own_is_trained_and_needs_its_trainer_to_load(tmp_path: Path) -> None:
    import torch
    from torch import nn

    class Linear(nn.Module):
        def __init__(self, n_numbers: int, sizes: Any, n_outputs: int) -> None:
            super().__init__()
            self.layer = nn.Linear(n_numbers, n_outputs)

        def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
            return self.layer(numbers.nan_to_num(0.0))

    trainer = gd.get_trainer("torch", device="cpu", network=Linear, learning_rate=0.02)
    model = trainer.fit(month(1), target="late")
    assert model.score(month(2)) > 0.8
    model.save(tmp_path / "own")
    with pytest.raises(gd.ModelError, match="the weights are of another network; pass trainer="):
        gd.load_model(tmp_path / "own")
    loaded = gd.load_model(tmp_path / "own", trainer=trainer)
    assert np.array_equal(loaded.predict(month(2)), model.predict(month(2)))


def test_auto_says_once_why_it_takes_the_cpu(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpudrift.retrain import device

    monkeypatch.setattr(device, "why_no_gpu", lambda: "there is no NVIDIA driver")
    device._say_once.cache_clear()
    with caplog.at_level("INFO", logger="gpudrift"):
        assert [gd.get_trainer("ridge").device for _ in range(3)] == ["cpu"] * 3
    assert caplog.messages == ["ridge trains on the CPU: there is no NVIDIA driver"]


def test_pandas_and_polars_and_arrow_are_taken_alike() -> None:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    rows = month(1)
    trainer = gd.get_trainer("ridge")
    model = trainer.fit(rows, target="late")
    pandas = pd.DataFrame(rows).astype({"carrier": "category"})
    for table in (pandas, pl.DataFrame(rows), pa.table(rows)):
        assert np.array_equal(model.predict_proba(table), model.predict_proba(rows))
        assert trainer.fit(table, target="late").id == model.id


def test_weights_count_rows() -> None:
    rows = month(1, 300)
    once_more = {name: np.concatenate([values, values[:100]]) for name, values in rows.items()}
    weights = np.where(np.arange(300) < 100, 2.0, 1.0)
    trainer = gd.get_trainer("ridge")
    repeated = trainer.fit(once_more, target="late")
    weighted = trainer.fit(rows, target="late", weights=weights, features=repeated.features)
    named = trainer.fit({**rows, "w": weights}, target="late", weights="w", features=repeated.features)
    assert np.allclose(weighted.predict_proba(rows), repeated.predict_proba(rows), atol=1e-10)
    assert np.array_equal(named.predict_proba(rows), weighted.predict_proba(rows))


def test_models_can_be_looked_up_among_others() -> None:
    one, two = (gd.get_trainer("ridge", device="cpu").fit(month(k), target="late") for k in (1, 2))
    assert two in [one, two]
    assert two not in [one]
    assert {one: "champion"}[one] == "champion"


def test_a_score_is_that_of_all_rows() -> None:
    from sklearn.metrics import roc_auc_score

    model = gd.get_trainer("ridge", device="cpu").fit(month(1), target="late")
    holdout = month(2, 20_000)
    every_fourth = np.arange(20_000) % 4 == 0  # what a sample of 5,000 would see
    holdout["late"] = holdout["late"] == every_fourth
    expected = roc_auc_score(holdout["late"], model.predict_proba(holdout)[:, 1])
    assert model.score(holdout) == pytest.approx(expected, abs=1e-12)


def test_a_label_of_weight_0_does_not_widen_the_scale_of_a_network() -> None:
    rows, trainer = month(1), gd.get_trainer("torch", device="cpu", **QUICK["torch"])
    weights = (np.arange(800) != 7).astype(float)
    wide = {**rows, "rain": rows["rain"].copy()}
    wide["rain"][7] = 1e9
    first, second = (trainer.fit(held, target="rain", weights=weights) for held in (rows, wide))
    assert second.predict(rows) == pytest.approx(first.predict(rows), rel=1e-9, abs=1e-9)


def test_parquet_larger_than_a_batch_is_streamed_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = month(1, 3_000)
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet", row_group_size=1_000)
    monkeypatch.setattr("gpudrift.frames.source.MOST_BATCH_ROWS", 1_000)
    monkeypatch.setattr("gpudrift.frames.parquet.MOST_BATCH_ROWS", 1_000)
    for name in ("ridge", "torch"):
        trainer = gd.get_trainer(name, device="cpu", **QUICK[name])
        streamed = trainer.fit(tmp_path / "rows.parquet", target="late")
        held = trainer.fit(rows, target="late")
        assert streamed.cost.rows == held.cost.rows == 3_000
        assert abs(streamed.score(month(2)) - held.score(month(2))) < 0.01


def test_twins_take_only_arguments_that_cuml_26_10_has() -> None:
    recorded = json.loads((Path(__file__).parent / "cuml_26_10.json").read_text())
    for name, twin in TWINS.items():
        assert set(twin.arguments) <= set(recorded[f"{twin.module}.{name}"]), name
        cpu = importlib.import_module(twin.module.replace("cuml", "sklearn"))
        assert set(twin.arguments) <= set(inspect.signature(getattr(cpu, name)).parameters), name
    passed = {"loss", "l2_strength", "max_iter", "warm_start", "output_type"}
    assert passed <= set(recorded["cuml.solvers.QN"])


def test_what_a_twin_without_a_way_back_learned_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from gpudrift.retrain import twins

    class Theirs:
        """cuML's names: the variances are ``sigma_``."""

        def __init__(self, priors: Any, var_smoothing: float) -> None:
            self._held = GaussianNB(priors=priors, var_smoothing=var_smoothing)

        def fit(self, *arguments: Any, **options: Any) -> None:
            self._held.fit(*arguments, **options)
            for name in ("classes_", "class_count_", "class_prior_", "theta_", "epsilon_"):
                setattr(self, name, getattr(self._held, name))
            self.sigma_ = self._held.var_

    ours = twins.library
    monkeypatch.setattr(
        twins, "library", lambda name, **o: SimpleNamespace(GaussianNB=Theirs) if "cuml" in name else ours(name)
    )
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    copied, oracle = twins.fit_twin(GaussianNB(), x, y, None), GaussianNB().fit(x, y)
    assert np.array_equal(copied.predict_proba(x), oracle.predict_proba(x))
    new = rng.normal(size=(50, 3)), rng.integers(0, 2, 50)
    assert np.array_equal(copied.partial_fit(*new).predict_proba(x), oracle.partial_fit(*new).predict_proba(x))


@pytest.mark.gpu
def test_the_recorded_signatures_are_those_of_cuml() -> None:
    pytest.importorskip("cuml")
    recorded = json.loads((Path(__file__).parent / "cuml_26_10.json").read_text())
    for path, names in recorded.items():
        module, _, name = path.rpartition(".")
        assert set(names) == set(inspect.signature(getattr(importlib.import_module(module), name)).parameters)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["ridge", "naive_bayes", "logistic", "forest", "xgboost", "torch"])
def test_the_gpu_gives_the_same_score(name: str) -> None:
    scores = []
    for device in ("cpu", "cuda"):
        trainer = gd.get_trainer(name, device=device, **QUICK[name])
        model = trainer.update(trainer.fit(month(1, 5_000), target="late"), month(2, 2_000), target="late")
        scores.append(model.score(month(3, 5_000)))
    assert scores[0] == pytest.approx(scores[1], abs=0.01)
