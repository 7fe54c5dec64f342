"""Skips a test without its program, or fails where FABRICTOOL_CLIENTS=required says that it must be there."""

from __future__ import annotations

import os
import shutil

import pytest

PATH = os.environ["PATH"] + os.pathsep + "/usr/sbin"


def program(name: str, package: str, path: str = PATH) -> str:
    """Return the path of a program, which a Debian package brings."""
    found = shutil.which(name, path=path)
    if found is None:
        missing(f"needs {name}: install {package}")
    assert found is not None
    return found


def missing(what: str) -> None:
    if os.environ.get("FABRICTOOL_CLIENTS") == "required":
        pytest.fail(what)
    pytest.skip(what)
