"""How many of random mistakes ``verify`` finds, how many of its findings are true, and how long it takes.

Mistakes are made on generated fabrics by plain swaps of ends, each on devices that no other touches twice in the
same ports; a tenth of the links then goes dark, which nobody looked at. A mistake counts if a link of it is left to
be seen; a finding is true if it is of the mistake's kind, or names it as its alternative, and concerns its links.

    python benchmarks/verify.py [SEEDS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import fabrictool as ft
from fabrictool.cabling.planned import planned
from fabrictool.cabling.told import RootCause
from fabrictool.cabling.verdict import verdict
from fabrictool.records import Dump, Sighting

HOST = {"name": "host", "gpus": 8, "nics": 8, "speed": "400G"}


def layout(hosts: int, rails: int, unit: int, ports: int, leaf: str | None = None) -> ft.Fabric:
    switch = leaf or {"name": f"sw{ports}", "ports": ports, "speed": "400G"}
    tree = {
        "name": f"{hosts}-hosts-{rails}-rails",
        "hosts": {"name": "gpu", "type": {**HOST, "gpus": rails, "nics": rails}, "count": hosts},
        "networks": {
            "compute": {
                "family": "rail-optimized", "speed": "400G", "rails": rails, "scalable_unit": {"hosts": unit},
                "leaf": {"type": switch}, "spine": {"type": switch},
            }
        },
    }  # fmt: skip
    return ft.build(ft.layout_from_tree(tree))


@dataclass
class Made:
    """A mistake that was made: its kind, the planned links that it moved, and the connectors to be moved back."""

    kind: str
    links: frozenset[int]
    unplugs: int


@dataclass
class Site:
    """A fabric while mistakes are made: where the ends of each link are, and which ports are touched already."""

    fabric: ft.Fabric
    rng: np.random.Generator
    a: np.ndarray = field(init=False)
    z: np.ndarray = field(init=False)
    touched: set[int] = field(default_factory=set)
    made: list[Made] = field(default_factory=list)
    slow: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.a, self.z = self.fabric.links.port_a.copy(), self.fabric.links.port_z.copy()
        self.at = np.full(len(self.fabric.ports), -1, np.int64)
        self.at[self.a] = self.at[self.z] = np.arange(len(self.a))

    def ports(self, device: int) -> list[int]:
        """Return the ports of a device."""
        return list(range(self.fabric.first_port[device], self.fabric.first_port[device + 1]))

    def used(self, device: int) -> list[int]:
        """Return the linked ports of a device."""
        return [port for port in self.ports(device) if self.at[port] >= 0]

    def move(self, kind: str, to: dict[int, int], unplugs: int) -> bool:
        """Put what is in some ports into others; refused where another mistake was made."""
        both = set(to) | set(to.values())
        peers = {int(self.fabric.ports.peer[port]) for port in both if self.at[port] >= 0}
        if (both | peers) & self.touched:
            return False
        self.touched |= both | peers
        links = {int(self.at[port]) for port in to if self.at[port] >= 0}
        old_a, old_z = self.fabric.links.port_a, self.fabric.links.port_z
        for link in links:
            self.a[link] = to.get(int(old_a[link]), old_a[link])
            self.z[link] = to.get(int(old_z[link]), old_z[link])
        self.made.append(Made(kind, frozenset(links), unplugs))
        return True

    def drop(self, kind: str, links: list[int]) -> bool:
        """Take links away; refused where another mistake was made."""
        ends = {int(port) for link in links for port in (self.a[link], self.z[link])}
        if ends & self.touched:
            return False
        self.touched |= ends
        self.gone |= set(links)
        self.made.append(Made(kind, frozenset(links), len(links)))
        return True

    def of_kind(self, tier: int) -> int:
        """Return a device of a tier at random."""
        return int(self.rng.choice(np.flatnonzero(self.fabric.devices.tier == tier)))


def swapped_pair(site: Site) -> bool:
    one, two = (int(site.rng.choice(site.used(site.of_kind(0)))) for _ in range(2))
    if site.fabric.ports.device[one] == site.fabric.ports.device[two]:
        return False
    return site.move("swapped-pair", {one: two, two: one}, 2)


def rails_swapped(site: Site) -> bool:
    one, two = (int(port) for port in site.rng.choice(site.used(site.of_kind(0)), 2, replace=False))
    return site.move("rails-swapped", {one: two, two: one}, 2)


def rail_rotation(site: Site) -> bool:
    ports = site.used(site.of_kind(0))
    if len(ports) < 4:
        return False
    return site.move("rail-rotation", dict(zip(ports, ports[1:] + ports[:1], strict=True)), len(ports))


def host_exchange(site: Site) -> bool:
    one, two = site.of_kind(0), site.of_kind(0)
    pairs = list(zip(site.used(one), site.used(two), strict=True))
    if one == two or len(pairs) < 4:
        return False
    return site.move("host-exchange", dict(pairs) | {b: a for a, b in pairs}, 0)


def port_block_shift(site: Site) -> bool:
    ports = site.used(site.of_kind(1))
    down = [
        port for port in ports if site.fabric.devices.tier[site.fabric.ports.device[site.fabric.ports.peer[port]]] == 0
    ]
    size = int(site.rng.integers(4, 10))
    if len(down) < size + 1:
        return False
    first = int(site.rng.integers(0, len(down) - size))
    block = down[first : first + size]
    return site.move("port-block-shift", dict(zip(block, block[1:] + block[:1], strict=True)), size)


def uplinks_swapped(site: Site) -> bool:
    ports = site.used(site.of_kind(1))
    up = [
        port for port in ports if site.fabric.devices.tier[site.fabric.ports.device[site.fabric.ports.peer[port]]] == 2
    ]
    one, two = (int(port) for port in site.rng.choice(up, 2, replace=False))
    return site.move("uplinks-swapped", {one: two, two: one}, 2)


def wrong_leaf(site: Site) -> bool:
    leaf = site.of_kind(1)
    free = [port for port in site.ports(leaf) if site.at[port] < 0]
    port = int(site.rng.choice(site.used(site.of_kind(0))))
    old = int(site.fabric.ports.peer[port])
    here = int(site.fabric.ports.device[old])
    if not free or here == leaf:
        return False
    rails = site.fabric.devices.rail
    kind = "wrong-leaf" if rails[leaf] == rails[here] else "wrong-rail"
    to = int(site.rng.choice(free))
    return site.move(kind, {old: to, to: old}, 1)


def rail_reversal(site: Site) -> bool:
    ports = site.used(site.of_kind(0))
    if len(ports) < 4:
        return False
    return site.move("rail-reversal", dict(zip(ports, ports[::-1], strict=True)), len(ports))


def half_host_exchange(site: Site) -> bool:
    one, two = site.of_kind(0), site.of_kind(0)
    half = len(site.used(one)) // 2
    pairs = list(zip(site.used(one)[:half], site.used(two)[:half], strict=True))
    if one == two or half < 4:
        return False
    return site.move("half-host-exchange", dict(pairs) | {b: a for a, b in pairs}, 2 * half)


def switch_exchange(site: Site) -> bool:
    one, two = site.of_kind(1), site.of_kind(1)
    pairs = list(zip(site.ports(one), site.ports(two), strict=True))
    return one != two and site.move("switch-exchange", dict(pairs) | {b: a for a, b in pairs}, 0)


def cages_swapped(site: Site) -> bool:
    ports = site.used(site.of_kind(1))
    cage = site.fabric.ports.cage
    tier, peer, owner = site.fabric.devices.tier, site.fabric.ports.peer, site.fabric.ports.device
    down = [port for port in ports if tier[owner[peer[port]]] == 0]
    one, two = (int(value) for value in site.rng.choice(cage[down], 2))
    sides = [[port for port in down if cage[port] == value] for value in (one, two)]
    if one == two or len(sides[0]) != 2 or len(sides[1]) != 2:
        return False
    pairs = list(zip(*sides, strict=True))
    return site.move("cages-swapped", dict(pairs) | {b: a for a, b in pairs}, 2)


def wrong_speed(site: Site) -> bool:
    link = int(site.rng.integers(len(site.a)))
    ends = {int(site.a[link]), int(site.z[link])}
    if ends & site.touched:
        return False
    site.touched |= ends
    site.slow.add(link)
    site.made.append(Made("wrong-speed", frozenset([link]), 1))
    return True


def missing_link(site: Site) -> bool:
    return site.drop("missing-link", [int(site.rng.integers(len(site.a)))])


def host_absent(site: Site) -> bool:
    return site.drop("host-absent", [int(site.at[port]) for port in site.used(site.of_kind(0))])


KINDS: tuple[Callable[[Site], bool], ...] = (
    swapped_pair, rails_swapped, rail_rotation, host_exchange, port_block_shift, uplinks_swapped, wrong_leaf,
    missing_link, host_absent, rail_reversal, half_host_exchange, switch_exchange, cages_swapped, wrong_speed,
)  # fmt: skip


def built(fabric: ft.Fabric, mistakes: int, dark: float, seed: int) -> tuple[Site, set[int], Dump]:
    """Return a site with mistakes, its dark links, and what is seen of it."""
    site = Site(fabric, np.random.default_rng(seed))
    while len(site.made) < mistakes:
        site.rng.choice(np.array(KINDS, object))(site)
    unseen = set(site.rng.choice(len(site.a), int(dark * len(site.a)), replace=False).tolist()) - site.gone
    names, number = fabric.names, fabric.ports.number.tolist()
    device = fabric.ports.device.tolist()
    rows = []
    for link, (a, z) in enumerate(zip(site.a.tolist(), site.z.tolist(), strict=True)):
        if link not in site.gone:
            seen = None if link in unseen else True
            speed = 200e9 if link in site.slow else 400e9
            rows.append(Sighting(names[device[a]], str(number[a]), names[device[z]], str(number[z]), seen, "", speed))
    return site, unseen, Dump("built", "table", tuple(rows), frozenset(names))


def is_true(row: RootCause, made: Made, dark: set[int]) -> bool:
    kinds = {row.root_cause, *(word for word, _ in row.alternatives)}
    found = set(row.rows)
    return made.kind in kinds and found <= made.links | dark and made.links - found <= dark


def judge(
    fabric: ft.Fabric, mistakes: int, dark: float, seed: int, show: bool = False
) -> tuple[int, int, int, int, int, float]:
    """Return causes made and visible, found, true findings, unplugs asked for and needed, and seconds."""
    site, unseen, dump = built(fabric, mistakes, dark, seed)
    started = time.perf_counter()
    found = verdict(planned(fabric), [dump], {})
    took_s = time.perf_counter() - started
    causes = [row for row in found.findings if row.root_cause]
    left = [made for made in site.made if made.links - unseen]
    visible, unplugs, needed, true = len(left), 0, 0, 0
    for row in causes:
        hit = next((made for made in left if is_true(row, made, unseen)), None)
        if hit is None:
            if show:
                print("  untrue:", row.root_cause, row.subject, len(row.rows))
            unplugs += row.unplugs
            continue
        left.remove(hit)
        true += 1
        unplugs += row.unplugs
        needed += hit.unplugs if row.unplugs else 0
    if show:
        for made in left:
            print(
                "  not found:",
                made.kind,
                len(made.links),
                "links",
                len(made.links & unseen),
                "dark",
                [fabric.link_name(link) for link in sorted(made.links)][:4],
            )
    return visible, len(causes), true, unplugs, needed, took_s


def main(seeds: int = 5) -> None:
    fabrics = [layout(1000, 8, 64, 128), layout(1000, 2, 32, 64, "qm9700")]
    print("fabric                     links  dark  visible  found  true  precision  recall  unplugs  needed   s")
    for fabric in fabrics:
        for dark in (0.0, 0.1):
            rows = [judge(fabric, 50, dark, seed, show=seeds == 1) for seed in range(seeds)]
            visible, found, true, unplugs, needed = (sum(row[place] for row in rows) for place in range(5))
            took_s = max(row[5] for row in rows)
            print(
                f"{fabric.name:24} {len(fabric.links):7,} {dark:5.0%} {visible:8} {found:6} {true:5} "
                f"{true / found:10.3f} {true / visible:7.3f} {unplugs:8} {needed:7} {took_s:5.1f}"
            )
    large = layout(2048, 8, 128, 256)
    visible, found, true, unplugs, needed, took_s = judge(large, 50, 0.0, 1)
    print(f"{large.name}: {len(large.links):,} links, {true} of {visible} mistakes in {took_s:.1f} s")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
