"""The earlier state of a file, from the git repository that it lies in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from fabrictool.errors import InputError, Problem, did_you_mean


def earlier_content(path: str, revision: str) -> bytes:
    """Return a file as it was at a revision.

    Raises
    ------
    InputError
        If the file lies in no git repository, the revision is unknown, or the file was not there then.
    """
    place = Path(path).resolve()
    if not place.parent.is_dir() or _git(place, "rev-parse", "--is-inside-work-tree").returncode:
        what = "lies in no git repository, so it has no earlier state"
        raise _problem(path, what, "compare it with another file, or put it under git")
    named = _git(place, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if revision.startswith("-") or named.returncode:
        names = _git(place, "for-each-ref", "--format=%(refname:short)").stdout.decode(errors="replace").split()
        guess = did_you_mean(revision, [*names, "HEAD"])
        raise _problem(f"--since {revision}", "is no revision of the repository", guess)
    commit = named.stdout.decode().strip()
    shown = _git(place, "show", f"{commit}:./{place.name}")
    if shown.returncode:
        first = _git(place, "log", "--format=%h (%as)", "--diff-filter=A", "--", place.name).stdout.decode().split("\n")
        fix = f"it came with {first[0]}" if first[0] else "it was never committed"
        raise _problem(path, f"did not exist at {revision}", fix)
    return shown.stdout


def _problem(where: str, what: str, fix: str) -> InputError:
    return InputError([Problem(where, what, fix)])


def _git(place: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in the folder of a file.

    Raises
    ------
    InputError
        If git is not installed.
    """
    try:
        return subprocess.run(["git", *arguments], cwd=place.parent, capture_output=True, check=False)
    except FileNotFoundError:
        raise InputError("--since needs git, which is not installed", "install git") from None
