"""``score --watch``: scores at every save, waits out bad input, ends with Ctrl-C."""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import PROGRAM, call

LAYOUT = """\
name: first
hosts: {name: gpu, type: {name: h1, gpus: 1, nics: 1, speed: 400G, power_max: 1 kW, u: 1}, count: 16}
networks:
  compute: {family: fat-tree, hosts_per_leaf: 4, leaf: {type: {name: sw8, ports: 8, speed: 400G}}}
"""
PATIENCE_S = 30


class Watched:
    """A command that watches a file, and the lines it has printed."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "score", str(path), "--watch"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: dict[str, queue.Queue[str]] = {name: queue.Queue() for name in ("stdout", "stderr")}
        for name in ("stdout", "stderr"):
            threading.Thread(target=self._read, args=(name,), daemon=True).start()

    def _read(self, name: str) -> None:
        for line in getattr(self.process, name):
            self.lines[name].put(line)

    def until(self, stream: str, words: str) -> float:
        """Wait for a line with some words; return the seconds it took."""
        started = time.monotonic()
        while True:
            if words in self.lines[stream].get(timeout=PATIENCE_S):
                return time.monotonic() - started

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=PATIENCE_S)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Watched, Path]]:
    path = tmp_path / "layout.yaml"
    path.write_text(LAYOUT)
    command = Watched(path)
    try:
        yield command, path
    finally:
        command.process.kill()
        command.process.wait()
        for stream in (command.process.stdout, command.process.stderr):
            assert stream is not None
            stream.close()


def _save(path: Path, text: str) -> None:
    """Save as editors do: beside, then renamed."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def test_every_save_is_scored_and_bad_input_is_waited_out(watched: tuple[Watched, Path]) -> None:
    command, path = watched
    command.until("stdout", "first")
    command.until("stderr", "waiting for a save")
    _save(path, LAYOUT.replace("first", "second"))
    command.until("stdout", "second")
    command.until("stderr", "waiting for a save")
    _save(path, LAYOUT.replace("count: 16", "count: none"))
    command.until("stderr", f"{path}:2:")
    command.until("stderr", "waiting for a save")
    path.unlink()
    _save(path, LAYOUT.replace("first", "third"))
    command.until("stdout", "third")
    command.until("stderr", "waiting for a save")
    assert command.interrupt() == 0


def test_it_ends_with_the_status_of_the_last_score(watched: tuple[Watched, Path]) -> None:
    command, path = watched
    command.until("stderr", "waiting for a save")
    _save(path, LAYOUT.replace("count: 16", "count: none"))
    command.until("stderr", "count: 'none' is not a whole number")
    command.until("stderr", "waiting for a save")
    assert command.interrupt() == 2


def test_standard_input_cannot_be_watched(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "score", "-", "--watch")
    assert (status, out) == (2, "")
    assert "--watch needs a file, not standard input" in err
