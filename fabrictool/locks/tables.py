"""A lock as tables: racks, devices and cables, each with all that is printed on its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

I4 = npt.NDArray[np.int32]
F8 = npt.NDArray[np.float64]
Words = tuple[str, ...]

#: How far a thing is; what is ``removed`` is no longer there, and its name is not given again.
STATES = ("planned", "ordered", "installed", "removed")
GONE = STATES.index("removed")


def states_after(states: I4, rows: npt.ArrayLike, moved: npt.ArrayLike = False) -> I4:
    """Return how far things are: as in rows of a lock, -1 for a new one, but not installed where they are moved."""
    before = np.append(states, 0)[np.asarray(rows, np.int64)] % GONE
    return np.where(moved, np.minimum(before, STATES.index("ordered")), before).astype(np.int32)


@dataclass(frozen=True, slots=True)
class NamedGroups:
    """How devices of a kind are numbered: network (empty for hosts), kind or host group, title, digits of the index."""

    network: Words = ()
    group: Words = ()
    title: Words = ()
    digits: tuple[int, ...] = ()

    def numbered(self) -> dict[tuple[str, str], tuple[str, int]]:
        """Return title and digits of each kind of device, by network and kind."""
        keys, values = zip(self.network, self.group, strict=True), zip(self.title, self.digits, strict=True)
        return dict(zip(keys, values, strict=True))


@dataclass(frozen=True, slots=True)
class LockedRacks:
    """Racks, one row each.

    ``group`` is the name of the rack group, or its place among those without one, from 1; ``row`` and ``position`` are
    its place on the floor, from 1; ``state`` a place in ``STATES``.
    """

    name: Words = ()
    group: Words = ()
    role: Words = ()
    row: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    position: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    state: I4 = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True)
class LockedDevices:
    """Devices, one row each.

    ``place`` is what a device is in the design, such as ``dgx#12`` or ``compute:leaf/su1/rail2#1``; ``rack`` is empty
    and ``unit`` 0 without a place; ``guid`` and ``serial`` are what people filled in.
    """

    name: Words = ()
    place: Words = ()
    type: Words = ()
    rack: Words = ()
    unit: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    guid: Words = ()
    serial: Words = ()
    state: I4 = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True)
class LockedCables:
    """Links on their way through a cable, one row each; links of one cable share ``id``.

    ``a`` and ``z`` are rows of devices with the numbers of their ports; ``medium``, ``way`` and ``phase`` rows of what
    the lock lists of them, -1 where it does not say; ``bundle`` counts those of its two racks, 0 where it does not say;
    lengths in m, NaN where unknown; ``label_z`` is empty where it is the mirror of ``label_a``.
    """

    id: Words = ()
    leg: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    a: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    a_port: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    z: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    z_port: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    medium: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    length_m: F8 = field(default_factory=lambda: np.zeros(0))
    route_m: F8 = field(default_factory=lambda: np.zeros(0))
    way: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    phase: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    bundle: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    colour: Words = ()
    label_a: Words = ()
    label_z: Words = ()
    serial: Words = ()
    state: I4 = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, slots=True)
class LockedPanels:
    """Patch panels, one row each: ``unit`` is 0 for one over its rack, ``ports`` how many it has."""

    name: Words = ()
    rack: Words = ()
    unit: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    side: Words = ()
    ports: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    state: I4 = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True)
class LockedTrunks:
    """Trunks between the panels of two racks, one row each, of fibres of a medium and a connector."""

    name: Words = ()
    rack_a: Words = ()
    rack_z: Words = ()
    medium: Words = ()
    connector: Words = ()
    plugs: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    length_m: F8 = field(default_factory=lambda: np.zeros(0))
    serial: Words = ()
    state: I4 = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True)
class LockedPatches:
    """Fibres over panels, one row each: the strand of a cable, from 1, and where it is patched.

    ``a`` and ``z`` are rows of panels with their ports, ``trunk`` a row of trunks with its plug; ports and plugs count
    from 1, cords are in m.
    """

    cable: Words = ()
    strand: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    a: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    a_port: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    a_cord_m: F8 = field(default_factory=lambda: np.zeros(0))
    trunk: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    plug: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    z: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    z_port: I4 = field(default_factory=lambda: np.zeros(0, np.int32))
    z_cord_m: F8 = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.cable)


@dataclass(frozen=True)
class Lock:
    """All identities of a layout that the world has seen.

    Parameters
    ----------
    source : str
        File name.
    layout : str
        Name of the layout.
    per_row : int
        Racks of a row of the floor; 0 without racks.
    groups, racks, devices, cables, panels, trunks, patches : tables
    media : tuple of (medium, Gbit/s of the link, connector, module at the lower end, module at the other)
    ways : tuple of (trays, slack in m)
    phases : tuple of str
        Steps of the installation.
    lines : mapping of str to sequence of int
        Line of each rack, device and cable, if it was read from a file.
    """

    source: str
    layout: str
    per_row: int = 0
    groups: NamedGroups = field(default_factory=NamedGroups)
    racks: LockedRacks = field(default_factory=LockedRacks)
    devices: LockedDevices = field(default_factory=LockedDevices)
    cables: LockedCables = field(default_factory=LockedCables)
    media: tuple[tuple[str, str, str, str, str], ...] = ()
    ways: tuple[tuple[str, float], ...] = ()
    phases: Words = ()
    panels: LockedPanels = field(default_factory=LockedPanels)
    trunks: LockedTrunks = field(default_factory=LockedTrunks)
    patches: LockedPatches = field(default_factory=LockedPatches)
    lines: Mapping[str, Sequence[int]] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        return f"<Lock of {self.layout}: {self.counted()}>"

    def counted(self) -> str:
        """Say how many racks, devices and cables are there."""
        racks, devices = (int(np.count_nonzero(table.state != GONE)) for table in (self.racks, self.devices))
        cables = int(np.count_nonzero((self.cables.state != GONE) & (self.cables.leg == 1)))
        words = f"{racks:,} racks, {devices:,} devices, {cables:,} cables"
        if not len(self.panels):
            return words
        panels, trunks = (int(np.count_nonzero(table.state != GONE)) for table in (self.panels, self.trunks))
        return f"{words}, {panels:,} panels, {trunks:,} trunks"

    @cached_property
    def device_rows(self) -> dict[str, int]:
        """Row of each device by name, of those that are gone too."""
        return {name: row for row, name in enumerate(self.devices.name)}

    @cached_property
    def cable_codes(self) -> npt.NDArray[np.int64]:
        """Number for each row of cables, equal for the legs of a cable."""
        known: dict[str, int] = {}
        return np.array([known.setdefault(name, len(known)) for name in self.cables.id], np.int64)

    @cached_property
    def rack_rows(self) -> dict[str, int]:
        """Row of each rack by name, of those that are gone too."""
        return {name: row for row, name in enumerate(self.racks.name)}
