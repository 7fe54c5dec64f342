"""Slim Fly: order, degree and diameter of the graphs; finite fields by their axioms."""

from __future__ import annotations

from itertools import product

import fabrics
import networkx
import numpy as np
import pytest
from scipy.sparse import csr_array

from fabrictool.cli.show import summary
from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.generators.finite_field import field, prime_power


def _slim_fly(q: int, hosts: int = 4, ports: int = 256, **more: object) -> Fabric:
    switch = {"name": "router", "ports": ports, "speed": "400G"}
    group = {"name": "host", "type": fabrics.host_type(), "count": hosts}
    return fabrics.fabric_of(group, family="slim-fly", q=q, leaf={"type": switch}, **more)


def _adjacency(fabric: Fabric) -> csr_array:
    router = fabric.devices.tier == 1
    return csr_array(fabric.to_scipy()[router][:, router])


@pytest.mark.parametrize("q", [3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 19, 25, 27, 29, 32])
def test_order_degree_and_diameter(q: int) -> None:
    """Besta, Hoefler 2014: 2 q^2 routers of degree (3q - d)/2, q = 4w + d, at most two hops apart."""
    d = next(d for d in (-1, 0, 1) if (q - d) % 4 == 0)
    links = _adjacency(_slim_fly(q)).astype(np.int64)
    assert links.shape[0] == 2 * q * q
    assert set(np.asarray(links.sum(axis=1)).ravel().tolist()) == {(3 * q - d) // 2}
    assert links.max() == 1
    within_two = (links @ links + links).toarray()
    assert (within_two > 0).all()


def test_q_5_is_the_hoffman_singleton_graph() -> None:
    ours = networkx.from_scipy_sparse_array(_adjacency(_slim_fly(5)))
    assert networkx.is_strongly_regular(ours)
    assert networkx.faster_could_be_isomorphic(ours, networkx.hoffman_singleton_graph())
    assert networkx.girth(ours) == 5


def test_hosts_fill_routers_in_order_and_meet_within_four_links() -> None:
    fabric = _slim_fly(5, hosts=200, ports=11)
    found = summary(fabric)
    assert found["network_counts"]["compute"]["router"] == 50
    assert found["free_ports"]["compute"] == {"router": 0}
    assert found["oversubscription"]["compute"] is None
    # 4 hosts a router, 7 routers next to each and 42 two hops away
    assert found["hops"]["compute"] == {"2": 200 * 3, "3": 200 * 28, "4": 200 * 168}
    assert {row["scope"] for row in found["links"]} == {None}


@pytest.mark.parametrize(("q", "near"), [(6, "5 or 7"), (12, "11 or 13"), (14, "13 or 16"), (255, "251 or 256")])
def test_other_q_are_refused_with_the_nearest_two(q: int, near: str) -> None:
    with pytest.raises(InputError, match=f"q is {q}, which is no prime power; use {near}"):
        _slim_fly(q)


def test_too_few_ports_and_too_many_hosts() -> None:
    with pytest.raises(InputError, match="use q of 9 or less"):
        _slim_fly(25, ports=20)
    with pytest.raises(InputError, match="lower count to 100 hosts"):
        _slim_fly(5, hosts=101, hosts_per_leaf=2)


@pytest.mark.parametrize("q", [2, 3, 4, 5, 8, 9, 25, 27])
def test_finite_fields_obey_the_axioms(q: int) -> None:
    numbers = field(q)
    a, b, c = (np.array(column) for column in zip(*product(range(q), repeat=3), strict=True))
    plus, times = numbers.plus, numbers.times
    assert (plus(plus(a, b), c) == plus(a, plus(b, c))).all()
    assert (times(times(a, b), c) == times(a, times(b, c))).all()
    assert (times(a, plus(b, c)) == plus(times(a, b), times(a, c))).all()
    assert (plus(numbers.minus(a, b), b) == a).all()
    assert (times(a, np.ones_like(a)) == a).all()
    every = np.arange(1, q)
    assert all(sorted(times(np.full(q - 1, x), every).tolist()) == every.tolist() for x in every.tolist())


def test_prime_powers() -> None:
    assert [n for n in range(30) if prime_power(n)] == [2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 19, 23, 25, 27, 29]
    with pytest.raises(ValueError, match="6 is no prime power"):
        field(6)
