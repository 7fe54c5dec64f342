"""What is wrong within a plan that somebody else made: each fault once, with the cells where it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fabrictool.cabling.media import class_of
from fabrictool.formats.plan_table import PlanRow
from fabrictool.records import Finding, Severity
from fabrictool.units import format_speed

#: Cells that a finding lists.
LISTED = 6
#: Rows below each other that take ports of others, from which on they are one fault.
FILLED_DOWN = 3
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


@dataclass(frozen=True, slots=True)
class _Use:
    """A port that several rows use, with the side at which each of them does."""

    rows: tuple[PlanRow, ...]
    sides: tuple[str, ...]

    def finding(self) -> Finding:
        where = cells(self.rows, [f"{side}_port" for side in self.sides])
        said = (
            f"{_named(self.rows[0], self.sides[0])} is used by {len(self.rows)} rows: copied down without counting on?"
        )
        return Finding("port-used-twice", "error", where, said, "give each row a port of its own")


def _used_often(rows: Sequence[PlanRow]) -> Iterator[tuple[Finding, tuple[PlanRow, ...]]]:
    """Yield ports of several rows; a block of rows below each other that each take another row's port is one fault."""
    left = list(_uses(rows))
    for place in (0, 1):
        pairs = [use for use in left if len(use.rows) == 2]
        left = [use for use in left if len(use.rows) != 2]
        for block in _blocks(pairs, place):
            if len(block) < FILLED_DOWN:
                left += block
            else:
                yield _filled_down(block, place)
    order = {id(row): at for at, row in enumerate(rows)}
    yield from ((use.finding(), use.rows) for use in sorted(left, key=lambda use: order[id(use.rows[0])]))


def _blocks(pairs: Iterable[_Use], place: int) -> list[list[_Use]]:
    """Group ports of two rows whose first or second rows stand below each other."""
    found: list[list[_Use]] = []
    for use in sorted(pairs, key=lambda use: (use.rows[place].sheet.name, use.rows[place].line)):
        row, side = use.rows[place], use.sides[place]
        if found:
            above, its = found[-1][-1].rows[place], found[-1][-1].sides[place]
            if row.sheet is above.sheet and row.line == above.line + 1 and side == its:
                found[-1].append(use)
                continue
        found.append([use])
    return found


def _filled_down(block: Sequence[_Use], place: int) -> tuple[Finding, tuple[PlanRow, ...]]:
    names = [_named(use.rows[place], use.sides[place]) for use in (block[0], block[-1])]
    what = f"{len(block)} rows below each other take ports of other rows, {names[0]} to {names[1]}: filled down?"
    where, others = (
        cells([use.rows[at] for use in block], [f"{use.sides[at]}_port" for use in block]) for at in (place, 1 - place)
    )
    others = others.removeprefix(block[0].rows[0].sheet.source).replace("[", "").replace("]", "").removeprefix(":")
    fix = f"give each row a port of its own; the other rows are at {others}"
    return Finding("port-used-twice", "error", where, what, fix), tuple(row for use in block for row in use.rows)


def _uses(rows: Sequence[PlanRow]) -> Iterator[_Use]:
    used: defaultdict[tuple[str, str], list[tuple[PlanRow, str]]] = defaultdict(list)
    for row in rows:
        for side, end in zip("az", _ends(row), strict=True):
            used[end].append((row, side))
    for uses in used.values():
        concerned = {id(row): (row, side) for row, side in uses}
        if len(concerned) > 1:
            yield _Use(*(tuple(part) for part in zip(*concerned.values(), strict=True)))


def _ends(row: PlanRow) -> tuple[tuple[str, str], tuple[str, str]]:
    a, z = row.cable.a, row.cable.z
    return (a.place.device.lower(), a.port.lower()), (z.place.device.lower(), z.port.lower())


def _named(row: PlanRow, side: str) -> str:
    end = row.cable.a if side == "a" else row.cable.z
    return f"{end.place.device}:{end.port}"


def place_faults(rows: Sequence[PlanRow]) -> Iterator[Finding]:
    """Yield devices that stand in two places, and rack units in which two stand; chips of a director are one."""
    at: defaultdict[str, dict[tuple[str, int | None], tuple[PlanRow, str]]] = defaultdict(dict)
    on: defaultdict[tuple[str, str, int], dict[str, tuple[PlanRow, str]]] = defaultdict(dict)
    for row in rows:
        for side, end in (("a", row.cable.a), ("z", row.cable.z)):
            place = end.place
            if place.rack:
                at[place.device].setdefault((place.rack, place.unit), (row, side))
            if place.rack and place.unit is not None:
                on[place.site, place.rack, place.unit].setdefault(place.device.partition("/")[0], (row, side))
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
        what = f"{len(group)} cables of {length:,g} m cannot join racks and units that are {least:,g} m apart or more"
        if length <= 0:
            what = f"{len(group)} cables are {length:,g} m long"
        yield finding("length-impossible", "error", group, "length", what, "order longer cables")
    yield from _beyond_reach(rows)


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
        what = f"{len(group)} {media} cables at {format_speed(speed)} are up to {longest:.4g} m long; {source} reaches"
        yield finding("media-beyond-reach", "error", group, "length", f"{what} {most:,g} m",
                      "choose another medium, or a shorter way")  # fmt: skip


def media_kinds(media: str) -> tuple[str, ...]:
    """Return the media that a plan's word for one may mean."""
    return next((kinds for _, words, kinds in _MEDIA if any(word in media for word in words)), ())


def reach_of(media: str, speed_bps: float) -> tuple[str, float] | None:
    """Return what a medium reaches at a speed: its name and m; None where nothing is known."""
    kinds = media_kinds(media)
    classes = [class_of(kind, speed_bps) for kind in kinds] if speed_bps else []
    return max(((found.name, found.max_m) for found in classes if found), key=lambda pair: pair[1], default=None)
