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
