"""Every question on a few rows, with those contenders that need no environment of their own."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import categorical, counting, exact_ks, harness, parquet, workers
from benchmarks.drift import NUMPY, OURS, PEERS, PLAIN
from benchmarks.harness import Case, Check, Contender
from benchmarks.options import Options

ALL = (
    *OURS, *NUMPY, PLAIN, *PEERS, *exact_ks.CONTENDERS, *counting.CONTENDERS, *categorical.contenders(10),
    *parquet.CONTENDERS,
)  # fmt: skip


def in_this_process(
    question: str, case: Case, contenders: Sequence[Contender], check: Check, repeats: int, budget_s: float = 0
) -> dict[str, Any]:
    """Run and check each contender once, as its worker would."""
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        case.make(Path(place), case.rows)
        for contender in contenders:
            if contender.peer not in workers.OWN_ENVIRONMENT or contender.peer == "torch":
                continue
            module = importlib.import_module(f"benchmarks.peers.{contender.peer}")
            work, describe = getattr(module, contender.function)(Path(place), **contender.settings)
            if contender.name != harness.SUM:
                assert check(contender, describe(work()), Path(place)) is None, contender.name
    return {"question": question, "case": case.facts, "contenders": {c.name: {} for c in contenders}}


@pytest.mark.parametrize("name", [name for name in command.QUESTIONS if name != "startup"])
def test_all_contenders_of_a_question_are_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.setattr(module, "measure", in_this_process)
    features = None if name == "categorical" else 5
    results = list(module.run(Options(rows=3_000, features=features, repeats=1)))
    assert results
    assert {result["question"] for result in results} == {name}


def test_every_ratio_is_to_a_contender_of_gpudrift() -> None:
    ours = {contender.name for contender in ALL if contender.peer == "gpudrift"}
    assert {contender.against for contender in ALL} - {None} <= ours


def test_every_peer_has_its_file_and_its_environment() -> None:
    folder = workers.ROOT / "benchmarks" / "peers"
    for peer in {contender.peer for contender in ALL}:
        assert (folder / f"{peer}.py").exists()
        assert peer in workers.OWN_ENVIRONMENT or (folder / f"{peer.replace('_', '-')}.txt").exists()


def test_more_categories_than_are_kept_have_no_ratio() -> None:
    assert all(contender.against is None for contender in categorical.contenders(1_000_000))


def test_quick_is_a_tenth_of_the_rows_and_no_less_than_asked() -> None:
    assert Options(quick=True).scaled(10_000_000) == 1_000_000
    assert Options(quick=True).scaled(10_000, least=10_000) == 10_000
    assert Options().scaled(10_000_000) == 10_000_000


@pytest.mark.parametrize("arguments", [["nothing"], ["drift", "--rows", "0"], ["drift", "--dtype", "int8"]])
def test_a_wrong_command_line_is_refused(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", *arguments])
    with pytest.raises(SystemExit, match="2"):
        command.main()
