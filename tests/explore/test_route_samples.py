"""``route`` on fabrics and patterns as neutral files, against answers from explicit walks, exact fractions and LPs.

Every sample of ``tests/data/routing`` goes the way of a user's file: ``edges.csv`` and a pattern file in, JSON out.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import fabrics
import numpy as np
import pytest

from fabrictool.explore.routed import route
from fabrictool.formats.recognise import read_fabric

SAMPLES = Path(__file__).parent.parent / "data" / "routing"
LINE_BPS = 100e9
HEADER = "a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network,a_group,z_group"

#: Routing of a sample, to the keys of its answers that are held against it: loads, then rates.
SINGLE = {"d-mod-k": ("link_load", "maxmin_rate"), "s-mod-k": ("smodk_link_load", "")}
FLUID = {"spray": ("spray_link_load", "spray_maxmin_rate")}
DRAGONFLY = {
    "minimal": ("minimal_link_load", "minimal_maxmin_rate"),
    "valiant": ("valiant_link_load", ""),
}
ENGINES = {"minhop": "min-hop", "updn": "up-down", "ftree": "ftree"}


def _names() -> list[str]:
    return sorted(path.stem for path in SAMPLES.glob("*.json"))


@cache
def _sample(name: str) -> dict[str, Any]:
    sample: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return sample


def _cables(sample: dict[str, Any]) -> list[tuple[str, int, str, int, float]]:
    """Cables as (device, port, device, port, capacity); ports are counted up where the sample has none."""
    used: dict[str, int] = {}
    rows = []
    for cable in sample["fabric"]["cables"]:
        if len(cable) == 4:
            rows.append((*cable, 1.0))
            continue
        a, z, capacity = cable
        for device in (a, z):
            used[device] = used.get(device, 0) + 1
        rows.append((a, used[a], z, used[z], capacity))
    return rows


def _group(device: str, kind: str) -> str:
    """Group of a dragonfly+ switch, which stands in its name."""
    return device[1:].split("_", maxsplit=1)[0] if kind == "dragonfly+" and device[0] in "LP" else ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("routing")


def _edges(name: str, folder: Path) -> Path:
    path = folder / f"{name}.edges.csv"
    if not path.exists():
        sample = _sample(name)
        hosts, kind = set(sample["fabric"]["hosts"]), sample["fabric"].get("params", {}).get("type", "")
        rows = [HEADER]
        for a, i, z, j, capacity in _cables(sample):
            kinds = ["host" if device in hosts else _kind(device, kind) for device in (a, z)]
            ends = f"{a},{kinds[0]},{i},{z},{kinds[1]},{j}"
            rows.append(f"{ends},{capacity * LINE_BPS:.0f},0,net,{_group(a, kind)},{_group(z, kind)}")
        path.write_text("\n".join(rows) + "\n")
    return path


def _kind(device: str, kind: str) -> str:
    """Kind of a switch where it is stated: leaves and spines of a dragonfly+, whose links are not all upward."""
    return {"L": "leaf", "P": "spine"}[device[0]] if kind == "dragonfly+" else "switch"


def _pattern(name: str, folder: Path) -> str:
    sample = _sample(name)
    path = folder / f"{name}.pattern.csv"
    cables = _cables(sample)

    def sender(channel: int) -> str:
        a, i, z, j, _ = cables[channel // 2]
        return f"{z}:{j}" if channel % 2 else f"{a}:{i}"

    if sample.get("keys"):
        rows = [("source", "destination", "volume", "key"), *((s, d, 1, key) for key, s, d in sample["keys"])]
    elif sample.get("matchings"):
        rows = [("source", "destination", "volume", "group")]
        rows += [(f"H{s}", f"H{d}", 1, at) for at, pairs in enumerate(sample["matchings"]) for s, d in pairs]
    elif sample.get("paths"):
        ways = [" ".join(map(sender, path)) for path in sample["paths"]]
        rows = [("source", "destination", "volume", "path")]
        rows += [(*demand, way) for demand, way in zip(sample["demands"], ways, strict=True)]
    elif sample.get("demands"):
        rows = [("source", "destination", "volume"), *map(tuple, sample["demands"])]
    else:
        return "all-to-all"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return str(path)


def _document(name: str, folder: Path, routing: Any, *metrics: str, pattern: str | None = None) -> dict[str, Any]:
    path = _edges(name, folder)
    fabric = read_fabric(path)
    dead = [fabric.port_name(int(fabric.links.port_a[row])) for row in _sample(name).get("dead_cables") or []]
    return route(fabric, routing, pattern or _pattern(name, folder), metrics=metrics, fail_links=dead).to_dict()


def _listed(document: dict[str, Any], name: str) -> dict[int, float]:
    """Loads as a sample lists them: channel 2 i from the first end of cable i, 2 i + 1 back; zeros left out."""
    first = [f"{a}:{i}" for a, i, _, _, _ in _cables(_sample(name))]
    found = {}
    for row in document["loads"]:
        ways = (row["forward"], row["reverse"]) if row["a"] == first[row["link"]] else (row["reverse"], row["forward"])
        found |= {2 * row["link"] + way: load for way, load in enumerate(ways) if load}
    return found


def _rates(values: list[Any]) -> list[float | None]:
    return [None if value is None else float(Fraction(str(value))) * LINE_BPS for value in values]


def _cases(routings: dict[str, tuple[str, str]]) -> Iterator[Any]:
    for name in _names():
        for routing, (loads, rates) in routings.items():
            if loads in _sample(name)["expect"] and not name.startswith(("ring", "ecmp", "rail", "opensm")):
                yield pytest.param(name, routing, loads, rates, id=f"{name}-{routing}")


@pytest.mark.parametrize(("name", "routing", "loads", "rates"), [*_cases(SINGLE | FLUID | DRAGONFLY)])
def test_loads_and_rates(name: str, routing: str, loads: str, rates: str, folder: Path) -> None:
    expect = _sample(name)["expect"]
    document = _document(name, folder, routing)
    assert _listed(document, name) == pytest.approx({int(at): load for at, load in expect[loads].items()}, rel=1e-9)
    if rates in expect:
        assert document["rates"] == pytest.approx(_rates(expect[rates]), rel=1e-9)
    if "unreachable" in expect:
        assert document["unreachable"] == expect["unreachable"]
    if routing == "d-mod-k" and "max_load" in expect:
        assert max(max(row["forward"], row["reverse"]) for row in document["loads"]) == expect["max_load"]
    if "edge_forwarding_index_switch_links" in expect:
        assert document["switch_links"]["max"] == expect["edge_forwarding_index_switch_links"]
        assert document["hops"] == expect["hop_histogram"]


@pytest.mark.parametrize("name", [name for name in _names() if name.startswith("ecmp-crc")])
def test_hashes(name: str, folder: Path) -> None:
    sample = _sample(name)
    document = _document(name, folder, {"name": "ecmp", "hash": "crc32", "seeds": sample["seeds"]})
    assert _listed(document, name) == {int(at): load for at, load in sample["expect"]["link_load"].items()}
    assert document["rates"] == pytest.approx(_rates(sample["expect"]["maxmin_rate"]), rel=1e-9)


@pytest.mark.parametrize("name", [name for name in _names() if name.startswith("ring")])
def test_stated_paths_and_their_dependencies(name: str, folder: Path) -> None:
    expect = _sample(name)["expect"]
    document = _document(name, folder, "explicit")
    assert _listed(document, name) == {int(at): load for at, load in expect["link_load"].items()}
    found = document["dependencies"]
    assert (found["channels"], found["edges"]) == (expect["cdg_nodes"], expect["cdg_edges"])
    assert bool(found["loops"]) == expect["credit_loop"]
    first = [(f"{a}:{i}", f"{z}:{j}") for a, i, z, j, _ in _cables(_sample(name))]
    listed = [sorted(first[at // 2][at % 2] for at in loop) for loop in expect.get("cdg_cyclic_components", [])]
    assert [sorted(loop) for loop in found["loops"]] == listed


@pytest.mark.parametrize("name", [name for name in _names() if name.startswith("opensm")])
def test_engines_of_the_subnet_manager(name: str, folder: Path) -> None:
    expect = _sample(name)["expect"]
    engine = ENGINES[name.rsplit("-", 1)[1]]
    document = _document(name, folder, engine)
    assert _listed(document, name) == {int(at): load for at, load in expect["link_load_all_pairs"].items()}
    found = document["dependencies"]
    assert (found["channels"], found["edges"]) == (expect["cdg_nodes"], expect["cdg_edges"])
    assert bool(found["loops"]) == expect["credit_loop"]
    assert document["switch_links"]["max"] == expect["edge_forwarding_index_switch_links"]
    worst = {int(load): steps for load, steps in expect["shift_max_load_histogram"].items()}
    shifts = _document(name, folder, engine, pattern="shifts")["shifts"]
    assert shifts["worst"] == max(worst)
    assert shifts["mean"] == pytest.approx(sum(load * steps for load, steps in worst.items()) / sum(worst.values()))


@pytest.mark.parametrize("name", [name for name in _names() if "mcf_theta" in _sample(name)["expect"]])
def test_bounds_by_linear_programs_and_cuts(name: str, folder: Path) -> None:
    expect = _sample(name)["expect"]
    metrics = ["concurrent-flow", *(["min-cut"] if "mincut_halves" in expect else [])]
    metrics += ["throughput-bound"] if "tub" in expect else []
    document = _document(name, folder, "minimal" if name.startswith("dfp") else "spray", *metrics)
    assert document["concurrent_flow"] == pytest.approx(expect["mcf_theta"] * LINE_BPS, rel=1e-7)
    if "mincut_halves" in expect:
        assert document["min_cut"] == pytest.approx(expect["mincut_halves"] * LINE_BPS, rel=1e-9)
    if "tub" in expect:
        assert document["throughput_bound"] == pytest.approx(expect["tub"], rel=1e-9)


@pytest.mark.parametrize("name", [name for name in _names() if "host_hop_histogram" in _sample(name)["expect"]])
def test_distances_of_all_pairs(name: str, folder: Path) -> None:
    routing = "minimal" if name.startswith("dfp") else "spray"
    document = _document(name, folder, routing, pattern="all-to-all")
    assert document["hops"] == _sample(name)["expect"]["host_hop_histogram"]


@pytest.mark.parametrize("name", [name for name in _names() if "mix_theta" in _sample(name)["expect"]])
def test_the_best_mix_of_minimal_and_valiant(name: str, folder: Path) -> None:
    expect = _sample(name)["expect"]
    document = _document(name, folder, "ugal")
    worst = max(max(row["forward"], row["reverse"]) for row in document["loads"])
    assert 1 / worst == pytest.approx(expect["mix_theta"], rel=1e-6)
    assert np.isclose(float(Fraction(expect["minimal_theta"])), 0.25)


def test_effective_bisection_of_listed_matchings(folder: Path) -> None:
    """The mean over groups of the mean of 1 / (largest load on the path)."""
    expect = _sample("ft64-ebb")["expect"]
    document = _document("ft64-ebb", folder, "d-mod-k")
    assert document["effective_bisection"]["mean"] == pytest.approx(expect["ebb"], rel=1e-9)
    assert document["effective_bisection"]["trials"] == len(expect["per_matching"])


def test_pairs_without_a_way_are_listed_in_larger_fabrics_too() -> None:
    """A leaf of 4 of 300 hosts is down: each of its hosts has lost all others, both ways."""
    document = route(fabrics.pgft((4, 75), (1, 2), (1, 1)), fail_devices="leaf-02").to_dict()
    assert document["hops"]["inf"] == len(document["unreachable"]) == 2 * 4 * 296 + 4 * 3
    assert {host for pair in document["unreachable"] for host in pair if 4 <= host < 8} == {4, 5, 6, 7}
    assert all(4 <= source < 8 or 4 <= target < 8 for source, target in document["unreachable"])
