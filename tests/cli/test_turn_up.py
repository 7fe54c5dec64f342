"""``verify --watch``: dumps arrive in a folder, and the progress is told anew each time."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import as_built
from commands import PROGRAM, call


def _lines(path: Path, count: int, limit_s: float = 30.0) -> list[dict[str, object]]:
    """Wait for so many JSON documents in a file."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        found, decoder, text = [], json.JSONDecoder(), path.read_text()
        try:
            while text.strip():
                document, size = decoder.raw_decode(text.lstrip())
                found.append(document)
                text = text.lstrip()[size:]
        except ValueError:
            pass
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(path.read_text())


def test_progress_grows_as_dumps_arrive(tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    rows = as_built.built([]).splitlines()
    (folder / "first.csv").write_text("\n".join([rows[0], *rows[1:65], ""]))
    command = [*PROGRAM, "verify", str(as_built.PLAN), "--watch", str(folder), "--json"]
    with (tmp_path / "out").open("w") as out:
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)
        try:
            _lines(tmp_path / "out", 1)
            (folder / "second.csv").write_text("\n".join([rows[0], *rows[65:], ""]))
            (folder / "broken.json").write_text('{"lldp": ')
            documents = _lines(tmp_path / "out", 2)
        finally:
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=20)
    done = [document["progress"]["networks"]["plan"]["as_expected"] for document in documents]
    assert (done[0], done[-1]) == (64, 256)
    assert documents[-1]["progress"]["racks"]["R01"] == {"planned": 32, "lit": 32, "as_expected": 32}
    assert b"broken.json:1:" in errors
    assert running.returncode == 0


def test_no_folder_is_refused(capsys, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    status, out, err = call(capsys, "verify", str(as_built.PLAN), "--watch", str(tmp_path / "none"))
    assert (status, out) == (2, "")
    assert "is no folder" in err
