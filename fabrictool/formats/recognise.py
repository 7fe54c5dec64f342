"""Which format a file has, told by its content, and the fabric in it."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import import_module
from os import PathLike, fspath
from os.path import isdir
from pathlib import Path

from fabrictool.errors import InputError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.store import MAGIC
from fabrictool.fabric.store import read_fabric as read_saved
from fabrictool.formats import plan_csv, point_to_point
from fabrictool.formats.imported import Imported
from fabrictool.formats.netbox_folder import read_folder
from fabrictool.formats.netbox_plan import folder_plan
from fabrictool.formats.opening import read_all, text_of, unpacked
from fabrictool.formats.plan_table import PlanTable, plan_table
from fabrictool.formats.reading import READERS
from fabrictool.formats.sheets import is_workbook
from fabrictool.layout.model import Layout
from fabrictool.layout.reading import layout_from_bytes, with_lock
from fabrictool.locks.reading import SUFFIX, is_lock, lock_from_bytes

#: Bytes from the start that decide.
HEAD = 65536


def opened(path: str | PathLike[str]) -> Layout | Imported:
    """Return what a LAYOUT argument names: a layout file, or a fabric from elsewhere; ``-`` is standard input.

    Raises
    ------
    InputError
        If the file cannot be read, or is broken; what is of no known format is read as a layout.
    """
    path = fspath(path)
    if path != "-" and isdir(path):
        return read_folder(path)
    found = _opened(*read_all(path, layout=True))
    return with_lock(found) if isinstance(found, Layout) else found


def opened_with_plan(path: str | PathLike[str]) -> tuple[Layout | Imported, PlanTable | None]:
    """Return what a LAYOUT argument names, and the rows of the cable plan in it, None if it holds none.

    Raises
    ------
    InputError
        As of :func:`opened`.
    """
    path = fspath(path)
    if path != "-" and isdir(path):
        return read_folder(path), folder_plan(path)
    name, content = read_all(path, layout=True)
    found = _opened(name, content)
    if isinstance(found, Layout):
        return with_lock(found), None
    return found, plan_table(name, content) if found.format in (plan_csv.FORMAT, point_to_point.FORMAT) else None


def opened_from(name: str, content: bytes) -> Layout | Imported:
    """Return the layout or the fabric in bytes, packed or not; ``name`` stands for the file in messages."""
    return _opened(name, unpacked(name, content))


def _opened(name: str, content: bytes) -> Layout | Imported:
    if is_lock(content[:64]):
        fix = "name the layout beside it; 'fabrictool compare' takes locks"
        raise InputError([Problem(f"{name}:1:1", "is a lock, not a layout", fix)])
    found = imported_from(name, content)
    if found is None and name.endswith(SUFFIX):
        lock_from_bytes(name, content)  # says what is wrong with it
    return layout_from_bytes(name, content) if found is None else found


def imported(path: str) -> Imported | None:
    """Return the fabric in a file from elsewhere, or None if it is none of these formats, such as a layout.

    Raises
    ------
    InputError
        If the file cannot be read, or is of a known format but broken.
    """
    if path != "-" and isdir(path):
        return read_folder(path)
    return imported_from(*read_all(path, layout=True))


def imported_from(name: str, content: bytes) -> Imported | None:
    """Return the fabric in bytes; ``name`` stands for the file in messages."""
    if is_workbook(content):
        return point_to_point.read(name, content)
    if content.startswith(MAGIC):
        return Imported("npz", read_saved(io.BytesIO(content), name))
    reader = _reader(content[:HEAD])
    if reader is None:
        return None
    text = text_of(content)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError([Problem(f"{name}:{line}:1", "holds a zero byte: the file is damaged", "copy it again")])
    return reader(name, text)


def _reader(head: bytes) -> Callable[[str, str], Imported] | None:
    plain = text_of(head).encode()
    for word in READERS.values():
        module = import_module(f"fabrictool.formats.{word}")
        if module.sniff(plain):
            read: Callable[[str, str], Imported] = module.read
            return read
    return None


def read_fabric(path: str | Path) -> Fabric:
    """Read a fabric from a file: one that was saved, or any format from elsewhere.

    Use :func:`fabrictool.formats.recognise.imported` to get what was wrong with the file as well.

    Raises
    ------
    InputError
        If the file is missing, broken, or of no known format.
    """
    found = imported(str(path))
    if found is None:
        what = f"is not a whole fabric file of a known format (npz, {', '.join(READERS)})"
        raise InputError([Problem(f"{path}:1:1", what, "a layout is read by read_layout")])
    return found.fabric
