"""Lists of names on a command line."""

from __future__ import annotations

import pytest

from gpudrift.cli.options import split_names


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (None, ()),
        ([], ()),
        (["a"], ("a",)),
        (["a,b", "c"], ("a", "b", "c")),
        (["a, b"], ("a", "b")),
        ([" a , b "], ("a", "b")),
        (['"a,b",c'], ("a,b", "c")),
        (['"say ""hi"""'], ('say "hi"',)),
        (["with space, Ünïcode"], ("with space", "Ünïcode")),
    ],
)
def test_names_are_split_as_csv(values: list[str] | None, names: tuple[str, ...]) -> None:
    assert split_names("--columns", values) == names
