"""Slim Fly: the McKay-Miller-Siran graphs, 2 q^2 routers at most two hops apart."""

from __future__ import annotations

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.generators import groups
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.finite_field import Field, Longs, field, prime_power
from fabrictool.generators.site import Site
from fabrictool.generators.tiers import TierPlan, add_tier

KEYS = frozenset({"q", "hosts_per_leaf", "leaf"})


def slim_fly(site: Site, ends: Endpoints) -> None:
    """Add the routers and links of a Slim Fly.

    Router (s, x, y) is row (s q + x) q + y; the routers of equal s and x are a group. Ports of a
    router: hosts, then links inside its group, then one to each group of the other half.

    Parameters
    ----------
    site : Site
    ends : Endpoints

    Raises
    ------
    InputError
        If q is no prime power, or ports and hosts do not fit.

    References
    ----------
    M. Besta, T. Hoefler, "Slim Fly: A Cost Effective Low-Diameter Network Topology", SC 2014,
    section II-B, equations 1-3 (the graph) and II-B2 (hosts: half of the network radix, rounded up).
    B. D. McKay, M. Miller, J. Siran, "A Note on Large Graphs of Diameter Two and Given Maximum
    Degree", 1998. P. R. Hafner, "Geometric realisation of the graphs of McKay-Miller-Siran", 2004:
    the generating sets for prime powers.
    """
    q = site.network.q
    if q is None:
        raise InputError([Problem("", "q is not given", "add 'q: 5', a prime power", site.path)])
    if prime_power(q) is None:
        raise InputError([_no_prime_power(q, (*site.path, "q"))])
    radix = network_radix(q)
    hosts = site.network.hosts_per_leaf
    down = -(-radix // 2) if hosts is None else hosts * ends.lanes
    groups.raise_all(
        [
            *groups.stated_elsewhere(site, "q"),
            _too_few_ports(site, q, down, ends.speed_bps),
            groups.too_many_hosts(ends, 2 * q * q * down, "raise q or hosts_per_leaf", site.path),
        ]
    )
    speed = site.up_speed(1, ends.speed_bps)
    kind, down_bps = site.tier(1).type, site.up_speed(0, ends.speed_bps)
    plan = TierPlan("router", 1, kind, 2 * q * q, down, radix, down_bps, speed, site.place(1))
    routers = add_tier(site.rows, plan, site.row, site.prefix + "router", np.arange(2 * q * q) // q)
    groups.fill_hosts(site, routers, np.full(len(routers), down), ends)
    numbers = field(q)
    inside = [_links_inside(numbers, half, *_generators(numbers)[half]) for half in (0, 1)]
    degree = radix - q
    for parts, first in ((inside, down + 1), ([_links_across(numbers)], down + degree + 1)):
        a, a_place, z, z_place = (np.concatenate(column) for column in zip(*parts, strict=True))
        lower, upper = (routers[a], first + a_place), (routers[z], first + z_place)
        site.rows.add_links(lower, upper, site.row, speed, site.fabric_latency_s)


def network_radix(q: int) -> int:
    """Return the links to other routers of each router, (3 q - d) / 2 for q = 4 w + d."""
    d = {0: 0, 1: 1, 3: -1}[q % 4]
    return (3 * q - d) // 2


def _generators(numbers: Field) -> tuple[tuple[Longs, Longs], tuple[Longs, Longs]]:
    """Return the generating sets X and X' and the negatives of their elements."""
    q, w = numbers.q, (numbers.q + 1) // 4
    if q % 4 == 3:
        low = np.r_[np.arange(0, 2 * w - 1, 2), np.arange(2 * w - 1, 4 * w - 2, 2)]
        high = np.r_[np.arange(1, 2 * w, 2), np.arange(2 * w, 4 * w - 1, 2)]
    else:
        low, high = np.arange(0, q - 1, 2), np.arange(1, q, 2)
    zero = np.zeros(1, np.int64)
    chosen = [numbers.powers[places % (q - 1)] for places in (low, high)]
    return tuple((found, numbers.minus(zero, found)) for found in chosen)  # type: ignore[return-value]


def _links_inside(numbers: Field, half: int, found: Longs, negative: Longs) -> tuple[Longs, Longs, Longs, Longs]:
    """Return routers and port places of links (x, y) - (x, y + g): place k of y leads to y + g_k."""
    q = numbers.q
    place = np.zeros(q, np.int64)
    place[found] = np.arange(len(found))
    y, k = (axis.ravel() for axis in np.indices((q, len(found))))
    other = numbers.plus(y, found[k])
    once = y < other
    y, k, other = y[once], k[once], other[once]
    back = place[negative[k]]
    base = (half * q + np.arange(q))[:, None] * q
    a, z = (base + y).ravel(), (base + other).ravel()
    return a, np.tile(k, q), z, np.tile(back, q)


def _links_across(numbers: Field) -> tuple[Longs, Longs, Longs, Longs]:
    """Return routers and port places of links (0, x, y) - (1, m, c) with y = m x + c."""
    q = numbers.q
    x, y, m = (axis.ravel() for axis in np.indices((q, q, q)))
    c = numbers.minus(y, numbers.times(m, x))
    return x * q + y, m, (q + m) * q + c, x


def _no_prime_power(q: int, path: tuple[str, ...]) -> Problem:
    below = next((n for n in range(q, 2, -1) if prime_power(n)), None)
    above = next(n for n in range(q, 2 * q) if prime_power(n))
    return Problem("", f"q is {q}, which is no prime power", f"use {below} or {above}", path)


def _too_few_ports(site: Site, q: int, down: int, host_bps: float) -> Problem | None:
    """Say that the router's type has too few ports, if so, and what would fit."""
    room, radix = groups.ports_left(site, 1, down, host_bps), network_radix(q)
    if room >= radix:
        return None
    kind = site.tier(1).type.name
    what = f"a router of {down} host ports and {radix} to other routers does not fit {kind}"
    all_ports = groups.ports_left(site, 1, 0, host_bps)
    keeps = down if site.network.hosts_per_leaf is not None else 0
    fits = (n for n in range(q - 1, 2, -1) if prime_power(n))
    best = next((n for n in fits if network_radix(n) + (keeps or -(-network_radix(n) // 2)) <= all_ports), None)
    fix = f"use q of {best} or less, or a larger switch" if best else "choose a larger switch"
    return Problem("", what, fix, (*site.path, "q"))
