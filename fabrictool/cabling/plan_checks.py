"""What is wrong within a plan that somebody else made: each fault once, with the cells where it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from fabrictool.catalogue import store
from fabrictool.catalogue.types import LinkPrice
from fabrictool.formats.plan_table import PlanRow
from fabrictool.records import Finding, Severity
from fabrictool.units import format_speed

#: Cells that a finding lists.
LISTED = 6
#: Height of a rack unit in m: EIA-310-D, 1.75 inch.
UNIT_M = 0.04445
#: Width of the narrowest common rack in m: 600 mm.
RACK_M = 0.6
_MEDIA = (
    ("dac", ("dac-active",), ("acc", "aec")), ("dac", ("dac", "passive"), ("dac",)), ("acc", ("acc",), ("acc",)),
    ("aec", ("aec",), ("aec",)), ("aoc", ("aoc",), ("aoc",)),
    ("mmf", ("mmf", "om3", "om4", "om5", "multi", "sr4", "sr8"), ("mmf",)),
    ("smf", ("smf", "os1", "os2", "single", "dr4", "fr4", "lr4"), ("smf",)), ("copper", ("cat", "rj45"), ("copper",)),
)  # fmt: skip


def cells(rows: Sequence[PlanRow], columns: Iterable[str]) -> str:
    """Return the cells of rows as one place: the first whole, of others what follows the file."""
    places = [row.place(column) for row, column in zip(rows, columns, strict=True)]
    shown = [places[0]]
    for row, place in zip(rows[1:LISTED], places[1:LISTED], strict=True):
        shown.append(place.removeprefix(row.sheet.source).strip("[]:"))
    more = f" and {len(places) - LISTED} more" if len(places) > LISTED else ""
    return ", ".join(shown) + more


def finding(identity: str, severity: Severity, rows: Sequence[PlanRow], column: str, message: str, fix: str) -> Finding:
    """Return a finding about rows, at their cells of one column."""
    return Finding(identity, severity, cells(rows, [column] * len(rows)), message, fix)


def port_faults(rows: Sequence[PlanRow]) -> Iterator[tuple[Finding, tuple[PlanRow, ...]]]:
    """Yield each port that several rows use and each link that joins a port to itself, with the rows concerned.

    Rows that repeat a whole link are one fault, however often they do.
    """
    links: defaultdict[frozenset[tuple[str, str]], list[PlanRow]] = defaultdict(list)
    for row in rows:
        links[frozenset(_ends(row))].append(row)
    first = []
    for ends, same in links.items():
        first.append(same[0])
        if len(ends) == 1:
            what = f"both ends are {_named(same[0], 'a')}"
            yield finding("port-joined-to-itself", "error", same, "z_port", what, "name the other end"), tuple(same)
        elif len(same) > 1:
            what = f"the link {_named(same[0], 'a')} - {_named(same[0], 'z')} stands in {len(same)} rows"
            yield finding("row-repeated", "error", same, "a_device", what, "keep one of them"), ()
    yield from _used_often(first)


def _used_often(rows: Sequence[PlanRow]) -> Iterator[tuple[Finding, tuple[PlanRow, ...]]]:
    used: defaultdict[tuple[str, str], list[tuple[PlanRow, str]]] = defaultdict(list)
    for row in rows:
        for side, end in zip("az", _ends(row), strict=True):
            used[end].append((row, side))
    for uses in used.values():
        concerned = {id(row): (row, side) for row, side in uses}
        if len(concerned) > 1:
            kept = [row for row, _ in concerned.values()]
            columns = [f"{side}_port" for _, side in concerned.values()]
            what = f"{_named(*uses[0])} is used by {len(kept)} rows: copied down without counting on?"
            where = cells(kept, columns)
            yield Finding("port-used-twice", "error", where, what, "give each row a port of its own"), tuple(kept)


def _ends(row: PlanRow) -> tuple[tuple[str, str], tuple[str, str]]:
    a, z = row.cable.a, row.cable.z
    return (a.place.device.lower(), a.port.lower()), (z.place.device.lower(), z.port.lower())


def _named(row: PlanRow, side: str) -> str:
    end = row.cable.a if side == "a" else row.cable.z
    return f"{end.place.device}:{end.port}"


def place_faults(rows: Sequence[PlanRow]) -> Iterator[Finding]:
    """Yield devices that stand in two places, and rack units in which two devices stand."""
    at: defaultdict[str, dict[tuple[str, int | None], tuple[PlanRow, str]]] = defaultdict(dict)
    on: defaultdict[tuple[str, str, int], dict[str, tuple[PlanRow, str]]] = defaultdict(dict)
    for row in rows:
        for side, end in (("a", row.cable.a), ("z", row.cable.z)):
            place = end.place
            if place.rack:
                at[place.device].setdefault((place.rack, place.unit), (row, side))
            if place.rack and place.unit is not None:
                on[place.site, place.rack, place.unit].setdefault(place.device, (row, side))
    for device, places in at.items():
        if len(places) > 1:
            words = ", ".join(f"{rack} U{unit}" if unit is not None else rack for rack, unit in places)
            what = f"{device} stands in {len(places)} places: {words}"
            yield _at(places.values(), "rack", "device-in-two-places", what, "two devices of one name, or a wrong cell")
    for (_, rack, unit), devices in on.items():
        if len(devices) > 1:
            what = f"{' and '.join(list(devices)[:4])} both stand in {rack} U{unit}"
            yield _at(devices.values(), "u", "unit-occupied", what, "correct the unit of one of them")


def _at(uses: Iterable[tuple[PlanRow, str]], column: str, identity: str, what: str, fix: str) -> Finding:
    listed = list(uses)
    where = cells([row for row, _ in listed], [f"{side}_{column}" for _, side in listed])
    return Finding(identity, "error", where, what, fix)


def length_faults(rows: Sequence[PlanRow]) -> Iterator[Finding]:
    """Yield cables that cannot be as long as stated, or are too long for their medium, grouped by the reason."""
    short: defaultdict[tuple[float, float], list[PlanRow]] = defaultdict(list)
    for row in rows:
        least = _least_m(row)
        if row.cable.length_m is not None and (row.cable.length_m <= 0 or row.cable.length_m < least):
            short[row.cable.length_m, round(least, 2)].append(row)
    for (length, least), group in short.items():
        what = f"{len(group)} cables of {length:g} m cannot join racks and units that are {least:g} m apart or more"
        if length <= 0:
            what = f"{len(group)} cables are {length:g} m long"
        yield finding("length-impossible", "error", group, _length_column(group[0]), what, "order longer cables")
    yield from _beyond_reach(rows)


def _length_column(row: PlanRow) -> str:
    return "length_m" if "length_m" in row.columns else "length"


def _least_m(row: PlanRow) -> float:
    """Return what the straight line between both ends takes at least, as far as the plan tells."""
    a, z = row.cable.a.place, row.cable.z.place
    if not a.rack or not z.rack:
        return 0.0
    if a.rack != z.rack:
        return RACK_M / 2  # between units at the near edges of neighbouring racks
    return abs(a.unit - z.unit) * UNIT_M if a.unit is not None and z.unit is not None else 0.0


def _beyond_reach(rows: Sequence[PlanRow]) -> Iterator[Finding]:
    far: defaultdict[tuple[str, float, str, float], list[PlanRow]] = defaultdict(list)
    for row in rows:
        reach = reach_of(row.cable.media, row.cable.speed_bps)
        length = row.cable.length_m
        if reach is not None and length is not None and length > reach[1]:
            far[row.cable.media, row.cable.speed_bps, *reach].append(row)
    for (media, speed, source, most), group in far.items():
        longest = max(row.cable.length_m or 0.0 for row in group)
        what = f"{len(group)} {media} cables at {format_speed(speed)} are up to {longest:g} m long; {source} reaches"
        yield finding("media-beyond-reach", "error", group, _length_column(group[0]), f"{what} {most:g} m",
                      "choose another medium, or a shorter way")  # fmt: skip


def reach_of(media: str, speed_bps: float) -> tuple[str, float] | None:
    """Return what a medium reaches at a speed: entry of the catalogue and m; None where nothing is known."""
    kinds = next((kinds for _, words, kinds in _MEDIA if any(word in media for word in words)), ())
    found = []
    for name in store.names("link_prices"):
        entry = store.entry("link_prices", name)
        if isinstance(entry, LinkPrice) and entry.media in kinds and entry.speed_bps == speed_bps:
            found.append((name, entry.max_m))
    return max(found, key=lambda pair: pair[1], default=None)
