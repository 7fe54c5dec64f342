"""``fabrictool route``: what a user types, what is printed, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import call

from fabrictool.cli.main import main

LAYOUT = """\
name: small
hosts: {name: h, type: {name: h, gpus: 1, nics: 1, speed: 400G}, count: 16}
networks:
  compute:
    {family: fat-tree, hosts_per_leaf: 4, link: {latency: 300 ns},
     leaf: {type: {name: s, ports: 8, speed: 400G, latency: 200 ns}}}
scenario:
  jobs:
    - {collective: all-reduce, algorithm: ring, size: 1MiB, ranks: {count: 8}}
    - {collective: permutation, size: 2MiB, ranks: {offset: 8, count: 4}, pairs: [[0, 2], [1, 3]]}
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(LAYOUT)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["route", "small.yaml", *arguments])
        printed = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, printed.out, printed.err

    return call


def _document(run: Run, *arguments: str) -> dict[str, Any]:
    status, out, _ = run(*arguments, "--json")
    assert status in (0, 1)
    found: dict[str, Any] = json.loads(out)
    return found


def test_all_keys_are_always_there(run: Run) -> None:
    document = _document(run)
    expected = {"loads", "switch_links", "destinations_per_link", "rates", "hops", "unreachable", "shifts"}
    expected |= {"dependencies", "min_cut", "concurrent_flow", "throughput_bound", "effective_bisection"}
    expected |= {"hot_links", "incast", "bisection_width"}
    assert expected <= set(document)
    assert document["hops"] == {"2": 48, "4": 192}
    assert document["switch_links"] == {"max": 12, "min": 12, "mean": 12.0}
    assert document["destinations_per_link"] == {"max": 3, "min": 1, "mean": 2.0}
    assert document["max_link_load"] == 1.0
    assert len(document["loads"]) == 32
    assert document["loads"][0] == {"link": 0, "a": "h-01:1", "z": "leaf-01:1", "forward": 15, "reverse": 15}


def test_the_edge_forwarding_index_is_that_of_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    """FT64 under D-mod-k: 63 pairs over a host link, 56 over a leaf's uplink."""
    layout = str(Path(__file__).parents[2] / "topologies" / "ft64.yaml")
    _, out, _ = call(capsys, "route", layout, "--json")
    assert json.loads(out)["edge_forwarding_index"] == {"host_links": 63, "switch_links": 56}
    _, out, _ = call(capsys, "route", layout)
    assert "host links 63, switch links 56" in out
    _, out, _ = call(capsys, "route", layout, "--pattern", "shift:1", "--json")
    assert json.loads(out)["edge_forwarding_index"] is None


def test_tables_name_the_busiest_links(run: Run) -> None:
    """Bit reversal of 16 hosts sends three of each leaf's hosts to one spine."""
    status, out, _ = run("--pattern", "bit-reversal")
    assert status == 0
    assert "leaf to spine" in out
    assert "leaf-01:5" in out
    assert "4: 12" in out


def test_a_way_names_each_port(run: Run) -> None:
    _, out, _ = run("--path", "h-01", "h-07", "--json")
    way = json.loads(out)
    ends = [(row["from"], row["to"]) for row in way["path"]]
    assert ends == [
        ("h-01:1", "leaf-01:1"), ("leaf-01:7", "spine-01:2"), ("spine-01:4", "leaf-02:7"), ("leaf-02:3", "h-07:1"),
    ]  # fmt: skip
    assert way["path"][-1]["latency_s"] == pytest.approx(4 * 300e-9 + 3 * 200e-9)
    status, out, _ = run("--path", "h-01", "h-07")
    assert status == 0
    assert "spine-01:4" in out


def test_where_there_is_no_way_it_is_said_why(run: Run) -> None:
    status, out, _ = run("--path", "h-01", "h-07", "--fail-links", "h-01:1", "--json")
    assert (status, json.loads(out)["path"]) == (1, [])
    assert json.loads(out)["lost"] == {"why": "no port of h-01 in network compute is up", "path": []}
    status, out, _ = run("--path", "h-01", "h-07", "--fail-devices", "spine-01,spine-02")
    assert "no switches and links that are up join them" in out
    assert "hop" not in out


