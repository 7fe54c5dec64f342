"""Faults as users state them: options, the layout's scenario, domains, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import call

import fabrictool as ft
from fabrictool.domains import DOMAINS, domains
from fabrictool.errors import FabrictoolError
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree, read_layout
from fabrictool.placement import place

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
FT64 = str(TOPOLOGIES / "ft64.yaml")
UNIT = str(TOPOLOGIES / "dgx-superpod-h100-1su.yaml")
HALL = """
racks: {type: rack-48u, hosts_per_rack: 4, cooling: direct-to-chip}
hall:
  feeds: [{name: A, voltage: 415 V, amps: 63, redundancy: %s}, {name: B, voltage: 415 V, amps: 63, redundancy: %s}]
  loops: [{name: L1}]
"""
SITE = """
name: site
hosts: {name: dgx, type: {name: h, gpus: 4, nics: 4, speed: 400G, u: 4, power_max: 5 kW, air_fraction: 0.2,
  scale_up: {domain: 8, speed: 3.6T, latency: 500 ns}}, count: 16}
networks:
  compute: {family: rail-optimized, rails: 4, scalable_unit: {hosts: 8}, speed: 400G,
    leaf: {type: {name: sw, ports: 16, speed: 400G, u: 1, power_max: 500 W}}}
