"""``.lst`` files of ibutils and OpenSM: one line for each link, both ends in braces; numbers are hexadecimal."""

from __future__ import annotations

import re

from fabrictool.formats.descriptions import LANE_GBPS
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.infiniband import chip_kind, imported
from fabrictool.formats.subnet import Chip, End, Subnet, checked_lid

FORMAT = "ibutils-lst"
_END = (
    r"\{{\s*(?P<{0}word>SW|CA|RT|Rt)(?:-SM)?\s+Ports:(?P<{0}ports>[0-9a-fA-F]+)\s+SystemGUID:(?P<{0}system>[0-9a-fA-F]+)"
    r"\s+NodeGUID:(?P<{0}node>[0-9a-fA-F]+)\s+PortGUID:(?P<{0}guid>[0-9a-fA-F]+)\s+VenID:\S*\s+DevID:(?P<{0}device>\w*)"
    r"\S*\s+Rev:\S*\s+\{{(?P<{0}name>.*?)\}}\s+LID:(?P<{0}lid>\S*)\s+PN:(?P<{0}port>[0-9a-fA-F]{{1,4}})\s*\}}"
)
_LINE = re.compile(rf"^{_END.format('a_')}\s*{_END.format('z_')}\s*(?P<rest>.*)$")
_PHYSICAL = re.compile(r"PHY=(\d+)x")
_SPEED = re.compile(r"SPD=([\d.]+)")
_SNIFF = re.compile(rb"\{\s*(?:SW|CA|RT)(?:-SM)?\s+Ports:[0-9a-fA-F]+\s+SystemGUID:", re.IGNORECASE)
_MASK = 2**64 - 1


def sniff(head: bytes) -> bool:
    """Return whether the start of a file looks like a list of this kind."""
    return bool(_SNIFF.search(head))


def read(name: str, text: str) -> Imported:
    """Read a list of links.

    ``SPD=`` counts to 10 only in the older tools, whatever the link can do: where every link of a file
    is said to run at 2.5, 5 or 10, the speed is what the file says, and a finding names that limit.

    Raises
    ------
    InputError
        If there is no link in it.
    """
    report = Report(name)
    subnet = Subnet(report)
    for line, row in enumerate(text.split("\n"), 1):
        match = _LINE.match(row.strip())
        if match:
            _take(subnet, line, match)
        elif row.strip() and not row.lstrip().startswith("#"):
            what = f"'{row.strip()[:60]}' is no line of a list; it is left out"
            report.add("line-unreadable", "error", line, what, "see whether the file is whole")
    if not subnet.chips:
        raise report.refusal(1, "holds no link", "name a whole .lst file")
    _doubt_speeds(subnet)
    return imported(FORMAT, name, subnet)


def _take(subnet: Subnet, line: int, match: re.Match[str]) -> None:
    rate = _rate(match["rest"])
    a, z = (_chip(subnet, line, match, side) for side in ("a_", "z_"))
    for side, other, chip, peer in (("a_", "z_", a, z), ("z_", "a_", z, a)):
        end = End(int(match[side + "port"], 16), line, peer.key, int(match[other + "port"], 16), rate=rate)
        end.guid = int(match[side + "guid"], 16) & _MASK
        lid = _lid(match[side + "lid"])
        checked = checked_lid(lid, line, f"{chip.description} port {end.number}", subnet.report)
        if chip.kind == "switch":
            chip.lid = checked
        else:
            end.lid = checked
        before = chip.ends.get(end.number)
        if before and (before.peer, before.peer_number) == (end.peer, end.peer_number):
            continue
        subnet.add_end(chip, end)


def _chip(subnet: Subnet, line: int, match: re.Match[str], side: str) -> Chip:
    kind, guid = chip_kind(match[side + "word"]), int(match[side + "node"], 16) & _MASK
    key = f"{'S' if kind == 'switch' else 'H'}-{guid:016x}"
    if key in subnet.chips:
        return subnet.chips[key]
    device = match[side + "device"]
    chip = Chip(key, kind, line, match[side + "name"], min(int(match[side + "ports"][:4], 16), 254), guid)
    chip.system = int(match[side + "system"], 16) & _MASK
    chip.device_id = int(device[:8], 16) if re.fullmatch(r"[0-9a-fA-F]+", device) else 0
    chip.device_id >>= 16 if chip.device_id > 0xFFFF else 0
    return subnet.add(chip)


def _lid(text: str) -> str:
    """Return a hexadecimal LID in decimal; what is none stays as it is."""
    return str(int(text, 16)) if re.fullmatch(r"[0-9a-fA-F]{1,8}", text) else text


def _rate(rest: str) -> str:
    width, speed = _PHYSICAL.search(rest), _SPEED.search(rest)
    word = LANE_GBPS.get(speed[1]) if speed else None
    return f"{width[1]}x{word}" if width and word else ""


def _doubt_speeds(subnet: Subnet) -> None:
    ends = [end for chip in subnet.chips.values() for end in chip.ends.values()]
    slow = [end for end in ends if end.rate.endswith(("xSDR", "xDDR", "xQDR"))]
    if ends and len(slow) == len(ends):
        what = f"every link is said to run at {ends[0].rate} or the like: these lists know no speed above QDR"
        fix = "take speeds from ibnetdiscover if the links are faster"
        subnet.report.warn("rate-doubtful", min(end.line for end in ends), what, fix)