def test_a_way_by_tables_is_followed_to_its_dead_end_and_once_around_a_loop(run: Run) -> None:
    run("--routing", "min-hop", "-o", "good.lft")
    rows = Path("good.lft").read_text().splitlines(keepends=True)
    spine = next(row for row, text in enumerate(rows) if "(spine-01)" in text)
    entry = next(row for row in range(spine, len(rows)) if "'h-05 " in rows[row])
    assert rows[entry].split()[1] == "003"
    Path("dead.lft").write_text("".join([*rows[:entry], *rows[entry + 1 :]]))
    Path("loop.lft").write_text("".join([*rows[:entry], rows[entry].replace(" 003 ", " 001 "), *rows[entry + 1 :]]))
    _, out, _ = run("--lft", "dead.lft", "--path", "h-01", "h-05", "--json")
    lost = json.loads(out)["lost"]
    assert lost["why"] == "spine-01 has no entry for h-05:1 that leads on"
    assert [row["to"] for row in lost["path"]] == ["leaf-01:1", "spine-01:1"]
    status, out, _ = run("--lft", "loop.lft", "--path", "h-01", "h-05")
    assert status == 1
    assert "the tables send it in a loop: leaf-01 - spine-01 - leaf-01" in out
    assert "as far as it gets" in out


def test_latencies_that_nobody_knows_are_null_and_scale_up_goes_by_its_switch(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["export", "small.yaml", "--to", "ibnetdiscover", "-o", "small.net"])
    _, out, _ = call(capsys, "route", "small.net", "--path", "0", "7", "--json")
    assert [row["latency_s"] for row in json.loads(out)["path"]] == [None] * 4
    unit = str(Path(__file__).parents[2] / "topologies" / "dgx-superpod-h100-1su.yaml")
    _, out, _ = call(capsys, "route", unit, "--path", "8", "14", "--json")
    ends = [(row["from"], row["to"]) for row in json.loads(out)["path"]]
    switch = "scale-up switch"
    assert ends == [("dgx-02 gpu 0 scale-up", switch), (switch, "dgx-02 gpu 6 scale-up")]


@pytest.mark.parametrize("command", ["score", "impact"])
def test_a_routing_with_parameters_may_be_asked_for(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    layout = str(Path(__file__).parents[2] / "topologies" / "ft64.yaml")
    _, out, _ = call(capsys, command, layout, "--routing", "{name: ecmp, hash: crc32, seeds: [0, 0, 0]}", "--json")
    document = json.loads(out)
    assert (document["congestion"]["compute"] if command == "score" else document)["routing"] == "ecmp"
    status, out, err = call(capsys, command, layout, "--routing", "{name: ecmp, seeds: [1]}")
    assert (status, out) == (2, "")
    assert err.startswith("--routing: 1 seed for the 3 tiers of network compute")
    status, out, err = call(capsys, command, layout, "--routing", "valiant")
    assert (status, err.partition(":")[0]) == (2, "--routing")


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (("h-01", "h-1"), "no host 'h-1' in network compute"),
        (("h-01", "h-01"), "are one; name two hosts"),
        (("3", "99"), "rank 99 is not there; ranks are 0 to 15"),
    ],
)
def test_ways_that_make_no_sense(ends: tuple[str, str], said: str, run: Run) -> None:
    status, out, err = run("--path", *ends)
    assert (status, out) == (2, "")
    assert said in err


def test_a_pattern_file(run: Run) -> None:
    Path("p.csv").write_text("source,destination,volume\nh-01,h-05,2\n0,h-09:1,1\n")
    document = _document(run, "--pattern", "p.csv")
    assert document["rates"] == [200e9, 200e9]
    assert document["hops"] == {"4": 2}
    assert document["loads"][0]["forward"] == 3


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("h-99,h-01", "p.csv:2:1: no host 'h-99' in network compute; did you mean"),
        ("h-01,h-01", "p.csv:2:1: h-01 sends to itself; leave the row out"),
        ("16,h-01", "p.csv:2:1: rank 16 is not there; ranks are 0 to 15"),
    ],
)
def test_rows_that_make_no_sense(row: str, said: str, run: Run) -> None:
    Path("p.csv").write_text(f"source,destination\n{row}\n")
    status, out, err = run("--pattern", "p.csv")
    assert (status, out) == (2, "")
    assert said in err


