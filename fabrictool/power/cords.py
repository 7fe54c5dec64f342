"""Power supplies of devices: how many, what each delivers, and what is left once a feed is lost."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrictool import units
from fabrictool.catalogue.types import Box
from fabrictool.power.conversion import supplies_verdict
from fabrictool.power.feeds import lost_feeds
from fabrictool.power.limits import POWER_FACTOR
from fabrictool.power.overloads import kilowatts
from fabrictool.records import Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Feed, Hall, Layout

#: As vendors write it: "6 x 3.3 kW, 4+2", "8 shelves x 33 kW (6 x 5.5 kW), N+N", "2, each with an IEC C14 inlet".
_SUPPLIES = re.compile(r"\s*(\d+)(?: shelves)?(?: x ([\d.]+ k?W)\b)?")
#: From here on loads of three phases hang between a line and neutral; below, between two lines (208 V).
LOWEST_STAR_V = 347.0
#: What a cord of each connector may carry all the time, in A (IEC 60320).
CONNECTOR_A = {"C13": 10.0, "C14": 10.0, "C15": 10.0, "C19": 16.0, "C20": 16.0, "C21": 16.0}


@dataclass(frozen=True, slots=True)
class Cords:
    """Power supplies of a device, each with a cord: how many, and what each delivers in W, None where unknown."""

    count: int
    each_w: float | None
    connector: str | None


def cords_of(box: Box) -> Cords | None:
    """Return the power supplies that a type's ``psu`` tells of, None where it does not begin with their number."""
    found = _SUPPLIES.match(box.psu or "")
    if found is None or not int(found[1]):
        return None
    connector = re.search(r"\bC(?:13|14|15|19|20|21)\b", box.psu or "")
    each = units.parse(found[2], units.POWER) if found[2] else None
    return Cords(int(found[1]), each, connector[0] if connector else None)


def on_each_feed(cords: int, feeds: int) -> int:
    """Return how many of a device's supplies are on the fullest of its feeds: they take them in turn."""
    return -(-cords // feeds)


def cord_v(feed: Feed) -> float:
    """Return the voltage across a supply on a feed, in V."""
    star = feed.phases == 3 and feed.voltage_v >= LOWEST_STAR_V
    return feed.voltage_v / math.sqrt(3) if star else feed.voltage_v


def cord_findings(layout: Layout) -> Iterator[Finding]:
    """Yield types that slow down or stop once the feeds are lost that the redundancy lets fail, and hot cords."""
    hall = layout.hall
    if hall is None or not hall.feeds:
        return
    each = min(hall.feeds_per_rack or len(hall.feeds), len(hall.feeds))
    lost = lost_of_rack(hall)
    for box in {box.name: box for box in (*layout.host_types(), *layout.switch_types())}.values():
        cords = cords_of(box)
        if cords is None or box.power_max_w is None:
            continue
        gone = min(lost * on_each_feed(cords.count, each), cords.count)
        if lost and cords.each_w is not None:
            yield from _degraded(box, cords, gone, box.power_max_w)
        yield from _hot(box, cords, gone, hall)


def lost_of_rack(hall: Hall) -> int:
    """Return how many of a rack's own feeds may be lost at once."""
    feeds = hall.feeds or []
    redundancy = feeds[0].redundancy if feeds else "N"
    if hall.feeds_per_rack is None or hall.feeds_per_rack >= len(feeds):
        return lost_feeds(redundancy, len(feeds)) if feeds else 0
    return 0 if redundancy == "N" else min(1, hall.feeds_per_rack - 1)


def _degraded(box: Box, cords: Cords, gone: int, max_w: float) -> Iterator[Finding]:
    assert cords.each_w is not None
    if supplies_verdict(cords.count, gone, cords.each_w, max_w) == "full":
        return
    left = cords.count - gone
    state = f"{left} of {cords.count} power supplies of {cords.each_w / 1e3:g} kW are left once a feed has failed"
    message = f"{state}: they deliver {kilowatts(left * cords.each_w, max_w)}, so it slows down or stops"
    fix = f"spread its supplies over more feeds, or cap it at {left * cords.each_w / 1e3:g} kW"
    yield Finding("supplies-degraded", "warning", box.name, message, fix)


def _hot(box: Box, cords: Cords, gone: int, hall: Hall) -> Iterator[Finding]:
    """Yield a type of which a cord would carry more than its connector may."""
    left = cords.count - gone
    if cords.connector is None or left < 1 or box.power_max_w is None or hall.feeds is None:
        return
    factor = POWER_FACTOR if hall.power_factor is None else hall.power_factor
    least_va = min(cord_v(feed) * (1.0 if feed.phases == "dc" else factor) for feed in hall.feeds)
    current = box.power_max_w / left / least_va
    limit = CONNECTOR_A[cords.connector]
    if current > limit * (1 + 1e-9):
        message = f"{current:.1f} A through each of {left} cords with {cords.connector}, which carries {limit:g} A"
        yield Finding("cord-overload", "error", box.name, message, "more cords, a larger connector or a higher voltage")
