"""Names come from place, so growing a site renames nothing."""

from __future__ import annotations

from typing import Any

import fabrics
import pytest

from fabrictool.errors import InputError
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

HOST = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G"}


def _tree(count: int = 16, naming: dict[str, str] | None = None, name: str = "host") -> dict[str, Any]:
    network = {"family": "fat-tree", "k": 4, "leaf": {"type": fabrics.SWITCH}}
    tree: dict[str, Any] = {"name": "x", "hosts": {"name": name, "type": HOST, "count": count}}
    return tree | {"networks": {"compute": network}, "naming": naming or {}}


def _names(**more: Any) -> list[str]:
    return build(layout_from_tree(_tree(**more))).names


@pytest.mark.parametrize(("count", "first"), [(2, "host-01"), (99, "host-01"), (100, "host-001"), (1000, "host-0001")])
def test_an_index_has_the_digits_of_the_count_and_at_least_two(count: int, first: str) -> None:
    fabric = fabrics.pgft((32, 32), (1, 1), (1, 1), ports=count)
    assert fabric.names[0] == first
    assert fabric.names[count - 1] == f"host-{count:0{len(first) - 5}d}"


def test_more_hosts_and_scalable_units_rename_nothing() -> None:
    small, large = fabrics.rails(7, 4, 4, 4, 4), fabrics.rails(31, 4, 4, 4, 4)
    places = {name: (small.devices.pod[row], small.devices.rail[row]) for row, name in enumerate(small.names)}
    after = {name: (large.devices.pod[row], large.devices.rail[row]) for row, name in enumerate(large.names)}
    assert len(small.names) == 7 + 8 + 4
    assert {name: after[name] for name in places} == places
    links = {small.link_name(row) for row in range(len(small.links))}
    assert links <= {large.link_name(row) for row in range(len(large.links))}


def test_names_are_unique_and_ports_count_from_one() -> None:
    fabric = fabrics.rails(31, 4, 4, 4, 4)
    assert len(set(fabric.names)) == len(fabric.names)
    assert fabric.port_name(0) == "host-01:1"


def test_a_second_network_names_its_switches_after_itself() -> None:
    tree = _tree()
    tree["hosts"]["type"] = HOST | {"nics": [{"role": role, "count": 1, "speed": "400G"} for role in ("compute", "s")]}
    del tree["hosts"]["type"]["speed"]
    attach = {"attach": [{"hosts": "host", "role": "s"}]}
    tree["networks"]["storage"] = tree["networks"]["compute"] | attach
    names = build(layout_from_tree(tree)).names
    assert {"leaf-01", "storage-leaf-01", "core-04", "storage-core-04"} <= set(names)
    assert len(set(names)) == 16 + 20 + 20


def test_templates() -> None:
    names = _names(naming={"leaf": "L{index:03d}-p{pod}", "host": "{group}{index:02d}"})
    assert names[:2] == ["host01", "host02"]
    assert names[16:19] == ["L001-p1", "L002-p1", "L003-p2"]


@pytest.mark.parametrize(
    "template",
    [
        "a{foo}",
        "a{index",
        "a{}",
        "{index.__class__}",
        "{index:0999999d}",
        "{index!r}",
        "a b",
        "",
        "x" * 65,
        "{index:x}",
    ],
)
def test_a_bad_template_is_refused_at_its_place(template: str) -> None:
    with pytest.raises(InputError, match="no name template"):
        _names(naming={"leaf": template})


@pytest.mark.parametrize("naming", [{"leaf": "leaf"}, {"leaf": "a{pod}"}, {"leaf": "s{index}", "spine": "s{index}"}])
def test_a_template_that_gives_one_name_twice_is_refused(naming: dict[str, str]) -> None:
    with pytest.raises(InputError, match="two devices get the name"):
        _names(naming=naming)


def test_a_template_for_nobody_is_refused_with_the_nearest_group() -> None:
    with pytest.raises(InputError, match="no devices called 'leef' to name; did you mean 'leaf'"):
        _names(naming={"leef": "a{index}"})


def test_hosts_do_not_take_the_names_of_switches() -> None:
    with pytest.raises(InputError, match="'leaf' is what switches are called"):
        _names(name="leaf")
