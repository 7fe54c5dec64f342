"""The racks on the screen of ``score``: a line for each kind of rack, or for each rack, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric import KINDS
from fabrictool.placement.figures import has_figures

if TYPE_CHECKING:
    from fabrictool.evaluation import Evaluation
    from fabrictool.fabric.tables import F8

#: Kinds of rack that are shown where not all are asked for.
SHOWN = 4
#: Narrowest column of names, so that the heading of the section fits before the others.
_LEAST = 7
#: Names up to this length are written twice in a range of racks.
_SHORT = 8


@dataclass(frozen=True, slots=True)
class RackColumn:
    """A column of racks.

    Parameters
    ----------
    heading : str
        With its mark of evidence.
    cells : tuple of str, (racks,)
    dropped : int
        How soon it goes on a narrow terminal.
    most : ndarray, (racks,), optional
        Racks that differ in this alone share a line, which shows the one with the most.
    """

    heading: str
    cells: tuple[str, ...]
    dropped: int = 0
    most: F8 | None = None

    def cell(self, rows: Sequence[int]) -> str:
        """Return what stands on the line of some racks."""
        return self.cells[rows[0] if self.most is None else rows[int(np.nanargmax(self.most[rows]))]]


def rack_lines(evaluation: Evaluation, verbose: bool, width: int) -> Iterator[str]:
    """Yield the racks: equal ones on one line, the largest draw first; with ``verbose`` one line each, in order."""
    if evaluation.placement is None or not len(evaluation.placement.racks):
        return
    columns = [column for column in _columns(evaluation) if any(cell not in ("", "-") for cell in column.cells)]
    groups = _each(evaluation) if verbose else _alike(evaluation, columns)
    shown = groups if verbose else groups[:SHOWN]
    names = evaluation.power.rack
    first = [_named(names, rows) for rows in shown]
    rows = [[name, *(column.cell(rows) for column in columns)] for name, rows in zip(first, shown, strict=True)]
    headings = [" " * _LEAST, *(column.heading for column in columns)]
    kept = _kept(columns, headings, rows, width)
    widths = [max(len(line[at]) for line in (headings, *rows)) for at in kept]
    for row in (headings, *rows):
        cells = [row[at].ljust(size) if at < 2 else row[at].rjust(size) for at, size in zip(kept, widths, strict=True)]
        yield "  ".join(cells).rstrip()
    left = len(groups) - len(shown)
    if left:
        yield f"… {left:,} more kind{'s' if left > 1 else ''} of rack: -v shows each rack"


def _kept(
    columns: Sequence[RackColumn], headings: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> list[int]:
    """Return the columns that fit; the first, with names, always stays."""
    widths = [max(len(line[at]) for line in (headings, *rows)) + 2 for at in range(len(headings))]
    kept = list(range(len(headings)))
    for at in sorted(range(1, len(headings)), key=lambda at: -columns[at - 1].dropped):
        if sum(widths[row] for row in kept) <= width + 2 or not columns[at - 1].dropped:
            break
        kept.remove(at)
    return kept


def _named(names: Sequence[str], rows: Sequence[int]) -> str:
    """Return what a group of racks is called: the first, and how many more."""
    if len(rows) == 1:
        return names[rows[0]]
    if rows[-1] - rows[0] == len(rows) - 1:
        a, z = names[rows[0]], names[rows[-1]]
        number = z.removeprefix(z.rstrip("0123456789"))
        return f"{a}-{z}" if len(a) <= _SHORT else f"{a}…{number}"
    return f"{names[rows[0]]} and {len(rows) - 1:,} more"


def _each(evaluation: Evaluation) -> list[list[int]]:
    return [[row] for row in range(len(evaluation.power.rack))]


def _alike(evaluation: Evaluation, columns: Sequence[RackColumn]) -> list[list[int]]:
    """Group racks that read alike, the largest draw first."""
    found: dict[tuple[str, ...], list[int]] = {}
    told = [column.cells for column in columns if column.most is None]
    for row in range(len(evaluation.power.rack)):
        found.setdefault(tuple(cells[row] for cells in told), []).append(row)
    return sorted(found.values(), key=lambda rows: -np.nan_to_num(evaluation.power.it_w[rows[0]], nan=-1.0))


def _columns(evaluation: Evaluation) -> list[RackColumn]:
    power, cooling = evaluation.power, evaluation.cooling
    assert evaluation.placement is not None
    known = power.load_kg > 0
    units = zip(power.units_used.tolist(), evaluation.placement.racks.units.tolist(), strict=True)
    return [
        RackColumn("holds", _contents(evaluation)),
        RackColumn("kW#", _numbers(power.it_w / 1e3)),
        RackColumn("of", _numbers(power.limit_w / 1e3)),
        RackColumn("typical", _numbers(power.it_typical_w / 1e3), 3),
        RackColumn("U#", tuple(f"{used}/{there}" for used, there in units), 2),
        RackColumn(
            "kg~", _numbers(np.where(known, power.weight_kg, np.nan), "{:,.0f}"), 5, np.where(known, power.weight_kg, 0)
        ),
        RackColumn("air m3/s~", _numbers(cooling.airflow_m3_per_s, "{:.2f}"), 4),
        RackColumn("in C~", _numbers(cooling.inlet_c, "{:.1f}"), 1),
        RackColumn("liquid kW~", _numbers(np.where(cooling.liquid_w > 0, cooling.liquid_w, np.nan) / 1e3), 1),
        RackColumn("loop~", _loops(evaluation), 2),
    ]


def _numbers(values: F8, form: str = "{:.4g}") -> tuple[str, ...]:
    return tuple("-" if np.isnan(value) else form.format(value) for value in values.tolist())


def _loops(evaluation: Evaluation) -> tuple[str, ...]:
    cooling = evaluation.cooling
    return tuple(
        "" if not name else name if np.isnan(load) else f"{name} {100 * load:.0f} %"
        for name, load in zip(cooling.loop, cooling.loop_load.tolist(), strict=True)
    )


def _contents(evaluation: Evaluation) -> tuple[str, ...]:
    """Return what stands in each rack: hosts, else switches, else what serves."""
    fabric, placement = evaluation.fabric, evaluation.placement
    assert placement is not None
    there = has_figures(fabric)
    hosts = placement.sum_by_rack((fabric.devices.kind == KINDS.index("host")) & there).astype(int).tolist()
    switches = placement.sum_by_rack((fabric.devices.tier > 0) & there).astype(int).tolist()
    services = placement.sum_by_rack((fabric.devices.kind == KINDS.index("service")) & there).astype(int).tolist()
    return tuple(
        ", ".join(
            f"{count} {word}{'es' if word == 'switch' and count > 1 else 's' if count > 1 else ''}"
            for count, word in ((host, "host"), (switch, "switch"), (service, "service"))
            if count
        )
        for host, switch, service in zip(hosts, switches, services, strict=True)
    )
