"""Writes the plan of an acceptance into a directory: all of it, or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fabrictool.acceptance.ladder import Run
from fabrictool.acceptance.plan import FORMAT, VERSION, Plan
from fabrictool.acceptance.readme import readme
from fabrictool.acceptance.scripts import LIBRARY, SITE, host_files, host_map, next_script, script
from fabrictool.errors import InputError, Problem

PLAN = "plan.json"
#: Files that belong to the site once they are there.
_KEPT = ("site.env", "hosts.map")


def files_of(plan: Plan) -> dict[str, str]:
    """Return all files of a plan by their paths in its directory."""
    found = {
        "README.md": readme(plan),
        PLAN: json.dumps(plan.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "lib.sh": LIBRARY,
        "site.env": SITE,
        "hosts.map": host_map(plan.subject),
    }
    for number, step in enumerate(plan.ladder.steps, 1):
        found[f"{number}-{step.name}.sh"] = script(plan.ladder, step, number, plan.minutes(step))
        found |= host_files(plan.subject, step.runs)
    return found


def write_plan(plan: Plan, directory: str) -> list[str]:
    """Write a plan; return the paths of its files.

    A new directory is written beside and renamed. One that holds a plan is written again, file by file from
    copies beside it, its ``site.env``, ``hosts.map`` and logs kept.

    Raises
    ------
    InputError
        If the directory holds something else, or logs of another plan, or cannot be written.
    """
    target = Path(directory)
    before = _earlier(target)
    if before is not None and before.get("fingerprint") != plan.fingerprint and any((target / "logs").glob("*.log")):
        what = f"holds logs of a plan for {before.get('layout')} with other hosts or runs"
        raise InputError([Problem(directory, what, "name another directory, or move its logs away")])
    files = files_of(plan)
    try:
        _write(target, files, before)
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise InputError([Problem(directory, what, "make room, or name another directory")]) from None
    return sorted(files)


def _earlier(target: Path) -> dict[str, Any] | None:
    """Return the plan that is in a directory, None for a new or empty one."""
    try:
        if not target.exists() or (target.is_dir() and not any(target.iterdir())):
            return None
        if target.is_dir() and (target / PLAN).is_file():
            return read_plan(str(target))
    except OSError as error:
        raise InputError(
            [Problem(str(target), f"cannot be read: {error.strerror}", "name another directory")]
        ) from None
    what = f"is there and holds no {PLAN}" if target.is_dir() else "is no directory"
    raise InputError([Problem(str(target), what, "name a new directory, or an empty one")])


def read_plan(directory: str) -> dict[str, Any]:
    """Return the JSON of the plan in a directory.

    Raises
    ------
    InputError
        If there is none, or it is of another program or a newer version.
    """
    path = Path(directory) / PLAN
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        fix = "write the plan first: the same command without --measured"
        raise InputError([Problem(str(path), "no such file", fix)]) from None
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from None
    except ValueError:
        raise InputError([Problem(str(path), "is no JSON", "write the plan again, into a new directory")]) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError([Problem(str(path), "is no plan of an acceptance", "name another directory")])
    if found.get("version") != VERSION:
        what = f"is of version {found.get('version')}, this program writes {VERSION}"
        raise InputError([Problem(str(path), what, "use the program that wrote it, or a new directory")])
    return found


def _write(target: Path, files: dict[str, str], before: dict[str, Any] | None) -> None:
    place = target.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        for path, text in files.items():
            (beside / path).parent.mkdir(exist_ok=True)
            (beside / path).write_text(text)
        if before is None:
            (beside / "logs").mkdir()
            beside.chmod(0o755)
            beside.replace(place)
            return
        _exchange(place, beside, files)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_next(plan: Plan, runs: Sequence[Run], directory: str) -> str | None:
    """Write the script of the probes that come next, or take an earlier one away; return its path.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    place = Path(directory)
    script = place / "next.sh"
    try:
        if not runs:
            script.unlink(missing_ok=True)
            return None
        files = host_files(plan.subject, tuple(runs)) | {script.name: next_script(plan.subject, runs)}
        (place / "hosts").mkdir(exist_ok=True)
        for path, text in files.items():
            beside = (place / path).with_name(f".{Path(path).name}.part")
            try:
                beside.write_text(text)
                beside.replace(place / path)
            finally:
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError([Problem(str(script), f"cannot be written: {error.strerror}", "make room")]) from None
    return str(script)


def check_plan(plan: Plan, directory: str) -> None:
    """Refuse a directory whose plan is of another layout, or of another state of it.

    Raises
    ------
    InputError
        Saying which.
    """
    found = read_plan(directory)
    if found.get("fingerprint") == plan.fingerprint:
        return
    name = plan.subject.name
    what = f"is a plan for {found.get('layout')}, not {name}"
    if found.get("layout") == name:
        what = f"is a plan for {name} with other hosts, steps or runs than it has now"
    fix = "give the layout and the faults that it was written for, or write a new plan"
    raise InputError([Problem(str(Path(directory) / PLAN), what, fix)])


def _exchange(place: Path, beside: Path, files: dict[str, str]) -> None:
    """Put files into the places of an earlier plan's, and remove its scripts and lists that are no more."""
    (place / "hosts").mkdir(exist_ok=True)
    for old in (*place.glob("[0-9]*-*.sh"), *place.glob("hosts/*.txt"), place / "next.sh"):
        if str(old.relative_to(place)) not in files:
            old.unlink(missing_ok=True)
    for path in files:
        if path not in _KEPT or not (place / path).exists():
            (beside / path).replace(place / path)
