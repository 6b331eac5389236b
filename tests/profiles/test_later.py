"""Values made when they are first asked for, and the features that hold them."""

from __future__ import annotations

import copy
import pickle

import numpy as np

import gpudrift as gd
from gpudrift.profiles.later import Later


def report(seed: int = 0) -> gd.DriftReport:
    rng = np.random.default_rng(seed)
    reference = {"x": rng.normal(size=500), "c": rng.choice(list("abc"), 500)}
    current = {"x": rng.normal(1, 1, size=500), "c": rng.choice(list("abd"), 500)}
    return gd.check_drift(reference=reference, current=current)


def test_a_value_is_made_once_and_only_when_asked_for() -> None:
    calls: list[int] = []

    def make() -> int:
        calls.append(1)
        return 7

    later = Later(make)
    assert calls == []
    assert (later.value, later.value, calls) == (7, 7, [1])


def test_values_to_come_compare_copy_and_pickle_as_the_values() -> None:
    later = Later(lambda: (1, 2))  # a function that no pickle takes
    assert later == Later(lambda: (1, 2))
    assert later != Later(lambda: (1, 3))
    assert pickle.loads(pickle.dumps(later)) == copy.deepcopy(later) == later
    assert hash(later) == hash(Later(lambda: (1, 2)))


def test_features_compare_copy_and_pickle_with_all_their_statistics() -> None:
    one, same, other = report(), report(), report(seed=1)
    for name, feature in one.items():
        assert feature == same[name]
        assert feature != other[name]
        for twin in (pickle.loads(pickle.dumps(feature)), copy.deepcopy(feature)):
            assert twin == feature
            assert twin.to_dict() == feature.to_dict()
            assert twin.bins == feature.bins


def test_no_verdict_asks_for_statistics_without_a_threshold() -> None:
    feature = report()["x"]
    assert feature.material(gd.Settings().limits(feature.name)).keys() == {
        "psi", "ks", "js_distance", "wasserstein", "hellinger", "missing_rate",
    }  # fmt: skip
    assert feature._further._make is not None
    asked = feature.material(gd.Settings(thresholds={"kl": 0.1}).limits(feature.name))
    assert asked["kl"] == feature.kl > 0.1
