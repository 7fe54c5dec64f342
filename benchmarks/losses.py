"""What the loss of every single link takes, beside a rebuild for each and beside igraph: a case of ``routing.py``."""

from __future__ import annotations

from fabrics import Row, nbytes, routed
from timing import measured, once

#: Links whose loss is computed by routing everything anew.
REBUILT = 16


def losses() -> list[Row]:
    """Rank the loss of every link among 1,024 hosts in three levels: hosts, pairs, all-reduce, all-to-all, hot spot."""
    from fabrictool.changes.domains import domains_of
    from fabrictool.changes.ranking import Rebuilding, losses_of, ranked

    wiring = routed(1_024).wiring
    moving = losses_of(wiring)
    links = domains_of("link", wiring.fabric, wiring.network)
    found = {loss.domain.name: loss for loss in ranked(moving, links)}
    some = links[:: len(links) // REBUILT][:REBUILT]
    rebuilding = Rebuilding(moving.before, None)
    anew_took, anew = once(lambda: [rebuilding.after(link).capacity for link in some])
    assert anew == [found[link.name].after for link in some]
    igraph_took, pairs = once(lambda: _pairs_without_each(wiring))
    assert pairs == [found[link.name].after.pairs for link in links]
    state = moving.before
    each = 2 * nbytes(state.load, state.seconds)  # read, and written for the loss
    return [
        Row(
            f"N-1 over all {len(links):,} links, 1,024 hosts",
            measured(lambda: ranked(moving, links), 3),
            "limit 2 s",
            len(links) * each,
        ),
        Row("  what it knows before the first loss", measured(lambda: losses_of(wiring), 3), "once a network"),
        Row(f"  the network routed anew, {len(some)} of the links", anew_took, "same capacities"),
        Row("  igraph, which pairs are left without each link", igraph_took, "same pairs"),
    ]


def _pairs_without_each(wiring) -> list[int]:  # type: ignore[no-untyped-def]
    """Return how many ordered pairs of hosts are joined without each link in turn."""
    import igraph
    import numpy as np

    fabric, hosts = wiring.fabric, wiring.device[: wiring.hosts]
    ends = list(zip(*(end.tolist() for end in fabric.ends), strict=True))
    graph = igraph.Graph(len(fabric.devices), ends)
    found = []
    for link in range(len(ends)):
        without = graph.copy()
        without.delete_edges([link])
        count = np.bincount(np.array(without.connected_components().membership)[hosts])
        found.append(int((count * (count - 1)).sum()))
    return found
