"""Rows that several rooms share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a design that its owner should know.

    Parameters
    ----------
    id : str
        Kind of finding, such as ``rack-over-power``.
    severity : {"error", "warning", "note"}
        An ``error`` makes a command exit with status 1.
    where : str
        Rack, device, link or network concerned.
    message : str
        What is the case, with value and limit.
    fix : str
        What would mend it.
    """

    id: str
    severity: Severity
    where: str
    message: str
    fix: str

    def to_dict(self) -> dict[str, str]:
        """Return the five keys of the JSON output."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value that the layout did not give and a stated default replaced."""

    what: str
    value: str
    source: str

    def to_dict(self) -> dict[str, str]:
        """Return the three keys of the JSON output."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Destination:
    """What a LID of a forwarding table stands for, as far as the table says.

    Parameters
    ----------
    kind : str
        ``Switch`` or ``Channel Adapter``; empty where the table does not say.
    guid : int
        Of the port; 0 where the table does not say.
    description : str
    """

    kind: str = ""
    guid: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class SwitchEntries:
    """The forwarding table of one switch.

    Parameters
    ----------
    guid, lid : int
        0 where the listing does not say.
    description : str
    line : int
        Line of the listing where the switch starts.
    lids, ports, lines : (entries,) int32
        Destination, way out (0 is the switch itself), and line of each entry.
    """

    guid: int
    lid: int
    description: str
    line: int
    lids: npt.NDArray[np.int32]
    ports: npt.NDArray[np.int32]
    lines: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class ForwardingTable:
    """Forwarding tables of switches, by LID.

    Parameters
    ----------
    source : str
        What messages call the listing.
    switches : tuple of SwitchEntries
    destinations : mapping of int to Destination
        By LID.
    """

    source: str
    switches: tuple[SwitchEntries, ...]
    destinations: Mapping[int, Destination] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Domain:
    """Devices and links that share one fate: a rack, what a feed powers, what a loop cools, a pod, a plane.

    Parameters
    ----------
    kind, name : str
    devices, links : tuple of int
        Rows of a fabric; a device's links need not be named.
    """

    kind: str
    name: str
    devices: tuple[int, ...]
    links: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one port was seen to be plugged into; also a row of a plan in the same words.

    Parameters
    ----------
    device, port : str
        As the source calls them.
    peer, peer_port : str
        Empty for a port without a neighbour.
    seen : bool or None
        False for a port seen dark; None for one that nobody looked at.
    where : str
        ``file:line``.
    speed_bps : float
        0 if unknown.
    lanes : int
        0 if unknown.
    media, module, cable_id : str
        Empty if unknown; ``module`` is ``present``, ``absent``, or its type.
    length_m, rx_power_dbm, tx_power_dbm : float or None
    symbol_errors, link_downed : float
        What its counters say, 0 if unknown.
    ber : float or None
        Share of bits that are wrong.
    network : str
        Empty if unknown.
    rack, peer_rack : str
        Empty if unknown.
    unit, peer_unit : int
        Lowest rack unit, 0 if unknown.
    """

    device: str
    port: str
    peer: str = ""
    peer_port: str = ""
    seen: bool | None = True
    where: str = ""
    speed_bps: float = 0.0
    lanes: int = 0
    media: str = ""
    module: str = ""
    cable_id: str = ""
    length_m: float | None = None
    rx_power_dbm: float | None = None
    tx_power_dbm: float | None = None
    symbol_errors: float = 0.0
    link_downed: float = 0.0
    ber: float | None = None
    network: str = ""
    rack: str = ""
    peer_rack: str = ""
    unit: int = 0
    peer_unit: int = 0


