"""Sizes of dragonflies and Slim Flies against slow twins that try everything, and against published closed forms."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabrictool as ft
from fabrictool.design import rule_findings
from fabrictool.errors import InputError
from fabrictool.explore.proof import cable_ends
from fabrictool.explore.starter import starter
from fabrictool.fabric.counting import link_counts, network_counts
from fabrictool.layout.reading import layout_from_bytes

DIRECT = ("dragonfly", "dragonfly-plus", "slim-fly")
#: 32 ports of 400G.
SMALL = "sn4700"
PRIME_POWERS = (3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 19, 23, 25, 27, 29, 31, 32)


def built(text: str) -> tuple[Any, Any]:
    layout = layout_from_bytes("starter.yaml", text.encode())
    return layout, ft.build(layout)


def switches(text: str) -> int:
    """Return the counted switches of a layout, after holding its printed number against them."""
    (found,) = network_counts(built(text)[1]).values()
    total = sum(found.get(kind, 0) for kind in ("leaf", "spine", "core", "router"))
    assert re.search(rf"^# - switches: (.* = )?{total:,}$", text, re.MULTILINE)
    return int(total)


def dragonflies(ports: int, ratio: float) -> Any:
    """Yield p, a, h of every router that carries its hosts."""
    for p in range(1, ports):
        for a in range(max(2, math.ceil(2 * p / ratio)), ports):
            for h in range(math.ceil(p / ratio), ports - p - a + 2):
                yield p, a, h


def fewest_routers(hosts: int, ports: int, ratio: float) -> int | None:
    found = None
    for p, a, h in dragonflies(ports, ratio):
        groups = max(2, -(-hosts // (p * a)))
        odd = a * h * groups % 2
        if groups <= a * h + 1 and p * a <= ratio * (a * h - odd):
            found = min(found or a * groups, a * groups)
    return found


def fewest_of_plus(hosts: int, ports: int, ratio: float, reserve: int) -> int | None:
    found = None
    for each in range(1, ports):
        for spines in range(math.ceil(each / ratio), ports - reserve - each + 1):
            for leaves in range(2, ports):
                groups = max(2, -(-hosts // (each * leaves)))
                if leaves <= ports - leaves and groups - 1 <= spines * (ports - leaves):
                    total = groups * (leaves + spines)
                    found = min(found or total, total)
    return found


def slim_fly_places(q: int, ports: int) -> int:
    radix = (3 * q - {0: 0, 1: 1, 3: -1}[q % 4]) // 2
    return 2 * q * q * max(0, min(math.ceil(radix / 2), ports - radix))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 3000), st.sampled_from([1.0, 1.5, 2.0]), st.integers(0, 6))
def test_no_dragonfly_of_fewer_routers_takes_the_hosts(hosts: int, ratio: float, reserve: int) -> None:
    text = starter("dragonfly", hosts, switch_type=SMALL, oversubscription=ratio, reserve=reserve)
    assert switches(text) == fewest_routers(hosts, 32 - reserve, ratio)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 3000), st.sampled_from([1.0, 1.5, 2.0]), st.integers(0, 6))
def test_no_dragonfly_plus_of_fewer_switches_takes_the_hosts(hosts: int, ratio: float, reserve: int) -> None:
    text = starter("dragonfly-plus", hosts, switch_type=SMALL, oversubscription=ratio, reserve=reserve)
    assert switches(text) == fewest_of_plus(hosts, 32, ratio, reserve)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 3000), st.integers(0, 3))
def test_slim_fly_takes_the_smallest_q(hosts: int, reserve: int) -> None:
    text = starter("slim-fly", hosts, switch_type=SMALL, reserve=reserve)
    q = built(text)[0].networks["compute"].q
    assert switches(text) == 2 * q * q
    assert slim_fly_places(q, 32 - reserve) >= hosts
    assert all(slim_fly_places(less, 32 - reserve) < hosts for less in PRIME_POWERS if less < q)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(DIRECT),
    st.integers(2, 400),
    st.sampled_from(["generic", "dgx-h100", "frontier-node", "gb200-nvl72"]),
    st.sampled_from([1.0, 2.0, 0.75]),
    st.integers(0, 5),
    st.integers(0, 60),
)
def test_every_starter_holds_its_hosts_within_the_design_rules(
    family: str, hosts: int, host_type: str, ratio: float, reserve: int, growth: int
) -> None:
    text = starter(family, hosts, host_type, oversubscription=ratio, reserve=reserve, growth=growth)
    layout, fabric = built(text)
    placed = layout.hosts[0].hosts
    assert hosts <= placed < hosts + layout.hosts[0].type.hosts_each
    assert network_counts(fabric)["compute"]["hosts"] == placed
    assert switches(text) > 0
    assert [row for row in rule_findings(layout, fabric) if row.severity == "error"] == []
    racks = -(-(hosts + growth) // layout.hosts[0].type.hosts_each)
    grown = built(text.replace(f"count: {layout.hosts[0].count}", f"count: {racks}"))[1]
    assert cable_ends(fabric) <= cable_ends(grown)


@pytest.mark.parametrize(
    "family, switch, largest, words",
    [
        # p a (a h + 1) with p + a - 1 + h = 32, Kim et al. 2008; 8, 17, 8 is the largest of a >= 2 p, h >= p
        ("dragonfly", SMALL, 8 * 17 * (17 * 8 + 1), "a router has 32 ports for p host ports"),
        # (k/2)^2 hosts of a group, (k/2)^2 + 1 groups, Shpiner et al. 2017
        ("dragonfly-plus", SMALL, 16**2 * (16**2 + 1), "16 hosts at a leaf, 16 leaves and 16 spines a group"),
        # 19: 29 links to others leave 3 ports; 13: 19 and half as many
        ("slim-fly", SMALL, max(slim_fly_places(q, 32) for q in PRIME_POWERS), "a router has 32 ports for host"),
        ("slim-fly", "qm9700", 2 * 29**2 * 21, "a router has 64 ports for host"),
        ("dragonfly", "qm9700", None, "a subnet has 49,151 addresses (LIDs) for host ports and switches"),
        ("dragonfly-plus", "qm9700", None, "a subnet has 49,151 addresses (LIDs) for host ports and switches"),
    ],
)
def test_the_largest_size_and_its_limit_are_named(family: str, switch: str, largest: int | None, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)) as error:
        starter(family, 10**9, switch_type=switch)
    (named,) = re.findall(r"ask for ([\d,]+) hosts at most", str(error.value))
    most = int(named.replace(",", ""))
    assert largest in (None, most)
    with pytest.raises(InputError, match=f"ask for {named} hosts at most"):
        starter(family, most + 1, switch_type=switch)
    text = starter(family, most, switch_type=switch)
    layout, fabric = built(text)
    assert network_counts(fabric)["compute"]["hosts"] == most
    assert [row for row in rule_findings(layout, fabric) if row.severity == "error"] == []


def test_a_dragonfly_of_1024_hosts_is_balanced() -> None:
    """a = 2 p = 2 h, Kim et al. 2008."""
    text = starter("dragonfly", 1024)
    assert "dragonfly: {p: 16, a: 32, h: 16, groups: 2}" in text
    local, between = (row for row in link_counts(built(text)[1]) if row.scope)
    assert (local.count, between.count) == (2 * 32 * 31 // 2, 32 * 16)
    assert "links between routers: 992 local, 512 global, 512 for each pair of groups" in text


def test_ports_of_a_host_may_go_to_several_slim_fly_routers() -> None:
    text = starter("slim-fly", 64, "dgx-h100")
    assert "its 8 ports go to routers in order" in text
    assert built(text)[0].networks["compute"].hosts_per_leaf is None


@pytest.mark.parametrize("family", DIRECT)
def test_options_are_valid_and_score_has_no_error(family: str) -> None:
    text = re.sub(r"^(\s*)#(?=\w+:|  )", r"\1", starter(family, 48), flags=re.MULTILINE)
    assert ft.evaluate(built(text)[0]).ok


@pytest.mark.parametrize("family", DIRECT)
@pytest.mark.parametrize("ratio", [1e-300, 1e-9])
def test_a_ratio_that_no_switch_reaches_is_refused(family: str, ratio: float) -> None:
    with pytest.raises(InputError, match="64 hosts do not fit"):
        starter(family, 64, oversubscription=ratio)


@pytest.mark.parametrize("family", DIRECT)
def test_a_number_beyond_64_bits_is_refused(family: str) -> None:
    with pytest.raises(InputError, match=r"ask for [\d,]+ hosts at most"):
        starter(family, 10**30, growth=10**30)
