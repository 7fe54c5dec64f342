"""Logs of runs: found by their names, and held against what the plan says ran there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from fabrictool.acceptance.expecting import sizes_of
from fabrictool.acceptance.ladder import Run
from fabrictool.acceptance.plan import Plan
from fabrictool.acceptance.readings import Reading
from fabrictool.acceptance.steps import token
from fabrictool.acceptance.verdict import run_named
from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.formats.measurements import Measurements
from fabrictool.formats.nccl_tests import read
from fabrictool.formats.opening import read_all, text_of
from fabrictool.units import format_size

_STATUS = re.compile(r"^# exit status (\d+)$", re.MULTILINE)
_SHOWN = 4
#: nccl-tests rounds sizes down to whole elements of every rank, which for all-to-all of odd numbers shows.
_ROUNDED = 0.01


def read_logs(plan: Plan, paths: Sequence[str], actual: Mapping[str, str]) -> dict[str, Reading]:
    """Return what logs say, by name of the run.

    Parameters
    ----------
    plan : Plan
    paths : sequence of str
        Logs, and directories of them, named as the plan says.
    actual : mapping of str to str
        The machine's own name of each host of the layout, as far as it differs.

    Raises
    ------
    InputError
        For logs that are of no run of the plan, or of other ranks, hosts or collectives, all of them at once.
    """
    problems: list[Problem] = []
    found: dict[str, Reading] = {}
    for path in _files(paths):
        try:
            run = _run_of(plan, path)
            names = [plan.subject.names[host] for host in run.hosts]
            reading = _reading(run, path, [actual.get(token(name), name) for name in names])
        except InputError as error:
            problems += error.problems
            continue
        if run.name in found:
            problems.append(Problem(path, f"is the second log of {run.name}, after {found[run.name].file}", "name one"))
        found[run.name] = reading
    if problems:
        raise InputError(problems)
    return found


def _files(paths: Sequence[str]) -> Iterator[str]:
    for name in paths:
        path = Path(name)
        if not path.exists():
            raise InputError([Problem(name, "no such file or directory", "name logs, or the directory they are in")])
        if path.is_dir():
            yield from (str(one) for one in sorted(path.rglob("*.log*")) if one.suffix != ".part")
        else:
            yield name


def _run_of(plan: Plan, path: str) -> Run:
    name = Path(path).name
    for ending in (".gz", ".xz", ".log", ".txt"):
        name = name.removesuffix(ending)
    run = run_named(plan, name)
    if run is None:
        fix = f"logs are named after runs of the plan, {did_you_mean(name, plan.ladder.by_name)}"
        raise InputError([Problem(path, f"{name} is no run of the plan for {plan.subject.name}", fix)])
    return run


def _reading(run: Run, path: str, hosts: Sequence[str]) -> Reading:
    name, content = read_all(path)
    text = text_of(content)
    status = _STATUS.search(text)
    failed = status is not None and status[1] != "0"
    try:
        measured = read(name, text)
    except InputError:
        if failed:  # by its launcher's word: that is a result, whatever else stands there
            return Reading(run, path, {}, 0, complete=False)
        raise
    _check(run, measured, path, hosts)
    asked = sizes_of(run)
    busbw: dict[float, list[float]] = {}
    for nbytes, each in zip(measured.nbytes.tolist(), measured.busbw_bytes_per_s.tolist(), strict=True):
        nearest = min(asked, key=lambda size: abs(size - nbytes))
        if abs(nearest - nbytes) <= _ROUNDED * nearest:
            busbw.setdefault(nearest, []).append(each)
    if not busbw:
        said = f"measures {format_size(float(measured.nbytes.min()))} to {format_size(float(measured.nbytes.max()))}"
        what = f"{said}, but {run.name} asks for {format_size(asked[0])} to {format_size(asked[-1])}"
        raise InputError([Problem(path, what, "run it again as the plan says")])
    wrong = len(np.unique(measured.nbytes[measured.wrong]))
    complete = measured.runs[0].complete and not failed
    return Reading(run, path, {nbytes: float(np.mean(each)) for nbytes, each in busbw.items()}, wrong, complete)


def _check(run: Run, measured: Measurements, path: str, hosts: Sequence[str]) -> None:
    """Refuse a log that says it is of something else."""
    if len(measured.runs) > 1:
        raise InputError([Problem(path, f"holds {len(measured.runs)} runs", "keep one in each log")])
    found = measured.runs[0]
    if found.collective != run.test:
        raise InputError(
            [Problem(path, f"is of {found.collective}, but {run.name} measures {run.test}", "run it again")]
        )
    if found.ranks not in (0, run.ranks):
        what = f"is of {found.ranks} ranks, but {run.name} has {run.ranks}"
        raise InputError([Problem(path, what, "is it of another layout? run it again as the plan says")])
    said, meant = {_short(host) for host in found.hosts}, {_short(host) for host in hosts}
    if said and said != meant:
        what = f"ran on {_some(said - meant or said)}, but {run.name} is for {_some(meant - said or meant)}"
        raise InputError([Problem(path, what, "correct hosts.map if these are the machines' own names")])


def _short(host: str) -> str:
    """Return a host's name as nccl-tests prints it: up to the first dot."""
    return host.partition(".")[0]


def _some(hosts: set[str]) -> str:
    names = sorted(hosts)
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def actual_names(path: str) -> dict[str, str]:
    """Return the machine's own name of each host of the layout from a ``hosts.map``; empty where there is none."""
    if not Path(path).exists():
        return {}
    rows = [line.split() for line in text_of(read_all(path)[1]).splitlines() if not line.lstrip().startswith("#")]
    return {row[0]: row[1] for row in rows if len(row) > 1}
