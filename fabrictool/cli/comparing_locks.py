"""``fabrictool compare`` of locks: what was added, removed and moved between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabrictool.cli.common import print_json, print_tables

if TYPE_CHECKING:
    from fabrictool.formats.imported import Imported
    from fabrictool.layout.model import Layout
    from fabrictool.locks import Lock
    from fabrictool.locks.difference import LockDifference
    from fabrictool.tabular import Table

#: Changes of a kind that are shown on a terminal; JSON and CSV hold all.
SHOWN = 40


def any_lock(paths: Sequence[str]) -> bool:
    """Return whether one of some files is a lock."""
    return any(_is_lock(path) for path in paths)


def _is_lock(path: str) -> bool:
    """Say whether a file begins as a lock does, or is called one."""
    from fabrictool.locks.reading import SUFFIX, is_lock

    if Path(path).suffix == SUFFIX:
        return True
    try:
        with Path(path).open("rb") as stream:
            return is_lock(stream.read(64))
    except OSError:
        return False


def compare_locks(paths: Sequence[str], since: str | None, form: str, quiet: bool) -> int:
    """Print what differs from the first of some locks; of a layout it is the lock beside it.

    ``since`` sets one lock beside its state at a git revision.
    """
    from fabrictool.locks.difference import difference

    first, *others = [_earlier(paths[0], since), _lock(paths[0])] if since else [_lock(path) for path in paths]
    found = [difference(first, other) for other in others]
    if form == "json":
        print_json(found[0].to_dict() if len(found) == 1 else [row.to_dict() for row in found])
    elif not quiet:
        print_tables(lock_tables(found, form), form)
        say_no_difference(found, form)
    return 0


def _earlier(path: str, revision: str) -> Lock:
    from fabrictool.cli.earlier import earlier_content
    from fabrictool.locks.reading import lock_from_bytes

    return lock_from_bytes(f"{revision}:{path}", earlier_content(path, revision))


def earlier_lock(path: str, revision: str, layout: Layout) -> Lock | None:
    """Return the lock that lay beside a layout at a git revision, None if there was none."""
    from fabrictool.cli.earlier import earlier_content
    from fabrictool.errors import InputError
    from fabrictool.locks.reading import lock_from_bytes, lock_path, of_layout

    beside = str(lock_path(path))
    try:
        content = earlier_content(beside, revision)
    except InputError:
        return None
    return of_layout(lock_from_bytes(f"{revision}:{beside}", content), path, layout.name)


def _lock(path: str) -> Lock:
    from fabrictool.errors import InputError, Problem
    from fabrictool.formats.recognise import opened
    from fabrictool.locks.reading import lock_path, read_lock

    if _is_lock(path):
        return read_lock(path)
    found = getattr(opened(path), "lock", None)
    if found is None:
        what = f"has no lock beside it ({lock_path(path)}) to compare"
        fix = f"make one by 'fabrictool cables {path} --lock', or compare layouts with layouts"
        raise InputError([Problem(f"{path}:1:1", what, fix)])
    return found  # type: ignore[no-any-return]


def lock_differences(found: Sequence[Layout | Imported]) -> list[LockDifference]:
    """Return what differs from the first layout's lock, of the other layouts that have one."""
    from fabrictool.locks.difference import difference

    locks = [getattr(one, "lock", None) for one in found]
    if locks[0] is None:
        return []
    return [difference(locks[0], lock) for lock in locks[1:] if lock is not None]


def lock_tables(found: Sequence[LockDifference], form: str) -> list[Table]:
    """Return how much changed between locks, and what; for people no more of those that are alike."""
    tables = []
    for row in found:
        if row.changes or form == "csv":
            tables.append(row.summary(f"{row.old.source} against {row.new.source}"))
            tables.append(row.table("changes", None if form == "csv" else SHOWN))
    return tables


def say_no_difference(found: Sequence[LockDifference], form: str) -> None:
    """Say of locks that are alike that they are."""
    for row in found:
        if not row.changes and form != "csv":
            click.echo(f"{row.old.source} against {row.new.source}: no difference; {row.new.counted()}")