def test_collectives_and_jobs_as_patterns(run: Run) -> None:
    """A ring puts 2 (N - 1) / N of its size on each host link; jobs of a scenario share the fabric."""
    ring = _document(run, "--pattern", "all-reduce:ring")
    assert ring["loads"][0]["forward"] == pytest.approx(2 * 15 / 16)
    jobs = _document(run, "--pattern", "jobs")
    host = {row["a"]: row["forward"] for row in jobs["loads"] if row["a"].startswith("h-")}
    assert host["h-01:1"] == pytest.approx(2 * 7 / 8 * 2**20)
    assert host["h-09:1"] == 2 * 2**20
    assert host["h-16:1"] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--pattern", "ring"], "pattern 'ring' is not known"),
        (["--pattern", "shift:x"], "does not say the step"),
        (["--pattern", "all-reduce:halving"], "all-reduce by 'halving' is not known; use one of ring"),
        (["--pattern", "nowhere.csv"], "nowhere.csv:1:1: no such file"),
        (["--network", "storage"], "--network: no network 'storage'"),
        (["--routing", "d-mod"], "routing: there is no"),
        (["--metrics", "mincut"], "--metrics: no metric 'mincut'; did you mean 'min-cut'?"),
        (["--routing", "valiant"], "--routing: network compute is a tree, which has no groups to go by"),
        (["--routing", "{name: ecmp, seeds: [1]}"], "--routing: 1 seed for the 3 tiers of network compute"),
        (["--routing", "{name: spray, seeds: [1]}"], "routing: routing spray takes no 'seeds'"),
        (
            ["--routing", "{name: ecmp, flows_per_pair: 100000}"],
            "--routing: 100,000 queue pairs a flow are more than 1,024",
        ),
        (["--pattern", "bisection:1000000000"], "draws 1,000,000,000 matchings, but 1,000,000 are the most"),
    ],
)
def test_what_makes_no_sense_is_refused(options: list[str], said: str, run: Run) -> None:
    status, out, err = run(*options)
    assert (status, out) == (2, "")
    assert said in err


def test_several_layouts_make_a_list(run: Run) -> None:
    _, out, _ = run("small.yaml", "--json")
    assert [document["layout"] for document in json.loads(out)] == ["small", "small"]


def test_what_is_down_is_said_and_left_out(run: Run) -> None:
    document = _document(run, "--routing", "spray", "--pattern", "shift:4", "--fail-links", "leaf-01:5")
    assert document["scenario"]["links"] == ["leaf-01:5 - spine-01:1"]
    dead = next(row for row in document["loads"] if row["a"] == "leaf-01:5")
    assert (dead["forward"], dead["reverse"]) == (0, 0)
    # into leaf 1: half of the traffic of four hosts comes over spine 1, which has one cable left there
    assert min(document["rates"]) == pytest.approx(200e9)
    status, out, _ = run("--fail-devices", "leaf-01")
    assert status == 1
    assert "unreachable-pairs" in out
    assert "no way: " in out


def test_faults_that_are_not_there_are_refused(run: Run) -> None:
    status, out, err = run("--fail-links", "leaf-01:99", "--fail-devices", "leaf-9")
    assert (status, out) == (2, "")
    assert "leaf-01:99: no such port" in err
    assert "leaf-9: no such device; did you mean 'leaf-0" in err


def test_tables_go_out_and_come_in(run: Run) -> None:
    assert run("-o", "lft.txt", "-q")[:2] == (0, "")
    document = _document(run, "--lft", "lft.txt")
    assert document["routing"] == "lft"
    assert document["loads"] == _document(run)["loads"]
    assert run("--routing", "spray", "-o", "none.txt")[0] == 2
    assert not Path("none.txt").exists()


def test_metrics_on_request(run: Run) -> None:
    """16 hosts on a full tree: half of the hosts' links cross between any two halves."""
    document = _document(run, "--pattern", "shift:4", "--metrics", "min-cut,bisection-width,concurrent-flow,shifts")
    assert document["min_cut"] == 8 * 400e9
    assert document["bisection_width"] == {"bps": 8 * 400e9, "exact": True, "method": "all splits"}
    assert document["concurrent_flow"] == pytest.approx(400e9)
    assert document["shifts"] == {"worst": 1.0, "mean": 1.0}
    assert document["incast"] == {"flows": 1, "host": "h-01"}
    assert document["dependencies"] is None


