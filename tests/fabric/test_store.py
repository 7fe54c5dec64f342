"""Save and load: nothing is lost, nothing foreign gets in."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import fabrics
import numpy as np
import pytest

import fabrictool as ft
from fabrictool.errors import InputError
from fabrictool.fabric import Fabric

TABLES = ("devices", "ports", "links", "gpus", "gpu_ports")


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return fabrics.rails(7, 4, 4, 4, 4)


def _assert_equal(one: Fabric, other: Fabric) -> None:
    for table in TABLES:
        before, after = getattr(one, table).columns(), getattr(other, table).columns()
        assert before.keys() == after.keys()
        for name in before:
            assert before[name].dtype == after[name].dtype
            assert np.array_equal(before[name], after[name])
    for name in ("name", "types", "groups", "networks", "widths"):
        assert getattr(one, name) == getattr(other, name)
    assert dict(one.naming) == dict(other.naming)
    assert one.names == other.names


def test_nothing_is_lost(fabric: Fabric, tmp_path: Path) -> None:
    path = tmp_path / "fabric.npz"
    fabric.save(str(path))
    _assert_equal(fabric, ft.read_fabric(path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["fabric.npz"]


def test_identities_and_templates_are_kept(fabric: Fabric, tmp_path: Path) -> None:
    size = len(fabric.devices)
    brought = {
        "name": np.array(["größe-1"] + [""] * (size - 1)),
        "guid": np.arange(size, dtype=np.uint64) + np.uint64(2**63),
        "lid": np.arange(size, dtype=np.int32),
    }
    named = replace(fabric, devices=replace(fabric.devices, **brought), naming={"leaf": "L{index}"})
    named.save(str(tmp_path / "f.npz"))
    read = ft.read_fabric(tmp_path / "f.npz")
    _assert_equal(named, read)
    assert read.names[0] == "größe-1"
    assert read.names[7] == "L1"


def test_a_fabric_after_an_edit_reads_back(fabric: Fabric, tmp_path: Path) -> None:
    less = ft.edit(fabric, drop=["spine-01", "leaf-02:6"], slow={"leaf-01:7": 0.5})
    less.save(str(tmp_path / "f.npz"))
    _assert_equal(less, ft.read_fabric(tmp_path / "f.npz"))


def test_the_name_of_the_file_is_the_one_given(fabric: Fabric, tmp_path: Path) -> None:
    fabric.save(str(tmp_path / "no-ending"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["no-ending"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_refused(fabric: Fabric, tmp_path: Path, share: float) -> None:
    whole = tmp_path / "whole.npz"
    fabric.save(str(whole))
    content = whole.read_bytes()
    cut = tmp_path / "cut.npz"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=r"cut\.npz"):
        ft.read_fabric(cut)


def test_a_changed_byte_is_noticed(fabric: Fabric, tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    fabric.save(str(path))
    content = bytearray(path.read_bytes())
    places = range(200, len(content) - 200, len(content) // 40)
    read = 0
    for at in places:
        changed = content.copy()
        changed[at] ^= 0xFF
        path.write_bytes(changed)
        with contextlib.suppress(InputError):  # anything else fails, and so does a fabric that differs
            _assert_equal(fabric, ft.read_fabric(path))
            read += 1
    assert read < len(places) / 2  # few bytes of a file, such as its dates, say nothing of the fabric


def _archive(path: Path, **arrays: np.ndarray) -> None:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    path.write_bytes(stream.getvalue())


def _facts(**facts: object) -> np.ndarray:
    return np.frombuffer(json.dumps(facts).encode(), np.uint8)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "whole"),
        (b"PK\x03\x04", "whole"),
        (b"name: a layout\n", "whole"),
        (b"\x80\x04\x95", "whole"),
        (b"\x93NUMPY\x01\x00v\x00", "whole"),
    ],
)
def test_foreign_files_are_refused(tmp_path: Path, content: bytes, match: str) -> None:
    path = tmp_path / "foreign.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=match):
        ft.read_fabric(path)


def test_foreign_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.npz"
    for arrays in (
        {"x": np.zeros(3)},
        {"facts": _facts(format=1)},
        {"facts": _facts(format="1")},
        {"facts": np.frombuffer(b"[1, 2]", np.uint8)},
        {"facts": np.frombuffer(b"{", np.uint8)},
        {"facts": np.frombuffer(b"\xff\xfe", np.uint8)},
        {"facts": _facts(format=1, name="x"), "devices.kind": np.zeros(3), "devices.colour": np.zeros(3)},
    ):
        _archive(path, **arrays)
        with pytest.raises(InputError, match="not a whole fabric file"):
            ft.read_fabric(path)


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(InputError, match="not a whole fabric file"):
        ft.read_fabric(path)


def test_a_newer_format_says_so(tmp_path: Path) -> None:
    path = tmp_path / "newer.npz"
    _archive(path, facts=_facts(format=2, name="x"))
    with pytest.raises(InputError, match="format 2 is newer than 1, which this version reads; install a newer"):
        ft.read_fabric(path)


def test_places_that_cannot_be_read_or_written(fabric: Fabric, tmp_path: Path) -> None:
    for path in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(InputError, match=str(path)):
            ft.read_fabric(path)
    with pytest.raises(InputError, match="cannot be written"):
        fabric.save(str(tmp_path / "no-folder" / "f.npz"))
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        fabric.save(str(tmp_path / "folder.npz"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.npz"]