"""


def _document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    _, out, err = call(capsys, *arguments, "--json")
    assert "Traceback" not in err
    return json.loads(out)


def test_options_and_a_layouts_scenario_are_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    stated = tmp_path / "layout.yaml"
    text = Path(FT64).read_text()
    assert "scenario" not in text
    stated.write_text(
        f"{text}\nscenario:\n  failed: {{links: ['leaf-01:9', 'leaf-02:10'], devices: [spine-03]}}\n"
        "  slow: [{link: 'leaf-02:11', factor: 0.5}, {link: 'leaf-04:12', factor: 0.25}]\n"
    )
    options = ["--fail-links", "leaf-01:9,leaf-02:10", "--fail-devices", "spine-03"]
    options += ["--slow", "leaf-02:11=0.5", "--slow", "leaf-04:12=0.25"]
    by_option = _document(capsys, "score", FT64, *options)
    by_layout = _document(capsys, "score", str(stated))
    assert by_option["collectives"] == by_layout["collectives"]
    assert by_option["congestion"] == by_layout["congestion"]
    assert by_option["scenario"] == by_layout["scenario"] == {
        "devices": ["spine-03"],
        "links": ["leaf-01:9 - spine-01:1", "leaf-02:10 - spine-02:2"],
        "slow": [  # leaf-02:11 goes to spine-03, which is down
            {"link": "leaf-04:12 - spine-04:4", "factor": 0.25},
        ],
        "domains": [],
    }  # fmt: skip
    by_python = ft.score(
        FT64, fail_links=["leaf-01:9", "leaf-02:10"], fail_devices="spine-03",
        slow={"leaf-02:11": 0.5, "leaf-04:12": 0.25},
    )  # fmt: skip
    assert by_python.to_dict()["collectives"] == by_option["collectives"]


def test_the_first_screen_states_the_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--fail-links", "leaf-01:9,leaf-02:10,leaf-03:11", "--fail-devices", "spine-05"]
    status, out, _ = call(capsys, "score", FT64, *options, "--slow", "leaf-02:12=0.5", "--size", "1MiB")
    assert status == 0
    assert "SCENARIO 1 device, 3 links down, 1 slow  #\n" in out


def test_a_healthy_fabric_has_no_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert _document(capsys, "score", FT64, "--size", "1MiB")["scenario"] is None
    assert "SCENARIO" not in call(capsys, "score", FT64, "--size", "1MiB")[1]


def test_random_faults_follow_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    one, same, other = (
        _document(capsys, "score", FT64, "--fail-links", "5", "--fail-devices", "1", "--seed", seed, "--size", "1MiB")
        for seed in ("1", "1", "2")
    )
    assert one == same
    assert one["scenario"]["links"] != other["scenario"]["links"]
    assert len(one["scenario"]["devices"]) == 1


def test_a_failed_leaf_cuts_its_hosts_off_and_a_failed_host_takes_its_ranks_along() -> None:
    found = ft.score(FT64, fail_devices=["leaf-01", "h1-09"])
    said = {finding.id: finding for finding in found.findings}
    assert said["cut-off"].severity == "error"
    assert said["cut-off"].message == "8 hosts of 64 are cut off: h1-01, h1-02, h1-03, h1-04, …"
    assert said["ranks-lost"].message == "1 host down (h1-09): 1 GPU in no job"
    assert {result.ranks for result in found.collectives} == {63}
    assert {result.time_s for result in found.collectives} == {None}
    assert not found.ok
    left = ft.score(FT64, fail_devices=[f"h1-{number:02d}" for number in range(1, 9)] + ["leaf-01"], size="1MiB")
    assert left.ok
    assert {result.ranks for result in left.collectives} == {56}


def test_two_leaves_spare_a_host_that_is_on_both() -> None:
    kind = {"name": "h", "gpus": 0, "nics": 2, "speed": "100G"}
    pair = {"family": "switch-pair", "speed": "100G", "isl": 2, "leaf": {"type": "sn4600c"}}
    pair |= {"leaf": {"type": {"name": "s", "ports": 32, "speed": "100G"}}}
    tree = {"name": "p", "hosts": {"name": "n", "type": kind, "count": 8}, "networks": {"storage": pair}}
    found = ft.score(layout_from_tree(tree), fail_devices="leaf-01")
    assert "cut-off" not in {finding.id for finding in found.findings}
    both = ft.score(layout_from_tree(tree), fail_links="n-01:1,n-01:2")
    assert [f.message for f in both.findings if f.id == "cut-off"] == ["1 host of 8 is cut off: n-01"]


def test_a_port_of_a_host_with_eight_is_no_host() -> None:
    """31 hosts with 8 rails, and 4 ports of the fabric's manager."""
    found = ft.score(UNIT, fail_links="dgx-01:1", size="1GiB")
    assert [f.message for f in found.findings if f.id == "cut-off"] == ["1 host port of 252 is cut off: dgx-01"]
    every = ft.score(UNIT, fail_links=[f"dgx-01:{port}" for port in range(1, 9)], size="1GiB")
    assert [f.message for f in every.findings if f.id == "cut-off"] == ["1 host of 32 is cut off: dgx-01"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--fail-links", "leaf-99:1,leaf-01:77"], "leaf-99: no such device; did you mean"),
        (["--fail-links", "leaf-99:1,leaf-01:77"], "leaf-01:77: no such port; leaf-01 has ports 1 to 16"),
        (["--fail-links", "1000"], "1000 failed links between switches asked for, but there are 64; ask for fewer"),
        (["--slow", "leaf-01:9"], "leaf-01:9: is no LINK=FACTOR; write a slow link such as leaf-01:5=0.5"),
        (["--slow", "leaf-01:9=0"], "leaf-01:9: factor 0.0 is not above 0 and at most 1; fail the link instead"),
        (["--slow", "leaf-01:9=5e-324"], "leaf-01:9: factor 5e-324 is not at least 1e-09 and at most 1; fail the link"),
        (["--fail-domain", "rack"], "rack: is no KIND:NAME; write a domain such as rack:r01"),
        (["--fail-domain", "rack:r99"], "rack:r99: there is no rack 'r99'; did you mean 'r09'?"),
        (["--fail-domain", "tray:1"], "tray:1: there is no tray '1'; known are row-01, row-02"),
        (["--fail-domain", "rak:r01"], "rak: no such kind of domain; did you mean 'rack'?"),
        (["--fail-domain", "feed:A"], "feed:A: there is no feed 'A'; there are no domains of kind feed"),
        (["--routing", "shortest"], "routing: there is no 'shortest'"),
    ],
)  # fmt: skip
def test_what_cannot_fail_is_bad_input(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "score", FT64, *options)
    assert (status, out) == (2, "")
    assert words in err


def test_a_layouts_scenario_is_wrong_at_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "layout.yaml"
    lines = Path(FT64).read_text().rstrip("\n").split("\n")
    lines += ["scenario:", "  failed:", "    links: ['leaf-01:99']", "    devices: [spine-99]"]
    path.write_text("\n".join(lines))
    status, out, err = call(capsys, "score", str(path))
    assert (status, out) == (2, "")
    assert f"{path}:{len(lines) - 1}:13: leaf-01:99: no such port" in err
    assert f"{path}:{len(lines)}:15: spine-99: no such device; did you mean 'spine-0" in err


def _site(redundancy: str = "2N") -> Any:
    import yaml

    return layout_from_tree(yaml.safe_load(SITE + HALL % (redundancy, redundancy)))


