"""Registry: models by version in MLflow, what serves under which alias, and what served when."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlparse
from urllib.request import url2pathname

import numpy as np

from gpudrift.errors import ConfigError, ModelError, RegistryError
from gpudrift.nearest import hint
from gpudrift.store.artifact import HEADER, artifact_digest
from gpudrift.store.cost import Cost
from gpudrift.store.mlflow_client import DATABASE, answering, embedded_url, open_client, shown
from gpudrift.store.versions import Served, Version

ALIASES: Final = ("champion", "challenger", "shadow")
_EXPERIMENT: Final = "gpudrift"
_SERVED: Final = "gpudrift.served."
_DIGEST: Final = "gpudrift.digest"
_LINEAGE: Final = "gpudrift.lineage"
_MOST_REASON: Final = 500


def _may_be_there(place: str, folder: Path | None) -> bool:
    """Whether a registry may be at a place: of files that can be told without making them."""
    if folder is not None:
        return (folder / DATABASE).is_file()
    database = place.removeprefix("sqlite:///")
    return database == place or Path(database).is_file()


class Savable(Protocol):
    """What can be registered: ``Model`` is."""

    def save(self, folder: str | os.PathLike[str]) -> None: ...


def _now() -> datetime:
    return datetime.now(UTC)


class Registry:
    """Versions of one model, aliases that say which of them serves, and the history of both.

    MLflow keeps versions, artifacts and aliases; aliases have no past, so every move is written down as a tag first:
    a move that was cut off is completed or undone by whoever comes next.

    Parameters
    ----------
    url : str or path, optional
        A folder (an SQLite database and the artifacts are kept in it), a database or the address of an MLflow server.
        By default what ``MLFLOW_TRACKING_URI`` says, else the folder ``gpudrift-registry``.
    name : str
        The model's name in MLflow.
    create : bool
        Make what is not there yet; False: a registry or a name that is not there is an error.
    clock : callable
        Gives the time, with its zone.

    Raises
    ------
    RegistryError
        It does not answer, or is not there.

    Examples
    --------
    >>> import gpudrift as gd
    >>> registry = gd.Registry(folder)                                              # doctest: +SKIP
    >>> version = registry.register(model, windows=["2013-01"], metrics={"auc": 0.7})  # doctest: +SKIP
    >>> registry.promote(version)                                                   # doctest: +SKIP
    >>> gd.load_model(registry.folder(registry.at()))                               # doctest: +SKIP
    """

    def __init__(
        self,
        url: str | os.PathLike[str] | None = None,
        *,
        name: str = "model",
        create: bool = True,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+", name):
            raise ConfigError(f"name must be of letters, digits, '_', '.' and '-', got {name!r}")
        place = os.fspath(url) if url is not None else os.environ.get("MLFLOW_TRACKING_URI") or "gpudrift-registry"
        if not place.strip():
            raise ConfigError(f"url must be a folder or an address, got {place!r}; None takes the default")
        self._folder = None if "://" in place or place.partition(":")[0] == "databricks" else Path(place)
        if not create and not _may_be_there(place, self._folder):
            raise RegistryError(f"{place} holds no registry; check the path, or register a model there first")
        self.url = place if self._folder is None else embedded_url(self._folder)
        self.name = name
        self._clock = clock
        if create:
            with self._locked():  # two that make the same tables at once break each other's
                self._client = open_client(self.url)
                with answering(self.url):
                    self._open()
        else:
            self._client = open_client(self.url)
            with answering(self.url):
                self._find()

    def register(
        self,
        model: Savable,
        *,
        windows: Sequence[str] = (),
        metrics: Mapping[str, float] | None = None,
        receipt: Mapping[str, Any] | None = None,
    ) -> Version:
        """Keep a model as a new version; the same model again is the version that it already has.

        Parameters
        ----------
        model : Model
        windows : sequence of str
            Ids or digests of the windows of data that it learned from.
        metrics : mapping of str to float, optional
        receipt : mapping, optional
            JSON values: the decision that asked for it.

        Raises
        ------
        DataError
            The model cannot be written.
        ConfigError
            A receipt that JSON cannot hold; windows that are no list of names; a metric that is no number.
        RegistryError
            The registry does not answer; it holds no half version.
        """
        if isinstance(windows, str):
            raise ConfigError(f"windows must be a list of names, got {windows!r}; pass [{windows!r}]")
        if odd := [window for window in windows if not isinstance(window, str)]:
            raise ConfigError(f"windows must be a list of names, got {odd[0]!r} in it; pass its text")
        for key, value in (metrics or {}).items():
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise ConfigError(f"metric {key!r} must be a number, got {value!r}")
        if not hasattr(model, "save"):
            raise ConfigError(f"model must be a Model, got {type(model).__name__}; load_model reads one")
        try:
            json.dumps(receipt)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"receipt must hold JSON values: {error}") from error
        with tempfile.TemporaryDirectory(prefix="gpudrift-") as place, self._locked(), answering(self.url):
            folder = Path(place) / "model"
            model.save(folder)
            digest, header = artifact_digest(folder), json.loads((folder / HEADER).read_bytes())
            known = {entry.digest: entry for entry in self._versions()}
            if digest in known:
                return known[digest]
            version = Version(
                0,
                digest,
                header["id"],
                header["parent"],
                header["trainer"],
                header["how"],
                header["seed"],
                header["data_digest"],
                tuple(windows),
                {key: float(value) for key, value in (metrics or {}).items()},
                receipt,
                Cost(**header["cost"]),
            )
            run = self._client.create_run(self._experiment).info
            made: Any = None
            try:
                self._client.log_artifacts(run.run_id, str(folder), "model")
                for key, value in {**version.metrics, "wall_s": version.cost.wall_s, "rows": version.cost.rows}.items():
                    self._client.log_metric(run.run_id, key, value)
                tags = {_DIGEST: digest, _LINEAGE: version.to_json()}
                source = f"{run.artifact_uri}/model"
                made = self._client.create_model_version(self.name, source=source, run_id=run.run_id, tags=tags)
            finally:
                if made is None and not self._is_registered(run):
                    self._discard(run)
            self._client.set_terminated(run.run_id)
            return Version.from_json(version.to_json(), int(made.version))

    def promote(self, version: Version | int, *, alias: str = "champion", reason: str = "") -> Served:
        """Let a version serve under an alias; its digest is checked first.

        Raises
        ------
        ModelError
            The artifact is damaged: the alias stays where it was.
        RegistryError
            No such version, or no answer.
        """
        return self._move("promote", version, alias, reason)

    def rollback(self, version: Version | int | None = None, *, alias: str = "champion", reason: str = "") -> Served:
        """Put an older version back, by default the one that served before the present one.

        Raises
        ------
        ModelError, RegistryError
            As ``promote``; also where none served before.
        """
        if version is None:
            stack: list[int] = []
            for entry in self.history(alias=alias):
                if entry.verb == "rollback" and entry.version in stack:
                    while stack[-1] != entry.version:
                        stack.pop()
                elif stack[-1:] != [entry.version]:  # promoted again, it is still the same one that serves
                    stack.append(entry.version)
            if len(stack) < 2:
                raise RegistryError(f"no version served as {alias} before the present one; name one to roll back to")
            version = stack[-2]
        return self._move("rollback", version, alias, reason)

    def at(self, time: datetime | None = None, *, alias: str = "champion") -> Version:
        """The version that served at a time, now by default.

        Raises
        ------
        RegistryError
            None did.
        """
        if time is not None and not isinstance(time, datetime):
            raise ConfigError(f"time must be a datetime with a zone, got {time!r}; pass datetime(..., tzinfo=UTC)")
        if time is not None and time.tzinfo is None:
            raise ConfigError(f"time must have a zone, got {time.isoformat()}; pass datetime(..., tzinfo=UTC)")
        entries = self.history(alias=alias)
        found = [entry for entry in entries if time is None or entry.time <= time]
        if not found:
            when = f"; the first began at {entries[0].time.isoformat()}" if entries else "; promote one"
            raise RegistryError(f"no version of {self.name!r} served as {alias} then{when}")
        return self.version(found[-1].version)

    def serving(self) -> dict[str, int]:
        """The number of the version that serves now, by alias."""
        return {entry.alias: entry.version for entry in self.history()}

    def history(self, *, alias: str | None = None) -> list[Served]:
        """What served when, oldest first."""
        with answering(self.url):
            entries = [entry for _, entry, _ in self._moves()]
        return [entry for entry in entries if alias in (None, entry.alias)]

    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        with answering(self.url):
            return self._versions()

    def version(self, number: int) -> Version:
        """One version by number."""
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise ConfigError(f"version must be the number of one, or a Version, got {number!r}")
        for entry in self.versions():
            if entry.number == number:
                return entry
        raise RegistryError(f"{self.name!r} has no version {number}; it has {[v.number for v in self.versions()]}")

    def folder(self, version: Version | int) -> Path:
        """The artifact of a version, checked: what ``load_model`` reads.

        From a server it comes into a new folder, which is yours to remove.

        Raises
        ------
        ModelError
            It is damaged, or not the one that was registered.
        """
        chosen = version if isinstance(version, Version) else self.version(version)
        folder = self._fetched(chosen, None)
        self._check(folder, chosen)
        return folder

    def costs(self, trainer: str, *, how: str = "full") -> list[Cost]:
        """Costs of past fits of a kind, oldest first: what ``predict_cost`` reads."""
        return [version.cost for version in self.versions() if (version.trainer, version.how) == (trainer, how)]

    def _open(self) -> None:
        """The experiment and the registered model, made on first use."""
        found = self._client.get_experiment_by_name(_EXPERIMENT)
        if found is None:
            place = None if self._folder is None else (self._folder.absolute() / "artifacts").as_uri()
            self._experiment = self._client.create_experiment(_EXPERIMENT, artifact_location=place)
        else:
            self._experiment = found.experiment_id
        if not self._is_known():
            self._client.create_registered_model(self.name)

    def _find(self) -> None:
        """The registered model, which is there."""
        if not self._is_known():
            known = sorted(model.name for model in self._client.search_registered_models(max_results=100))
            raise RegistryError(f"{shown(self.url)} holds no model {self.name!r}: {hint(self.name, known)}")

    def _is_known(self) -> bool:
        return any(model.name == self.name for model in self._client.search_registered_models(f"name='{self.name}'"))

    def _fetched(self, version: Version, place: str | None) -> Path:
        """The folder of a version: where it lies, or downloaded into a place, a new folder by default."""
        with answering(self.url):
            held = self._client.get_model_version(self.name, str(version.number))
            if (source := urlparse(held.source)).scheme == "file":
                return Path(url2pathname(source.path))
            place = place or tempfile.mkdtemp(prefix="gpudrift-")
            return Path(self._client.download_artifacts(held.run_id, "model", place))

    def _check(self, folder: Path, version: Version) -> None:
        if artifact_digest(folder) != version.digest:
            raise ModelError(f"version {version.number} of {self.name!r} is not what was registered; register it again")

    def _is_registered(self, run: Any) -> bool:
        """Whether a version was made of a run: Ctrl-C may come before the answer. If in doubt, it was."""
        with suppress(RegistryError), answering(self.url):
            return bool(self._client.search_model_versions(f"run_id='{run.run_id}'"))
        return True

    def _discard(self, run: Any) -> None:
        """What was uploaded belongs to no version; a full disk gets its room back, and keeps the first error."""
        uploaded = urlparse(run.artifact_uri)
        if self._folder is not None and uploaded.scheme == "file":
            folder = Path(url2pathname(uploaded.path))
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                folder.parent.rmdir()  # the run's, with nothing else in it
        with suppress(RegistryError), answering(self.url):
            self._client.set_terminated(run.run_id, "FAILED")

    def _versions(self) -> list[Version]:
        found = self._paged(self._client.search_model_versions)
        versions = [
            Version.from_json(held.tags[_LINEAGE], int(held.version)) for held in found if _LINEAGE in held.tags
        ]
        return sorted(versions, key=lambda version: version.number)

    def _paged(self, search: Callable[..., Any]) -> list[Any]:
        """Everything that a search finds under this name, page by page."""
        found: list[Any] = []
        token = None
        while True:
            page = search(f"name='{self.name}'", page_token=token)
            found += page
            if not (token := page.token):
                return found

    def _move(self, verb: str, version: Version | int, alias: str, reason: str) -> Served:
        if alias not in ALIASES:
            raise ConfigError(f"alias must be one of {', '.join(ALIASES)}, got {alias!r}")
        chosen = version if isinstance(version, Version) else self.version(version)
        with tempfile.TemporaryDirectory(prefix="gpudrift-") as place:
            self._check(self._fetched(chosen, place), chosen)
        with self._locked(), answering(self.url):
            entries = self._moves(settle=True)
            now = self._clock()
            if now.tzinfo is None:
                raise ConfigError("clock must give times with a zone")
            before = [entry for _, entry, _ in entries if entry.alias == alias]
            if before and now < before[-1].time:
                raise RegistryError(f"the clock says {now.isoformat()}, before the last move of {alias}; set it right")
            previous = before[-1].version if before else None
            entry = Served(now, alias, chosen.number, previous, chosen.digest, verb, reason[:_MOST_REASON])
            key = f"{_SERVED}{now.astimezone(UTC):%Y%m%dT%H%M%S.%f}.{len(entries):06d}.{uuid.uuid4().hex[:8]}"
            self._client.set_registered_model_tag(self.name, key, entry.to_json(done=False))
            self._client.set_registered_model_alias(self.name, alias, str(chosen.number))  # one transaction
            self._client.set_registered_model_tag(self.name, key, entry.to_json(done=True))
        return entry

    def _moves(self, *, settle: bool = False) -> list[tuple[str, Served, bool]]:
        """The history; a move that was cut off counts if its alias has moved, and is struck out if not.

        Only who holds the lock writes that down (``settle``): what looks cut off may be under way.
        """
        model = self._client.get_registered_model(self.name)
        entries = [
            (key, *Served.from_json(text)) for key, text in sorted(model.tags.items()) if key.startswith(_SERVED)
        ]
        kept = []
        for key, entry, done in entries:
            moved = int(model.aliases.get(entry.alias, 0)) == entry.version != entry.previous
            if done or moved:
                kept.append((key, entry, True))
            if settle and not done and moved:
                self._client.set_registered_model_tag(self.name, key, entry.to_json(done=True))
            elif settle and not done:
                self._client.delete_registered_model_tag(self.name, key)
        return kept

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time in an embedded registry; a server keeps its own order."""
        if self._folder is None:
            yield
            return
        with open(self._folder / "registry.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
