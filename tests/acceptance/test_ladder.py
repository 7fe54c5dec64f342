"""The steps of a ladder: who is measured with whom, and what that exercises."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from accepted import TOPOLOGIES, ladder

import fabrictool as ft
from fabrictool.acceptance.ladder import ladder_of
from fabrictool.acceptance.pairing import rounds_of_pairs
from fabrictool.acceptance.subject import subject_of
from fabrictool.acceptance.traffic import strains
from fabrictool.errors import InputError


@pytest.mark.parametrize("count", range(2, 40))
def test_everybody_meets_two_partners(count: int) -> None:
    rounds = rounds_of_pairs(count)
    met: dict[int, set[int]] = {place: set() for place in range(count)}
    for pairs in rounds:
        both = [place for pair in pairs for place in pair]
        assert len(both) == len(set(both)), "somebody is in two pairs at once"
        for one, other in pairs:
            met[one].add(other)
            met[other].add(one)
    assert len(rounds) <= 3
    assert min(len(others) for others in met.values()) >= (1 if count == 2 else 2)


def test_nobody_is_paired_alone() -> None:
    assert rounds_of_pairs(0) == []
    assert rounds_of_pairs(1) == []


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        # 8 leaves of 8 hosts: 32 pairs a round, both under leaves and between them
        ("ft64", {"pair": (64, 2), "leaf": (8, 1), "uplink": (64, 2), "hall": (2, 2)}),
        # 31 hosts on the same 8 leaves, one for each rail; an odd host takes a third round of 15 pairs
        (
            "dgx-superpod-h100-1su",
            {"host": (31, 1), "pair": (45, 3), "leaf": (8, 1), "across": (45, 3), "hall": (2, 2)},
        ),
        # 31 + 3 * 32 hosts: 15 + 48 pairs in two rounds and 15 in a third; 32 leaves; units meet as 2 x 63 pairs
        (
            "dgx-superpod-h100-4su",
            {"host": (127, 1), "pair": (141, 3), "leaf": (32, 1), "uplink": (126, 2), "rail": (8, 1), "unit": (8, 2),
             "hall": (2, 2)},
        ),
        # 8 pods of 4 leaves of 4 hosts
        ("k-ary-8", {"pair": (128, 2), "leaf": (32, 1), "uplink": (128, 2), "uplink2": (128, 2), "unit": (16, 2),
                     "hall": (2, 2)}),
        # 16 racks of 18 trays, each rack one scale-up domain: its trays meet over NVLink, not over their leaves
        (
            "dgx-superpod-gb200-2su",
            {"host": (288, 1), "domain": (16, 1), "uplink": (288, 2), "uplink2": (144, 1), "rail": (4, 1),
             "unit": (4, 2), "hall": (2, 2)},
        ),
        # 36 routers of 2 hosts in 9 groups: pairs of routers, and of groups (an odd number: three rounds)
        ("dragonfly-72", {"pair": (36, 1), "uplink": (72, 2), "uplink2": (96, 3), "unit": (18, 2), "hall": (2, 2)}),
    ],
)  # fmt: skip
def test_steps_follow_the_fabric(name: str, steps: dict[str, tuple[int, int]]) -> None:
    found = ladder(name)
    assert {step.name: (len(step.runs), len(step.rounds)) for step in found.steps} == steps
    assert all(why for _, why in found.left_out)


@pytest.mark.parametrize("name", ["ft64", "dgx-superpod-h100-4su", "dgx-superpod-gb200-2su", "roce-2048-2to1"])
def test_runs_of_a_round_share_no_gpu(name: str) -> None:
    found = ladder(name)
    names = [run.name for run in found.runs]
    assert len(names) == len(set(names))
    for step in found.steps:
        for runs in step.rounds:
            used = Counter((host, gpu) for run in runs for host in run.hosts for gpu in run.gpus)
            assert max(used.values()) == 1


@pytest.mark.parametrize("name", ["ft64", "k-ary-8", "ft1024", "roce-2048-2to1", "edr-1296-directors"])
def test_pairs_fill_every_link_of_a_tree(name: str) -> None:
    """D-mod-k gives each host of a leaf an uplink of its own, so pairs by place use all of them."""
    found = ladder(name)
    seen = np.zeros(len(found.subject.fabric.links))
    for step in found.steps:
        for runs in step.rounds if step.name in ("pair", "uplink", "uplink2") else []:
            strained = strains(found.subject, runs)
            np.maximum.at(seen, strained.part[strained.part < len(seen)], strained.strain[strained.part < len(seen)])
    assert seen.min() >= 0.99


def test_pairs_across_rails_fill_spines_that_rails_alone_never_use() -> None:
    found = ladder("dgx-superpod-h100-1su")
    links = found.subject.fabric.links
    between = np.flatnonzero(found.subject.fabric.devices.tier[found.subject.fabric.ends[0]] > 0)
    used: dict[str, set[int]] = {}
    for step in found.steps[:4]:
        for runs in step.rounds:
            used.setdefault(step.name, set()).update(strains(found.subject, runs).part.tolist())
    assert not used["pair"] & set(between.tolist())
    # 8 leaves of 31 used uplinks of 32 each: d-mod-k keeps one for the 32nd host
    assert len(used["across"] & set(between.tolist())) == 8 * 31
    assert len(links) == 508


def test_hosts_that_are_down_are_left_out() -> None:
    found = ladder("ft64", devices="h1-03")
    assert "h1-03" not in found.subject.names
    assert len(found.step("hall").runs[0].hosts) == 63
    assert {len(run.hosts) for run in found.step("leaf").runs} == {7, 8}


def test_a_fabric_without_a_network_of_all_gpus_is_refused() -> None:
    layout = ft.layout_from_tree({"name": "bare", "hosts": {"type": "dgx-h100", "count": 4}})
    with pytest.raises(InputError, match="nothing to accept: there is no network"):
        subject_of(layout)


def test_a_fabric_from_elsewhere_has_a_ladder_over_its_adapters() -> None:
    built = ft.build(ft.read_layout(str(TOPOLOGIES / "ft64.yaml")))
    found = ladder_of(subject_of(built))
    assert [step.name for step in found.steps] == ["pair", "leaf", "uplink", "hall"]
