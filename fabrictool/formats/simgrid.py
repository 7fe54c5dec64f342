"""SimGrid platforms: endpoints, links in both directions, and a route for each pair as our routing goes.

A link keeps both ends as properties, so that the fabric can be read back. A link's latency includes the device
that it leads up to; SimGrid has one figure for both directions.

References
----------
SimGrid 3.32, "Platform reference": platform version 4.1, SPLITDUPLEX links, ``link_ctn`` with a direction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from fabrictool.fabric import Fabric
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.edges_csv import quantity
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.linked import LinkText, bare, link_texts
from fabrictool.units import SPEED, TIME

FORMAT = "simgrid"
NETWORK = "network"
_HEAD = """<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
"""
_ENTITY = re.compile(r"<!ENTITY")
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]*>")


@dataclass(frozen=True, slots=True)
class Route:
    """The way between two endpoints: channel 2 i is link i upwards, 2 i + 1 the same link down."""

    source: str
    target: str
    channels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Routes:
    """Endpoints, routes between them, and links beside the fabric's: name, bit/s and s of each GPU's scale-up port."""

    endpoints: tuple[str, ...]
    routes: tuple[Route, ...]
    scale_up: tuple[tuple[str, float, float], ...] = ()


def sniff(head: bytes) -> bool:
    """Return whether the start of a file is that of a platform."""
    return b"<platform" in head[:4096] and b"version" in head[:4096]


def write(fabric: Fabric, network: int, found: Routes) -> Iterator[str]:
    """Yield the lines of a platform of one network."""
    yield _HEAD + f'  <zone id={quoteattr(fabric.name)} routing="Full">\n'
    for name in found.endpoints:
        yield f'    <host id={quoteattr(name)} speed="1Gf"/>\n'
    latency = fabric.links.latency_s + fabric.devices.latency_s[fabric.ends[1]]
    for row, link in enumerate(link_texts(fabric)):
        if int(fabric.links.network[row]) == network:
            yield _link(f"l{row}", link.speed_bps, float(latency[row]), _properties(link))
    used = {channel // 2 for route in found.routes for channel in route.channels} - set(range(len(fabric.links)))
    for row in sorted(used):
        yield _link(f"l{row}", *found.scale_up[row - len(fabric.links)][1:], [("scale_up", "1")])
    for route in found.routes:
        ends = f"src={quoteattr(route.source)} dst={quoteattr(route.target)}"
        ways = "".join(
            f'<link_ctn id="l{channel // 2}" direction="{"DOWN" if channel % 2 else "UP"}"/>'
            for channel in route.channels
        )
        yield f'    <route {ends} symmetrical="NO">{ways}</route>\n'
    yield "  </zone>\n</platform>\n"


def _link(name: str, speed_bps: float, latency_s: float, properties: Sequence[tuple[str, str]]) -> str:
    facts = f'bandwidth="{bare(speed_bps) or 0}bps" latency="{bare(latency_s) or 0}s" sharing_policy="SPLITDUPLEX"'
    inside = "".join(f"<prop id={quoteattr(key)} value={quoteattr(value)}/>" for key, value in properties if value)
    return f'    <link id="{name}" {facts}>{inside}</link>\n'


def _properties(link: LinkText) -> list[tuple[str, str]]:
    found = [("network", link.network), ("latency", bare(link.latency_s))]
    for side, end in (("a", link.a), ("z", link.z)):
        number = "" if end.port == str(end.number) else str(end.number)
        found += [
            (side, end.device),
            (f"{side}_port", end.port),
            (f"{side}_number", number),
            (f"{side}_kind", end.kind),
        ]
        found += [(f"{side}_group", end.group)]
    return found


def read(name: str, text: str) -> Imported:
    """Read a platform whose links say what they join, as those of ours do.

    Raises
    ------
    InputError
        If the text is no whole XML, or its links do not say what they join.
    """
    from xml.etree.ElementTree import ParseError, fromstring

    report = Report(name)
    if _ENTITY.search(text):
        raise report.refusal(1, "defines entities, which a platform has no use for", "remove them")
    try:
        tree = fromstring(_DOCTYPE.sub(lambda found: "\n" * found[0].count("\n"), text))
    except ParseError as error:
        line, column = error.position
        reason = str(error).partition(":")[0]
        raise report.refusal(line, f"is not whole XML: {reason}", "write the platform again", column + 1) from None
    cabled = Cabled(report)
    silent = 0
    for element in tree.iter("link"):
        row = {prop.get("id", ""): prop.get("value", "") for prop in element.iter("prop")}
        if not row.get("a") or not row.get("z"):
            silent += "scale_up" not in row
            continue
        given = {"speed": _bits(element.get("bandwidth", "")), "latency": row.get("latency", "")}
        speed, latency = quantity(given, "speed", SPEED, 0, report), quantity(given, "latency", TIME, 0, report)
        cabled.add(0, _end(row, "a"), _end(row, "z"), speed, latency, row.get("network") or NETWORK)
    if not cabled.devices:
        what = "its links do not say what they join, so the fabric cannot be told from its routes"
        raise report.refusal(1, what, "give each link the properties a, a_port, z, z_port, as export --to simgrid does")
    if silent:
        report.warn("link-without-ends", 0, f"{silent} links do not say what they join: left out", "add a and z")
    zone = tree.find("zone")
    called = zone.get("id", "") if zone is not None else ""
    return Imported(FORMAT, cabled.fabric(name, "unknown", called), report.sorted())


def _end(row: dict[str, str], side: str) -> End:
    number = row.get(f"{side}_number", "")
    return End(
        row[side], row.get(f"{side}_kind", ""), row.get(f"{side}_port", ""), row.get(f"{side}_group", ""),
        int(number) if number.isdecimal() and len(number) < 6 else 0,
    )  # fmt: skip


def _bits(bandwidth: str) -> str:
    """Return a bandwidth of SimGrid, ``Gbps`` in bits and ``GBps`` in bytes, as a bare number of bit/s."""
    match = re.fullmatch(r"([\d.eE+-]+)\s*([kMGT]?)([bB])ps", bandwidth)
    if match is None:
        return bandwidth
    scale = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[match[2]] * (8 if match[3] == "B" else 1)
    try:
        return repr(float(match[1]) * scale)
    except ValueError:
        return bandwidth
