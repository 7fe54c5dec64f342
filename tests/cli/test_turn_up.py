"""``verify --watch``: dumps arrive in a folder, and the progress is told anew each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import as_built
from commands import Running, call


def _document(running: Running) -> dict[str, Any]:
    """Wait for the next JSON document: it ends with the brace that stands where the first did."""
    lines = [running.next("stdout")]
    while lines[-1] != "}\n":
        lines.append(running.next("stdout"))
    found: dict[str, Any] = json.loads("".join(lines))
    return found


def test_progress_grows_as_dumps_arrive(tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    rows = as_built.built([]).splitlines()
    (folder / "first.csv").write_text("\n".join([rows[0], *rows[1:65], ""]))
    running = Running("verify", str(as_built.PLAN), "--watch", str(folder), "--json")
    try:
        documents = [_document(running)]
        (folder / "broken.json").write_text('{"lldp": ')
        running.until("stderr", "broken.json:1:")
        beside = tmp_path / "second.csv"
        beside.write_text("\n".join([rows[0], *rows[65:], ""]))
        beside.rename(folder / "second.csv")
        running.until("stderr", "2 dumps read")
        documents += [_document(running)]
        while documents[-1]["progress"]["networks"]["plan"]["as_expected"] < 256:
            documents += [_document(running)]
        assert running.interrupt() == 0
    finally:
        running.end()
    done = [document["progress"]["networks"]["plan"]["as_expected"] for document in documents]
    assert (done[0], done[-1]) == (64, 256)
    assert documents[-1]["progress"]["racks"]["R01"] == {"planned": 32, "lit": 32, "as_expected": 32}


def test_no_folder_is_refused(capsys, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    status, out, err = call(capsys, "verify", str(as_built.PLAN), "--watch", str(tmp_path / "none"))
    assert (status, out) == (2, "")
    assert "is no folder" in err
