"""Ports that a lock keeps: which port of its device each link is plugged into."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.chassis import backplane_links
from fabrictool.fabric.grouping import grouped
from fabrictool.fabric.tables import Bool, Fabric
from fabrictool.locks.tables import GONE, Lock

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plugged:
    """Locked links that are not removed: rows of the lock, and port rows of the fabric at both ends."""

    row: Rows
    a: Rows
    z: Rows

    def whole(self) -> Plugged:
        """Return those of which both ends are there."""
        both = (self.a >= 0) & (self.z >= 0)
        return Plugged(self.row[both], self.a[both], self.z[both])


def plugged(lock: Lock, fabric: Fabric) -> Plugged:
    """Return the ports that locked links are plugged into, by the names of devices; -1 for ends that are gone."""
    cables = lock.cables
    row_of = {name: row for row, name in enumerate(fabric.names)}
    device = np.array([row_of.get(name, -1) for name in lock.devices.name], np.int64)
    device[lock.devices.state == GONE] = -1
    rows = np.flatnonzero(cables.state != GONE)
    ports = fabric.ports
    key = ports.device.astype(np.int64) << 32 | ports.number
    ends = []
    for locked, number in ((cables.a[rows], cables.a_port[rows]), (cables.z[rows], cables.z_port[rows])):
        at = device[locked] if len(rows) else np.zeros(0, np.int64)
        wanted = np.where(at >= 0, at << 32 | number, -1)
        place = np.minimum(np.searchsorted(key, wanted), max(len(key) - 1, 0))
        there = (key[place] == wanted) & (wanted >= 0) if len(key) else np.zeros(len(rows), np.bool_)
        ends.append(np.where(there, place, -1))
    return Plugged(rows, ends[0], ends[1])


def with_ports(lock: Lock, fabric: Fabric) -> Fabric:
    """Return a fabric whose links between devices that were joined before are plugged in where they were.

    Of links between the same two devices those at the same ports come first. Links that are new, or lead elsewhere
    now, keep the ports that they were given, or take what is free of the same kind. Links in a chassis stay.
    """
    links, ports = fabric.links, fabric.ports
    before = plugged(lock, fabric).whole()
    near, far, turned = _oriented(fabric, links.port_a.astype(np.int64), links.port_z.astype(np.int64))
    was_near, was_far, _ = _oriented(fabric, before.a, before.z)
    kinds = _kinds(fabric)
    matched = _matched((near, far), (was_near, was_far), kinds, ~backplane_links(fabric))
    hit = matched >= 0
    wanted_near = np.where(hit, np.append(was_near, -1)[matched], -1)
    wanted_far = np.where(hit, np.append(was_far, -1)[matched], -1)
    if (~hit | ((wanted_near == near) & (wanted_far == far))).all():
        return fabric
    done = _plugged(np.concatenate((near, far)), np.concatenate((wanted_near, wanted_far)), kinds)
    low, high = np.split(done.astype(np.int32), 2)
    a, z = np.where(turned, high, low), np.where(turned, low, high)
    peer = np.full(len(ports), -1, np.int32)
    peer[a], peer[z] = z, a
    return replace(fabric, ports=replace(ports, peer=peer), links=replace(links, port_a=a, port_z=z))


def _kinds(fabric: Fabric) -> Rows:
    """Return a number for each port, (ports,), alike for those of a device that may stand for each other."""
    ports, links = fabric.ports, fabric.links
    network = np.zeros(len(ports), np.int64)
    network[links.port_a] = network[links.port_z] = links.network + 1
    host = fabric.devices.tier[ports.device] == 0
    speed = np.unique(ports.speed_bps, return_inverse=True)[1].ravel()
    own = np.where(host, network, 0)  # a free port of a host belongs to no network
    found, like = grouped(speed, ports.rail, ports.plane, own)
    kinds = np.unique(ports.device.astype(np.int64) * (len(found) + 1) + like, return_inverse=True)[1]
    return np.asarray(kinds.ravel(), np.int64)


def _oriented(fabric: Fabric, a: Rows, z: Rows) -> tuple[Rows, Rows, Bool]:
    """Return the ports of links with the lower tier, or else the earlier device, first; and which were turned."""
    tier, device = fabric.devices.tier, fabric.ports.device
    level = tier[device[a]].astype(np.int16) - tier[device[z]]
    turned = (level > 0) | ((level == 0) & (device[a] > device[z]))
    return np.where(turned, z, a), np.where(turned, a, z), turned


def _matched(now: tuple[Rows, Rows], was: tuple[Rows, Rows], kinds: Rows, free: Bool) -> Rows:
    """Return which locked link each link is, (links,), -1 for none: between the same devices, same ports first."""
    count = len(kinds) + 1
    found, spare = np.full(len(now[0]), -1, np.int64), np.ones(len(was[0]), np.bool_)
    for exact in ((True, True), (True, False), (False, True), (False, False)):
        rows, others = np.flatnonzero((found < 0) & free), np.flatnonzero(spare)
        codes = []
        for ends, chosen in ((now, rows), (was, others)):
            near, far = (end[chosen] if same else kinds[end[chosen]] for end, same in zip(ends, exact, strict=True))
            codes.append(near * count + far)
        mine, theirs = _paired(*codes)
        found[rows[mine]] = others[theirs]
        spare[others[theirs]] = False
    return found


def _paired(now: Rows, was: Rows) -> tuple[Rows, Rows]:
    """Return rows with equal codes, pair by pair in their order, each row once."""
    _, code = np.unique(np.concatenate((now, was)), return_inverse=True)
    first, second = code[: len(now)], code[len(now) :]
    size = len(code) + 1
    _, mine, theirs = np.intersect1d(
        first * size + _rank(first), second * size + _rank(second), assume_unique=True, return_indices=True
    )
    return mine, theirs


def _rank(codes: Rows) -> Rows:
    """Return how many earlier rows have the same code."""
    order = np.argsort(codes, kind="stable")
    rank = np.empty(len(codes), np.int64)
    rank[order] = np.arange(len(codes)) - np.searchsorted(codes[order], codes[order])
    return rank


def _plugged(ends: Rows, wanted: Rows, kinds: Rows) -> Rows:
    """Return the port of each end: the wanted one, else its own while nobody wants it, else a free one alike."""
    done = np.where(wanted >= 0, wanted, ends)
    used, taken = np.zeros(len(kinds), np.bool_), np.zeros(len(kinds), np.bool_)
    used[ends], taken[wanted[wanted >= 0]] = True, True
    moved = np.flatnonzero((wanted < 0) & taken[ends])
    taken[ends[wanted < 0]] = True
    free = np.flatnonzero(~taken)
    free = free[np.argsort(~used[free], kind="stable")]  # what was in use first
    mine, theirs = _paired(kinds[ends[moved]], kinds[free])
    done[moved[mine]] = free[theirs]
    return done
