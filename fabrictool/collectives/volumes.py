"""All-to-all-v: what each rank sends to each other, as a file states it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.entries import Volumes
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import F8, I4
from fabrictool.formats.pattern_csv import PatternRow, read_pattern

#: Problems of a file that are named; more are counted.
MOST_NAMED = 20


@dataclass(frozen=True)
class StatedVolumes:
    """Rows of a file with the columns ``source,destination,volume``: ranks and bytes, (rows,) each."""

    path: str
    line: I4
    source: I4
    target: I4
    nbytes: F8

    @property
    def sent_bytes(self) -> float:
        """The largest send buffer: bytes that the busiest rank sends."""
        return float(np.bincount(self.source, self.nbytes).max(initial=0.0))

    def between(self, place: npt.NDArray[np.integer], size_bytes: float) -> Volumes:
        """Return the volumes between ranks that take part, for one byte of a size.

        Parameters
        ----------
        place : (ranks,) int
            Place of each of the job's ranks among those that take part, -1 for none.
        size_bytes : float

        Raises
        ------
        InputError
            If a row names a rank that the job does not have.
        """
        beyond = np.flatnonzero(np.maximum(self.source, self.target) >= len(place))
        if len(beyond):
            fix = f"use ranks from 0 to {len(place) - 1}, or give the job more"
            raise InputError([
                Problem(f"{self.path}:{self.line[row]}:1", self._beyond(row, len(place)), fix)
                for row in beyond[:MOST_NAMED]
            ])  # fmt: skip
        source, target = place[self.source], place[self.target]
        sent = (source >= 0) & (target >= 0) & (source != target) & (self.nbytes > 0)
        ends = source[sent].astype(np.int32), target[sent].astype(np.int32)
        return Volumes(*ends, self.nbytes[sent] / size_bytes)

    def _beyond(self, row: int, ranks: int) -> str:
        return f"rank {max(self.source[row], self.target[row])} is none of the job's {ranks} ranks"


def read_volumes(path: str | Path) -> StatedVolumes:
    """Read the volumes of an all-to-all-v.

    Raises
    ------
    InputError
        Naming every row that makes no sense, and pairs that are named twice.
    """
    rows = read_pattern(str(path))
    ends = [(_rank(row.source), _rank(row.destination)) for row in rows]
    problems = [_unreadable(path, row) for row, pair in zip(rows, ends, strict=True) if min(pair) < 0]
    if problems:
        raise InputError(problems[:MOST_NAMED])
    source, target = np.array(ends, np.int32).T
    _, first, count = np.unique(source.astype(np.int64) << 32 | target, return_index=True, return_counts=True)
    twice = [rows[at] for at in first[count > 1].tolist()]
    if twice:
        fix = "state each pair once"
        raise InputError([
            Problem(f"{path}:{row.line}:1", f"ranks {row.source} to {row.destination} are stated again below", fix)
            for row in twice[:MOST_NAMED]
        ])  # fmt: skip
    found = StatedVolumes(
        str(path), np.array([row.line for row in rows], np.int32), source.copy(), target.copy(),
        np.array([row.volume for row in rows]),
    )  # fmt: skip
    if not found.sent_bytes:
        raise InputError([Problem(f"{path}:1:1", "no rank sends anything", "state volumes above 0, in bytes")])
    return found


def _rank(word: str) -> int:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else -1


def _unreadable(path: str | Path, row: PatternRow) -> Problem:
    word = row.source if _rank(row.source) < 0 else row.destination
    return Problem(f"{path}:{row.line}:1", f"'{word[:40]}' is not the number of a rank", "use ranks from 0")
