"""``verify --watch``: what arrives in a folder on turn-up day, read again and again."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import print_json, print_tables
from fabrictool.errors import FabrictoolError, InputError, Problem

if TYPE_CHECKING:
    from fabrictool.verification import Verification

#: Seconds between two looks into the folder.
PACE_S = 0.5
#: Root causes that are shown below the progress.
SHOWN = 12
Stamp = dict[str, tuple[int, int]]


def watched(layout: str, as_built: tuple[str, ...], folder: str, form: str, options: dict[str, Any]) -> int:
    """Verify whenever a dump arrives or changes, until interrupted; return the status of the last look.

    Dumps that cannot be read, such as those being written, are named and left out until they change.
    """
    if not Path(folder).is_dir():
        raise InputError([Problem("--watch", f"{folder} is no folder", "name the folder that dumps arrive in")])
    seen: Stamp | None = None
    status = 0
    try:
        while True:
            now = _stamp(Path(folder))
            if now != seen:
                seen = now
                status, said = _look(layout, (*as_built, *sorted(now)), form, options)
                click.echo(said, err=True)
            time.sleep(PACE_S)
    except KeyboardInterrupt:
        return status


def _stamp(folder: Path) -> Stamp:
    found: Stamp = {}
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                status = path.stat()
                found[str(path)] = (status.st_mtime_ns, status.st_size)
        except OSError:  # being replaced
            continue
    return found


def _look(layout: str, paths: tuple[str, ...], form: str, options: dict[str, Any]) -> tuple[int, str]:
    """Verify once, and return the status and what to say of it."""
    usable = [path for path in paths if _readable(path, options["source_format"])]
    if not usable:
        return 0, "no dump yet (Ctrl-C ends)"
    from fabrictool.verification import verify

    started = time.perf_counter()
    try:
        found = verify(layout, usable, options["source_format"], options["names"], options["infer"], price=False)
    except FabrictoolError as error:
        return 2, str(error)
    _show(found, form)
    took_s = time.perf_counter() - started
    return 0 if found.ok else 1, f"{len(usable)} dumps read in {took_s:.2f} s, waiting for more (Ctrl-C ends)"


def _readable(path: str, source_format: str | None) -> bool:
    from fabrictool.formats.dumps import read_dump

    try:
        read_dump(path, source_format)
    except FabrictoolError as error:
        print(error, file=sys.stderr)
        return False
    return True


def _show(found: Verification, form: str) -> None:
    if form == "json":
        print_json(found.to_dict())
        return
    from fabrictool.cabling.printing import cause_tables, progress_tables

    if form == "table" and sys.stdout.isatty():
        click.clear()
    tables = progress_tables(found.progress)
    if found.causes:
        tables += cause_tables(found.causes[:SHOWN])
    print_tables(tables, form)
    sys.stdout.flush()
