"""``iblinkinfo`` (infiniband-diags): every port of every switch and adapter, dark ones too; also with ``-l``."""

from __future__ import annotations

import re

from fabrictool.formats.descriptions import LANE_BPS, adapter, switch_name
from fabrictool.formats.imported import Report
from fabrictool.records import Dump, Sighting

#: Signalling rate of a lane in Gbit/s as the tool prints it, to its name.
_LANE = {
    "2.5": "SDR", "5.0": "DDR", "10.0": "QDR", "10.3125": "FDR10", "14.0625": "FDR", "25.78125": "EDR",
    "53.125": "HDR", "106.25": "NDR", "212.5": "XDR",
}  # fmt: skip
_BLOCK = re.compile(r"^(Switch|CA|Router):\s*(?:(0x[0-9a-fA-F]+)\s+)?(.*?):\s*$")
_ARROW = re.compile(r"^(?P<head>.*?)==\((?P<state>.*?)\)==>(?P<tail>.*)$")
_HEAD = re.compile(r'^\s*(?:(?P<guid>0x[0-9a-fA-F]+)\s+)?(?:"(?P<name>.*)"\s+)?(?P<lid>\d+)\s+(?P<port>\d+)\[.*?\]\s*$')
_TAIL = re.compile(r'^\s*(?:(?P<guid>0x[0-9a-fA-F]+)\s+)?(?:(?P<lid>\d+)\s+(?P<port>\d+))?\s*\[.*?\]\s*"(?P<name>.*)"')
_STATE = re.compile(r"(\d+)X\s+([\d.]+) Gbps\s+(\w+)/")
_SNIFF = re.compile(rb"==\(.*?\)==>")


def sniff(head: bytes) -> bool:
    """Return whether the start of a file looks like the tool's output."""
    return bool(_SNIFF.search(head))


def read(name: str, text: str) -> Dump:
    """Read the output.

    Raises
    ------
    InputError
        If no line of it is a port.
    """
    report = Report(name)
    owner, found, reporters = "", [], set()
    adapters = _adapters(text)
    for line, row in enumerate(text.split("\n"), 1):
        block, arrow = _BLOCK.match(row), _ARROW.match(row)
        if arrow is None:
            if block:
                owner = block[3]
            elif row.strip():
                what = f"'{row.strip()[:60]}' is no line of iblinkinfo; it is left out"
                report.add("line-unreadable", "error", line, what, "see whether the file is whole")
            continue
        head, tail = _HEAD.match(arrow["head"]), _TAIL.match(arrow["tail"])
        if head is None or tail is None:
            report.add("line-unreadable", "error", line, f"'{row.strip()[:60]}' cannot be read", "copy the file again")
            continue
        device, port = _end((head["name"] or owner).strip(), head["port"], adapters)
        peer, peer_port = _end(tail["name"].strip(), tail["port"] or "", adapters) if tail["name"] else ("", "")
        reporters.add(device)
        found.append(_sighting(device, port, peer, peer_port, arrow["state"], report.place(line)))
    if not found:
        raise report.refusal(1, "holds no port", "name the whole output of iblinkinfo")
    return Dump(name, "iblinkinfo", tuple(found), frozenset(reporters), report.sorted())


def _adapters(text: str) -> set[str]:
    """Return the descriptions of adapters, where the output says which devices are adapters."""
    return {match[3] for match in map(_BLOCK.match, text.split("\n")) if match and match[1] == "CA"}


def _end(description: str, port: str, adapters: set[str]) -> tuple[str, str]:
    """Return device and port of an end: of a host its adapter, of a switch the number."""
    host, word = adapter(description)
    if host:
        return host, word if port in {"", "1"} else f"{word}/{port}"
    if description in adapters:
        return description, port
    return switch_name(description)[0], port


def _sighting(device: str, port: str, peer: str, peer_port: str, state: str, where: str) -> Sighting:
    match = _STATE.search(state)
    if not peer or match is None or match[3].lower() == "down":
        return Sighting(device, port, seen=False, where=where)
    lanes, lane = int(match[1]), _LANE.get(match[2], "")
    speed = lanes * (LANE_BPS[lane] if lane else float(match[2]) * 1e9)
    return Sighting(device, port, peer, peer_port, where=where, speed_bps=speed, lanes=lanes)
