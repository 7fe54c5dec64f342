"""Runs commands as users do, or in this process where that says the same."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping

import pytest

from fabrictool.cli.main import main

PROGRAM = [sys.executable, "-c", "from fabrictool.cli.main import main; main()"]


def run(
    *arguments: str, content: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process of its own."""
    return subprocess.run([*PROGRAM, *arguments], input=content, capture_output=True, check=False, timeout=60, env=env)


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process; return exit status, stdout and stderr."""
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    printed = capsys.readouterr()
    assert isinstance(stop.value.code, int)
    return stop.value.code, printed.out, printed.err


class Running:
    """A command that goes on until it is interrupted, and the lines that it has printed.

    It waits for lines and for its end, however long a busy machine takes to get there: ``PATIENCE_S`` only ends what
    hangs. It takes interrupts even where these tests run in the background of a script, whose children ignore them.
    """

    PATIENCE_S = 600

    def __init__(self, *arguments: str) -> None:
        heeds = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        command = [*PROGRAM[:-1], f"{heeds}; {PROGRAM[-1]}", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._lines: dict[str, queue.Queue[str | None]] = {name: queue.Queue() for name in ("stdout", "stderr")}
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in self._lines]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str) -> None:
        for line in getattr(self.process, name):
            self._lines[name].put(line)
        self._lines[name].put(None)

    def next(self, stream: str) -> str:
        """Wait for the next line of a stream; one that has ended is a failure."""
        line = self._lines[stream].get(timeout=self.PATIENCE_S)
        assert line is not None, f"{stream} ended with status {self.process.wait()}"
        return line

    def until(self, stream: str, words: str) -> list[str]:
        """Wait for a line with some words; return the lines up to it."""
        found = [self.next(stream)]
        while words not in found[-1]:
            found.append(self.next(stream))
        return found

    def interrupt(self) -> int:
        """Interrupt the command and return its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=self.PATIENCE_S)

    def end(self) -> None:
        """End the command, whatever it does."""
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
