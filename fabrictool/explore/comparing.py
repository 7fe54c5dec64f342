"""Designs side by side: figures, structure and findings, and which differences exceed the uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from fabrictool.errors import InputError
from fabrictool.explore.designs import Counted, Design, design
from fabrictool.explore.figures import Figure, key_figures, margin
from fabrictool.explore.structure import structure
from fabrictool.tabular import Column, Table, format_value
from fabrictool.units import format_power

if TYPE_CHECKING:
    from fabrictool.evaluation import Evaluation
    from fabrictool.fabric import Fabric
    from fabrictool.formats.imported import Imported
    from fabrictool.records import Finding

Verdict = Literal["same", "within", "beyond", "unknown"]
#: Relative difference up to which two figures are one: that of rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Difference:
    """How a design's figure differs from the first design's.

    ``difference`` and ``uncertainty`` are in the figure's unit; None where one of the two is unknown.
    """

    to: str
    difference: float | None
    relative: float | None
    uncertainty: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One key figure of all designs, and the differences of all but the first."""

    name: str
    unit: str
    certainty: tuple[str, ...]
    values: tuple[float | None, ...]
    differences: tuple[Difference, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return one object of ``figures`` in the JSON output."""
        rows = [{key: getattr(row, key) for key in row.__slots__} for row in self.differences]
        shown = {"name": self.name, "unit": self.unit, "certainty": "; ".join(self.certainty)}
        return shown | {"values": list(self.values), "differences": rows}


@dataclass(frozen=True)
class Comparison:
    """Designs side by side; the first is what the others are compared with.

    ``structure`` holds what differs: key to one text a design, None where a design has no such thing;
    ``findings`` each finding that not all designs have, with one truth value a design.
    """

    titles: tuple[str, ...]
    figures: tuple[ComparedFigure, ...]
    structure: tuple[tuple[str, tuple[str | None, ...]], ...]
    findings: tuple[tuple[Finding, tuple[bool, ...]], ...]

    def beyond(self, title: str) -> list[tuple[ComparedFigure, Difference]]:
        """Return the figures of a design that differ from the first's by more than the uncertainty."""
        return [(f, d) for f in self.figures for d in f.differences if d.to == title and d.verdict == "beyond"]

    def to_dict(self) -> dict[str, Any]:
        """Return the versioned JSON document of ``compare``."""
        return {
            "format": 1,
            "layouts": list(self.titles),
            "figures": [figure.to_dict() for figure in self.figures],
            "structure": [{"what": what, "values": list(values)} for what, values in self.structure],
            "findings": [
                row.to_dict() | {"layouts": [title for title, there in zip(self.titles, has, strict=True) if there]}
                for row, has in self.findings
            ],
        }

    def tables(self, as_numbers: bool = False) -> list[Table]:
        """Return figures, structure and findings as tables; the last two only where something differs.

        Figures are written for people, or with ``as_numbers`` kept in full precision and one unit.
        """
        tables = [self._number_table() if as_numbers else self._figure_table()]
        if self.structure:
            tables.append(self._structure_table())
        if self.findings:
            tables.append(self._finding_table())
        return tables

    def _figure_table(self) -> Table:
        columns = [Column("figure", [figure.name for figure in self.figures])]
        for at, title in enumerate(self.titles):
            texts = [_shown(figure.values[at], figure.unit) for figure in self.figures]
            columns.append(Column(title, texts, align="right"))
        for at, title in enumerate(self.titles[1:]):
            heading = "difference" if len(self.titles) == 2 else f"difference of {title}"
            columns.append(Column(heading, [_words(figure.differences[at]) for figure in self.figures], align="right"))
        columns.append(Column("certainty", ["; ".join(figure.certainty) for figure in self.figures]))
        return Table("figures", tuple(columns))

    def _number_table(self) -> Table:
        columns = [Column(key, [getattr(figure, key) for figure in self.figures]) for key in ("name", "unit")]
        for at, title in enumerate(self.titles):
            columns.append(Column(title, [figure.values[at] for figure in self.figures]))
        for at, title in enumerate(self.titles[1:]):
            for key in ("difference", "uncertainty", "verdict"):
                values = [getattr(figure.differences[at], key) for figure in self.figures]
                columns.append(Column(f"{key} of {title}", values))
        columns.append(Column("certainty", ["; ".join(figure.certainty) for figure in self.figures]))
        return Table("figures", tuple(columns))

    def _structure_table(self) -> Table:
        columns = [Column("structure", [what for what, _ in self.structure])]
        columns += [Column(title, [row[at] for _, row in self.structure]) for at, title in enumerate(self.titles)]
        return Table("structure", tuple(columns))

    def _finding_table(self) -> Table:
        rows = self.findings
        columns = [
            Column("severity", [row.severity for row, _ in rows]),
            Column("finding", [row.id for row, _ in rows]),
            Column("where", [row.where for row, _ in rows]),
        ]
        columns += [Column(title, [has[at] for _, has in rows]) for at, title in enumerate(self.titles)]
        return Table("findings", (*columns, Column("message", [row.message for row, _ in rows])))

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.titles)}>"

    def _repr_html_(self) -> str:
        return "".join(table.to_html() for table in self.tables())


