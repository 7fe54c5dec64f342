"""Checks of a hall's electrical supply: names, circles, and feeds that a rack cannot have."""

from __future__ import annotations

from collections.abc import Iterator

from fabrictool.errors import Problem, did_you_mean
from fabrictool.layout.facility import Powered
from fabrictool.layout.model import Hall, Layout


def supply_problems(layout: Layout) -> Iterator[Problem]:
    """Yield what is contradictory in the supply of a hall."""
    hall = layout.hall
    if hall is None:
        return
    known = {element.name for element in hall.supply or ()}
    yield from _names(hall, known)
    yield from _machines(hall, known)
    feeds = hall.feeds or []
    if hall.feeds_per_rack is not None and hall.feeds_per_rack > len(feeds):
        what = f"feeds_per_rack is {hall.feeds_per_rack}, but the hall has {len(feeds)} feeds"
        yield Problem("", what, "list more feeds, or lower it", ("hall", "feeds_per_rack"))
    for row, feed in enumerate(feeds):
        if feed.source is not None and feed.source not in known:
            hint = did_you_mean(feed.source, known) if known else "add 'supply' to the hall"
            yield Problem("", f"feed {feed.name} comes from '{feed.source}', which is not there", hint,
                          ("hall", "feeds", row, "from"))  # fmt: skip
    if hall.supply and not any(feed.source for feed in feeds):
        yield Problem("", "no feed comes from the supply", "add 'from: NAME' to the feeds", ("hall", "supply"))


def _machines(hall: Hall, known: set[str]) -> Iterator[Problem]:
    """Yield cooling that hangs on elements that are not there."""
    places: list[tuple[Powered, str, tuple[str | int, ...]]] = [
        *((loop, f"loop {loop.name}", ("hall", "loops", row)) for row, loop in enumerate(hall.loops or ())),
        *(
            (one, f"air handlers {one.name}", ("hall", "air_units", row))
            for row, one in enumerate(hall.air_units or ())
        ),
        *([(hall.plant, "the plant", ("hall", "plant"))] if hall.plant else []),
    ]
    for machine, what, path in places:
        for name in machine.sources:
            if name not in known:
                hint = did_you_mean(name, known) if known else "add 'supply' to the hall"
                yield Problem("", f"{what} draws from '{name}', which is not there", hint, (*path, "from"))
        if machine.supplied is not None and len(machine.sources) < 2:
            message = f"supplied says how {what} takes several elements, but it names {len(machine.sources)}"
            yield Problem("", message, "list two or more under from, or remove it", (*path, "supplied"))


def _names(hall: Hall, known: set[str]) -> Iterator[Problem]:
    """Yield names that stand twice, lead nowhere or round in a circle."""
    sources = {element.name: element.sources for element in hall.supply or ()}
    seen: set[str] = set()
    for row, element in enumerate(hall.supply or ()):
        path = ("hall", "supply", row)
        if element.name in seen:
            yield Problem(
                "", f"two elements are called '{element.name}'", "give each a name of its own", (*path, "name")
            )
        seen.add(element.name)
        for name in element.sources:
            if name not in known:
                what = f"{element.name} draws from '{name}', which is not there"
                yield Problem("", what, did_you_mean(name, known), (*path, "from"))
        if element.name in _above(element.name, sources):
            yield Problem("", f"{element.name} draws from itself in a circle", "let 'from' lead to a utility",
                          (*path, "from"))  # fmt: skip


def _above(name: str, sources: dict[str, list[str]]) -> set[str]:
    """Return everything that an element draws from, near or far."""
    found: set[str] = set()
    ahead = list(sources.get(name, ()))
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += sources.get(here, ())
    return found
