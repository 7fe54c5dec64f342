"""Panels, trunks and patches that a lock keeps, and those of fibres that are new, around them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fabrictool.cabling.choice import Option
from fabrictool.cabling.patching import UNKNOWN, Fibres, Patching, trunk_name
from fabrictool.fabric.tables import Bool
from fabrictool.locks.tables import GONE, Lock
from fabrictool.locks.text import natural

_NUMBER = re.compile(r"-P?(\d+)$")


def locked_patching(
    fibres: Fibres, lock: Lock, ids: Sequence[str], kept: Bool, racks: Sequence[str], options: Sequence[Option],
    plugs: int, size: int,
) -> Patching:  # fmt: skip
    """Leave fibres of kept cables where they are patched; give others free ports and plugs, then new panels and trunks.

    Parameters
    ----------
    fibres : Fibres
    lock : Lock
    ids : sequence of str
        Identity of the cable of each fibre.
    kept : ndarray of bool, (fibres,)
        Whether its cable lies where it lay.
    racks : sequence of str
        Names.
    options : sequence of Option
        Of the plan.
    plugs, size : int
        Of each new trunk, and ports of each new panel.
    """
    field_ = _Field(lock, racks, size, plugs)
    words = [(options[row].medium.name, options[row].connector) for row in fibres.option.tolist()]
    rows = field_.rows_of(ids, fibres.strand.tolist(), kept.tolist())
    pairs = fibres.rack.T.tolist()
    new = [
        at for at, (row, pair, word) in enumerate(zip(rows, pairs, words, strict=True))
        if not field_.keep(at, row, pair, word)
    ]  # fmt: skip
    for end in (0, 1):
        for at in new:
            field_.plug_in(at, end, pairs[at][end])
    for at in new:
        field_.join(at, pairs[at], words[at])
    return field_.patching(fibres)


@dataclass
class _Panel:
    name: str
    rack: int
    size: int
    unit: int
    taken: set[int] = field(default_factory=set)


@dataclass
class _Trunk:
    name: str
    ends: tuple[int, int]
    words: tuple[str, str]
    plugs: int
    length_m: float
    taken: set[int] = field(default_factory=set)


class _Field:
    """Panels and trunks while fibres are patched."""

    def __init__(self, lock: Lock, racks: Sequence[str], size: int, plugs: int) -> None:
        self.lock, self.racks, self.size, self.plugs = lock, racks, size, plugs
        self.row_of = {name: row for row, name in enumerate(racks)}
        self.panels: list[_Panel] = []
        self.trunks: list[_Trunk] = []
        self.of_rack: defaultdict[int, list[int]] = defaultdict(list)
        self.of_pair: defaultdict[tuple[int, int, tuple[str, str]], list[int]] = defaultdict(list)
        self.ends: dict[tuple[int, int], tuple[int, int]] = {}
        self.way: dict[int, tuple[int, int]] = {}
        self.cords: dict[tuple[int, int], float] = {}
        self.side: dict[int, bool] = {}
        self.panel_rows, self.trunk_rows = dict(self._panels()), dict(self._trunks())
        names = [*lock.panels.name, *lock.trunks.name]
        self.last: defaultdict[str, int] = defaultdict(int)
        for name in names:
            match = _NUMBER.search(name)
            if match:
                stem = name[: match.start()]
                self.last[stem] = max(self.last[stem], int(match[1]))

    def _panels(self) -> Iterator[tuple[int, int]]:
        """Take the panels that are there, and yield their rows of the lock and their places."""
        table = self.lock.panels
        order = sorted(range(len(table)), key=lambda row: natural(table.name[row]))
        for row in order:
            rack = self.row_of.get(table.rack[row], -1)
            if table.state[row] != GONE and rack >= 0:
                self.side[rack] = table.side[row] == "front"
                yield row, self._panel(_Panel(table.name[row], rack, int(table.ports[row]), int(table.unit[row])))

    def _panel(self, panel: _Panel) -> int:
        self.panels.append(panel)
        self.of_rack[panel.rack].append(len(self.panels) - 1)
        return len(self.panels) - 1

    def _trunks(self) -> Iterator[tuple[int, int]]:
        """Take the trunks that are there, and yield their rows of the lock and their places."""
        table = self.lock.trunks
        for row in sorted(range(len(table)), key=lambda row: natural(table.name[row])):
            a, z = (self.row_of.get(names[row], -1) for names in (table.rack_a, table.rack_z))
            if table.state[row] != GONE and min(a, z) >= 0:
                words = (table.medium[row], table.connector[row])
                plugs, length = int(table.plugs[row]), float(table.length_m[row])
                yield row, self._trunk(_Trunk(table.name[row], (a, z), words, plugs, length))

    def _trunk(self, trunk: _Trunk) -> int:
        self.trunks.append(trunk)
        self.of_pair[min(trunk.ends), max(trunk.ends), trunk.words].append(len(self.trunks) - 1)
        return len(self.trunks) - 1

    def rows_of(self, ids: Sequence[str], strands: Sequence[int], kept: Sequence[bool]) -> list[int]:
        """Return the row of the lock's patches of each fibre, -1 for new ones and for cables that are not kept."""
        patches = self.lock.patches
        known = {key: row for row, key in enumerate(zip(patches.cable, patches.strand.tolist(), strict=True))}
        rows = zip(ids, strands, kept, strict=True)
        return [known.get((name, strand + 1), -1) if stays else -1 for name, strand, stays in rows]

    def keep(self, at: int, row: int, pair: Sequence[int], words: tuple[str, str]) -> bool:
        """Leave a fibre where it is patched, if panels and trunk are there, fit it and are free; say whether."""
        if row < 0:
            return False
        patches = self.lock.patches
        panels = [self.panel_rows.get(int(column[row]), -1) for column in (patches.a, patches.z)]
        trunk = self.trunk_rows.get(int(patches.trunk[row]), -1)
        if min(*panels, trunk) < 0:
            return False
        ports = [int(column[row]) - 1 for column in (patches.a_port, patches.z_port)]
        plug, of = int(patches.plug[row]) - 1, self.trunks[trunk]
        fits = sorted(of.ends) == sorted(pair) and of.words == words and plug < of.plugs and plug not in of.taken
        for panel, port, rack in zip(panels, ports, pair, strict=True):
            one = self.panels[panel]
            fits = fits and one.rack == rack and port < one.size and port not in one.taken
        if not fits:
            return False
        of.taken.add(plug)
        self.way[at] = trunk, plug
        for end, cord in ((0, patches.a_cord_m), (1, patches.z_cord_m)):
            self.panels[panels[end]].taken.add(ports[end])
            self.ends[end, at] = panels[end], ports[end]
            self.cords[end, at] = float(cord[row])
        return True

    def plug_in(self, at: int, end: int, rack: int) -> None:
        """Give an end of a fibre a free port in its rack, on a new panel where none is left."""
        place = next((row for row in self.of_rack[rack] if len(self.panels[row].taken) < self.panels[row].size), -1)
        if place < 0:
            stem = self.racks[rack]
            self.last[stem] += 1
            place = self._panel(_Panel(f"{stem}-P{self.last[stem]}", rack, self.size, UNKNOWN))
        panel = self.panels[place]
        port = next(port for port in range(panel.size) if port not in panel.taken)
        panel.taken.add(port)
        self.ends[end, at] = place, port

    def join(self, at: int, pair: Sequence[int], words: tuple[str, str]) -> None:
        """Give a fibre a free plug of a trunk between its racks, of a new one where none is left."""
        low, high = min(pair), max(pair)
        listed = self.of_pair[low, high, words]
        place = next((row for row in listed if len(self.trunks[row].taken) < self.trunks[row].plugs), -1)
        if place < 0:
            ends = (low, high) if natural(self.racks[low]) <= natural(self.racks[high]) else (high, low)
            stems = [trunk_name(self.racks[a], self.racks[z], 0)[:-3] for a, z in (ends, ends[::-1])]
            self.last[stems[0]] = max(self.last[stem] for stem in stems) + 1
            name = trunk_name(self.racks[ends[0]], self.racks[ends[1]], self.last[stems[0]])
            place = self._trunk(_Trunk(name, ends, words, self.plugs, np.nan))
        trunk = self.trunks[place]
        plug = next(plug for plug in range(trunk.plugs) if plug not in trunk.taken)
        trunk.taken.add(plug)
        self.way[at] = place, plug

    def patching(self, fibres: Fibres) -> Patching:
        """Return what is in use, panels rack by rack."""
        order = sorted(
            (row for row, panel in enumerate(self.panels) if panel.taken), key=lambda row: (self.panels[row].rack, row)
        )
        used = [row for row, trunk in enumerate(self.trunks) if trunk.taken]
        panels, trunks = [self.panels[row] for row in order], [self.trunks[row] for row in used]
        seat = {row: place for place, row in enumerate(order)}
        lies = {row: place for place, row in enumerate(used)}
        count = fibres.rack.shape[1]
        ends = [[self.ends[end, at] for at in range(count)] for end in (0, 1)]
        way = [self.way[at] for at in range(count)]
        option = np.zeros(len(trunks), np.int32)
        trunk = np.array([lies[row] for row, _ in way], np.int32)
        option[trunk[::-1]] = fibres.option[::-1]
        cords = [[self.cords.get((end, at), np.nan) for at in range(count)] for end in (0, 1)]
        return Patching(
            np.array([panel.rack for panel in panels], np.int32), np.array([panel.size for panel in panels], np.int32),
            np.array([panel.unit for panel in panels], np.int32), np.array([panel.name for panel in panels], np.str_),
            np.array([[seat[row] for row, _ in side] for side in ends], np.int32).reshape(2, count),
            np.array([[port for _, port in side] for side in ends], np.int32).reshape(2, count),
            trunk, np.array([plug for _, plug in way], np.int32), np.array([one.name for one in trunks], np.str_),
            np.array([one.ends for one in trunks], np.int32).reshape(-1, 2).T.copy(), option,
            np.array([one.plugs for one in trunks], np.int32), np.array([one.length_m for one in trunks]),
            np.array(cords).reshape(2, count), self.side,
        )  # fmt: skip
