"""Fabrics with ends of links in other ports."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest

from fabrictool.errors import FabricError
from fabrictool.fabric.rewiring import rewired

FABRIC = fabrics.pgft((4, 4), (1, 4), (1, 1), ports=9)


def test_two_ends_exchanged_keep_all_else() -> None:
    a, z = FABRIC.links.port_a, FABRIC.links.port_z
    found = rewired(FABRIC, {0: (int(a[0]), int(z[5])), 5: (int(a[5]), int(z[0]))})
    assert found.names == FABRIC.names
    assert sorted(found.links.port_z.tolist()) == sorted(z.tolist())
    assert found.ports.peer[a[0]] == z[5]
    used = np.flatnonzero(found.ports.peer >= 0)
    assert np.array_equal(found.ports.peer[found.ports.peer[used]], used)
    assert FABRIC.ports.peer[a[0]] == z[0]


def test_an_end_in_a_port_that_the_plan_does_not_have() -> None:
    spine = FABRIC.names.index("spine-02")
    last = int(FABRIC.first_port[spine + 1] - FABRIC.first_port[spine])
    host = int(FABRIC.links.port_a[0])
    found = rewired(FABRIC, {0: (host, len(FABRIC.ports))}, [spine])
    assert found.link_name(0) == f"host-01:1 - spine-02:{last + 1}"
    assert len(found.ports) == len(FABRIC.ports) + 1
    untouched = [found.link_name(link) for link in range(1, len(found.links))]
    assert untouched == [FABRIC.link_name(link) for link in range(1, len(FABRIC.links))]


def test_a_port_used_twice_is_refused() -> None:
    with pytest.raises(FabricError, match="used twice"):
        rewired(FABRIC, {0: (int(FABRIC.links.port_a[0]), int(FABRIC.links.port_z[5]))})
