"""Which placement would lower the worst loss of a rack, row, tray, feed and the like: tried, not guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from fabrictool.changes.domains import domains_of
from fabrictool.changes.ranking import Loss, Losses, Rebuilding, Reckoning
from fabrictool.errors import FabrictoolError
from fabrictool.fabric import Fabric
from fabrictool.layout.model import Layout
from fabrictool.layout.placing import Placing
from fabrictool.placement import Placement
from fabrictool.power.settling import placed
from fabrictool.records import Domain, Finding

#: Strategies that are tried with each other, the plainest first.
SWITCHES = ("in-order", "by-unit", "spread", "by-rail", "dealt", "in-rack")
HOSTS, FEEDS = ("fill", "even"), ("in-turn", "balanced")
#: Kinds of domain that a placement changes.
MOVED = ("rack", "row", "tray", "feed", "supply", "loop", "cdu", "air-unit")
#: How long losses may be computed for all placements together, in s.
MOST_SEARCHED_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Better:
    """The placement under which the worst loss of a kind is least; ``racks`` are those that it takes."""

    kind: str
    words: str
    worst: Loss
    racks: int


@dataclass(slots=True)
class _Search:
    """How far the search for a kind has come: the best so far, placements tried, and those left when time was up."""

    now: Loss
    best: Better
    tried: int = 0
    left: list[str] = field(default_factory=list)


def placement_findings(
    layout: Layout, fabric: Fabric, placement: Placement, losses: Losses, ranking: Iterable[Loss]
) -> Iterator[Finding]:
    """Yield for each kind of domain the placement that lowers its worst loss, worked out anew under it.

    Where none does, and where there was no time to try all, that is said. Networks that take long to be routed anew
    are compared by what any routing leaves at most.
    """
    ranked = [loss for loss in ranking if loss.domain.kind in MOVED]
    if not worst_by_kind(ranked):
        return
    racks, reckoning = len(placement.racks), _reckoning(losses, ranked)
    found = ranked if not reckoning.bounded else [reckoning.of(loss.domain) for loss in ranked]
    told = {loss.domain: loss for loss in ranked}
    searches = {
        kind: _Search(told[loss.domain], Better(kind, "", loss, racks)) for kind, loss in worst_by_kind(found).items()
    }
    for words, other, moved in _others(layout, fabric, placement, list(searches)):
        for kind, search in searches.items():
            _try(search, words, _domains(kind, fabric, losses, other, moved), len(moved.racks), reckoning)
    yield from (_finding(search, racks) for search in searches.values() if search.best.words)
    yield from _none_better([search for search in searches.values() if not search.best.words and not search.left])
    yield from _not_searched([search for search in searches.values() if search.left])


def worst_by_kind(ranking: Iterable[Loss]) -> dict[str, Loss]:
    """Return the worst loss of each kind of domain that a placement changes."""
    worst: dict[str, Loss] = {}
    for loss in ranking:
        least = worst[loss.domain.kind].severity if loss.domain.kind in worst else (0.0, 0.0, 0)
        if loss.domain.kind in MOVED and loss.severity > least:
            worst[loss.domain.kind] = loss
    return worst


def _reckoning(losses: Losses, ranking: list[Loss]) -> Reckoning:
    """Return what works out losses of other placements: routed anew where all of them take no longer than allowed."""
    if not isinstance(losses, Rebuilding):
        return Reckoning(losses, bounded=False)
    if not any(loss.bound for loss in ranking):
        exact = Reckoning(losses, bounded=False)
        largest = sorted(ranking, key=lambda loss: -len(loss.domain.devices))[:2]
        before = 0.0
        for loss in largest:  # the first may compile kernels
            before, _ = exact.seconds, exact.of(loss.domain)
        if (exact.seconds - before) * len(ranking) * len(SWITCHES) <= MOST_SEARCHED_SECONDS:
            return exact
    return Reckoning(losses, bounded=True)


def _others(
    layout: Layout, fabric: Fabric, placement: Placement, kinds: list[str]
) -> Iterator[tuple[str, Layout, Placement]]:
    """Yield other placements of a layout with what is to be written for them, each once."""
    hall, groups = layout.hall, layout.racks or []
    hosts = HOSTS if any(group.count is not None for group in groups) else HOSTS[:1]
    feeds = FEEDS if hall and hall.feeds_per_rack and {"feed", "supply"} & set(kinds) else FEEDS[:1]
    now, known = layout.placement, {_layout_of_racks(layout.placement, placement)}
    for chosen in product(feeds, hosts, SWITCHES):
        change = {key: value for key, value in zip(("feeds", "hosts", "switches"), chosen, strict=True)
                  if value != getattr(now, key)}  # fmt: skip
        placing = Placing.model_validate(now.model_dump() | change)
        other = layout.model_copy(update={"placement": placing})
        moved = placed(other, fabric) if change else None
        if moved is None or any(finding.id.startswith("placement-not") for finding in moved.findings):
            continue
        if (where := _layout_of_racks(placing, moved)) not in known:
            known.add(where)
            yield ", ".join(f"{key}: {value}" for key, value in reversed(change.items())), other, moved


def _layout_of_racks(placing: Placing, placement: Placement) -> tuple[str, bytes]:
    return placing.feeds, np.ascontiguousarray(placement.rack).tobytes()


def _domains(kind: str, fabric: Fabric, losses: Losses, layout: Layout, placement: Placement) -> list[Domain]:
    try:
        return domains_of(kind, fabric, losses.before.wiring.network, layout, placement)
    except FabrictoolError:
        return []


def _try(search: _Search, words: str, domains: list[Domain], racks: int, reckoning: Reckoning) -> None:
    """Take a placement for the best if all its losses are milder; leave it once one is not, or time is up."""
    if not domains:
        return
    limit = search.best.worst.severity
    found: dict[int, Loss] = {}
    for row in sorted(range(len(domains)), key=lambda row: -len(domains[row].devices) - len(domains[row].links)):
        if reckoning.seconds >= MOST_SEARCHED_SECONDS and not reckoning.knows(domains[row]):
            search.left.append(words)
            return
        found[row] = reckoning.of(domains[row])
        if found[row].severity >= limit:
            search.tried += 1
            return
    search.tried += 1
    worst = max(sorted(found), key=lambda row: found[row].severity)
    search.best = Better(search.now.domain.kind, words, found[worst], racks)


def _finding(search: _Search, racks: int) -> Finding:
    better, now = search.best, search.now
    message = f"the worst {better.kind}, {now.domain.name}, takes {_shares(now)}"
    more = better.racks - racks
    price = f"{better.racks:,} racks ({more:+,d})" if more else "as many racks"
    then = f"then {better.worst.domain.name} is the worst with {_shares(better.worst)}"
    fix = f"placement: {{{better.words}}}: {then}, in {price}"
    return Finding("placement-could-help", "note", f"{better.kind} {now.domain.name}", message, fix)


def _none_better(searches: list[_Search]) -> Iterator[Finding]:
    """Say of which kinds no placement lowers the worst loss."""
    if not searches:
        return
    where = ", ".join(f"{search.now.domain.kind} {search.now.domain.name}" for search in searches)
    tried = max(search.tried for search in searches)
    message = (
        f"none of {tried} other placements lowers the worst loss of its kind"
        if tried
        else "no other placement is possible, so that none lowers the worst loss of its kind"
    )
    fix = "fewer hosts_per_rack, hosts on two leaves each, or feeds and loops for fewer racks each"
    yield Finding("placement-none-better", "note", where, message, fix)


def _not_searched(searches: list[_Search]) -> Iterator[Finding]:
    """Say which placements there was no time to work out, and for which kinds."""
    if not searches:
        return
    where = ", ".join(f"{search.now.domain.kind} {search.now.domain.name}" for search in searches)
    left = "; ".join(dict.fromkeys(words for search in searches for words in search.left))
    message = f"each loss is routed anew here: {MOST_SEARCHED_SECONDS:g} s are not enough to work out all of {left}"
    fix = "name one --domain at a time, or write a placement into the layout and rank again"
    yield Finding("placement-not-searched", "note", where, message, fix)


def _shares(loss: Loss) -> str:
    reduce, every = (100 * (share or 0.0) for share in (loss.all_reduce_lost, loss.all_to_all_lost))
    lost = f"{float(np.round(reduce, 1)):g} % of all-reduce and {float(np.round(every, 1)):g} % of all-to-all"
    return f"{lost} (by bounds)" if loss.bound else lost
