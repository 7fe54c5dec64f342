"""A job's ranks split into groups that run its collective at the same time, each on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
from pydantic import ValidationError

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric.tables import I4
from fabrictool.layout.parallel import OF_EXPERTS, Over, Parallel

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """How a job is split: by the sizes of its groups and those that it runs over, or group by group."""

    parallel: Parallel | None = None
    over: tuple[str, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()

    @property
    def title(self) -> str:
        """What the groups are, in words."""
        return "-".join(self.over) if self.over else "stated"

    def members(self, ranks: int, path: Path = ()) -> list[I4]:
        """Return the places of each group in the job's rank list.

        Parameters
        ----------
        ranks : int
            Ranks of the job.
        path : tuple
            Where the job stands in the layout.

        Raises
        ------
        InputError
            If groups do not divide the ranks, overlap, or name ranks that the job does not have.
        """
        if self.groups:
            return _stated(self.groups, ranks, path)
        assert self.parallel is not None
        try:
            return _placed(self.parallel, self.over, ranks)
        except ValueError as error:
            what, _, fix = str(error).partition("; ")
            where, place = ("", (*path, "parallel")) if path else ("--parallel", ())
            raise InputError([Problem(where, what, fix, place)]) from None


def split_asked(parallel: str | Mapping[str, object] | None, over: str | Sequence[str] | None) -> Split | None:
    """Return how the options of a command split ranks, such as ``tensor=8,pipeline=4`` over ``data``.

    Raises
    ------
    InputError
        If one is given without the other, or names no kind of group.
    """
    if parallel is None and over is None:
        return None
    kinds = tuple(
        word.strip() for words in ([over] if isinstance(over, str) else over or ()) for word in words.split(",")
    )
    if parallel is None or not kinds:
        given, lacking = ("--over", "--parallel") if parallel is None else ("--parallel", "--over")
        raise InputError([Problem(given, f"says nothing without {lacking}", "give both, such as "
                                  "--parallel tensor=8,pipeline=4 --over data")])  # fmt: skip
    sizes = dict(_size(word) for word in parallel.split(",")) if isinstance(parallel, str) else dict(parallel)
    for name in kinds:
        if name not in get_args(Over):
            raise InputError([Problem("--over", f"no kind of group '{name}'", did_you_mean(name, get_args(Over)))])
    try:
        return Split(Parallel.model_validate(sizes), kinds)
    except ValidationError as error:
        raise InputError([_wrong(row) for row in error.errors()]) from None


def _size(word: str) -> tuple[str, object]:
    name, _, size = (part.strip() for part in word.partition("="))
    return name.replace("-", "_"), int(size) if size.isdecimal() else size


def _wrong(row: ErrorDetails) -> Problem:
    name = str(row["loc"][0])
    if name not in Parallel.model_fields:
        hint = did_you_mean(name, Parallel.model_fields)
        return Problem("--parallel", f"no kind of group '{name}'", f"{hint}; sizes are written like tensor=8")
    return Problem(
        "--parallel", f"{name}={row['input']} is no size of a group", "write whole numbers from 1 such as tensor=8"
    )


def _placed(parallel: Parallel, over: tuple[str, ...], ranks: int) -> list[I4]:
    """Return groups as Megatron's ``generate_masked_orthogonal_rank_groups`` numbers them."""
    of_experts = any(name in OF_EXPERTS for name in over)
    others = [name for name in over if name not in OF_EXPERTS and name != "pipeline"]
    if of_experts and others:
        raise ValueError(f"groups over {' and '.join(over)} mix layers with and without experts; name one kind")
    if len(set(over)) < len(over):
        raise ValueError(f"groups over {' and '.join(over)} name a kind twice; name each once")
    sizes = parallel.axes(of_experts, ranks)
    chosen = {OF_EXPERTS.get(name, name) for name in over}
    # the last axis of an array counts the fastest, the first of an order does
    slowest_first = list(sizes)[::-1]
    places = np.arange(ranks, dtype=np.int32).reshape([sizes[name] for name in slowest_first])
    apart = [at for at, name in enumerate(slowest_first) if name not in chosen]
    within = [at for at, name in enumerate(slowest_first) if name in chosen]
    size = int(np.prod([sizes[name] for name in chosen]))
    return list(places.transpose(apart + within).reshape(-1, size))


def _stated(groups: tuple[tuple[int, ...], ...], ranks: int, path: Path) -> list[I4]:
    where, place = ("", (*path, "groups")) if path else ("groups", ())
    every = np.concatenate([np.array(group, np.int64) for group in groups])
    if every.max(initial=0) >= ranks:
        what = f"rank {int(every.max())} is in a group, but the job has {ranks:,} ranks, 0 to {ranks - 1}"
        raise InputError([Problem(where, what, "name ranks of the job", place)])
    seen, count = np.unique(every, return_counts=True)
    twice = seen[count > 1]
    if len(twice):
        both = [at for at, group in enumerate(groups) for _ in range(group.count(int(twice[0])))]
        what = f"groups {both[0]} and {both[1]} overlap in rank {int(twice[0])}"
        raise InputError(
            [Problem(where, what, "put each rank into one group; give other groups a job of their own", place)]
        )
    return [np.array(group, np.int32) for group in groups]
