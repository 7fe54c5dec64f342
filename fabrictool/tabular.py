"""A named table with units, for the terminal, markdown, CSV, JSON and HTML."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
    from rich.table import Table as Grid

Format = Literal["table", "json", "csv", "markdown"]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_MARKDOWN = re.compile(r"[\\|<]")
_WIDE = 100_000
#: Letters of a line where no terminal says how many it has: of a file, a pipe, a ticket.
_LINE = 160


def _plain(value: Any) -> Any:
    """Return a numpy scalar as a Python number, and what is not a finite number as None."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def format_value(value: Any) -> str:
    """Write a value for people: five significant digits, thousands set apart, None as a dash."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _format_float(value)
    if isinstance(value, list | tuple):
        return ", ".join(format_value(_plain(item)) for item in value)
    return _CONTROL.sub(" ", str(value))


def _format_float(value: float) -> str:
    if value == 0 or not 1e-4 <= abs(value) < 1e15:
        return f"{value:.5g}"
    decimals = max(0, 4 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


@dataclass(frozen=True, slots=True)
class Column:
    """A column: one value for each row (None is unknown), all in ``unit``.

    ``format`` writes a known value for people; JSON and CSV keep the value itself. Without ``align``
    numbers stand to the right. ``key`` is the key in JSON, by default the name.
    """

    name: str
    values: Sequence[Any]
    unit: str = ""
    align: Literal["", "left", "right"] = ""
    format: Callable[[Any], str] | None = None
    key: str = ""

    @property
    def heading(self) -> str:
        """Name and unit."""
        return _CONTROL.sub(" ", f"{self.name} [{self.unit}]" if self.unit else self.name)

    @property
    def plain(self) -> list[Any]:
        """Values as Python objects, None where there is no finite number."""
        return [_plain(value) for value in self.values]

    @property
    def texts(self) -> list[str]:
        """Values as people read them."""
        write = self.format or format_value
        return [format_value(None) if value is None else _CONTROL.sub(" ", write(value)) for value in self.plain]

    @property
    def to_the_right(self) -> bool:
        """Whether values stand at the right edge."""
        numbers = all(value is None or isinstance(value, int | float) for value in self.plain)
        return self.align == "right" or (not self.align and numbers and len(self.values) > 0)


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Columns of equal length under one name; a ValueError if they differ or two have the same key."""

    name: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        lengths = {column.name: len(column.values) for column in self.columns}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"table '{self.name}': columns differ in length: {lengths}")
        if len(set(self._json_keys)) < len(self.columns):
            raise ValueError(f"table '{self.name}': two columns have the same key: {', '.join(self._json_keys)}")

    @classmethod
    def from_rows(cls, name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
        """Make a table of rows; a heading such as ``power [W]`` brings its unit."""
        values = list(zip(*rows, strict=True)) or [()] * len(headings)
        parts = [heading.removesuffix("]").partition(" [") for heading in headings]
        return cls(name, tuple(Column(p[0], v, p[2]) for p, v in zip(parts, values, strict=True)))

    @property
    def _json_keys(self) -> list[str]:
        return [column.key or column.name for column in self.columns]

    def __repr__(self) -> str:
        return self.render()

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Go through the rows, with values as Python objects."""
        return zip(*(column.plain for column in self.columns), strict=True)

    def _text_rows(self) -> Iterator[tuple[str, ...]]:
        return zip(*(column.texts for column in self.columns), strict=True)

    def to(self, format: Format = "table") -> str:
        """Write the table in one of the formats of the command line."""
        writers = {"table": self.render, "json": self.to_json, "csv": self.to_csv, "markdown": self.to_markdown}
        if format not in writers:
            raise ValueError(f"unknown table format '{format}'; known are {', '.join(writers)}")
        return writers[format]()

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return one mapping for each row."""
        return [dict(zip(self._json_keys, row, strict=True)) for row in self]

    def to_json(self) -> str:
        """Write a JSON list with one object for each row, in full precision."""
        import json

        return json.dumps(self.to_dicts(), indent=2, ensure_ascii=False, allow_nan=False)

    def to_csv(self) -> str:
        """Write comma-separated values in full precision; unknown ones are empty."""
        import csv
        import io

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.heading for column in self.columns])
        writer.writerows(self)
        return text.getvalue()

    def to_markdown(self) -> str:
        """Write a table of GitHub's markdown, without the name."""

        def line(cells: Iterable[str]) -> str:
            return "| " + " | ".join(_MARKDOWN.sub(r"\\\g<0>", cell) for cell in cells) + " |\n"

        ruler = "|" + "|".join(" ---: " if column.to_the_right else " --- " for column in self.columns) + "|\n"
        return line(column.heading for column in self.columns) + ruler + "".join(line(row) for row in self._text_rows())

    def to_html(self) -> str:
        """Write an HTML table with the name as its caption."""
        from html import escape

        styles = [' style="text-align: right"' if column.to_the_right else "" for column in self.columns]
        head = "".join(f"<th{s}>{escape(c.heading)}</th>" for c, s in zip(self.columns, styles, strict=True))
        body = "".join(
            "<tr>" + "".join(f"<td{s}>{escape(cell)}</td>" for cell, s in zip(row, styles, strict=True)) + "</tr>\n"
            for row in self._text_rows()
        )
        caption = f"<caption>{escape(_CONTROL.sub(' ', self.name))}</caption>\n" if self.name else ""
        return f"<table>\n{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"

    _repr_html_ = to_html

    def render(self, width: int | None = None) -> str:
        """Write the table as plain text, wrapped at ``width`` columns or not at all."""
        import io

        text = io.StringIO()
        self._print(text, width or _WIDE, plain=True)
        return "\n".join(line.rstrip() for line in text.getvalue().strip("\n").splitlines()) + "\n"

    def print(self, file: TextIO | None = None) -> None:
        """Print the table: with styles and as wide as it is on a terminal, as plain text elsewhere.

        Elsewhere cells wrap where a line has more letters than the variable ``COLUMNS`` says, or than 160 if it
        does not and all columns can stand beside each other.
        """
        import sys

        stream = file or sys.stdout
        if stream.isatty():
            self._print(stream, None, plain=False)
        else:
            stream.write(self.render(self._line()))

    def _line(self) -> int:
        """Return the letters of a line where there is no terminal."""
        import os

        from fabrictool.fitting import narrowest

        stated = os.environ.get("COLUMNS", "")
        if stated.isdecimal() and int(stated) > 0:
            return int(stated)
        texts = [[column.heading, *column.texts] for column in self.columns]
        return max(_LINE, narrowest(texts, [column.to_the_right for column in self.columns]))

    def _print(self, stream: TextIO, width: int | None, plain: bool) -> None:
        from rich.console import Console

        from fabrictool.fitting import fit

        console = Console(file=stream, width=width, force_terminal=False if plain else None, force_jupyter=False)
        texts = [[column.heading, *column.texts] for column in self.columns]
        blocks = fit(texts, [column.to_the_right for column in self.columns], console.width)
        for number, block in enumerate(blocks):
            name = f"{self.name}, continued" if number and self.name else self.name
            console.print(
                self._grid(
                    name, [(self.columns[p], texts[p], w) for p, w in zip(block.places, block.widths, strict=True)]
                )
            )

    def _grid(self, name: str, columns: Sequence[tuple[Column, list[str], int]]) -> Grid:
        from rich import box
        from rich.table import Table as Grid
        from rich.text import Text

        title = Text(_CONTROL.sub(" ", name)) if name else None
        grid = Grid(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for column, texts, width in columns:
            justify: Literal["left", "right"] = "right" if column.to_the_right else "left"
            grid.add_column(Text(texts[0]), justify=justify, overflow="fold", width=width)
        for row in zip(*(texts[1:] for _, texts, _ in columns), strict=True):
            grid.add_row(*(Text(cell) for cell in row))
        return grid
