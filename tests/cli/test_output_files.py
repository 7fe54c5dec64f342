"""Output files: whole, or as they were."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import PROGRAM, call

from fabrictool.cli import common
from fabrictool.errors import InputError

LAYOUT = str(Path(__file__).parents[2] / "topologies" / "dgx-superpod-h100-1su.yaml")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place))
    if (
        os.geteuid()
        or shutil.which("mount") is None
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount a file system")
    yield place
    subprocess.run(("umount", str(place)), check=True)


@pytest.mark.parametrize("command", [("cables",), ("export", "--to", "workbook"), ("export", "--to", "p2p")])
def test_a_full_disk_leaves_the_old_file(
    command: tuple[str, ...], small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = small_disk / "plan.xlsx"
    target.write_text("the plan of yesterday")
    (small_disk / "ballast").write_bytes(bytes(40_000))
    status, out, err = call(capsys, *command, LAYOUT, "-o", str(target))
    assert (status, out) == (2, "")
    assert err == f"{target}: cannot be written: No space left on device; make room, or choose another place with -o\n"
    assert target.read_text() == "the plan of yesterday"
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "plan.xlsx"]


def test_a_full_disk_leaves_all_files_of_a_folder(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last files do not fit: the first ones stay as they were too."""
    (small_disk / "01-sites.csv").write_text("old")
    status, _, err = call(capsys, "export", LAYOUT, "--to", "netbox", "-o", str(small_disk))
    assert status == 2
    assert "No space left on device" in err
    assert [(path.name, path.read_text()) for path in small_disk.iterdir()] == [("01-sites.csv", "old")]


def test_a_device_that_is_full_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this machine")
    status, _, err = call(capsys, "cables", LAYOUT, "-q", "-o", "/dev/full")
    assert status == 2
    assert "a plan is written as .xlsx" in err
    with pytest.raises(InputError, match="/dev/full: cannot be written: No space left on device"):
        common.write_file("/dev/full", b"plan")


def test_an_interrupted_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "plan.csv"
    target.write_text("old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(common.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        common.write_file(str(target), b"new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("plan.csv", "old")]


def test_files_have_the_rights_of_new_ones(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        common.write_file(str(tmp_path / "plan.csv"), b"new")
    finally:
        os.umask(umask)
    assert (tmp_path / "plan.csv").stat().st_mode & 0o777 == 0o640


def test_a_workbook_on_a_pipe_is_the_same(tmp_path: Path) -> None:
    """Without -o the bytes go to standard output, where it is no terminal."""
    done = subprocess.run(
        [*PROGRAM, "export", LAYOUT, "--to", "workbook"], capture_output=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, b"")
    subprocess.run([*PROGRAM, "cables", LAYOUT, "-q", "-o", str(tmp_path / "plan.xlsx")], check=True, timeout=120)
    assert done.stdout == (tmp_path / "plan.xlsx").read_bytes()
