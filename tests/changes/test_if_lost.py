"""The short answer against the ranking of every loss."""

from __future__ import annotations

from pathlib import Path

import fabrics
import pytest
from commands import call

from fabrictool.changes.domains import links, switches
from fabrictool.changes.if_lost import if_lost
from fabrictool.changes.ranking import losses_of, ranked, worst_of_each_kind
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import random_faults
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.wiring import wiring

REGULAR = {
    "two levels": fabrics.pgft((8, 8), (1, 8), (1, 1)),
    "three levels": fabrics.pgft((4, 4, 8), (1, 4, 4), (1, 1, 1)),
    "parallel cables": fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2)),
    "oversubscribed": fabrics.pgft((16, 8), (1, 8), (1, 1)),
    "rails": fabrics.rails(32, 4, 8, 8),
}


@pytest.mark.parametrize("name", REGULAR)
def test_it_is_the_worst_of_each_kind(name: str) -> None:
    fabric: Fabric = REGULAR[name]
    network = wiring(fabric, 0)
    ranking = ranked(losses_of(network), [*switches(fabric, 0), *links(fabric, 0)])
    exact = {loss.kind.replace("host-leaf", "host"): loss for loss, _ in worst_of_each_kind(ranking)}
    found = if_lost(routing_of(network))
    assert [row.kind for row in found][-2:] == ["leaf", "host link"]
    for row in found:
        assert row.all_to_all_lost == pytest.approx(exact[row.kind].all_to_all_lost, abs=0.02)
        assert row.all_reduce_lost == pytest.approx(exact[row.kind].all_reduce_lost, abs=0.02)


def test_it_says_nothing_where_it_does_not_know() -> None:
    fabric = REGULAR["two levels"]
    assert if_lost(routing_of(wiring(fabric, 0, random_faults(fabric, 1)))) == []
    assert if_lost(routing_of(wiring(fabric, 0), Stated(name="s-mod-k"))) == []


def test_other_routings_are_left_to_the_ranking(capsys: pytest.CaptureFixture[str]) -> None:
    layout = str(Path(__file__).parents[2] / "topologies" / "ft64.yaml")
    _, out, _ = call(capsys, "score", layout, "--routing", "spray", "--size", "1MiB", "--collective", "all-reduce")
    line = next(line for line in out.splitlines() if line.startswith("IF LOST"))
    assert line == "IF LOST  compute: not reckoned under spray; 'impact' ranks the loss of each switch and link"
