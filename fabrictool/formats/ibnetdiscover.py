"""``ibnetdiscover`` listings (infiniband-diags), and the netfiles of ``ibsim``, which share their grammar.

One block a device; every port with a link has a line, so each link stands twice. Blocks end at the
first line that is no port.
"""

from __future__ import annotations

import re

from fabrictool.formats.descriptions import rate_in
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.infiniband import chip_kind, imported
from fabrictool.formats.subnet import LAST_PORT, Chip, End, Subnet, checked_lid

FORMAT = "ibnetdiscover"
_BLOCK = re.compile(r'^(Switch|Ca|Hca|Rt|Router)\s+(\d+)\s+"([^"]*)"\s*(?:#\s*(.*))?$', re.IGNORECASE)
_PORT = re.compile(
    r'^\[(\d+)\](?:\[ext[^\]]*\])?\s*(?:\(([0-9a-fA-F]*)\))?\s*"([^"]*)"'
    r"\s*(?:\[(\d+)\])?(?:\[ext[^\]]*\])?\s*(?:\(([0-9a-fA-F]*)\))?\s*(?:[a-z]=\d+\s*)*(?:#\s*(.*))?$"
)
_ATTRIBUTE = re.compile(
    r"^(vendid|devid|sysimgguid|switchguid|caguid|rtguid|hcaguid|width|speed|extspeed)\s*=\s*(?:0x)?([0-9a-fA-F]*)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"(.*)"')
_LID = re.compile(r"\blid\s+(-?\d*)")
_SNIFF = re.compile(rb'^\s*(?:Switch|Ca|Hca)\s+\d+\s+"[^"\n]*"', re.MULTILINE | re.IGNORECASE)
_PASSED = ("#", "Chassis", "Non-Chassis Nodes")
_BROKEN = re.compile(r"(switch|h?ca|rt|router|vendid|devid)\b", re.IGNORECASE)
_IBSIM = ("module", "include", "do", "@[")


def sniff(head: bytes) -> bool:
    """Return whether the start of a file looks like a listing of this kind."""
    return b"# Topology file: generated on" in head or bool(_SNIFF.search(head))


def read(name: str, text: str) -> Imported:
    """Read a listing.

    Raises
    ------
    InputError
        If there is no device in it.
    """
    report = Report(name)
    reader = _Reader(Subnet(report))
    for line, row in enumerate(text.split("\n"), 1):
        reader.take(line, row.strip())
    if not reader.subnet.chips:
        raise report.refusal(1, "holds no device", "name the whole output of ibnetdiscover")
    return imported(FORMAT, name, reader.subnet)


class _Reader:
    """Takes one line after the other; attributes belong to the next device."""

    def __init__(self, subnet: Subnet) -> None:
        self.subnet = subnet
        self.attributes: dict[str, int] = {}
        self.chip: Chip | None = None

    def take(self, line: int, row: str) -> None:
        if row[:1] == "[" and row[1:2].isdecimal():
            self._port(line, row)
            return
        if match := _ATTRIBUTE.match(row):
            value = int(match[2], 16) if match[2] else 0
            self.attributes[match[1].lower()] = value & (2**64 - 1)
            self.chip = None
        elif match := _BLOCK.match(row):
            self._block(line, match)
        else:
            self._other(line, row)
            self.chip = None if row and not row.startswith("#") else self.chip

    def _other(self, line: int, row: str) -> None:
        if not row or row.startswith(_PASSED):
            return
        if row.startswith(_IBSIM):
            what = f"'{row[:40]}' is not followed"
            self.subnet.report.add("not-followed", "error", line, what, "give one file with every device in it")
        elif self.attributes or _BROKEN.match(row):
            self._strange(line, row)
        else:
            what = f"'{row[:60]}' is no line of a listing; it is passed over"
            self.subnet.report.add("line-unreadable", "note", line, what, "keep messages of tools out of the file")

    def _strange(self, line: int, row: str) -> None:
        what = f"'{row[:60]}' is no line of a listing; it is left out"
        self.subnet.report.add("line-unreadable", "error", line, what, "see whether the file is whole")

    def _block(self, line: int, match: re.Match[str]) -> None:
        word, count, key, rest = match[1], int(match[2][:9]), match[3], match[4] or ""
        quoted = _QUOTED.search(rest)
        description = quoted[1] if quoted else key
        known = self.attributes
        guid = next((known[key] for key in ("switchguid", "caguid", "rtguid", "hcaguid") if key in known), 0)
        chip = Chip(
            key, chip_kind(word), line, description, count, guid, known.get("sysimgguid", 0),
            device_id=known.get("devid", 0),
        )  # fmt: skip
        if count > LAST_PORT:
            what = f"{description} states {count} ports; at most {LAST_PORT} exist"
            self.subnet.report.add("port-impossible", "error", line, what, "correct the number")
            chip.port_count = 0
        if chip.kind == "switch" and quoted:
            lid = _LID.search(rest, quoted.end())
            chip.lid = checked_lid(lid[1], line, f"switch {description}", self.subnet.report) if lid else 0
        self.chip = self.subnet.add(chip)
        self.attributes = {}

    def _port(self, line: int, row: str) -> None:
        match = _PORT.match(row)
        if self.chip is None or match is None or len(match[1]) > 6 or len(match[4] or "") > 6:
            self._strange(line, row)
            return
        end = End(int(match[1]), line, match[3], int(match[4] or 1))
        end.peer_guid = int(match[5], 16) & (2**64 - 1) if match[5] else 0
        end.guid = int(match[2], 16) & (2**64 - 1) if match[2] else 0
        self._comment(end, match[6] or "")
        self.subnet.add_end(self.chip, end)

    def _comment(self, end: End, comment: str) -> None:
        """Read what stands behind the ``#``: own LID of adapters, then description, LID and rate of the link."""
        quoted = _QUOTED.search(comment)
        if quoted is None:
            end.rate = rate_in(comment)
            return
        end.peer_description = quoted[1]
        rest = comment[quoted.end() :]
        end.rate = rate_in(rest)
        report, chip = self.subnet.report, self.chip
        own = _LID.search(comment, 0, quoted.start())
        if own and chip is not None and chip.kind != "switch":
            end.lid = checked_lid(own[1], end.line, f"{chip.description or chip.key} port {end.number}", report)
        far = _LID.search(rest)
        if far:
            end.peer_lid = checked_lid(far[1], end.line, f"the peer {quoted[1]}", report)
