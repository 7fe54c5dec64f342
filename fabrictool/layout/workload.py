"""What a layout runs: collectives on ranks, one after another or at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from fabrictool import units
from fabrictool.catalogue.fields import (
    Count,
    CountOrNone,
    Model,
    Ratio,
    Size,
    Time,
)
from fabrictool.layout.parallel import GroupList, OverList, Parallel

if TYPE_CHECKING:
    pass


class RankOrder(Model):
    """Which GPUs a job runs on, in which order."""

    order: Literal["linear", "stride", "random"] = "linear"
    count: Count | None = None
    offset: CountOrNone = 0
    step: Count = 1
    seed: Annotated[int, Field(strict=True, ge=0)] | None = None
    ranks: list[CountOrNone] | None = Field(None, alias="list")


Collective = Literal[
    "all-reduce",
    "all-gather",
    "reduce-scatter",
    "reduce",
    "broadcast",
    "all-to-all",
    "all-to-all-v",
    "send-recv",
    "permutation",
    "incast",
]
Algorithm = Literal[
    "ring",
    "halving-doubling",
    "recursive-doubling",
    "double-binary-tree",
    "binomial",
    "pairwise",
    "pairwise-xor",
    "direct",
    "bruck",
    "hierarchical",
    "node-shift",
    "pxn",
    "sharp",
    "nvls",
    "nvls-tree",
    "auto",
]
Protocol = Literal["ll", "ll128", "simple"]
Chunks = Annotated[int, Field(strict=True, ge=1, le=65_536)]
CostModel = Literal["bound", "alpha-beta", "loggp", "rounds", "fluid", "nccl"]


class Operation(Model):
    """A collective: how, over which ranks, and by which model of time."""

    collective: Collective
    algorithm: Algorithm | None = None
    ranks: RankOrder = RankOrder()
    model: CostModel = "rounds"
    protocol: Protocol | None = None
    chunks: Chunks | None = None
    volumes: str | None = None
    overlap: bool = False
    parallel: Parallel | None = None
    over: OverList | None = None
    groups: GroupList | None = None


class Job(Operation):
    """One collective at one size, at the same time as the other jobs."""

    nbytes: Size | None = Field(None, alias="size")
    pairs: list[tuple[CountOrNone, CountOrNone]] | None = None


def _sizes(value: object) -> object:
    """Write out ranges such as ``8B..16GiB``."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        return value
    return [one for size in listed for one in (_written_out(size) if ".." in str(size) else [size])]


def _written_out(size: object) -> list[str]:
    return [f"{nbytes!r} B" for nbytes in units.parse_sizes(size)]


class WorkloadItem(Operation):
    """One collective over a list of sizes."""

    sizes: (
        Annotated[
            list[Size],
            BeforeValidator(_sizes, json_schema_input_type=str | list[str]),
            Field(min_length=1, max_length=256),
        ]
        | None
    ) = None


class Step(Model):
    """A training step: hosts compute, then the stated collectives run once each; ``overlap`` of them hides behind it.

    Utilisations are shares of the way from idle to maximum power.
    """

    compute_s: Annotated[Time, Field(gt=0)] = Field(alias="compute")
    overlap: Ratio = 0.0
    utilisation: Ratio = 1.0
    waiting: Ratio = 0.25
    ramp_s: Annotated[Time, Field(gt=0)] | None = Field(None, alias="ramp")


class Workload(Model):
    """What ``score`` runs one after another, and the training step that it makes."""

    collectives: Annotated[list[WorkloadItem], Field(min_length=1, max_length=64)] | None = None
    step: Step | None = None
