"""Two planes that do not meet: usable rates and the port that traffic takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import routing_samples

from fabrictool.fabric.faults import faults_by_name
from fabrictool.formats import edges_csv
from fabrictool.routing.ecmp import Ecmp
from fabrictool.routing.flows import flows
from fabrictool.routing.planes import usable_rates
from fabrictool.routing.spray import Spray
from fabrictool.routing.wiring import Wiring, wiring


@pytest.mark.parametrize("name", routing_samples.names("plane_usable_rate"))
def test_listed_rates(name: str) -> None:
    sample = routing_samples.sample(name)
    found = usable_rates(sample.wiring, sample.flows.source, sample.flows.target)
    assert found / routing_samples.LINE_RATE == pytest.approx(sample.expect["plane_usable_rate"], rel=1e-9)


def _planes(dead: Sequence[str] = (), isl: bool = False) -> Wiring:
    """Two hosts, each with a port in each of two planes of one switch."""
    lines = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed"]
    lines += [f"h{host},host,{plane},t{plane},leaf,{host},200G" for plane in (1, 2) for host in (1, 2)]
    lines += ["t1,leaf,9,t2,leaf,9,400G"] if isl else []
    fabric = edges_csv.read("planes", "\n".join(lines)).fabric
    return wiring(fabric, 0, faults_by_name(fabric, links=dead))


@pytest.mark.parametrize(
    ("dead", "isl", "rate", "loads"),
    [
        ([], False, 400e9, [0.5, 0.5]),
        (["h1:1"], False, 200e9, [0, 1]),
        (["h1:1", "h2:2"], False, 0, [0, 0]),
        (["h1:1", "h2:2"], True, 200e9, [0, 1]),
        (["h2:1"], True, 200e9, [0, 1]),
        ([], True, 400e9, [0.5, 0.5]),
    ],
)
def test_dead_ports(dead: list[str], isl: bool, rate: float, loads: list[float]) -> None:
    """Reference 2.6: port k of one end and port 1 - k of the other dead leave nothing unless planes are joined."""
    found = _planes(dead, isl)
    assert usable_rates(found, np.array([0]), np.array([1])).tolist() == [rate]
    pair = flows([0], [1])
    row = {found.fabric.link_name(link)[:4]: link for link in range(len(found.fabric.links))}
    first = [2 * row["h1:1"], 2 * row["h1:2"]]
    assert Spray("spray", found).loads(pair)[first].tolist() == loads
    assert Ecmp("ecmp", found, planes="round-robin", flows_per_pair=2).loads(pair)[first].tolist() == loads
    hashed = Ecmp("ecmp", found, flows_per_pair=512).loads(pair)[first]
    assert hashed == pytest.approx(loads, abs=0.1)
    assert hashed.sum() == sum(loads)
