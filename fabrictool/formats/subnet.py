"""An InfiniBand subnet as its tools list it: chips, and what each of their ports sees."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from fabrictool.formats.descriptions import LAST_LID, is_aggregation, link_speed
from fabrictool.formats.found import clean
from fabrictool.formats.imported import Report

#: Highest port number (one byte, 255 being reserved).
LAST_PORT = 254


@dataclass(slots=True)
class End:
    """What one port says of itself and of its peer; ``peer`` is empty for a port without a link."""

    number: int
    line: int
    peer: str = ""
    peer_number: int = 0
    peer_description: str = ""
    peer_guid: int = 0
    peer_lid: int = 0
    guid: int = 0
    lid: int = 0
    rate: str = ""


@dataclass(slots=True)
class Chip:
    """A switch, channel adapter or router; ``key`` is what others call it, ``defined`` False if only they do."""

    key: str
    kind: str
    line: int
    description: str = ""
    port_count: int = 0
    guid: int = 0
    system: int = 0
    lid: int = 0
    device_id: int = 0
    defined: bool = True
    ends: dict[int, End] = field(default_factory=dict)

    @property
    def aggregation(self) -> bool:
        """Whether this is the aggregation engine of a switch."""
        return self.kind == "ca" and is_aggregation(self.description, self.device_id)


@dataclass(slots=True)
class Pair:
    """A link: two chips by key and port number, with the rate that both can do."""

    a: str
    a_number: int
    z: str
    z_number: int
    rate: str
    line: int


@dataclass(slots=True)
class Subnet:
    """All chips of a file by key, in its order."""

    report: Report
    chips: dict[str, Chip] = field(default_factory=dict)

    def add(self, chip: Chip) -> Chip:
        """Add a chip; one that stands twice is reported, and its ports are joined."""
        before = self.chips.get(chip.key)
        if before is None:
            chip.description = clean(chip.description)
            self.chips[chip.key] = chip
            return chip
        what = f'"{chip.key}" stands twice, first in line {before.line}'
        self.report.warn("device-twice", chip.line, what, "keep one block; the ports of both are joined")
        return before

    def add_end(self, chip: Chip, end: End) -> None:
        """Add what a port says; impossible numbers and second lines for a port are errors."""
        if not 1 <= end.number <= LAST_PORT:
            what = f"port {end.number} of {chip.description or chip.key} is left out: ports are 1 to {LAST_PORT}"
            self.report.add("port-impossible", "error", end.line, what, "correct the number")
        elif end.number in chip.ends and chip.ends[end.number] != end:
            what = f"port {end.number} of {chip.description or chip.key} stands twice; this line is left out"
            self.report.add("port-used-twice", "error", end.line, what, "keep one line for each port")
        else:
            chip.ends[end.number] = end


def checked_lid(text: str, line: int, whose: str, report: Report) -> int:
    """Return a LID, or 0 with a finding if it is none."""
    digits = text.removeprefix("-")
    value = int(text) if digits.isdecimal() and digits.isascii() and len(digits) < 10 else 0
    if 1 <= value <= LAST_LID:
        return value
    shown = f"LID {text}" if text else "no LID"
    what = f"{whose} has {shown}: unicast LIDs are 1 to {LAST_LID}"
    report.warn("lid-invalid", line, what, "see whether the subnet manager has configured it")
    return 0


def paired(subnet: Subnet) -> list[Pair]:
    """Return every link once; peers without a block, one-sided and contradictory links are reported."""
    _define_peers(subnet)
    pairs: list[Pair] = []
    done: dict[tuple[str, int], tuple[str, int]] = {}
    ends = [(chip, end) for chip in list(subnet.chips.values()) for end in chip.ends.values() if end.peer]
    ends.sort(key=lambda pair: not _mutual(subnet, *pair))
    for chip, end in ends:
        here, there = (chip.key, end.number), (end.peer, end.peer_number)
        if done.get(here) == there:
            continue
        if here in done or there in done or here == there or not 1 <= end.peer_number <= LAST_PORT:
            _contradicts(subnet, chip, end)
            continue
        done |= {here: there, there: here}
        pairs.append(Pair(*here, *there, _common_rate(subnet, chip, end), end.line))
    _same_lids(subnet)
    return pairs


def _define_peers(subnet: Subnet) -> None:
    for chip in list(subnet.chips.values()):
        for end in chip.ends.values():
            if not end.peer:
                continue
            if end.peer in subnet.chips:
                peer = subnet.chips[end.peer]
                if not peer.defined and 1 <= end.peer_number <= LAST_PORT:
                    peer.ends.setdefault(end.peer_number, End(end.peer_number, end.line, guid=end.peer_guid))
                continue
            kind = {"S": "switch", "R": "router"}.get(end.peer[:1], "ca")
            guid = end.peer.rpartition("-")[2]
            peer = Chip(end.peer, kind, end.line, clean(end.peer_description), defined=False)
            peer.guid = int(guid, 16) if guid and not set(guid) - set("0123456789abcdefABCDEF") else 0
            peer.guid &= 2**64 - 1
            peer.lid = end.peer_lid if kind == "switch" else 0
            if 1 <= end.peer_number <= LAST_PORT:
                peer.ends[end.peer_number] = End(end.peer_number, end.line, guid=end.peer_guid)
            subnet.chips[end.peer] = peer
            what = f'port {end.number} of {chip.description or chip.key} leads to "{end.peer}", which has no block'
            fix = "see whether the discovery was complete; the device is kept with the ports that are named"
            subnet.report.warn("undefined-peer", end.line, what, fix)


def _mutual(subnet: Subnet, chip: Chip, end: End) -> bool:
    back = subnet.chips[end.peer].ends.get(end.peer_number)
    return back is not None and (back.peer, back.peer_number) == (chip.key, end.number)


def _contradicts(subnet: Subnet, chip: Chip, end: End) -> None:
    peer = subnet.chips[end.peer]
    back = peer.ends.get(end.peer_number)
    says = f'line {back.line} says "{back.peer}"[{back.peer_number}]' if back and back.peer else "the port is taken"
    here = f"{chip.description or chip.key} port {end.number}"
    what = f"{here} claims {peer.description or peer.key} port {end.peer_number}, but {says}; the link is left out"
    subnet.report.add("ends-disagree", "error", end.line, what, "discover again, or look at both ends")


def _common_rate(subnet: Subnet, chip: Chip, end: End) -> str:
    """Return the slower rate of both ends; a missing or other line at the far end is reported."""
    peer = subnet.chips[end.peer]
    back = peer.ends.get(end.peer_number)
    link = f"{chip.description or chip.key} port {end.number} - {peer.description or peer.key} port {end.peer_number}"
    if back is None or not back.peer:
        if peer.defined:
            what = f"link {link} is seen from its first end only"
            subnet.report.warn("one-sided-link", end.line, what, "discover again, or look at the far port")
            if end.peer_number not in peer.ends:
                peer.ends[end.peer_number] = End(end.peer_number, end.line)
        return end.rate
    if back.rate and end.rate and back.rate != end.rate:
        what = f"link {link}: one end says {end.rate}, line {back.line} says {back.rate}; the slower is used"
        subnet.report.warn("rates-disagree", end.line, what, "look at the module and cable")
    rates = [rate for rate in (end.rate, back.rate) if rate]
    return min(rates, key=link_speed, default="")


def _same_lids(subnet: Subnet) -> None:
    owners: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for chip in subnet.chips.values():
        if chip.kind == "switch" and chip.lid:
            owners[chip.lid].setdefault(chip.description or chip.key, chip.line)
        elif chip.kind != "switch":
            for end in chip.ends.values():
                if end.lid:
                    owners[end.lid].setdefault(f"{chip.description or chip.key} port {end.number}", end.line)
    for lid, names in owners.items():
        if len(names) > 1:
            what = f"LID {lid} belongs to {' and '.join(list(names)[:4])}"
            subnet.report.warn("lid-duplicate", max(names.values()), what, "let the subnet manager assign LIDs anew")