def test_dependencies_and_what_falls_before_it_climbs(run: Run) -> None:
    """Leaf 1 keeps spine 2 alone, leaf 2 spine 1: min-hop goes over a third leaf and can deadlock, up-down does not."""
    faults = ("--fail-links", "leaf-01:5,leaf-01:7,leaf-02:6,leaf-02:8")
    legal = _document(run, "--routing", "up-down", *faults)
    assert (legal["dependencies"]["loops"], legal["dependencies"]["up_down_violations"]) == ([], 0)
    assert legal["hops"]["inf"] == 2 * 4 * 4
    document = _document(run, "--routing", "min-hop", *faults)
    found = document["dependencies"]
    assert "inf" not in document["hops"]
    assert len(found["loops"]) == [finding["id"] for finding in document["findings"]].count("credit-loop") > 0
    assert found["up_down_violations"] == len(found["violations"]) > 0
    assert all(first.startswith("spine") and second.startswith("leaf") for first, second in found["violations"])


EDGES = "a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network\n" + "".join(
    f"h{host},host,1,l{host // 2},leaf,{host % 2 + 1},{{speed}},500 ns,c\n" for host in range(4)
) + "".join(f"l{leaf},leaf,3,s,spine,{leaf + 1},{{speed}},500 ns,c\n" for leaf in range(2))  # fmt: skip


@pytest.mark.parametrize("routing", ["min-hop", "up-down", "ftree", "ecmp", "spray"])
def test_a_link_from_host_to_host_carries_nothing(
    routing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edges = tmp_path / "edges.csv"
    edges.write_text(EDGES.format(speed="400G") + "h0,host,2,h3,host,2,400G,500 ns,c\n")
    status, out, _ = call(capsys, "route", str(edges), "--routing", routing, "--json")
    found = json.loads(out)
    assert status == 0
    assert found["hops"] == {"2": 4, "4": 8}
    assert (found["loads"][-1]["forward"], found["loads"][-1]["reverse"]) == (0, 0)


@pytest.mark.parametrize("pattern", ["all-to-all", "shift:1"])
def test_rates_over_links_of_unknown_speed_are_null(
    pattern: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edges = tmp_path / "edges.csv"
    edges.write_text(EDGES.format(speed=""))
    found = json.loads(call(capsys, "route", str(edges), "--pattern", pattern, "--json")[1])
    assert set(found["rates"]) == {None}
    assert found["unreachable"] == []
    assert call(capsys, "route", str(edges), "--pattern", pattern)[2] == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--path", "h-01", "h-02", "-o", "x.lft"], "--path shows one way, so -o has no part in it"),
        (["--path", "h-01", "h-02", "--pattern", "shift:1"], "so --pattern has no part in it"),
        (["--lft", "any.lft", "--routing", "spray"], "routing 'spray' is asked for, but any.lft states the routing"),
    ],
)
def test_options_that_have_no_part_are_refused(options: list[str], said: str, run: Run) -> None:
    status, out, err = run(*options)
    assert (status, out) == (2, "")
    assert said in err
    assert not Path("x.lft").exists()


def test_without_speeds_what_depends_on_them_is_null(run: Run) -> None:
    rows = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network"]
    rows += [f"x{i},host,1,s1,leaf,{i},,,net" for i in range(1, 5)]
    Path("unknown.csv").write_text("\n".join(rows) + "\n")
    document = json.loads(run("unknown.csv", "--metrics", "min-cut,concurrent-flow", "--json")[1])[1]
    assert document["max_link_load"] is None
    assert document["min_cut"] is None
    assert document["concurrent_flow"] is None
    assert document["loads"][0]["forward"] == 3


def test_broken_paths_are_named_at_their_lines(run: Run) -> None:
    Path("p.csv").write_text(
        "source,destination,path\n\nh-01,h-02,h-01:1 leaf-01:2\nh-01,h-03,h-01:1 leaf-01:2\nh-01,h-04,\n"
    )
    status, out, err = run("--routing", "explicit", "--pattern", "p.csv")
    assert (status, out) == (2, "")
    assert "p.csv:4:1: h-01 to h-03: the path ends at h-02:1; end at a port of the target" in err
    assert "p.csv:5:1: h-01 to h-04: the path is empty" in err
    assert "p.csv:3" not in err
