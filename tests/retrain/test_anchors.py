"""Rows of past regimes that are kept out of training: cut, scored, and heeded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.retrain.anchors import LEAST_ROWS, MOST_SETS, SHARE

from .conftest import month

LEAST = SHARE * LEAST_ROWS


def logistic(**params: Any) -> gd.Trainer:
    return gd.get_trainer("logistic", device="cpu", **params)


def year(*shifts: float) -> dict[str, Any]:
    """As many rows as an anchor needs of each shift, one after the other, with the season's name."""
    parts = [month(k, LEAST, shift=shift) | {"season": np.full(LEAST, f"s{k}")} for k, shift in enumerate(shifts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.fixture(scope="module")
def fitted() -> gd.Model:
    return logistic(columns=["rain", "wind", "carrier"]).fit(year(0.0, 0.5, 1.0), target="late")


def test_stretches_of_the_past_are_kept_out_of_training(fitted: gd.Model) -> None:
    assert list(fitted.anchors) == ["rows 1 to 10,000", "rows 10,001 to 20,000", "rows 20,001 to 30,000"]
    assert [len(rows) for rows in fitted.anchors.values()] == [LEAST_ROWS] * 3
    assert fitted.cost.rows == fitted.full_rows == 3 * LEAST - 3 * LEAST_ROWS
    held_out = set(np.concatenate([rows["rain"].to_numpy() for rows in fitted.anchors.values()]))
    assert fitted.reservoir is not None
    assert fitted.reservoir.rows is not None
    assert held_out.isdisjoint(fitted.reservoir.rows["rain"].to_pylist())
    assert held_out < set(year(0.0, 0.5, 1.0)["rain"])


def test_small_tables_and_exact_sums_cut_none() -> None:
    assert not logistic().fit(month(1), target="late").anchors
    assert not logistic(anchor_sets=0).fit(month(1, LEAST), target="late").anchors
    model = gd.get_trainer("ridge").fit(month(1, LEAST), target="late")
    assert not model.anchors
    assert model.cost.rows == LEAST


def test_an_update_adds_its_own_and_reports_the_change_of_all_before(fitted: gd.Model) -> None:
    newer = logistic().update(fitted, month(7, LEAST, shift=1.0), target="late")
    assert newer.transfer is not None
    assert list(newer.transfer.changes) == list(fitted.anchors)
    assert list(newer.anchors) == [*fitted.anchors, "rows 30,001 to 40,000"]
    assert newer.rows_seen == 4 * LEAST
    for name, rows in fitted.anchors.items():
        labelled = rows.append_column(
            "late", [[("false", "true")[code] == "true" for code in rows["gpudrift:label"].to_pylist()]]
        )
        assert newer.transfer.changes[name] == pytest.approx(newer.score(labelled) - fitted.score(labelled))


def test_an_update_that_forgets_is_refused_and_says_what_it_forgot(fitted: gd.Model) -> None:
    trainer = logistic(pull=0.0)
    flipped = month(8, 2_000, shift=-3.0)  # rain now means the opposite
    before = fitted.predict_proba(flipped)
    message = (
        r"^the update forgot: anchor 'rows .*' and 2 more lost 0\.\d+, which passes margin=0\.02; fit in full on past "
        r"and new rows, or pass on_forgetting='tell' \(the model is unchanged\)$"
    )
    with pytest.raises(gd.TrainingError, match=message):
        trainer.update(fitted, flipped, target="late", replay=0)
    assert np.array_equal(fitted.predict_proba(flipped), before)
    teller = logistic(pull=0.0, on_forgetting="tell")
    told = teller.update(fitted, flipped, target="late", replay=0)
    assert told.transfer is not None
    assert told.transfer.worst < -0.02
    assert str(teller.due(told)).startswith(f"anchor {told.transfer.beyond(0.02)[0]!r} lost 0.")
    full = trainer.update(fitted, flipped, target="late", how="full")
    assert full.transfer is not None
    assert full.how == "full"


def test_a_column_can_name_the_regimes() -> None:
    trainer = logistic(regime="season")
    model = trainer.fit(year(0.0, 1.0), target="late")
    assert sorted(model.anchors) == ["season s0", "season s1"]
    assert model.features.names == ["rain", "wind", "carrier"]
    third = month(9, LEAST, shift=1.0) | {"season": np.full(LEAST, "s2")}
    newer = trainer.update(model, third, target="late")
    assert sorted(newer.anchors) == ["season s0", "season s1", "season s2"]
    again = trainer.update(newer, third, target="late")
    assert again.anchors["season s2"].equals(newer.anchors["season s2"])
    with pytest.raises(gd.DataError, match="new data has no column 'season'"):
        trainer.update(model, month(3), target="late")


def test_your_own_take_the_place_of_those_cut(fitted: gd.Model) -> None:
    own = fitted.with_anchors({"mine": month(5)})
    assert list(own.anchors) == ["mine"]
    assert list(own.with_anchors({"more": month(6)}).anchors) == ["mine", "more"]
    newer = logistic().update(own, month(7, LEAST, shift=1.0), target="late")
    assert list(newer.anchors) == ["mine"]
    assert newer.cost.rows == LEAST
    with pytest.raises(gd.DataError, match=r"^anchor 'late' holds fewer than 20 rows of a class; pass more rows$"):
        fitted.with_anchors({"late": month(5) | {"late": np.ones(800, bool)}})


def test_long_chains_keep_twelve_sets_over_all_of_their_past() -> None:
    from gpudrift.retrain.anchors import marked, thinned

    rows = logistic().fit(month(1, LEAST), target="late").anchors["rows 1 to 10,000"]
    sets = thinned({f"rows {k}": marked(rows, k * LEAST, (k + 1) * LEAST) for k in range(20)})
    assert len(sets) == MOST_SETS
    ends = sorted(int(held.schema.metadata[b"gpudrift.last"]) for held in sets.values())
    starts = sorted(int(held.schema.metadata[b"gpudrift.first"]) for held in sets.values())
    assert (starts[0], ends[-1]) == (0, 20 * LEAST)
    assert starts[1:] == ends[:-1]
    assert all(len(held) == LEAST_ROWS for held in sets.values())


def test_anchors_of_numbers_change_in_units_of_their_spread() -> None:
    from sklearn.linear_model import SGDRegressor

    rows = month(1, LEAST)
    rows["late"] = 1000 * rows["rain"]
    trainer = gd.get_trainer("sklearn", estimator=SGDRegressor(), pull=0.0, on_forgetting="tell")
    model = trainer.fit(rows, target="late")
    flipped = month(2, LEAST)
    flipped["late"] = -1000 * flipped["rain"]
    newer = trainer.update(model, flipped, target="late", replay=0)
    assert newer.transfer is not None
    assert -3 < newer.transfer.worst < -0.02


def test_categories_of_any_type_can_be_anchored() -> None:
    rows = month(1) | {"hour": np.arange(800) % 24, "night": np.arange(800) % 3 == 0}
    model = logistic(categorical=["hour"]).fit(rows, target="late").with_anchors({"mine": rows})
    newer = logistic(categorical=["hour"]).update(model, rows, target="late")
    assert newer.transfer is not None
    assert newer.transfer.changes["mine"] == pytest.approx(newer.score(rows) - model.score(rows))


def test_anchors_survive_their_folder(fitted: gd.Model, tmp_path: Any) -> None:
    fitted.save(tmp_path / "model")
    again = gd.load_model(tmp_path / "model")
    trainer = logistic()
    newer, new = (trainer.update(held, month(7, LEAST, shift=1.0), target="late") for held in (fitted, again))
    assert again.id == fitted.id
    assert list(new.anchors) == list(newer.anchors)
    assert new.transfer == newer.transfer