def test_domains_of_every_kind() -> None:
    layout = _site()
    fabric = build(layout)
    placement = place(layout, fabric)
    found = {kind: domains(kind, fabric, layout, placement) for kind in DOMAINS}
    assert len(found["rack"]) == len(placement.racks)
    assert sorted(row for rack in found["rack"] for row in rack.devices) == list(range(len(fabric.devices)))
    assert [len(feed.devices) for feed in found["feed"]] == [0, 0]
    assert [len(loop.devices) for loop in found["loop"]] == [16]  # hosts; air-cooled leaves go on
    assert len(found["host"]) == 16
    assert [(domain.name, domain.devices) for domain in found["scale-up"][:2]] == [
        ("dgx-01", (0, 1)), ("dgx-03", (2, 3)),
    ]  # fmt: skip
    assert [domain.name for domain in found["pod"]] == ["compute-1", "compute-2"]
    assert len(found["pod"][0].devices) == 8 + 4  # hosts and leaves of a scalable unit
    assert found["plane"] == []


def test_a_feed_of_two_that_both_are_needed_takes_all_racks_along() -> None:
    layout = _site("N")
    fabric = build(layout)
    feed = domains("feed", fabric, layout, place(layout, fabric))[0]
    assert len(feed.devices) == len(fabric.devices)
    spared = ft.score(_site(), fail_domain="feed:A", size="1MiB")
    assert spared.ok
    assert spared.state.text == "nothing lost with feed:A"
    assert {result.ranks for result in spared.collectives} == {64}
    dark = ft.score(layout, fail_domain="feed:A", size="1MiB")
    assert {result.limited_by for result in dark.collectives} == {"all hosts of its ranks are down"}


def test_a_rack_takes_its_hosts_ranks_along() -> None:
    layout = _site()
    fabric = build(layout)
    rack = domains("rack", fabric, layout, place(layout, fabric))[0]
    hosts = sum(fabric.devices.tier[list(rack.devices)] == 0)
    found = ft.score(layout, fail_domain=f"rack:{rack.name}", size="1MiB")
    assert {result.ranks for result in found.collectives} == {64 - 4 * hosts}


def test_show_counts_the_whole_and_joins_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    whole, left = (_document(capsys, "show", FT64, *more) for more in ((), ("--fail-devices", "spine-01,leaf-02")))
    assert left["counts"] == whole["counts"]
    assert left["oversubscription"] == whole["oversubscription"]
    assert left["scenario"]["devices"] == ["leaf-02", "spine-01"]
    assert whole["bisection_links"] == {"compute": 32}
    assert left["bisection_links"] == {"compute": 25}  # 3 leaves with 7 uplinks each, and 4 hosts of the parted one
    assert left["hops"]["compute"] == {"2": 7 * 56, "4": 56 * 48}
    assert "cut-off" in {finding["id"] for finding in left["findings"]}


@pytest.mark.parametrize("routing", ["s-mod-k", {"name": "s-mod-k"}])
def test_a_routing_may_be_asked_for(routing: Any) -> None:
    found = ft.score(FT64, routing=routing, size="1MiB")
    assert found.congestion["compute"].routing == "s-mod-k"


def test_a_key_that_a_routing_does_not_take_is_refused() -> None:
    with pytest.raises(FabrictoolError, match="routing s-mod-k takes no 'hash'; remove it"):
        ft.score(FT64, routing={"name": "s-mod-k", "hash": "crc32"})


def test_a_routing_in_the_layout_counts(tmp_path: Path) -> None:
    text = Path(FT64).read_text()
    path = tmp_path / "layout.yaml"
    path.write_text(text.replace("routing: d-mod-k", "routing: s-mod-k"))
    assert read_layout(str(path)).networks["compute"].routing_name == "s-mod-k"
    assert ft.score(str(path), size="1MiB").congestion["compute"].routing == "s-mod-k"


@pytest.mark.parametrize("command", ["show", "score", "route", "impact", "plot", "compare"])
def test_a_seed_below_zero_is_bad_usage(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, command, FT64, "--seed", "-1")
    assert (status, out) == (2, "")
    assert "'--seed': -1 is not in the range x>=0" in err


def test_a_fabric_that_joins_nobody_is_scored_without_numbers() -> None:
    found = ft.score(FT64, fail_devices=[f"leaf-{number:02d}" for number in range(1, 9)])
    assert {finding.id for finding in found.findings if finding.severity == "error"} == {"cut-off", "unreachable-ranks"}
    assert [result.bound_s for result in found.collectives] == [None] * 6
