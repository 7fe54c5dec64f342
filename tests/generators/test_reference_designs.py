"""Published designs, built from their parameters: counts by tier and links must be those of the document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fabrictool.cli.show import summary
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

FILE = Path(__file__).parents[3] / "shared" / "reference-designs.yaml"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DESIGNS = {row["id"]: row for row in yaml.load(FILE.read_text(), LOADER)["designs"]} if FILE.exists() else {}
pytestmark = pytest.mark.skipif(not DESIGNS, reason="the collection of reference designs is not beside this checkout")


def _switch(ports: int, speed: str = "400G") -> dict[str, Any]:
    return {"name": f"sw{ports}", "ports": ports, "speed": speed}


def _host(gpus: int, nics: Any = None) -> dict[str, Any]:
    if isinstance(nics, list):
        return {"name": "h", "gpus": gpus, "nics": nics}
    return {"name": "h", "gpus": gpus, "nics": nics or gpus, "speed": "400G"}


def _nics(count: int, each: int, speed: str, role: str = "compute") -> dict[str, Any]:
    return {"role": role, "count": count, "ports_each": each, "speed": speed}


def _layout(count: int, kind: Any, **network: Any) -> dict[str, Any]:
    return {"hosts": {"name": "host", "type": kind, "count": count}, "networks": {"compute": network}}


def _superpod(hosts: int, kind: str, unit: int, **more: Any) -> dict[str, Any]:
    network = {"family": "rail-optimized", "rails": 8, "scalable_unit": {"hosts": unit}, "leaf": "qm9700"}
    return _layout(hosts, kind, **(network | more))


def _with_ufm(layout: dict[str, Any]) -> dict[str, Any]:
    ufm = {"name": "ufm", "type": _host(0, 4), "count": 1, "role": "service"}
    layout["hosts"] = [layout["hosts"], ufm]
    attach = [{"hosts": "host", "role": "compute"}, {"hosts": "ufm", "ports": [0, 1, 2, 3]}]
    layout["networks"]["compute"]["attach"] = attach
    return layout


def _b300_planes(hosts: int) -> dict[str, Any]:
    planes = {"family": "multi-plane", "planes": 2, "plane_by": "port", "speed": "400G", "cables": "per-cage"}
    leaf = {"type": "sn5610", "down": 64, "up": 64}
    return _superpod(hosts, "dgx-b300", 64, leaf=leaf, protocol="ethernet", **planes)


def _gb200(racks: int, core: int) -> dict[str, Any]:
    trays = 18 * racks
    tiers = {
        "leaf": {"type": "qm9700", "down": 18, "up": 18},
        "spine": {"type": "qm9700", "count": trays // 6, "groups": trays // 36},
        "core": {"type": "qm9700", "count": core, "groups": 6},
    }
    return _layout(racks, "gb200-nvl72", family="rail-optimized", rails=4, scalable_unit={"hosts": 144}, **tiers)


def _a100() -> dict[str, Any]:
    kind = {"type": _switch(40, "200G")}
    tiers = {"leaf": kind, "spine": kind | {"count": 80, "groups": 8}, "core": kind | {"count": 28, "groups": 2}}
    return _superpod(140, "dgx-a100", 20, **tiers)


def _ocp(hosts: int, unit: int, planes: int = 1) -> dict[str, Any]:
    switch = {"type": "celestica-ds5000", "up_speed": "800G", "up": 32}
    back = {"family": "rail-optimized", "protocol": "ethernet", "speed": "400G", "rails": 8}
    back |= {"scalable_unit": {"hosts": unit}, "leaf": switch | {"down": 64}}
    if planes > 1:
        back |= {"family": "multi-plane", "planes": planes, "plane_by": "port"}
    front = {"family": "rail-optimized", "protocol": "ethernet", "speed": "200G", "rails": 2}
    front |= {"scalable_unit": {"hosts": hosts}, "leaf": switch, "attach": [{"hosts": "host", "role": "frontend"}]}
    layout = _layout(hosts, _host(8, [_nics(8, planes, "400G"), _nics(1, 2, "200G", "frontend")]))
    return layout | {"networks": {"be": back, "fe": front}}


def _pgft(m: list[int], w: list[int], p: list[int], ports: int = 64) -> dict[str, Any]:
    total = 1
    for children in m:
        total *= children
    return _layout(total, _host(1), family="fat-tree", pgft={"m": m, "w": w, "p": p}, leaf={"type": _switch(ports)})


def _k_ary(k: int) -> dict[str, Any]:
    return _layout(k**3 // 4, _host(1), family="fat-tree", k=k, leaf={"type": _switch(k)})


def _era(hosts: int, gpus: int, nics: int, isl: int) -> dict[str, Any]:
    kind = _host(gpus, [_nics(nics, 1, "400G"), _nics(1, 2, "200G", "frontend")])
    attach = [{"hosts": "host", "role": "compute"}, {"hosts": "host", "role": "frontend"}]
    pair = {"family": "switch-pair", "protocol": "ethernet", "isl": isl, "speed": "400G", "leaf": "sn5600"}
    return _layout(hosts, kind, attach=attach, **pair)


def _rail_only(hosts: int) -> dict[str, Any]:
    return _layout(hosts, _host(8), family="rail-only", speed="400G", leaf={"type": _switch(64)})


def _hpn() -> dict[str, Any]:
    switch = {"type": "arista-7060x6-64pe", "up_speed": "400G"}
    tiers = {"leaf": switch | {"down": 136, "up": 60}, "spine": switch | {"count": 120, "up": 8}}
    planes = {"family": "multi-plane", "protocol": "ethernet", "planes": 2, "plane_by": "port", "rails": 8}
    return _layout(1920, _host(8, [_nics(8, 2, "200G")]), scalable_unit={"hosts": 128}, **planes, **tiers)


def _meta() -> dict[str, Any]:
    sizes = {"hosts_per_leaf": 2, "oversubscription": [1, 7], "pod": {"hosts": 384}}
    tiers = {"leaf": {"type": _switch(64)}, "spine": {"type": _switch(256)}}
    return _layout(3072, _host(8), family="fat-tree", protocol="ethernet", **sizes, **tiers)


LAYOUTS: dict[str, dict[str, Any]] = {
    **{f"dgx-superpod-h100-{n}su": _with_ufm(_superpod(32 * n - 1, "dgx-h100", 32)) for n in (1, 2, 4)},
    **{f"dgx-superpod-b200-{n}su-full": _superpod(32 * n, "dgx-b200", 32) for n in (4, 8, 16, 64)},
    **{f"dgx-superpod-b300-sn5610-{n}su": _b300_planes(64 * n) for n in (1, 4, 16)},
    **{f"dgx-superpod-b300-xdr-{n}su": _superpod(72 * n, "dgx-b300", 72, leaf="q3400-ra") for n in (1, 2, 8)},
    "dgx-superpod-gb200-2su": _gb200(16, 18),
    "dgx-superpod-gb200-8su": _gb200(64, 72),
    "dgx-superpod-a100-140n": _a100(),
    "dgx-basepod-ndr400-4n": _layout(
        4, "dgx-h100", family="switch-pair", isl=16, speed="400G", leaf="qm9700",
        cables={"host": "per-link", "fabric": "per-cage"},
    ),
    "ocp-opg-128-ro": _ocp(16, 16),
    "ocp-opg-512-ro": _ocp(64, 64),
    "ocp-xoc-1024-ro": _ocp(128, 64),
    "ocp-xoc-256-single-homed": _ocp(32, 32),
    "ocp-opg-256-dual-plane": _ocp(32, 32, planes=2),
    "nvidia-era-2-8-5-200-20n": _era(20, 8, 4, 40),
    "nvidia-era-2-4-3-200-32n": _era(32, 4, 2, 32),
    "deepseek-ft2": _pgft([32, 64], [1, 32], [1, 1]),
    "deepseek-mpft-8plane": _layout(
        2048, _host(8), family="multi-plane", planes=8, plane_by="nic", hosts_per_leaf=32, leaf={"type": _switch(64)}
    ),
    "deepseek-ft3": _k_ary(64),
    **{f"kary-fat-tree-k{k}": _k_ary(k) for k in (4, 8, 16, 32, 48, 64)},
    "pgft-36port-648": _pgft([18, 36], [1, 18], [1, 1], 36),
    "pgft-36port-324-p2": _pgft([18, 18], [1, 9], [1, 2], 36),
    "pgft-64port-3level-65536": _pgft([32, 32, 64], [1, 32, 32], [1, 1, 1]),
    "rail-only-64h-64p": _rail_only(64),
    "rail-only-256h-64p": _rail_only(256),
    "meta-24k-roce-llama3": _meta(),
    "alibaba-hpn7-pod": _hpn(),
    "spectrum-x-4096-rail": _layout(
        512, _host(8), family="rail-optimized", protocol="ethernet", speed="400G", rails=8,
        scalable_unit={"hosts": 64}, leaf={"type": "sn5600", "up": 64}, spine={"type": "sn5600", "count": 64},
    ),
}  # fmt: skip
OCP = [name for name in LAYOUTS if name.startswith("ocp")]
PAIRS = [name for name in LAYOUTS if name.startswith("nvidia-era")]
TIERED = [name for name in LAYOUTS if name not in OCP + PAIRS]
#: The documents' words for our kinds.
KINDS = {"edge": "leaf", "agg": "spine", "tor": "leaf", "rtsw": "leaf", "l1": "leaf", "l2": "spine", "l3": "core"}
KINDS |= {"switch": "leaf", "tray": "host", "l0": "host", "core_uplink": "uplink", "ufm": "service"}
#: These count ports or adapters as hosts.
BY_PORT = {"deepseek-mpft-8plane"}

_shown: dict[str, dict[str, Any]] = {}


def _show(name: str) -> dict[str, Any]:
    if name not in _shown:
        _shown[name] = summary(build(layout_from_tree({"name": name} | LAYOUTS[name])))
    return _shown[name]


def _links(name: str, a: str, z: str, network: str = "compute") -> list[dict[str, Any]]:
    wanted = (network, KINDS.get(a, a), KINDS.get(z, z))
    return [row for row in _show(name)["links"] if (row["network"], row["a"], row["z"]) == wanted]


@pytest.mark.parametrize("name", TIERED)
def test_counts_by_tier(name: str) -> None:
    counts = _show(name)["network_counts"]["compute"]
    for tier, row in DESIGNS[name]["tiers"].items():
        kind = KINDS.get(tier, tier)
        if not (kind == "host" and name in BY_PORT):
            assert counts["hosts" if kind == "host" else kind] == row["count"], tier


@pytest.mark.parametrize("name", TIERED)
def test_links_between_tiers(name: str) -> None:
    for row in DESIGNS[name]["links"]:
        found = _links(name, row["a"], row["b"])
        assert sum(link["count"] for link in found) == row["count"], row
        if "cables" in row:
            assert sum(link["cables"] for link in found) == row["cables"], row
        if "per_pair" in row:
            assert {link["per_pair"] for link in found} == {row["per_pair"]}, row
        if "groups" in row and KINDS.get(row["a"], row["a"]) != "host":
            assert {link["groups"] for link in found} == {row["groups"]}, row


@pytest.mark.parametrize("name", OCP)
def test_open_cluster_designs(name: str) -> None:
    """Their maps tell back end and front end apart; the planes' switches are summed here."""
    shown, expect = _show(name), DESIGNS[name]["expect"]
    for network in ("be", "fe"):
        counts = shown["network_counts"][network]
        assert (counts["leaf"], counts["spine"]) == (expect[f"{network}_leaf"], expect[f"{network}_spine"])
        assert sum(row["count"] for row in _links(name, "host", "leaf", network)) == expect[f"{network}_host_links"]
    assert shown["counts"]["links"] == expect["links_total"]
    assert sum(row["count"] for row in shown["links"] if row["a"] == "leaf") == expect["leaf_spine_links"]
    assert shown["counts"]["transceivers"] == expect["server_transceivers"] + expect["switch_transceivers"]


