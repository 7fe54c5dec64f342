"""Findings that name one mistake each, with its evidence, what undoes it, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from fabrictool.records import Finding

#: What a mistake does: nothing but make records wrong, cost bandwidth, cut something off, or put at risk.
Effect = Literal["none", "performance", "down", "risk"]


@dataclass(frozen=True, slots=True)
class Move:
    """One thing to do: an end of a cable to be moved, a cable to be fitted, a record to be corrected.

    ``unplugs`` is the number of connectors that it takes out.
    """

    action: str
    what: str
    source: str = ""
    target: str = ""
    unplugs: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the object in the JSON output."""
        return {
            "action": self.action,
            "what": self.what,
            "from": self.source or None,
            "to": self.target or None,
            "unplugs": self.unplugs,
        }


@dataclass(frozen=True, slots=True)
class Impact:
    """What a mistake costs; shares of bandwidth are None where they were not computed.

    ``collectives`` are those that were asked about: each in words, and the percent of its bus bandwidth that is lost.
    """

    effect: Effect
    all_reduce_lost: float | None = None
    all_to_all_lost: float | None = None
    hosts_lost: int | None = None
    collectives: tuple[tuple[str, float | None], ...] = ()

    @property
    def rank(self) -> tuple[float, int]:
        """What findings are ranked by: lost bandwidth, then the kind of effect."""
        lost = max(self.all_reduce_lost or 0.0, self.all_to_all_lost or 0.0)
        return -round(lost, 9), ("down", "performance", "risk", "none").index(self.effect)

    def to_dict(self) -> dict[str, Any]:
        """Return the object in the JSON output."""
        return {
            "effect": self.effect,
            "all_reduce_lost": self.all_reduce_lost,
            "all_to_all_lost": self.all_to_all_lost,
            "hosts_lost": self.hosts_lost,
            "collectives": [{"collective": name, "loss_percent": lost} for name, lost in self.collectives],
        }


@dataclass(frozen=True, slots=True)
class RootCause:
    """A finding with its root cause.

    Parameters
    ----------
    finding : Finding
    root_cause : str or None
        None for what is no mistake of cabling, such as coverage.
    subject : tuple
        Ports, devices, cables or racks.
    moves : tuple of Move
    devices, ports, links : tuple of str
        What is concerned; links are told as planned.
    rows : tuple of int
        Places of the links in the plan.
    impact : Impact or None
    alternatives : tuple of (root cause, subject)
    evidence : tuple of str
    left : float
        Share of the links' speed that is left.
    """

    finding: Finding
    root_cause: str | None = None
    subject: tuple[Any, ...] = ()
    moves: tuple[Move, ...] = ()
    devices: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    impact: Impact | None = None
    alternatives: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    evidence: tuple[str, ...] = ()
    left: float = 0.0

    @property
    def unplugs(self) -> int:
        """Connectors that the repair takes out."""
        return sum(move.unplugs for move in self.moves)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding in the JSON output."""
        return self.finding.to_dict() | {
            "root_cause": self.root_cause,
            "subject": list(self.subject),
            "moves": [move.to_dict() for move in self.moves],
            "devices": list(self.devices),
            "ports": list(self.ports),
            "links": list(self.links),
            "impact": self.impact.to_dict() if self.impact else None,
            "alternatives": [{"root_cause": word, "subject": list(subject)} for word, subject in self.alternatives],
            "evidence": list(self.evidence),
        }


def plain(finding: Finding) -> RootCause:
    """Return a finding that names no mistake of cabling."""
    return RootCause(finding)


def unique(words: Iterable[str]) -> tuple[str, ...]:
    """Return words once each, in their order."""
    return tuple(dict.fromkeys(words))
