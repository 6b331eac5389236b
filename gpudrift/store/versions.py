"""What the registry tells of: versions of a model, and what served when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from gpudrift.store.cost import Cost


@dataclass(frozen=True)
class Version:
    """One registered model and where it comes from.

    Attributes
    ----------
    number : int
        From 1, given by the registry.
    digest : str
        SHA-256 of the artifact: checked before the version serves.
    model_id, parent : str
        The model's id and that of the model it was updated from (None: none).
    trainer, how, seed, data_digest
        What made it, and of which rows.
    windows : sequence of str
        Ids or digests of the windows of data it learned from, as the caller names them.
    metrics : mapping of str to float
    receipt : mapping or None
        The decision that asked for it.
    cost : Cost
    """

    number: int
    digest: str
    model_id: str
    parent: str | None
    trainer: str
    how: str
    seed: int
    data_digest: str
    windows: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    receipt: Mapping[str, Any] | None = None
    cost: Cost = field(default_factory=lambda: Cost(0.0, 0.0, 0, 0))

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str, number: int) -> Version:
        """What ``to_json`` gave, under the number that the registry gave."""
        values = json.loads(text)
        return cls(**{**values, "number": number, "cost": Cost(**values["cost"]), "windows": tuple(values["windows"])})


@dataclass(frozen=True)
class Served:
    """From ``time`` on, ``version`` served under ``alias``, until the next entry of that alias.

    ``verb`` is "promote" or "rollback"; ``previous`` is the version that it replaced, None for the first.
    """

    time: datetime
    alias: str
    version: int
    previous: int | None
    digest: str
    verb: str
    reason: str = ""

    def to_json(self, *, done: bool) -> str:
        """One line; ``done`` tells whether the alias has moved."""
        return json.dumps({**asdict(self), "time": self.time.isoformat(), "done": done}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> tuple[Served, bool]:
        """What ``to_json`` gave."""
        values = json.loads(text)
        done = values.pop("done")
        return cls(**{**values, "time": datetime.fromisoformat(values["time"])}), done
