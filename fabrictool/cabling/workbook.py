"""The cable plan as a workbook for those who order, lay, label and check cables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from fabrictool.cabling.elevations import elevations
from fabrictool.cabling.media import colour_hex
from fabrictool.cabling.panel_table import panel_table
from fabrictool.cabling.port_maps import port_map
from fabrictool.cabling.report import PlanReport
from fabrictool.formats import labels_csv
from fabrictool.formats.plan_cells import COLUMNS, FIRST, plan_cells, sheet_columns
from fabrictool.formats.workbooks import Cell, Drawing, Tab, written
from fabrictool.records import CableRow

MONEY, METRES = "#,##0.00", "0.0#"


def workbook(report: PlanReport, rows: Sequence[CableRow], aliases: Sequence[str] | None = None) -> bytes:
    """Return a plan as a workbook; its sheet of cables reads back as the same rows.

    Parameters
    ----------
    report : PlanReport
    rows : sequence of CableRow
        Of the report's plan.
    aliases : (ports,) sequence of str, optional
        What the devices' systems call the ports of the plan's fabric.
    """
    name = report.plan.fabric.name
    return written(_sheets(report, rows, aliases), f"Cable plan of {name}")


def _sheets(
    report: PlanReport, rows: Sequence[CableRow], aliases: Sequence[str] | None
) -> Iterator[Tab | Drawing]:  # fmt: skip
    yield Drawing("summary", _summary(report))
    yield _cables(rows)
    yield _bill(report)
    drawn = elevations(report.plan)
    if drawn is not None:
        yield Drawing("rack elevations", drawn)
    fills = {"colour": shades(rows)}
    header, lines = port_map(report.plan, rows, aliases)
    yield Tab("port maps", header, lines, frozen=3, fills=fills, numbers={"length_m": METRES})
    lines = [(*cells, row.colour) for row, pair in _labels(rows) for cells in pair]
    yield Tab("labels", (*labels_csv.COLUMNS, "colour"), lines, fills=fills)
    yield _phases(rows)
    if report.plan.panels is not None:
        table = panel_table(report.plan)
        yield Tab("panels", [column.heading for column in table.columns], list(table))
    if report.trays:
        trays = [(row.name, row.cables, row.area_m2, row.fill) for row in report.trays]
        weights = {"area_m2": "0.0000", "fill": "0.0%"}
        yield Tab("trays", ("tray", "cables", "area_m2", "fill"), trays, numbers=weights)
    if report.findings:
        said = [(row.severity, row.id, row.where, row.message, row.fix) for row in report.findings]
        yield Tab("findings", ("severity", "id", "where", "message", "fix"), said)


def shades(rows: Iterable[CableRow]) -> dict[str, str]:
    """Return six hexadecimal digits for each colour of cables that has them."""
    found = {colour: colour_hex(colour) for colour in sorted({row.colour for row in rows})}
    return {colour: shade for colour, shade in found.items() if shade}


def _cables(rows: Sequence[CableRow]) -> Tab:
    cells = [plan_cells(row) for row in rows]
    columns = sheet_columns(cells)
    lines = list(map(itemgetter(*(COLUMNS.index(name) for name in columns)), cells))
    lengths = dict.fromkeys(("route_m", "slack_m", "length_m"), METRES)
    shown = {**lengths, "price": MONEY, "optics_w": "0.0"}
    printed = sum(name in FIRST for name in columns)
    return Tab("cables", columns, lines, printed, 1, shown, {"colour": shades(rows)})


def _labels(rows: Sequence[CableRow]) -> Iterator[tuple[CableRow, tuple[tuple[Cell, ...], tuple[Cell, ...]]]]:
    every = labels_csv.labels(rows)
    for row in rows:
        yield row, (next(every), next(every))


def _bill(report: PlanReport) -> Tab:
    header = ("sku", "description", "media", "length_m", "quantity", "spares", "order", "unit_price", "total", "source")
    rows = [
        (row.sku, row.description, row.media, row.length_m, row.quantity, row.spares, row.quantity + row.spares,
         row.unit_price, row.total, row.source)
        for row in report.bill
    ]  # fmt: skip
    counts = dict.fromkeys(("quantity", "spares", "order"), "#,##0")
    return Tab("BOM", header, rows, numbers={"length_m": METRES, "unit_price": MONEY, "total": MONEY, **counts})


def _phases(rows: Sequence[CableRow]) -> Tab:
    """Return what is laid in each step: cables by medium and length."""
    counted = Counter((row.phase, row.network, row.media, row.length_m or 0.0) for row in rows if row.leg == 1)
    header = ("phase", "network", "media", "length_m", "cables", "together_m")
    lines = [
        (phase, network, media, length or None, count, length * count or None)
        for (phase, network, media, length), count in sorted(counted.items())
    ]
    return Tab("phases", header, lines, numbers={"length_m": METRES, "together_m": "#,##0"})


def _summary(report: PlanReport) -> Callable[[Any, Any], None]:
    """Return what draws the first sheet: figures by network and medium, and what was assumed."""
    header = ("network", "media", "cables", "links", "shortest [m]", "longest [m]", "together [m]", "route [m]",
              "optics [W]", "price [USD]")  # fmt: skip
    rows = [tuple(row.values()) for row in report.summary()]

    def draw(book: Any, page: Any) -> None:
        title, head = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True, "bottom": 1})
        right = book.add_format({"bold": True, "bottom": 1, "align": "right"})
        wrap, number = (
            book.add_format({"text_wrap": True, "valign": "top"}),
            book.add_format({"num_format": "#,##0.##"}),
        )
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.set_column(0, len(header) - 1, 13)
        page.write_string(0, 0, f"Cable plan of {report.plan.fabric.name}", title)
        for column, word in enumerate(header):
            page.write_string(2, column, word, head if column < 2 else right)
        for line, row in enumerate(rows, 3):
            page.write_row(line, 0, ["unknown" if value is None else value for value in row], number)
        top = 5 + len(rows)
        page.write_row(top, 0, ["what was assumed", *[""] * 3, "value", *[""] * 2, "source", *[""] * 2], head)
        for line, said in enumerate(report.assumptions, top + 1):
            for first, last, text in ((0, 3, said.what), (4, 6, said.value), (7, 9, said.source)):
                page.merge_range(line, first, line, last, text, wrap)
            page.set_row(line, 15 * max(1, -(-len(said.value) // 45), -(-len(said.source) // 45)))

    return draw
