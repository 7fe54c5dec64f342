"""Halls side by side as tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.tabular import Column, Table

if TYPE_CHECKING:
    from fabrictool.explore.density import Densities
    from fabrictool.explore.halls import HallFigures
    from fabrictool.explore.placements import Strategies


def density_table(found: Densities) -> Table:
    """Return one row for each power a rack."""
    rows, halls = found.rows, [row.figures for row in found.rows]
    return Table(
        f"{found.layout} at other powers a rack",
        (
            Column("rack limit", [row.limit_w / 1e3 for row in rows], "kW"),
            Column("cooling", [row.cooling for row in rows]),
            Column("hosts a rack", _of(halls, lambda hall: hall.hosts_per_rack)),
            Column("bound by", [row.reason or row.bound_by for row in rows]),
            Column("racks", _of(halls, lambda hall: hall.racks)),
            Column("of switches", _of(halls, lambda hall: hall.network_racks)),
            Column("rows", _of(halls, lambda hall: hall.rows)),
            *_common(halls),
        ),
    )


def placement_table(found: Strategies) -> Table:
    """Return one row for each placement."""
    halls = [row.figures for row in found.rows]
    return Table(
        f"{found.layout} under other placements",
        (
            Column("placement", [row.words + (" (stated)" if row.stated else "") for row in found.rows]),
            Column("racks", [hall.racks for hall in halls]),
            Column("worst rack", [hall.worst_rack_w / 1e3 for hall in halls], "kW"),
            Column("worst over mean", [hall.worst_rack_w / hall.mean_rack_w for hall in halls]),
            Column("heaviest feed over mean", [hall.feed_spread for hall in halls]),
            *_common(halls),
        ),
    )


def _common(halls: Sequence[HallFigures | None]) -> tuple[Column, ...]:
    return (
        Column("cables", _of(halls, lambda hall: round(hall.cable_m)), "m"),
        Column("longest", _of(halls, lambda hall: hall.longest_m), "m"),
        Column("media", _of(halls, lambda hall: ", ".join(f"{count:,} {name}" for name, count in hall.media.items()))),
        Column("optics", _of(halls, lambda hall: hall.optics_w / 1e3), "kW"),
        Column("network", _of(halls, lambda hall: _round(hall.network_cost)), "USD"),
        Column("worst rack lost", _of(halls, lambda hall: hall.worst_loss and hall.worst_loss.domain.name)),
        Column("of all-reduce", _of(halls, lambda hall: _share(hall, "all_reduce_lost")), align="right"),
        Column("of all-to-all", _of(halls, lambda hall: _share(hall, "all_to_all_lost")), align="right"),
    )


def _of(halls: Sequence[HallFigures | None], figure: Callable[[HallFigures], Any]) -> list[Any]:
    return [None if hall is None else figure(hall) for hall in halls]


def _round(value: float | None) -> int | None:
    return None if value is None else round(value)


def _share(hall: HallFigures, name: str) -> str | None:
    loss = getattr(hall.worst_loss, name, None)
    return None if loss is None else f"{float(np.round(100 * loss, 1)):g} %"
