"""Which placement would lower the worst loss of a rack, row, tray, feed and the like: tried, not guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from fabrictool.changes.domains import domains_of
from fabrictool.changes.ranking import Loss, Losses, Rebuilding, ranked
from fabrictool.errors import FabrictoolError
from fabrictool.fabric import Fabric
from fabrictool.layout.model import Layout
from fabrictool.layout.placing import Placing
from fabrictool.placement import Placement
from fabrictool.power.settling import placed
from fabrictool.records import Finding

#: Placements that are tried, as they are written in a layout.
TRIED = (
    {"switches": "in-order"},
    {"switches": "by-unit"},
    {"switches": "spread"},
    {"switches": "by-rail"},
    {"switches": "dealt"},
    {"switches": "in-rack"},
    {"switches": "dealt", "feeds": "balanced"},
)
#: Kinds of domain that a placement changes.
MOVED = ("rack", "row", "tray", "feed", "supply", "loop", "cdu", "air-unit")


@dataclass(frozen=True, slots=True)
class Better:
    """The placement under which the worst loss of a kind is least; ``racks`` are those that it takes."""

    kind: str
    words: str
    worst: Loss
    racks: int


def placement_findings(
    layout: Layout, fabric: Fabric, placement: Placement, losses: Losses, ranking: Iterable[Loss]
) -> Iterator[Finding]:
    """Yield for each kind of domain the placement that lowers its worst loss, worked out anew under it.

    Nothing is tried in networks that are routed anew for each loss: that takes too long.
    """
    worst = worst_by_kind(ranking)
    if isinstance(losses, Rebuilding) or not worst:
        return
    found = {kind: Better(kind, "", loss, len(placement.racks)) for kind, loss in worst.items()}
    for change in TRIED:
        for better in _under(change, layout, fabric, losses, list(worst)):
            if better.worst.severity < found[better.kind].worst.severity:
                found[better.kind] = better
    for kind, better in found.items():
        if better.words:
            yield _finding(worst[kind], better, len(placement.racks))


def worst_by_kind(ranking: Iterable[Loss]) -> dict[str, Loss]:
    """Return the worst loss of each kind of domain that a placement changes."""
    worst: dict[str, Loss] = {}
    for loss in ranking:
        if loss.domain.kind in MOVED and loss.severity > worst.get(loss.domain.kind, _Least).severity:
            worst[loss.domain.kind] = loss
    return worst


class _Least:
    severity = (0.0, 0.0, 0)


def _under(
    change: dict[str, str], layout: Layout, fabric: Fabric, losses: Losses, kinds: list[str]
) -> Iterator[Better]:
    """Yield the worst losses of some kinds under another placement."""
    placing = Placing.model_validate(layout.placement.model_dump() | change)
    if placing == layout.placement:
        return
    other = layout.model_copy(update={"placement": placing})
    placement = placed(other, fabric)
    if placement is None or any(finding.id.startswith("placement-not") for finding in placement.findings):
        return
    words = ", ".join(f"{key}: {value}" for key, value in change.items())
    for kind in kinds:
        try:
            domains = domains_of(kind, fabric, losses.before.wiring.network, other, placement)
        except FabrictoolError:
            continue
        yield Better(kind, words, ranked(losses, domains)[0], len(placement.racks))


def _finding(now: Loss, better: Better, racks: int) -> Finding:
    message = f"the worst {better.kind}, {now.domain.name}, takes {_shares(now)}"
    more = better.racks - racks
    price = f"{better.racks:,} racks ({more:+,d})" if more else "as many racks"
    then = f"then {better.worst.domain.name} is the worst with {_shares(better.worst)}"
    fix = f"placement: {{{better.words}}}: {then}, in {price}"
    return Finding("placement-could-help", "note", f"{better.kind} {now.domain.name}", message, fix)


def _shares(loss: Loss) -> str:
    reduce, every = (100 * (share or 0.0) for share in (loss.all_reduce_lost, loss.all_to_all_lost))
    return f"{float(np.round(reduce, 1)):g} % of all-reduce and {float(np.round(every, 1)):g} % of all-to-all"
