"""Stated paths: listed loads, and errors that name what is wrong with a path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import fabrics
import numpy as np
import pytest
import routing_samples

from fabrictool.errors import InputError
from fabrictool.fabric.faults import faults_by_name
from fabrictool.formats.lfts import dump_lfts
from fabrictool.formats.pattern_csv import PatternRow, write_pattern
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.explicit import Explicit
from fabrictool.routing.exported import forwarding_table
from fabrictool.routing.flows import Flows, flows
from fabrictool.routing.modk import ModK
from fabrictool.routing.stated import flows_of_rows
from fabrictool.routing.wiring import Wiring, wiring


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
    path = _sent_from(found, [WAY])
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
    path = _sent_from(found, [words])
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
    rows = [
        PatternRow(2, "host-01", "host-04", path=("host-1:1", "leaf-01:9")),
        PatternRow(3, "0", "3", path=("spine-01:77",)),
    ]
    with pytest.raises(InputError) as caught:
        flows_of_rows(wiring(TREE, 0), rows, "p.csv")
    text = str(caught.value)
    assert "p.csv:2:1: path: host-1: no such device" in text
    assert "p.csv:2:1: path: leaf-01:9 has no link" in text
    assert "p.csv:3:1: path: spine-01:77 has no link" in text


PAIRS = {(0, 3): WAY, (3, 0): ["host-04:1", "leaf-02:4", "spine-02:1", "leaf-01:1"]}


def _file(folder: Path, pairs: dict[tuple[int, int], list[str]]) -> str:
    rows = [PatternRow(0, str(s), str(d), path=tuple(way)) for (s, d), way in pairs.items()]
    path = folder / "paths.csv"
    path.write_text(write_pattern(rows))
    return str(path)


def test_a_file_states_the_path_of_each_pair(tmp_path: Path) -> None:
    """Pairs that it does not name have no way."""
    routing = routing_of(wiring(TREE, 0), Stated(name="explicit", paths=_file(tmp_path, PAIRS)))
    used = routing.usage(flows([3, 0, 1], [0, 1, 2]))
    assert used.hops.tolist() == [4, -1, -1]
    assert TREE.link_name(int(used.channel[1]) // 2) == "leaf-02:4 - spine-02:2"


def test_a_file_with_a_broken_path_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, PAIRS | {(0, 2): WAY})
    with pytest.raises(InputError, match=r"paths.csv:4:1: host-01 to host-03: the path ends at host-04:1"):
        routing_of(wiring(TREE, 0), Stated(name="explicit", paths=path))
    (tmp_path / "bare.csv").write_text("source,destination\n0,1\n")
    with pytest.raises(InputError, match=r"bare.csv:1:1: column path is missing"):
        routing_of(wiring(TREE, 0), Stated(name="explicit", paths=str(tmp_path / "bare.csv")))


def test_tables_are_a_routing_too(tmp_path: Path) -> None:
    """Our own tables, written and read again, carry what D-mod-k carries."""
    table = ModK("d-mod-k", wiring(TREE, 0)).table()
    (tmp_path / "lft.txt").write_text("".join(dump_lfts(forwarding_table(table))))
    routing = routing_of(wiring(TREE, 0), Stated(name="lft", paths=str(tmp_path / "lft.txt")))
    assert np.array_equal(routing.all_to_all()[0], table.all_to_all()[0])
    with pytest.raises(InputError, match="routing 'lft' needs forwarding tables"):
        routing_of(wiring(TREE, 0), Stated(name="lft"))


def _sent_from(found: Wiring, paths: list[list[str]]) -> Sequence[np.ndarray]:
    rows = [PatternRow(2, "host-01", "host-04", path=tuple(path)) for path in paths]
    return flows_of_rows(found, rows, "p.csv")[0].path or [np.zeros(0, np.int32)]
