"""Files that are not there or hold nothing: what is said of those that are no layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabrictool.errors import InputError
from fabrictool.formats.dumps import read_dump
from fabrictool.formats.opening import read_all


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("leaf-01.json").write_text("\n")
    Path("dumps").mkdir()


@pytest.mark.parametrize(
    "path, message",
    [
        ("leaf-1.json", "leaf-1.json:1:1: no such file; did you mean 'leaf-01.json'?"),
        ("whatever", "whatever:1:1: no such file; check its name, and the folder you are in"),
        ("nowhere/leaf-01.json", "no such file; there is no folder 'nowhere' either: check the path"),
        ("dumps", "dumps:1:1: is a folder; name files in it, such as dumps/*"),
    ],
)
def test_a_file_that_cannot_be_opened_is_no_layout(path: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_all(path)
    assert message in str(refused.value)


def test_where_a_layout_may_be_meant_one_is_offered() -> None:
    with pytest.raises(InputError, match="'fabrictool new fat-tree' writes a layout"):
        read_all("whatever", layout=True)


def test_an_empty_dump_is_called_empty() -> None:
    with pytest.raises(InputError, match=r"leaf-01\.json:1:1: is empty; run the tool again"):
        read_dump("leaf-01.json")
