"""Runs commands as users do, or in this process where that says the same."""

from __future__ import annotations

import subprocess
import sys
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
