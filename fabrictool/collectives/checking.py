"""What jobs ask for that is not computed."""

from __future__ import annotations

from collections.abc import Iterable

from fabrictool.collectives.costs import MODELS
from fabrictool.collectives.schedules import ALGORITHMS
from fabrictool.collectives.workloads import Job
from fabrictool.errors import InputError, NotSupportedError, Problem, one_of


def check_job(job: Job) -> None:
    """Refuse what this version does not compute.

    Raises
    ------
    NotSupportedError
        Naming what could be used instead.
    """
    known = ALGORITHMS.get(job.collective)
    if known is None:
        raise NotSupportedError([_refused(job, "collective", "collective", job.collective, ALGORITHMS)])
    if job.algorithm is not None and job.algorithm not in known:
        raise NotSupportedError([_refused(job, "algorithm", f"{job.collective} by", job.algorithm, known)])
    if job.model not in MODELS:
        raise NotSupportedError([_refused(job, "model", "model", job.model, MODELS)])
    if job.protocol is not None:
        what = f"protocol '{job.protocol}' is stated, but the model {job.model} knows none"
        raise InputError([Problem("", what, "use 'model: nccl', or remove it", (*job.path, "protocol"))])


def _refused(job: Job, key: str, what: str, word: str, known: Iterable[str]) -> Problem:
    """Return the problem with the place of a key in the layout, or with the option that a command gives."""
    where, path = ("", (*job.path, key)) if job.path else (f"--{key}", ())
    elsewhere = any(word in algorithms for algorithms in ALGORITHMS.values())
    fix = f"use one of {', '.join(known)}" if elsewhere else one_of(word, known)
    return Problem(where, f"{what} '{word}' is not supported yet", fix, path)
