"""``ibnetdiscover -p``: one line for each port, in columns; a port without a link has half a line.

Descriptions stand between quotes that are not escaped.
"""

from __future__ import annotations

import re

from fabrictool.formats.descriptions import LANE_BPS
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.infiniband import chip_kind, imported
from fabrictool.formats.subnet import Chip, End, Subnet, checked_lid

FORMAT = "ibnetdiscover-p"
_PORT = r"(?P<{0}word>SW|CA|RT)\s+(?P<{0}lid>-?\d*)\s+(?P<{0}port>\d{{1,6}})\s+0x(?P<{0}guid>[0-9a-fA-F]{{1,16}})"
_LINE = re.compile(
    rf"^{_PORT.format('')}\s+(?P<width>\d+x|\?\?\?)\s*(?P<speed>\S+)?\s+(?:-\s+{_PORT.format('far_')}\s+)?(?P<rest>[('].*)$"
)
_BOTH = re.compile(r"^\(\s*'(.*)'\s+-\s+'(.*)'\s*\)$")
_SNIFF = re.compile(rb"^\s*(?:SW|CA|RT)\s+\d+\s+\d+\s+0x[0-9a-fA-F]+\s+\S+\s+\S+", re.MULTILINE)
_LETTER = {"switch": "S", "router": "R", "ca": "H"}


def sniff(head: bytes) -> bool:
    """Return whether the start of a file looks like a listing of this kind."""
    return bool(_SNIFF.search(head))


def read(name: str, text: str) -> Imported:
    """Read a listing.

    Raises
    ------
    InputError
        If there is no port in it.
    """
    report = Report(name)
    subnet = Subnet(report)
    for line, raw in enumerate(text.split("\n"), 1):
        row = raw.strip()
        match = _LINE.match(row)
        if match:
            _take(subnet, line, match)
        elif row and not row.startswith("#"):
            what = f"'{row[:60]}' is no line of a listing; it is left out"
            report.add("line-unreadable", "error", line, what, "see whether the file is whole")
    if not subnet.chips:
        raise report.refusal(1, "holds no port", "name the whole output of ibnetdiscover -p")
    return imported(FORMAT, name, subnet)


def _take(subnet: Subnet, line: int, match: re.Match[str]) -> None:
    here, there = _descriptions(match["rest"], bool(match["far_guid"]))
    kind, guid = chip_kind(match["word"]), int(match["guid"], 16)
    key = _key(kind, guid)
    lid = checked_lid(match["lid"], line, f"{here or key} port {match['port']}", subnet.report)
    chip = subnet.chips.get(key)
    if chip is None:
        chip = subnet.add(Chip(key, kind, line, here, guid=guid, lid=lid if kind == "switch" else 0))
    end = End(int(match["port"]), line, guid=guid, lid=0 if kind == "switch" else lid)
    if match["speed"] in LANE_BPS and match["width"] != "???":
        end.rate = match["width"] + match["speed"]
    if match["far_guid"]:
        end.peer_guid, end.peer_description = int(match["far_guid"], 16), there
        end.peer = _key(chip_kind(match["far_word"]), end.peer_guid)
        end.peer_number = int(match["far_port"])
        end.peer_lid = checked_lid(match["far_lid"], line, f"the peer {there}", subnet.report)
    subnet.add_end(chip, end)


def _key(kind: str, guid: int) -> str:
    return f"{_LETTER[kind]}-{guid:016x}"


def _descriptions(rest: str, linked: bool) -> tuple[str, str]:
    both = _BOTH.match(rest) if linked else None
    if both:
        return both[1], both[2]
    return rest.strip("()' "), ""
