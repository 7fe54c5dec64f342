"""``score --watch``: scores at every save, waits out bad input, ends with Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Running, call

LAYOUT = """\
name: first
hosts: {name: gpu, type: {name: h1, gpus: 1, nics: 1, speed: 400G, power_max: 1 kW, u: 1}, count: 16}
networks:
  compute: {family: fat-tree, hosts_per_leaf: 4, leaf: {type: {name: sw8, ports: 8, speed: 400G}}}
"""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Running, Path]]:
    path = tmp_path / "layout.yaml"
    path.write_text(LAYOUT)
    command = Running("score", str(path), "--watch")
    yield command, path
    command.end()


def _save(path: Path, text: str) -> None:
    """Save as editors do: beside, then renamed."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def test_every_save_is_scored_and_bad_input_is_waited_out(watched: tuple[Running, Path]) -> None:
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


def test_it_ends_with_the_status_of_the_last_score(watched: tuple[Running, Path]) -> None:
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