@dataclass(frozen=True, slots=True)
class Dump:
    """What one file says.

    Parameters
    ----------
    name, format : str
    sightings : tuple of Sighting
    reporters : frozenset of str
        Devices that told what all of their ports see: a port of theirs that is not among the sightings is dark.
    findings : tuple of Finding
        What is wrong with the file.
    taken_s : float or None
        When it was written, in seconds since 1970.
    titled : bool
        Whether the reporter is called after the file, which does not name it.
    """

    name: str
    format: str
    sightings: tuple[Sighting, ...]
    reporters: frozenset[str]
    findings: tuple[Finding, ...] = ()
    taken_s: float | None = None
    titled: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device stands; what is not known is empty or None.

    Parameters
    ----------
    device : str
    site, room, row, rack : str
    unit : int or None
        Lowest rack unit, counted from 1.
    """

    device: str
    site: str = ""
    room: str = ""
    row: str = ""
    rack: str = ""
    unit: int | None = None


@dataclass(frozen=True, slots=True)
class PatchPanel:
    """A patch panel of one unit.

    Parameters
    ----------
    name, type, rack : str
    unit : int
        Rack unit; 0 for one that hangs over its rack, -1 for one without room.
    side : str
        ``front`` or ``rear`` of the rack: where cords are plugged in.
    ports : int
    """

    name: str
    type: str
    rack: str
    unit: int
    side: str
    ports: int


@dataclass(frozen=True, slots=True)
class Patch:
    """The way of one fibre of a cable over two patch panels; strand, ports and plug count from 1."""

    cable_id: str
    strand: int
    a_panel: str
    a_port: int
    a_cord_m: float
    trunk: str
    plug: int
    trunk_m: float
    z_panel: str
    z_port: int
    z_cord_m: float


@dataclass(frozen=True, slots=True)
class CableEnd:
    """One end of a link's way through a cable.

    Parameters
    ----------
    place : Place
    kind : str
        Of the device, such as ``host`` or ``leaf``.
    port : str
        Number of the port on its device, or the label that a fabric from elsewhere brought.
    interface : str
        What the device's own system calls the port, such as ``swp1s0``.
    cage, leg : int
        Cage, counted from 1, and which of the cage's ports, counted from 1.
    side : str
        ``front`` or ``rear`` of the rack; empty if not known.
    optic : str
        Module in the cage that the cable plugs into; empty where the cable has its own ends.
    connector : str
        What the cable ends in, such as ``MPO-12/APC`` or ``OSFP``.
    label : str
        Text of the label at this end.
    """

    place: Place
    kind: str
    port: str
    interface: str = ""
    cage: int = 0
    leg: int = 1
    side: str = ""
    optic: str = ""
    connector: str = ""
    label: str = ""

    @property
    def called(self) -> str:
        """What the port is called: by its device's own system if that is known, else its number."""
        return self.interface or self.port


@dataclass(frozen=True, slots=True)
class CableRow:
    """A link on its way through a cable: a row of the cable plan; links of one cable share ``cable_id``.

    Parameters
    ----------
    cable_id : str
    leg : int
        Which of the cable's links, counted from 1.
    network : str
    a, z : CableEnd
        The end on the lower tier, and the other.
    media : str
        ``dac``, ``acc``, ``aec``, ``aoc``, ``mmf``, ``smf`` or ``copper``; empty if none does.
    sku : str
        Order number of the cable; empty if the catalogue has none.
    speed_bps : float
        Of the link; 0 if unknown.
    lanes : int
        Electrical lanes of the link; 0 if unknown.
    plane, rail : int
        Counted from 0; -1 for none.
    route_m, slack_m, length_m : float or None
        Length of the way, what is kept at both ends, and the length to order that holds both.
    bundle, tray_path, colour : str
        What the cable is laid with, the trays it lies in (empty within a rack), and its colour.
    optics_w : float or None
        What the cable's share of the modules at both ends draws, in W.
    price : float or None
        Of the cable and its share of the modules; None if one is not known.
    phase : str
        Step of the installation, such as ``su-01``.
    status : str
        ``planned``, ``ordered`` or ``installed``.
    """

    cable_id: str
    leg: int
    network: str
    a: CableEnd
    z: CableEnd
    media: str = ""
    sku: str = ""
    speed_bps: float = 0.0
    lanes: int = 0
    plane: int = -1
    rail: int = -1
    route_m: float | None = None
    slack_m: float | None = None
    length_m: float | None = None
    bundle: str = ""
    tray_path: str = ""
    colour: str = ""
    optics_w: float | None = None
    price: float | None = None
    phase: str = ""
    status: str = "planned"


@dataclass(frozen=True, slots=True)
class BomRow:
    """Equal things to order.

    Parameters
    ----------
    sku : str
        Empty if the catalogue has none.
    description, media : str
    length_m : float or None
        Of a cable.
    quantity, spares : int
        Used, and kept beside them.
    unit_price : float or None
    source : str
        Of the price.
    """

    sku: str
    description: str
    media: str
    length_m: float | None
    quantity: int
    spares: int
    unit_price: float | None
    source: str = ""

    @property
    def total(self) -> float | None:
        """Price of all, spares included."""
        return None if self.unit_price is None else (self.quantity + self.spares) * self.unit_price
