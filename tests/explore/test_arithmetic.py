"""The arithmetic that a starter prints, of every family, against the fabric that its layout builds."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fabrictool as ft
from fabrictool.errors import InputError
from fabrictool.explore.starter import starter
from fabrictool.fabric.counting import free_ports, network_counts
from fabrictool.layout.reading import layout_from_bytes

FAMILIES = (
    "fat-tree", "rail-optimized", "rail-only", "multi-plane", "dragonfly", "dragonfly-plus", "slim-fly", "switch-pair",
)  # fmt: skip
KINDS = ("leaf", "spine", "core", "router")
PLURALS = {"leaf": "leaves", "spine": "spines", "core": "cores", "router": "routers"}


def numbers(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?![\d.])", text)]


def lines(text: str) -> dict[str, str]:
    rows = re.findall(r"^# - ([\w ]+): (.*)$", text, re.MULTILINE)
    return dict(rows)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(FAMILIES),
    st.integers(2, 700),
    st.sampled_from(["generic", "dgx-h100", "dgx-b300", "frontier-node", "gb300-nvl72"]),
    st.sampled_from([1.0, 1.5, 3.0]),
    st.integers(0, 9),
    st.sampled_from([0, 0, 5, 300]),
)
def test_printed_numbers_are_those_of_the_fabric(
    family: str, hosts: int, host_type: str, ratio: float, reserve: int, growth: int
) -> None:
    try:
        text = starter(family, hosts, host_type, oversubscription=ratio, reserve=reserve, growth=growth)
    except InputError:
        assume(False)
    fabric = ft.build(layout_from_bytes("starter.yaml", text.encode()))
    counts, shown = network_counts(fabric)["compute"], lines(text)
    every = [counts[kind] for kind in KINDS if counts.get(kind)]
    parts = numbers(shown["switches"])
    assert parts == ([*every, sum(every)] if len(every) > 1 else every)
    assert numbers(shown["free ports"].split(";")[0]) == [
        free_ports(fabric, 0)[kind] for kind in KINDS if counts.get(kind)
    ]
    for place in ("a leaf", "a router"):
        if place in shown:
            left, used = shown[place].split(" = ")
            assert sum(math.prod(numbers(part)) for part in left.split(" + ")) == numbers(used)[0] <= numbers(used)[1]
    if "leaves" in shown and "pods" not in shown["leaves"] and not family.startswith("dragonfly"):
        factors, total = shown["leaves"].split(" = ")
        first, *rest = numbers(re.sub(r" of \d+ hosts", "", factors))
        assert first * math.prod(rest) == numbers(total)[0] == counts["leaf"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_million_hosts_are_refused_or_named_as_too_many_to_build(family: str) -> None:
    """128 ports of 800G are 1,024 ports of 100G."""
    host = "dgx-h100" if family in ("multi-plane", "switch-pair") else "generic"
    with pytest.raises(InputError, match=r"hosts would fit, but 'new' builds|hosts at most"):
        starter(family, 1_000_001, host, "100G", "arista-7060xe7-128pe")


def fewest_of_two_levels(hosts: int, columns: int, copies: int, ratio: float, reserve: int) -> int | None:
    """Try every number of hosts at a leaf and of spines of 64 ports, all uplinks of a leaf spread evenly."""
    if columns == 1 and hosts + reserve <= 64:
        return copies
    found = None
    for unit in range(1, 64):
        up, leaves = math.ceil(unit / ratio), -(-hosts // unit) * columns
        for spines in range(1, up + 1):
            if unit + up + reserve <= 64 and up % spines == 0 and leaves * up // spines <= 64 and leaves > 1:
                found = min(found or copies * (leaves + spines), copies * (leaves + spines))
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([("rail-optimized", 8, 1), ("rail-only", 1, 8), ("multi-plane", 1, 8)]),
    st.integers(2, 2000),
    st.sampled_from([1.0, 1.5, 3.0]),
    st.integers(0, 9),
)
def test_no_smaller_set_of_two_levels_joins_the_rails(
    family: tuple[str, int, int], hosts: int, ratio: float, reserve: int
) -> None:
    name, columns, copies = family
    expected = fewest_of_two_levels(hosts, columns, copies, ratio, reserve)
    assume(expected is not None)
    shown = lines(starter(name, hosts, "dgx-h100", oversubscription=ratio, reserve=reserve))
    assert numbers(shown["switches"])[-1] == expected
