"""The registry: versions, what serves, what served when, and a way back, whatever breaks in between."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpudrift as gd

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = {"x": np.arange(100.0), "y": 2 * np.arange(100.0)}


class Clock:
    """An hour passes at each look."""

    def __init__(self) -> None:
        self.now = START - timedelta(hours=1)

    def __call__(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry as it is first made, to copy: MLflow takes seconds to make its tables."""
    folder = tmp_path_factory.mktemp("registry") / "empty"
    gd.Registry(folder)
    shutil.rmtree(folder / "artifacts", ignore_errors=True)
    return folder


@pytest.fixture
def folder(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copytree(empty, tmp_path / "registry")
    # the copy's experiment still points at the folder that it was made in
    import sqlite3

    with sqlite3.connect(tmp_path / "registry" / "registry.db") as database:
        place = (tmp_path / "registry" / "artifacts").as_uri()
        database.execute("UPDATE experiments SET artifact_location = ? WHERE name = 'gpudrift'", (place,))
    database.close()
    return tmp_path / "registry"


@pytest.fixture
def registry(folder: Path) -> gd.Registry:
    return gd.Registry(folder, clock=Clock())


@pytest.fixture(scope="session")
def models() -> list[gd.Model]:
    """A model, and two updates of it."""
    trainer = gd.get_trainer("ridge", device="cpu")
    found = [trainer.fit(ROWS, target="y")]
    for slope in (3, 4):
        found.append(trainer.update(found[-1], {**ROWS, "y": slope * ROWS["x"]}, target="y"))
    return found


def test_a_version_knows_where_it_comes_from(registry: gd.Registry, models: list[gd.Model]) -> None:
    receipt = {"policy": "drift", "psi": 0.3}
    first = registry.register(models[0], windows=["2026-01"], metrics={"mae": 0.5}, receipt=receipt)
    second = registry.register(models[1], windows=["2026-02"])
    assert (first.number, first.model_id, first.parent) == (1, models[0].id, None)
    assert (second.number, second.parent, second.how, second.trainer) == (2, models[0].id, "exact_sums", "ridge")
    assert (first.windows, first.metrics, first.receipt) == (("2026-01",), {"mae": 0.5}, receipt)
    assert (first.seed, first.data_digest, first.cost) == (0, models[0].data_digest, models[0].cost)
    assert registry.versions() == [first, second]
    assert registry.version(2) == second


def test_the_same_model_is_the_same_version(registry: gd.Registry, models: list[gd.Model]) -> None:
    assert registry.register(models[0]) == registry.register(models[0])
    assert len(registry.versions()) == 1


def test_what_was_registered_is_what_is_loaded(registry: gd.Registry, models: list[gd.Model]) -> None:
    registry.promote(registry.register(models[1]))
    loaded = gd.load_model(registry.folder(registry.at()))
    assert loaded.id == models[1].id
    assert np.array_equal(loaded.predict(ROWS), models[1].predict(ROWS))


def test_history_tells_what_served_when(registry: gd.Registry, models: list[gd.Model]) -> None:
    one, two, _ = (registry.register(model) for model in models)
    registry.promote(one, reason="first")
    registry.promote(two, alias="shadow")
    registry.promote(two, reason="better for 72 h")
    hours = [START + timedelta(hours=k) for k in range(3)]
    assert [(e.time, e.alias, e.version, e.previous) for e in registry.history()] == [
        (hours[0], "champion", 1, None),
        (hours[1], "shadow", 2, None),
        (hours[2], "champion", 2, 1),
    ]
    assert [e.reason for e in registry.history(alias="champion")] == ["first", "better for 72 h"]
    assert registry.at(hours[1]).number == 1
    assert registry.at(hours[2] + timedelta(days=9)).number == registry.at().number == 2
    with pytest.raises(
        gd.RegistryError, match=r"no version of 'model' served as champion then; the first began at 2026-"
    ):
        registry.at(START - timedelta(seconds=1))
    with pytest.raises(gd.ConfigError, match="time must have a zone"):
        registry.at(datetime(2026, 3, 2))


def test_rollback_goes_back_step_by_step_and_to_any_version(registry: gd.Registry, models: list[gd.Model]) -> None:
    versions = [registry.register(model) for model in models]
    for version in versions:
        registry.promote(version)
    assert registry.rollback(reason="worse").version == 2
    assert registry.rollback().version == 1
    with pytest.raises(gd.RegistryError, match="no version served as champion before the present one; name one"):
        registry.rollback()
    assert registry.rollback(3).version == 3
    assert registry.at().number == 3
    assert [e.verb for e in registry.history()] == ["promote"] * 3 + ["rollback"] * 3


@pytest.mark.parametrize(
    ("promoted", "back_to"),
    [([1, 2, 3, 3], [2, 1]), ([1, 2, 1, 3], [1, 2, 1]), ([1, 1, 2, 2, 2], [1])],
    ids=["the last one again", "one that came back", "each again"],
)
def test_rollback_never_stays_where_it_is(
    registry: gd.Registry, models: list[gd.Model], promoted: list[int], back_to: list[int]
) -> None:
    for model in models:
        registry.register(model)
    for version in promoted:
        registry.promote(version)
    assert [registry.rollback().version for _ in back_to] == back_to
    with pytest.raises(gd.RegistryError, match="no version served as champion before the present one; name one"):
        registry.rollback()


def test_it_outlives_its_process(folder: Path, models: list[gd.Model]) -> None:
    first = gd.Registry(folder, clock=Clock())
    first.promote(first.register(models[0]))
    again = gd.Registry(folder)
    assert again.history() == first.history()
    assert again.at().model_id == models[0].id


def test_a_damaged_version_cannot_serve(registry: gd.Registry, models: list[gd.Model]) -> None:
    one, two = (registry.register(model) for model in models[:2])
    registry.promote(one)
    registry.promote(two)
    sums = registry.folder(one) / "sums.safetensors"
    content = bytearray(sums.read_bytes())
    content[-1] ^= 1
    sums.write_bytes(content)
    with pytest.raises(gd.ModelError, match=r"the digest of sums.safetensors does not match; fetch the model again"):
        registry.rollback()
    assert registry.at().number == 2
    place = registry.folder(two)
    shutil.rmtree(place)
    models[2].save(place)  # whole, and another one
    with pytest.raises(gd.ModelError, match="version 2 of 'model' is not what was registered; register it again"):
        registry.folder(two)


class Killed(Exception):
    """The process ended here."""


@pytest.mark.parametrize("moved", [False, True], ids=["before the alias moved", "after it moved"])
def test_a_move_that_was_cut_off_is_settled(
    folder: Path, models: list[gd.Model], monkeypatch: pytest.MonkeyPatch, moved: bool
) -> None:
    registry = gd.Registry(folder, clock=Clock())
    one, two, three = (registry.register(model) for model in models)
    registry.promote(one)
    set_alias = registry._client.set_registered_model_alias

    def cut_off(*arguments: Any) -> None:
        if moved:
            set_alias(*arguments)
        raise Killed

    monkeypatch.setattr(registry._client, "set_registered_model_alias", cut_off)
    with pytest.raises(Killed):
        registry.promote(two)
    again = gd.Registry(folder, clock=lambda: START + timedelta(days=1))
    assert again.at().number == (2 if moved else 1)
    assert [e.version for e in again.history()] == ([1, 2] if moved else [1])
    again.promote(three)
    assert again.history()[-1].previous == (2 if moved else 1)


def test_an_upload_that_breaks_off_makes_no_version(
    registry: gd.Registry, models: list[gd.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise Killed

    monkeypatch.setattr(registry._client, "log_artifacts", full)
    with pytest.raises(Killed):
        registry.register(models[0])
    assert registry.versions() == []
    monkeypatch.undo()
    assert registry.register(models[0]).number == 1


def test_a_version_that_was_made_before_the_interrupt_is_whole(
    registry: gd.Registry, folder: Path, models: list[gd.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = registry._client.create_model_version

    def cut_off(*arguments: Any, **options: Any) -> None:
        make(*arguments, **options)
        raise Killed

    monkeypatch.setattr(registry._client, "create_model_version", cut_off)
    with pytest.raises(Killed):
        registry.register(models[0])
    monkeypatch.undo()
    (made,) = registry.versions()
    assert gd.load_model(registry.folder(made)).id == models[0].id
    assert registry.register(models[0]) == made


def test_a_full_disk_makes_no_version_and_gives_its_room_back(
    registry: gd.Registry, folder: Path, models: list[gd.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = registry._client.log_artifacts

    def full(*arguments: Any) -> None:
        upload(*arguments)  # some of it
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    registry.promote(registry.register(models[0]))
    kept = set((folder / "artifacts").rglob("*"))
    monkeypatch.setattr(registry._client, "log_artifacts", full)
    with pytest.raises(gd.RegistryError, match=r"failed: No space left on device; check it and try again$"):
        registry.register(models[1])
    monkeypatch.undo()
    assert set((folder / "artifacts").rglob("*")) == kept
    assert [version.number for version in registry.versions()] == [1]
    assert registry.at().number == 1
    assert registry.register(models[1]).number == 2


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 503 Busy\r\n\r\n", None], ids=repr)
def test_a_server_that_answers_nothing_of_use_is_named(answer: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpudrift.store.mlflow_client._TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            with server.accept()[0] as caller:
                caller.recv(4096)
                if answer is None:  # it hangs until the caller gives up
                    caller.recv(4096)
                else:
                    caller.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(gd.RegistryError) as raised:
            gd.Registry(f"http://me:secret@127.0.0.1:{port}")
        thread.join()
    assert str(raised.value).startswith(f"registry http://127.0.0.1:{port} does not answer (")
    assert str(raised.value).endswith("); check its address, or that it runs")
    assert "secret" not in str(raised.value)


def test_a_server_that_is_lost_while_a_model_is_registered_is_named(
    registry: gd.Registry, models: list[gd.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.exceptions import MlflowException

    def lost(*arguments: Any, **options: Any) -> None:
        raise MlflowException("API request to http://me:secret@host/api failed\nwith a long trace")

    registry.promote(registry.register(models[0]))
    monkeypatch.setattr(registry._client, "create_model_version", lost)
    monkeypatch.setattr(registry._client, "set_terminated", lost)
    with pytest.raises(
        gd.RegistryError, match=r"failed: API request to http://host/api failed; check it and try again$"
    ):
        registry.register(models[1])
    monkeypatch.undo()
    assert [version.number for version in registry.versions()] == [1]
    assert registry.at().number == 1


def test_a_clock_that_went_back_moves_nothing(folder: Path, models: list[gd.Model]) -> None:
    times = iter([START, START - timedelta(hours=1)])
    registry = gd.Registry(folder, clock=lambda: next(times))
    registry.promote(registry.register(models[0]))
    second = registry.register(models[1])
    with pytest.raises(gd.RegistryError, match="before the last move of champion; set it right"):
        registry.promote(second)
    assert registry.at().number == 1


def test_what_it_does_not_know_is_named(registry: gd.Registry, models: list[gd.Model]) -> None:
    registry.register(models[0])
    with pytest.raises(gd.RegistryError, match=r"^'model' has no version 7; it has \[1\]$"):
        registry.promote(7)
    with pytest.raises(gd.ConfigError, match="alias must be one of champion, challenger, shadow, got 'best'"):
        registry.promote(1, alias="best")
    with pytest.raises(gd.ConfigError, match=r"^version must be the number of one, or a Version, got '1'$"):
        registry.promote("1")  # type: ignore[arg-type]
    with pytest.raises(gd.ConfigError, match=r"^time must be a datetime with a zone, got '2026-03-01'; pass"):
        registry.at("2026-03-01")  # type: ignore[arg-type]
    with pytest.raises(gd.RegistryError, match="no version of 'model' served as champion then; promote one"):
        registry.at()


def test_lineage_that_could_not_be_read_again_is_refused(registry: gd.Registry, models: list[gd.Model]) -> None:
    with pytest.raises(gd.ConfigError, match=r"^windows must be a list of names, got '2026-01'; pass \['2026-01'\]$"):
        registry.register(models[0], windows="2026-01")
    with pytest.raises(gd.ConfigError, match=r"^receipt must hold JSON values: Object of type datetime"):
        registry.register(models[0], receipt={"at": START})
    with pytest.raises(gd.ConfigError, match=r"^windows must be a list of names, got 1 in it; pass its text$"):
        registry.register(models[0], windows=[1])  # type: ignore[list-item]
    with pytest.raises(gd.ConfigError, match=r"^metric 'auc' must be a number, got 'high'$"):
        registry.register(models[0], metrics={"auc": "high"})  # type: ignore[dict-item]
    with pytest.raises(gd.ConfigError, match=r"^model must be a Model, got str; load_model reads one$"):
        registry.register("champion")  # type: ignore[arg-type]
    assert registry.versions() == []


def test_reading_the_history_strikes_out_no_move_that_is_under_way(
    folder: Path, models: list[gd.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, reader = gd.Registry(folder, clock=Clock()), gd.Registry(folder)
    version = registry.register(models[0])
    set_alias = registry._client.set_registered_model_alias

    def watched(*arguments: Any) -> None:
        assert reader.history() == []
        set_alias(*arguments)
        assert [entry.version for entry in reader.history()] == [1]

    monkeypatch.setattr(registry._client, "set_registered_model_alias", watched)
    registry.promote(version)
    assert [entry.version for entry in reader.history()] == [1]


def test_a_name_that_would_not_be_found_again_is_refused(tmp_path: Path) -> None:
    with pytest.raises(gd.ConfigError, match=r"^name must be of letters, digits, '_', '\.' and '-', got \"it's\"$"):
        gd.Registry(tmp_path, name="it's")


@pytest.mark.parametrize("place", ["", "  "])
def test_a_place_that_is_none_is_refused(place: str) -> None:
    with pytest.raises(gd.ConfigError, match=r"^url must be a folder or an address, got '.*'; None takes the default$"):
        gd.Registry(place)


def test_a_database_without_its_driver_is_told_in_one_line() -> None:
    from gpudrift.store.mlflow_client import answering

    message = r"^registry postgresql://h/x needs nowhere: pip install nowhere$"
    with pytest.raises(gd.DependencyMissing, match=message), answering("postgresql://me:secret@h/x"):
        __import__("nowhere")


def test_models_of_two_names_are_kept_apart(folder: Path, models: list[gd.Model]) -> None:
    late, fare = gd.Registry(folder, name="late"), gd.Registry(folder, name="fare")
    late.promote(late.register(models[0]))
    fare.register(models[1])
    assert [v.model_id for v in late.versions()] == [models[0].id]
    assert [v.model_id for v in fare.versions()] == [models[1].id]
    assert fare.history() == []


def test_a_server_that_does_not_answer_is_named_at_once() -> None:
    message = r"^registry http://127\.0\.0\.1:9 does not answer \(.*\); check its address, or that it runs$"
    with pytest.raises(gd.RegistryError, match=message):
        gd.Registry("http://127.0.0.1:9")


def test_a_database_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_text("this is no database, though it is long enough to be read as one" * 9)
    with pytest.raises(
        gd.RegistryError, match=r"^registry sqlite:///.*registry.db failed: .*; check it and try again$"
    ):
        gd.Registry(tmp_path)


def test_two_may_make_the_same_registry_at_once(tmp_path: Path) -> None:
    failed: list[Exception] = []

    def make() -> None:
        try:
            gd.Registry(tmp_path / "registry")
        except gd.RegistryError as error:
            failed.append(error)

    makers = [threading.Thread(target=make) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert failed == []


def test_asking_for_a_database_that_is_not_there_makes_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/none.db"
    with pytest.raises(gd.RegistryError, match=r"none.db holds no registry; check the path, or register a model there"):
        gd.Registry(url, create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_fails_is_told_in_one_line(
    registry: gd.Registry, folder: Path, models: list[gd.Model], capfd: pytest.CaptureFixture[str]
) -> None:
    import sqlite3

    version = registry.register(models[0])
    database = sqlite3.connect(folder / "registry.db")
    database.execute("DROP TABLE registered_model_tags")
    database.close()
    with pytest.raises(gd.RegistryError, match=r"failed: \(sqlite3.OperationalError\) no such table") as raised:
        registry.promote(version)
    assert "\n" not in str(raised.value)
    assert capfd.readouterr() == ("", "")


def test_costs_of_past_fits_predict_the_next(registry: gd.Registry, models: list[gd.Model]) -> None:
    for model in models:
        registry.register(model)
    assert registry.costs("ridge") == [models[0].cost]
    assert registry.costs("ridge", how="exact_sums") == [models[1].cost, models[2].cost]
    expected = gd.predict_cost(registry.costs("ridge"), 200)
    assert expected.wall_s == pytest.approx(2 * models[0].cost.wall_s)
    with pytest.raises(
        gd.DataError, match="a cost is predicted from past fits, and there is none; fit once and register"
    ):
        gd.predict_cost(registry.costs("forest"), 200)
