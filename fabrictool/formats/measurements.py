"""Measured collectives as a table: what a benchmark's log or a CSV file says that runs took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: busbw over algbw by collective, as factors (a, b) of a * (n - b) / n; (1, 0) is 1 (nccl-tests, doc/PERFORMANCE.md).
_FACTORS = {
    "all-reduce": (2.0, 1.0), "reduce-scatter": (1.0, 1.0), "all-gather": (1.0, 1.0), "all-to-all": (1.0, 1.0),
    "broadcast": (1.0, 0.0), "reduce": (1.0, 0.0), "send-recv": (1.0, 0.0),
}  # fmt: skip
COLLECTIVES = tuple(_FACTORS)
#: No accelerator moves more bytes/s than this; what seems to is in another unit.
FASTEST = 2e13


def busbw_factor(collective: str, ranks: int) -> float:
    """Return bus bandwidth over algorithm bandwidth, as nccl-tests defines it."""
    scale, less = _FACTORS[collective]
    return scale * (ranks - less) / ranks


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a benchmark, or the rows of a file that belong together.

    Parameters
    ----------
    file, line : str and int
        Where it starts.
    tool : str
        ``nccl-tests``, ``osu`` or ``csv``.
    collective : str
        In the words of the layout file, such as ``all-reduce``.
    ranks : int
        Ranks that took part; 0 if the source does not say.
    hosts : tuple of str
        Host of each rank, in rank order; empty if the source does not say.
    devices : tuple of str
        What each rank ran on, such as ``NVIDIA H100 80GB HBM3``; empty if the source does not say.
    label : str
        What else tells runs apart: a cluster or configuration of a CSV file, the version of a benchmark.
    wrong : int
        Values that the run found to be wrong; -1 if the source does not say.
    complete : bool
        False if a log ends, or another run starts, before the summary of this one.
    """

    file: str
    line: int
    tool: str
    collective: str
    ranks: int = 0
    hosts: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    label: str = ""
    wrong: int = -1
    complete: bool = True

    @property
    def host_count(self) -> int:
        """Return how many hosts took part; 0 if the source does not say."""
        return len(set(self.hosts))


@dataclass(frozen=True, slots=True)
class Measurements:
    """Measured points, a row each, in the order of their files.

    Parameters
    ----------
    runs : tuple of Run
    run : (P,) int array
        Row of ``runs`` that a point belongs to.
    nbytes : (P,) float array
        Size in the sense of nccl-tests.
    time_s, busbw_bytes_per_s : (P,) float array
    in_place : (P,) bool array
    wrong : (P,) bool array
        Whether the benchmark found wrong values at this point.
    line : (P,) int array
        Line of the file.
    """

    runs: tuple[Run, ...]
    run: Ints
    nbytes: Floats
    time_s: Floats
    busbw_bytes_per_s: Floats
    in_place: Bools
    wrong: Bools
    line: Ints

    def __len__(self) -> int:
        return len(self.run)

    @property
    def collective(self) -> tuple[str, ...]:
        """Return the collective of each point."""
        return tuple(self.runs[row].collective for row in self.run)

    @property
    def ranks(self) -> Ints:
        """Return the ranks of each point; 0 where unknown."""
        return np.array([run.ranks for run in self.runs], dtype=np.int64)[self.run]

    def where(self, point: int) -> str:
        """Return ``file:line`` of a point."""
        return f"{self.runs[self.run[point]].file}:{self.line[point]}"

    def only(self, chosen: Bools | Ints) -> Measurements:
        """Return some of the points, by a mask or by rows; runs keep their numbers."""
        columns = {field.name: getattr(self, field.name)[chosen] for field in fields(self) if field.name != "runs"}
        return replace(self, **columns)


@dataclass(frozen=True, slots=True)
class Point:
    """One measured point while a file is read; times in s, bandwidths in bytes/s."""

    line: int
    nbytes: float
    time_s: float
    busbw_bytes_per_s: float
    in_place: bool = False
    wrong: bool = False


def assembled(parts: Sequence[tuple[Run, Sequence[Point]]]) -> Measurements:
    """Put runs and their points into one table."""
    rows = [(at, point) for at, (_, points) in enumerate(parts) for point in points]
    return Measurements(
        tuple(run for run, _ in parts),
        np.array([at for at, _ in rows], dtype=np.int64),
        np.array([point.nbytes for _, point in rows], dtype=np.float64),
        np.array([point.time_s for _, point in rows], dtype=np.float64),
        np.array([point.busbw_bytes_per_s for _, point in rows], dtype=np.float64),
        np.array([point.in_place for _, point in rows], dtype=bool),
        np.array([point.wrong for _, point in rows], dtype=bool),
        np.array([point.line for _, point in rows], dtype=np.int64),
    )


def joined(tables: Sequence[Measurements]) -> Measurements:
    """Put the points of several files into one table."""
    starts = np.cumsum([0, *(len(table.runs) for table in tables)])
    columns = [field.name for field in fields(Measurements) if field.name not in {"runs", "run"}]
    return Measurements(
        tuple(run for table in tables for run in table.runs),
        np.concatenate([table.run + start for table, start in zip(tables, starts, strict=False)]),
        *(np.concatenate([getattr(table, name) for table in tables]) for name in columns),
    )
