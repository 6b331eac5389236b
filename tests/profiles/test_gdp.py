"""The profile file: what was saved comes back, and nothing else is believed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpudrift as gd

PREFIX = 20
BODY = 52


@pytest.fixture
def saved(mixed: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "champion.gdp"
    gd.profile(mixed).save(path)
    return path


def resealed(prefix: bytes, body: bytes) -> bytes:
    """A file whose digest fits, as somebody who knows the format can make one."""
    return prefix + hashlib.sha256(prefix + body).digest() + body


def with_header(path: Path, **changes: Any) -> bytes:
    data = path.read_bytes()
    length = int.from_bytes(data[12:20], "little")
    header = json.loads(data[BODY : BODY + length]) | changes
    text = json.dumps(header).encode()
    return resealed(data[:12] + len(text).to_bytes(8, "little"), text + data[BODY + length :])


def test_a_profile_comes_back_as_it_was(mixed: dict[str, Any], saved: Path) -> None:
    made, loaded = gd.profile(mixed), gd.load_profile(saved)
    assert loaded.profile_id == made.profile_id
    assert loaded.columns == made.columns
    assert loaded.reference == made.reference
    assert loaded.count(mixed) == made.count(mixed)
    assert loaded.compare(loaded.count(mixed)).to_dict() == made.compare(made.count(mixed)).to_dict()


def test_saving_twice_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    gd.load_profile(saved).save(tmp_path / "again.gdp")
    assert (tmp_path / "again.gdp").read_bytes() == saved.read_bytes()


def test_names_and_categories_of_any_text_survive(tmp_path: Path) -> None:
    table = {"naïve\n列": ["", "ü", "a\x00b", "日本", "'\"<>"] * 10, "x": np.arange(50.0)}
    gd.profile(table).save(tmp_path / "text.gdp")
    assert gd.load_profile(tmp_path / "text.gdp").columns == ("naïve\n列", "x")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_column_without_any_finite_value_comes_back(tmp_path: Path, value: float) -> None:
    champion = gd.profile({"x": np.full(100, value), "y": np.arange(100.0)})
    champion.save(tmp_path / "champion.gdp")
    assert gd.load_profile(tmp_path / "champion.gdp").reference == champion.reference


def test_one_altered_bit_anywhere_is_noticed(saved: Path) -> None:
    data = saved.read_bytes()
    places = {*range(BODY + 40), *np.random.default_rng(0).integers(0, len(data), 300).tolist(), len(data) - 1}
    for place in places:
        altered = bytearray(data)
        altered[place] ^= 1 << (place % 8)
        saved.write_bytes(altered)
        with pytest.raises(gd.ProfileError):
            gd.load_profile(saved)


def test_a_truncated_file_is_noticed_at_every_length(saved: Path) -> None:
    data = saved.read_bytes()
    for length in {*range(80), *np.random.default_rng(0).integers(0, len(data), 100).tolist(), len(data) - 1}:
        saved.write_bytes(data[:length])
        with pytest.raises(gd.ProfileError, match=r"champion\.gdp (is truncated|is not a profile|is damaged)"):
            gd.load_profile(saved)


def test_a_newer_schema_asks_for_an_upgrade(saved: Path) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[:8] + (2).to_bytes(4, "little") + data[12:])
    with pytest.raises(gd.ProfileError, match="has schema 2, this version reads up to 1; upgrade gpudrift"):
        gd.load_profile(saved)


def test_another_file_is_not_a_profile(tmp_path: Path) -> None:
    (tmp_path / "x.gdp").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(gd.ProfileError, match=r"is not a profile; pass a file that Profile\.save"):
        gd.load_profile(tmp_path / "x.gdp")
    with pytest.raises(gd.ProfileError, match="cannot be read: No such file or directory; check the path"):
        gd.load_profile(tmp_path / "y.gdp")


def test_hostile_lengths_allocate_nothing(saved: Path) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[:12] + (1 << 62).to_bytes(8, "little") + data[20:])
    with pytest.raises(gd.ProfileError, match="truncated"):
        gd.load_profile(saved)
    for length in (1 << 60, -1, 1.5, None, True):
        saved.write_bytes(with_header(saved_copy(saved, data), arrays=[["keys", "<i8", length]]))
        with pytest.raises(gd.ProfileError, match="holds no valid profile"):
            gd.load_profile(saved)


def saved_copy(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("storage", "object"), ("centre", "0"), ("centre", 1e999), ("exponent", 5000), ("exponent", 0.5), ("bits", 60),
        ("octaves", -1), ("integral", 1), ("kind", "other"), ("name", 3), ("width", None), ("grows", "yes"),
    ],
)  # fmt: skip
def test_hostile_values_under_a_valid_digest_are_refused(saved: Path, field: str, value: Any) -> None:
    data = saved.read_bytes()
    header = json.loads(data[BODY : BODY + int.from_bytes(data[12:20], "little")])
    header["columns"][0][field] = value
    saved.write_bytes(with_header(saved, columns=header["columns"]))
    with pytest.raises(gd.ProfileError, match="holds no valid profile"):
        gd.load_profile(saved)


@pytest.mark.parametrize(
    "change", [{"columns": []}, {"columns": 3}, {"n_rows": -1}, {"n_rows": 1}, {"profile_id": "x"}, {"arrays": {}}]
)
def test_a_hostile_header_is_refused(saved: Path, change: dict[str, Any]) -> None:
    saved.write_bytes(with_header(saved, **change))
    with pytest.raises(gd.ProfileError, match="holds no valid profile"):
        gd.load_profile(saved)


def test_a_failed_write_leaves_the_old_file_alone(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(gd.DataError, match="cannot be written: No space left on device"):
        gd.profile({"x": np.arange(10.0)}).save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(gd.DataError, match=r"none/x.gdp cannot be written: No such file or directory"):
        gd.profile({"x": np.arange(10.0)}).save(tmp_path / "none" / "x.gdp")
