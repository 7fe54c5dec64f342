"""What crosses each channel of a tree: pairs of a leaf and a destination, and the places of links in its tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.tables import I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.kernels.moved import list_crossings
from fabrictool.records import Domain
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.int64]
Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Crossings:
    """Pairs, flows or places by channel or link: a CSR.

    Parameters
    ----------
    first : (rows + 1,) int64
        Offsets.
    item : (items,) int
    """

    first: I8
    item: Rows

    def of(self, row: Rows) -> I8:
        """Return the items of some rows, as they come."""
        begin = self.first[row]
        count = self.first[row + 1] - begin
        end = np.cumsum(count)
        place = np.arange(end[-1] if len(end) else 0) + np.repeat(begin - end + count, count)
        return np.asarray(self.item[place], dtype=np.int64)

    def across(self, link: I4) -> I8:
        """Return what crosses any of some links in either direction, each once; rows are channels."""
        found = self.of(np.concatenate((2 * link, 2 * link + 1)))
        return distinct(found) if len(link) > 1 else found  # nothing crosses one link twice


def by_row(row: Rows, item: Rows, rows: int) -> Crossings:
    """Return items, each with its row, as a CSR."""
    order = np.argsort(row, kind="stable")
    first = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=rows)))).astype(np.int64)
    return Crossings(first, item[order])


def pairs_by_channel(tables: RouteTables, leaf: I4, channels: int) -> Crossings:
    """Return the pairs that cross each channel: place of the leaf times the destinations, plus the destination.

    Parameters
    ----------
    tables : RouteTables
    leaf : (leaves,) int32
        Device rows.
    channels : int
    """
    count = np.zeros(channels, np.int64)
    run = list_crossings(3.0 * len(leaf) * len(tables.leaf))
    run(tables, leaf, count, np.zeros(0, np.int32))
    first = np.concatenate(([0], np.cumsum(count)))
    item = np.empty(int(first[-1]), np.int32)
    run(tables, leaf, first[:-1].copy(), item)
    return Crossings(first, item)


def crossing_pairs(pairs: Crossings, link: I4, rank: I8, shape: tuple[int, int]) -> I8:
    """Return the pairs that a loss may send another way or end: those over lost links or to lost ranks, each once.

    Parameters
    ----------
    pairs : Crossings
    link : (links,) int32
        Lost links.
    rank : (lost,) int64
        Ranks whose own port is lost.
    shape : (leaves, ranks)
    """
    crossing = pairs.across(link)
    if not len(rank):
        return crossing
    ending = (np.arange(shape[0], dtype=np.int64)[:, None] * shape[1] + rank).ravel()
    return np.unique(np.concatenate((crossing, ending))) if len(crossing) else ending


def lost_links(wiring: Wiring, domain: Domain) -> I4:
    """Return the links of a network that a domain takes down and that were up."""
    fabric = wiring.fabric
    link = np.array(domain.links, np.int32)
    if domain.devices:
        down = np.zeros(len(fabric.devices), bool)
        down[list(domain.devices)] = True
        a, z = fabric.ends
        link = np.union1d(link, np.flatnonzero(down[a] | down[z])).astype(np.int32)
    live = ~wiring.faults.links.dead[link] & (fabric.links.network[link] == wiring.network)
    found: I4 = link[live]
    return found


class LinkPlaces:
    """Where each link stands in routing tables, so that it can be cut and put back.

    Attributes
    ----------
    rank : Crossings
        Ranks whose port is on each link.
    """

    def __init__(self, tables: RouteTables, links: int) -> None:
        self._up = _places(tables.up_channel, links)
        self._own = _places(tables.own_channel.ravel(), links)
        self.rank = _places(tables.port_channel, links)

    def cut(self, tables: RouteTables, link: I4) -> Callable[[], None]:
        """Take links out of tables; return what puts them back."""
        columns = (tables.up_channel, tables.own_channel.reshape(-1), tables.port_channel)
        kept = []
        for column, places in zip(columns, (self._up, self._own, self.rank), strict=True):
            place = places.of(link)
            kept.append((column, place, column[place]))
            column[place] = -1

        def undo() -> None:
            for column, place, channel in kept:
                column[place] = channel

        return undo


def _places(channel: I4, links: int) -> Crossings:
    """Return the places at which each link stands in a column of channels, -1 being none."""
    place = np.flatnonzero(channel >= 0)
    return by_row(channel[place] // 2, place, links)
