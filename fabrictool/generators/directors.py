"""Directors at the top of a tree: chassis of leaf chips for the tier below, and of spine chips that join them."""

from __future__ import annotations

import numpy as np

from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.rows import Ints, PortPattern
from fabrictool.generators.site import TIERS, Site
from fabrictool.generators.tiers import mesh_ends, ports_per_cage


def add_directors(site: Site, level: int, count: int, used: int, host_bps: float) -> I4:
    """Add the chips of directors and the links between them.

    Leaf chips are of the level's kind, spine chips of the next one's; both bear the name of their chassis.
    Ports outside come first on a leaf chip, those inside after them. The first chip of a chassis has the
    ports by which the whole of it is managed.

    Parameters
    ----------
    site : Site
    level : int
        Of the directors, 1 for leaves.
    count, used : int
        Directors, and ports outside that each needs.
    host_bps : float
        Speed of the host links in bit/s.

    Returns
    -------
    (directors, leaf chips) int32
        Device rows of the leaf chips.

    Raises
    ------
    FabrictoolError
        If the directors have too few ports, or no level is left for their spine chips.
    """
    kind, place = site.tier(level).type, site.place(level)
    assert kind.director is not None
    if level == len(TIERS):
        what = f"{kind.name} is a director, whose spine chips would be a level of their own above {TIERS[level - 1]}"
        raise NotSupportedError([Problem("", what, "use directors one tier lower", place)])
    ports = site.ports(level, host_bps)
    if used > ports:
        what = f"a {TIERS[level - 1]} needs {used} ports, but {kind.name} has {ports} ports"
        raise InputError([Problem("", what, "use more directors, or choose larger ones", place)])
    chips, spines = kind.director.leaf_chips, kind.director.spine_chips
    number = np.arange(count)
    index = number * site.planes + site.plane if site.plane >= 0 else number
    outside = _leaf_chip(site, level, host_bps)
    boards = _boards("L", chips, kind.director.chips_per_leaf_board)
    lower = _add_chips(site, level, level, boards, index, outside)
    inside = np.arange(chips * kind.chip_links)
    pattern = PortPattern(inside + 1, inside, np.full(len(inside), kind.speed_bps))
    upper = _add_chips(site, level, level + 1, _boards("S", spines), index, pattern)
    site.rows.chassis_count += count
    a, z = mesh_ends(lower, upper, kind.chip_links, ports // chips + 1)
    site.rows.add_links(a, z, site.row, kind.speed_bps, site.fabric_latency_s)
    return lower


def _leaf_chip(site: Site, level: int, host_bps: float) -> PortPattern:
    """Return the ports of a leaf chip; those inside have no cage that a cable could take."""
    kind = site.tier(level).type
    assert kind.director is not None
    speed_bps = site.up_speed(level - 1, host_bps)
    each = ports_per_cage(kind, speed_bps, TIERS[level - 1], site.place(level))
    cages = kind.cage_count // kind.director.leaf_chips
    outside, inside = np.arange(cages * each), np.arange(kind.director.spine_chips * kind.chip_links)
    speed = np.repeat([speed_bps, kind.speed_bps], [len(outside), len(inside)])
    cage = np.concatenate((outside // each, cages + inside))
    return PortPattern(np.arange(1, len(cage) + 1), cage, speed)


def _boards(letter: str, chips: int, per_board: int = 1) -> list[str]:
    """Return the places of chips as InfiniBand names them: L03 for the first on a leaf board, L03/U2 for the second."""
    width = max(2, len(str(chips // per_board)))
    return [
        f"{letter}{n // per_board + 1:0{width}d}" + (f"/U{n % per_board + 1}" if n % per_board else "")
        for n in range(chips)
    ]


def _add_chips(site: Site, level: int, tier: int, boards: list[str], index: Ints, pattern: PortPattern) -> I4:
    """Add one sort of chips, board by board and there director by director; return rows (directors, boards).

    In this order a switch below counts its parents as it would whole directors: q mod directors.
    """
    kind, count, directors = site.tier(level).type, len(boards), len(index)
    rows = []
    for managed, many in ((tier == level, 1), (False, count - 1)):
        rows.append(
            site.rows.add_devices(
                many * directors, TIERS[tier - 1], tier, kind.name, site.prefix + TIERS[level - 1], pattern,
                kind.latency_s or 0.0, site.row, plane=site.plane, index=np.tile(index, many), managed=managed,
            )
        )  # fmt: skip
    chips = np.concatenate(rows)
    chassis = np.tile(site.rows.chassis_count + np.arange(directors), count)
    site.rows.set_chips(chips, chassis, np.repeat(boards, directors))
    return chips.reshape(count, directors).T


def chip_ends(chips: I4, per_chip: int, ports: tuple[Ints, Ints], alike: tuple[int, int] | None) -> tuple[Ints, Ints]:
    """Return the chips and port numbers that ports of whole directors are.

    Parallel links of a switch below go to neighbouring chips, one each, and as many switches below as a
    chip has ports share the same chips: those reach each other without spine chips, and none loses more
    than one link with a chip. Where that does not come out even, links go round all chips.

    Parameters
    ----------
    chips : (directors, chips) int32
        Device rows.
    per_chip : int
        Ports outside of a chip.
    ports : pair of (links,) int
        Place of each link's director, and its port there: those of one switch below together, from 1.
    alike : pair of int, optional
        Switches below a director, and links of each to it, where these are equally many.
    """
    director, place, count = ports[0], ports[1] - 1, chips.shape[1]
    chip, port = place % count, place // count
    if alike is not None:
        children, parallel = alike
        if parallel <= count and children <= count // parallel * per_chip:
            child, cable = place // parallel, place % parallel
            chip, port = child // per_chip * parallel + cable, child % per_chip
    return chips[director, chip], port + 1