def compare(
    evaluations: Sequence[Evaluation | Imported | Fabric | Counted], titles: Sequence[str] | None = None
) -> Comparison:
    """Set designs side by side.

    Parameters
    ----------
    evaluations : sequence of Evaluation, Imported, Fabric or Counted
        Two or more; the first is what the others are compared with. Of a fabric without a layout, what can
        be counted on it is compared.
    titles : sequence of str, optional
        What the designs are called, each once; by default the names of their layouts or fabrics.

    Raises
    ------
    InputError
        If there is nothing to compare, or two designs have one title.
    """
    designs = [design(given) for given in evaluations]
    names = tuple(titles or [one.fabric.name for one in designs])
    if len(designs) < 2:
        raise InputError(f"{len(designs)} layout is nothing to compare", "give two or more")
    if len(set(names)) < len(names):
        raise InputError(f"two layouts are called '{names[0]}'", "give each a title of its own")
    figures = [{figure.name: figure for figure in key_figures(one)} for one in designs]
    keys = _in_order([list(one) for one in figures])
    return Comparison(
        names,
        tuple(_compared(names, [one.get(key) for one in figures]) for key in keys),
        tuple(_structures(designs)),
        tuple(_findings(designs)),
    )


def _in_order(lists: Sequence[list[str]]) -> list[str]:
    """Return the keys of all lists, each once, a new one after the key that it follows in its list."""
    merged = list(lists[0])
    for keys in lists[1:]:
        for at, key in enumerate(keys):
            if key not in merged:
                merged.insert(merged.index(keys[at - 1]) + 1 if at else 0, key)
    return merged


def _compared(titles: Sequence[str], row: Sequence[Figure | None]) -> ComparedFigure:
    known = [figure for figure in row if figure is not None]
    return ComparedFigure(
        known[0].name,
        known[0].unit,
        tuple(dict.fromkeys(figure.certainty for figure in known)),
        tuple(None if figure is None else figure.value for figure in row),
        tuple(_difference(title, row[0], other) for title, other in zip(titles[1:], row[1:], strict=True)),
    )


def _difference(title: str, first: Figure | None, other: Figure | None) -> Difference:
    if first is None or other is None or first.value is None or other.value is None or first.unit != other.unit:
        return Difference(title, None, None, None, "unknown")
    apart, least = other.value - first.value, margin(first, other)
    relative = apart / first.value if first.value else None
    if abs(apart) <= _ROUNDING * max(abs(first.value), abs(other.value)):
        return Difference(title, 0.0, 0.0, least, "same")
    return Difference(title, apart, relative, least, "beyond" if abs(apart) > least else "within")


def _structures(designs: Sequence[Design]) -> list[tuple[str, tuple[str | None, ...]]]:
    found = [structure(one) for one in designs]
    rows = [(key, tuple(one.get(key) for one in found)) for key in _in_order([list(one) for one in found])]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _findings(designs: Sequence[Design]) -> list[tuple[Finding, tuple[bool, ...]]]:
    """Return findings that not all designs have; one that only changed its figures is there in both."""
    found = [{(row.id, _place(one, row), row.severity): row for row in one.findings} for one in designs]
    keys = dict.fromkeys(key for one in found for key in one)
    rows = [(next(one[key] for one in found if key in one), tuple(key in one for one in found)) for key in keys]
    return [(row, has) for row, has in rows if not all(has)]


def _place(one: Design, row: Finding) -> str:
    """Return where a finding is; the name of an only network tells designs as little apart as it heads figures."""
    networks = one.fabric.networks
    if len(networks) == 1 and row.where == f"network {networks[0].name}":
        return "network"
    return row.where


def _shown(value: float | None, unit: str) -> str | None:
    """Write a figure with its unit, in the prefix that people read it with."""
    if value is None:
        return None
    if unit == "W":
        return format_power(value)
    if unit == "B/s":
        return f"{value / 1e9:.4g} GB/s"
    if unit == "%":
        return f"{value:.1f} %"
    text = format_value(float(f"{value:.5g}") if unit else value)
    return f"{text} {unit}" if unit else text


def _words(row: Difference) -> str | None:
    """Say in words how far apart two figures are."""
    if row.difference is None:
        return None
    if row.verdict == "same":
        return "same"
    if row.relative is None:
        return f"{row.difference:+,.4g} {row.verdict}"
    percent = 100 * row.relative
    return f"{percent:+.1f} % {row.verdict}" if abs(percent) >= 0.1 else f"{percent:+.1g} % {row.verdict}"
