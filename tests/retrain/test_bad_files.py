"""What can go wrong in keeping a model: an interruption, a full disk, an altered byte; never half a model."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpudrift as gd

from .conftest import fails, month, trainer_of


def test_an_interrupted_fit_leaves_the_model_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = trainer_of("torch")
    model = trainer.fit(month(1), target="late")
    before = model.predict_proba(month(3))

    def interrupted(*_: Any) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("gpudrift.retrain.torch_loop._validated", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trainer.update(model, month(2), target="late")
    assert np.array_equal(model.predict_proba(month(3)), before)


def test_a_full_disk_leaves_no_half_model(ridge: gd.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("gpudrift.store.artifact.os.fsync", full)
    message = f"{tmp_path}/champion cannot be written: No space left on device; choose another place"
    fails(gd.DataError, message, lambda: ridge.save(tmp_path / "champion"))
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys, os, signal
import numpy as np
import gpudrift as gd
import gpudrift.store.artifact as artifact

model = gd.get_trainer("ridge").fit({"x": np.arange(100.0), "y": np.arange(100.0)}, target="y")
artifact.os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
model.save(sys.argv[1])
"""


def test_a_killed_save_leaves_no_half_model(ridge: gd.Model, tmp_path: Path) -> None:
    place = tmp_path / "champion"
    done = subprocess.run([sys.executable, "-c", KILLED, str(place)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not place.exists()
    assert len(list(tmp_path.iterdir())) == 1  # its draft, which nobody holds any more
    message = f"{place} holds no model (model.json: No such file or directory); check the path"
    fails(gd.ModelError, message, lambda: gd.load_model(place))
    ridge.save(place)
    assert gd.load_model(place).id == ridge.id
    assert list(tmp_path.iterdir()) == [place]


def test_a_taken_place_is_not_overwritten(ridge: gd.Model, tmp_path: Path) -> None:
    ridge.save(tmp_path / "champion")
    fails(
        gd.DataError, f"{tmp_path}/champion is taken; save to a new folder", lambda: ridge.save(tmp_path / "champion")
    )


@pytest.mark.parametrize("name", ["ridge", "forest", "xgboost", "torch"])
def test_every_altered_byte_is_noticed(name: str, tmp_path: Path) -> None:
    trainer_of(name).fit(month(1, 100), target="late").save(tmp_path / "model")
    for file in sorted((tmp_path / "model").iterdir()):
        content = file.read_bytes()
        for place in np.linspace(0, len(content) - 1, 7).astype(int):
            altered = bytearray(content)
            altered[place] ^= 1
            file.write_bytes(altered)
            with pytest.raises(gd.ModelError, match=f"digest of {file.name} does not match; fetch|is no header"):
                gd.load_model(tmp_path / "model")
        file.write_bytes(content)
    gd.load_model(tmp_path / "model")


def test_no_bit_of_the_header_can_be_altered(ridge: gd.Model, tmp_path: Path) -> None:
    ridge.save(tmp_path / "model")
    header = tmp_path / "model" / "model.json"
    content = header.read_bytes()
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1 << place % 8
        header.write_bytes(altered)
        with pytest.raises(gd.ModelError):
            gd.load_model(tmp_path / "model")
    header.write_bytes(content.replace(b'"scale": ', b'"scale": 1'))
    message = f"{tmp_path}/model is damaged: the digest of model.json does not match; fetch the model again"
    fails(gd.ModelError, message, lambda: gd.load_model(tmp_path / "model"))


def test_a_pickle_is_never_read(ridge: gd.Model, tmp_path: Path) -> None:
    import pickle

    ridge.save(tmp_path / "model")
    (tmp_path / "model" / "weights.pkl").write_bytes(pickle.dumps({"a": 1}))
    message = f"{tmp_path}/model is damaged: weights.pkl is not listed in its header; fetch the model again"
    fails(gd.ModelError, message, lambda: gd.load_model(tmp_path / "model"))


def test_a_tree_that_points_outside_itself_is_refused() -> None:
    from sklearn.tree import DecisionTreeClassifier

    from gpudrift.retrain.skops_files import dump_estimator, load_estimator

    rng = np.random.default_rng(0)
    tree = DecisionTreeClassifier(max_depth=2).fit(rng.normal(size=(50, 2)), rng.integers(0, 2, 50))
    load_estimator(dump_estimator(tree))
    tree.tree_.children_left[0] = 10**6
    with pytest.raises(gd.ModelError, match="holds a tree that points outside itself"):
        load_estimator(dump_estimator(tree))


def test_an_estimator_of_unknown_types_cannot_be_saved(tmp_path: Path) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    model = gd.get_trainer("sklearn", estimator=KNeighborsClassifier()).fit(month(1), target="late")
    with pytest.raises(
        gd.ModelError, match="EuclideanDistance64, which skops does not trust; use an estimator without"
    ):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