@pytest.mark.parametrize("name", PAIRS)
def test_enterprise_pairs(name: str) -> None:
    """Adapter k of a host is on switch k mod 2, its two frontend ports on one each."""
    expect = DESIGNS[name]["expect"]
    by_speed = {row["speed_bps"]: row for row in _links(name, "host", "leaf")}
    assert by_speed[400e9]["count"] == expect["gpu_links"]
    assert by_speed[200e9]["count"] == expect["host_inband_links"]
    assert [row["count"] for row in _links(name, "leaf", "leaf")] == [expect["isl_links"]]
    assert _show(name)["network_counts"]["compute"]["leaf"] == expect["core_switches"] == 2
    for row in DESIGNS[name]["links"]:
        assert by_speed[row["gbps"] * 1e9]["per_pair"] == row["per_pair"]


def test_multi_plane_endpoints_are_adapters() -> None:
    """The paper counts the endpoints of all eight planes: 2,048 hosts of eight adapters."""
    name = "deepseek-mpft-8plane"
    assert _show(name)["counts"]["gpus"] == DESIGNS[name]["tiers"]["host"]["count"]
    assert _show(name)["components"]["compute"] == 8


@pytest.mark.parametrize("name", ["rail-only-64h-64p", "rail-only-256h-64p"])
def test_rails_without_spines_between_them_fall_apart(name: str) -> None:
    assert _show(name)["components"]["compute"] == DESIGNS[name]["expect"]["connected_components_without_scale_up"]


def test_published_oversubscription() -> None:
    """HPN: 128 active hosts make 1.067 at the ToR, 120 links down over 8 up 15 at the core. Llama 3 states
    1:7: 192 links down a spine over 7 are 27.4, and 28 whole links up keep the promise."""
    hpn, meta = (
        _show(name)["oversubscription_by_tier"]["compute"] for name in ("alibaba-hpn7-pod", "meta-24k-roce-llama3")
    )
    assert hpn == pytest.approx([128 * 200 / (60 * 400), 15.0])
    assert meta == pytest.approx([1.0, 192 / 28])


def test_every_design_is_covered() -> None:
    """Dragonflies and the networks of a bill of materials have tests of their own; a cabinet plan is no network."""
    dragonflies = {name for name in DESIGNS if "dragonfly" in name or name == "frontier-slingshot"}
    assert set(DESIGNS) - set(LAYOUTS) == dragonflies | {"dgx-superpod-h100-4su-bom", "alps-gh200-cabinets"}
