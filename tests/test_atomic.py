"""Files appear whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from gpudrift import DataError
from gpudrift.atomic import replacing


def test_a_file_takes_the_place_of_the_old_one_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    with replacing(target) as draft:
        draft.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_whatever_happens_the_old_file_stays_whole(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")

    def interrupted() -> None:
        with replacing(target) as draft:
            draft.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_has_the_permissions_that_the_user_asks_for(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "report.json") as draft:
            draft.write_text("new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "report.json", tmp_path / "latest.json"
    target.write_text("old")
    link.symlink_to(target.name)
    with replacing(link) as draft:
        draft.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with replacing(pipe) as file:
        file.write_text("report")
    reader.join()
    assert read == ["report"]
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_folder_that_went_away_is_named(tmp_path: Path) -> None:
    target = tmp_path / "gone" / "report.json"
    message = r"report\.json cannot be written: No such file or directory; choose another place"
    with pytest.raises(DataError, match=message), replacing(target) as draft:
        draft.write_text("new")


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.touch(0o600)
    target.chmod(0o640)
    with replacing(target) as draft:
        assert stat.S_IMODE(draft.stat().st_mode) == 0o600
        draft.write_text("new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_name_as_long_as_names_can_be_is_written_and_a_longer_one_refused(tmp_path: Path) -> None:
    with replacing(tmp_path / ("x" * 255)) as draft:
        draft.write_text("new")
    with pytest.raises(DataError, match="xx cannot be written: File name too long; choose another place"):
        replacing(tmp_path / ("x" * 256)).__enter__()


def test_a_device_without_room_is_named() -> None:
    message = "^/dev/full cannot be written: No space left on device; choose another place$"
    with pytest.raises(DataError, match=message), replacing("/dev/full") as file:
        file.write_text("report")
