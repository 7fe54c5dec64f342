"""Measured collectives from a file of any known form, told by its content."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from os.path import isdir, isfile
from pathlib import Path

from fabrictool.errors import InputError, Problem
from fabrictool.formats import measured_csv, nccl_tests, osu
from fabrictool.formats.measurements import Measurements, joined
from fabrictool.formats.opening import read_all, text_of
from fabrictool.formats.other_tools import tool_of

#: Bytes from the start that decide; launchers and NCCL's own log may print much before the first telling line.
HEAD = 2**20


def read_measurements(paths: str | PathLike[str] | Sequence[str | PathLike[str]], ranks: int = 0) -> Measurements:
    """Read logs of nccl-tests, rccl-tests or OSU benchmarks, or CSV files; ``.gz`` and ``.xz`` too.

    Parameters
    ----------
    paths : str, path, or sequence of these
        Files, or directories of them; ``-`` is standard input.
    ranks : int
        How many ranks ran, for output that does not say so itself (OSU).

    Raises
    ------
    InputError
        If a file cannot be read, is of no such form, is cut, or contradicts itself; with its line.
    """
    chosen = [fspath(path) for path in ([paths] if isinstance(paths, str | PathLike) else paths)]
    if not chosen:
        raise InputError("no file of measurements is given", "give a log of nccl-tests")
    files = [file for path in chosen for file in _files(path)]
    return joined([measurements_from(*read_all(file), ranks) for file in files])


def _files(path: str) -> list[str]:
    if path == "-" or isfile(path):
        return [path]
    if not isdir(path):
        raise InputError(
            [Problem(path, "no such file or directory", "give a log of nccl-tests, or a directory of logs")]
        )
    found = sorted(str(file) for file in Path(path).iterdir() if file.is_file() and not file.name.startswith("."))
    if not found:
        raise InputError([Problem(path, "holds no file", "give a directory of logs")])
    return found


def measurements_from(name: str, content: bytes, ranks: int = 0) -> Measurements:
    """Read measured points from bytes; ``name`` stands for the file in messages."""
    text = text_of(content)
    head = text[:HEAD].encode()
    if measured_csv.sniff(head):
        return measured_csv.read(name, text)
    if osu.sniff(head):
        return osu.read(name, text, ranks)
    if nccl_tests.sniff(head):
        return nccl_tests.read(name, text)
    what = "is no log of nccl-tests, rccl-tests or the OSU benchmarks, and no CSV with collective,ranks,size_bytes"
    tool = tool_of(text[:HEAD])
    what += f", but looks like one of {tool}" if tool else ""
    raise InputError([Problem(f"{name}:1:1", what, "give the whole output of such a test")])
