"""Stated paths: listed loads, and errors that name what is wrong with a path."""

from __future__ import annotations

from dataclasses import replace

import fabrics
import numpy as np
import pytest
import routing_samples

from fabrictool.errors import InputError
from fabrictool.fabric.faults import faults_by_name
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.explicit import Explicit, sent_from
from fabrictool.routing.flows import Flows, flows
from fabrictool.routing.wiring import wiring


@pytest.mark.parametrize("name", ["ring4-shortest", "ring4-updown"])
def test_listed_paths_carry_what_is_listed(name: str) -> None:
    sample = routing_samples.sample(name)
    paths = [sample.channel[path].astype(np.int32) for path in sample.text["paths"]]
    routing = routing_of(sample.wiring, Stated(name="explicit"))
    demands = replace(sample.flows, path=paths)
    assert np.array_equal(routing.loads(demands), sample.listed(sample.expect["link_load"]))
    assert routing.usage(demands).hops.tolist() == [len(path) for path in paths]


#: Two leaves of two hosts, two spines: leaf ports 1 and 2 lead down, 3 and 4 up.
TREE = fabrics.pgft((2, 2), (1, 2), (1, 1))
WAY = ["host-01:1", "leaf-01:3", "spine-01:2", "leaf-02:2"]


def test_paths_by_sending_ports() -> None:
    found = wiring(TREE, 0)
    path = sent_from(found, [WAY])
    used = Explicit("explicit", found).usage(Flows(*_ends(0, 3), np.ones(1), None, path))
    assert [TREE.link_name(int(channel) // 2) for channel in used.channel] == [
        "host-01:1 - leaf-01:1",
        "leaf-01:3 - spine-01:1",
        "leaf-02:3 - spine-01:2",
        "host-04:1 - leaf-02:2",
    ]
    assert (used.channel % 2).tolist() == [0, 0, 1, 1]


def _ends(source: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array([source], np.int32), np.array([target], np.int32)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the path is empty"),
        (WAY[1:], "the path starts at leaf-01:3; start at a port of the source"),
        (WAY[:3], "the path ends at leaf-02:3; end at a port of the target"),
        ([*WAY[:3], "leaf-02:1"], "the path ends at host-03:1; end at a port of the target"),
        (
            [WAY[0], "leaf-01:4", *WAY[2:]],
            "the path arrives at spine-02 and goes on from spine-01:2; go on from where it arrives",
        ),
        ([*WAY[:2], "spine-01:1", "leaf-01:4", "spine-02:2", WAY[3]], "link leaf-01:4 - spine-02:1 is down"),
    ],
)
def test_what_is_no_way_is_refused(words: list[str], message: str) -> None:
    found = wiring(TREE, 0, faults_by_name(TREE, links=["leaf-01:4"]) if "down" in message else None)
    path = sent_from(found, [words])
    with pytest.raises(InputError, match=f"flow 1, host-01 to host-04: {message}"):
        Explicit("explicit", found).usage(Flows(*_ends(0, 3), np.ones(1), None, path))


def test_all_broken_paths_are_named() -> None:
    found = wiring(TREE, 0)
    path = [np.array([0, 99], np.int32), np.array([2], np.int32)]
    with pytest.raises(InputError) as caught:
        Explicit("explicit", found).usage(Flows(*_ends(0, 3), np.ones(1), None, path[:1]))
    assert "there is no channel 99; use 0 to 15" in str(caught.value)
    both = Flows(np.array([0, 1], np.int32), np.array([3, 0], np.int32), np.ones(2), None, path)
    with pytest.raises(InputError) as caught:
        Explicit("explicit", found).usage(both)
    assert len(caught.value.problems) == 2


def test_paths_must_be_stated() -> None:
    with pytest.raises(InputError, match="0 paths are stated for 2 flows; state a path for every flow"):
        Explicit("explicit", wiring(TREE, 0)).usage(flows([0, 1], [1, 0]))


def test_ports_that_are_not_there_are_named() -> None:
    with pytest.raises(InputError) as caught:
        sent_from(wiring(TREE, 0), [["host-1:1", "leaf-01:9"], ["spine-01:77"]])
    text = str(caught.value)
    assert "host-1: no such device" in text
    assert "leaf-01:9: no link on this port" in text
