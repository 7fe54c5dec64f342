"""The ladder: steps of runs, each of which rests on those before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from fabrictool.acceptance.subject import Subject

ALL_REDUCE, ALL_TO_ALL = "all-reduce", "all-to-all"
#: Steps in which the library chooses the algorithm, as it does for jobs; the others hold it to rings, which are as
#: fast as their slowest link.
FREE = ("host", "domain", "unit", "hall")
#: The program of nccl-tests (and rccl-tests) for a collective.
PROGRAMS = {ALL_REDUCE: "all_reduce_perf", ALL_TO_ALL: "alltoall_perf"}


def is_free(step: str) -> bool:
    """Return whether the library chooses the algorithm in a step."""
    return step.rstrip("0123456789") in FREE


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a test on some hosts.

    Parameters
    ----------
    name : str
        Of its log, without ``.log``.
    step : str
    round : int
        Runs of a step's round start together; from 1.
    test : str
        Collective that it measures.
    hosts : tuple of int
        Places in ``Subject.names``, in rank order.
    gpus : tuple of int
        GPUs that it uses of each host.
    pxn : bool
        Whether data changes rails inside hosts (the default of NCCL), so that the network sees none that cross rails.
    """

    name: str
    step: str
    round: int
    test: str
    hosts: tuple[int, ...]
    gpus: tuple[int, ...]
    pxn: bool = True

    @property
    def ranks(self) -> int:
        """Number of ranks."""
        return len(self.hosts) * len(self.gpus)

    @property
    def ring(self) -> bool:
        """Whether the library is held to rings."""
        return not is_free(self.step)


@dataclass(frozen=True, slots=True)
class Step:
    """Runs that ask the same question.

    Parameters
    ----------
    name, title, asks : str
        A word, a headline, and what a pass or a failure means.
    runs : tuple of Run
    """

    name: str
    title: str
    asks: str
    runs: tuple[Run, ...]

    @property
    def rounds(self) -> list[list[Run]]:
        """Runs that start together, round by round."""
        found: dict[int, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.round, []).append(run)
        return [found[number] for number in sorted(found)]


@dataclass(frozen=True)
class Ladder:
    """All steps for a subject, from hosts to the whole hall, and those that do not exist for it.

    Parameters
    ----------
    subject : Subject
    steps : tuple of Step
    left_out : tuple of (str, str)
        Title of a step, and why there is none.
    """

    subject: Subject
    steps: tuple[Step, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def runs(self) -> Iterator[Run]:
        """All runs, step by step."""
        return (run for step in self.steps for run in step.runs)

    @cached_property
    def by_name(self) -> dict[str, Run]:
        """Runs by name."""
        return {run.name: run for run in self.runs}

    def step(self, name: str) -> Step:
        """Return a step by its name."""
        return next(step for step in self.steps if step.name == name)


def ladder_of(subject: Subject) -> Ladder:
    """Return the ladder of a subject: what its fabric has no place for is left out, with the reason."""
    from fabrictool.acceptance.steps import all_steps

    steps: list[Step] = []
    left_out: list[tuple[str, str]] = []
    for title, found in all_steps(subject):
        if isinstance(found, Step):
            steps.append(found)
        else:
            left_out.append((title, found))
    return Ladder(subject, tuple(steps), tuple(left_out))
