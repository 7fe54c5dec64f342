"""Strategies of placement side by side."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from fabrictool.changes.better import SWITCHES
from fabrictool.explore.halls import HallFigures, hall_figures, hall_of, losses_for
from fabrictool.fabric import Fabric
from fabrictool.generators.building import build
from fabrictool.layout.floor import FloorRows
from fabrictool.layout.model import Hall, Layout
from fabrictool.layout.placing import Placing
from fabrictool.power.settling import placed

if TYPE_CHECKING:
    from fabrictool.tabular import Table


@dataclass(frozen=True)
class Strategy:
    """A placement, as its keys are written in a layout, and what it comes to; ``stated`` is the layout's own."""

    words: str
    stated: bool
    figures: HallFigures

    def to_dict(self) -> dict[str, Any]:
        """Return a row of ``placements`` in JSON."""
        return {"placement": self.words, "stated": self.stated, "hall": self.figures.to_dict()}


@dataclass(frozen=True, repr=False)
class Strategies:
    """Placements of one layout; ``to_dict`` is the JSON of ``compare --placements``."""

    layout: str
    rows: tuple[Strategy, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the versioned JSON document."""
        return {"format": 1, "layout": self.layout, "placements": [row.to_dict() for row in self.rows]}

    def table(self) -> Table:
        """Return one row for each placement."""
        from fabrictool.explore.hall_tables import placement_table

        return placement_table(self)

    def __repr__(self) -> str:
        return f"<Strategies of {self.layout}: {len(self.rows)} placements>"

    def _repr_html_(self) -> str:
        return self.table().to_html()


def placements(layout: Layout | str | PathLike[str]) -> Strategies:
    """Return what each strategy of placement comes to: the layout's own first, then those that differ from it.

    Raises
    ------
    FabrictoolError
        If the layout cannot be built or has no racks.
    """
    given = hall_of(layout)
    fabric = build(given)
    losses = losses_for(given, fabric)
    rows = [Strategy(_words(given.placement), True, hall_figures(given, fabric, losses))]
    rows += [Strategy(words, False, hall_figures(other, fabric, losses)) for words, other in _others(given, fabric)]
    return Strategies(given.name, tuple(rows))


def _words(placing: Placing) -> str:
    return ", ".join(f"{key}: {value}" for key, value in placing.model_dump().items() if _telling(key, value))


def _telling(key: str, value: str) -> bool:
    return key == "switches" or value != Placing.model_fields[key].default


def _others(given: Layout, fabric: Fabric) -> list[tuple[str, Layout]]:
    """Return the layouts under other strategies; those that cannot be done are left out."""
    changes = [{"switches": switches} for switches in SWITCHES]
    changes += [{"switches": "dealt", "feeds": "balanced"}, {"hosts": "even"}, {"feeds": "balanced"}]
    found: dict[str, Layout] = {}
    for change in changes:
        placing = Placing.model_validate(given.placement.model_dump() | change)
        other = given.model_copy(update={"placement": placing})
        placement = placed(other, fabric)
        refused = placement is None or any(row.id.startswith("placement-not") for row in placement.findings)
        changed = placing != given.placement and not (_only_feeds(given, change))
        if changed and not refused:
            found.setdefault(_words(placing), other)
    hall = given.hall or Hall()
    near = hall.rows is None or hall.rows.network == "near"
    rows = (hall.rows or FloorRows()).model_copy(update={"network": "end" if near else "near"})
    moved = given.model_copy(update={"hall": hall.model_copy(update={"rows": rows})})
    found[f"hall.rows.network: {rows.network}"] = moved
    return list(found.items())


def _only_feeds(given: Layout, change: dict[str, str]) -> bool:
    """Say whether a change is one of feeds alone that every rack has anyway."""
    hall = given.hall
    some = hall is not None and hall.feeds_per_rack is not None and hall.feeds_per_rack < len(hall.feeds or ())
    return "feeds" in change and not some
