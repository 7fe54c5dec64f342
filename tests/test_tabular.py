"""One table, five ways out."""

import csv
import io
import json
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from fabrictool.tabular import Column, Table, format_value


@pytest.fixture
def racks():
    return Table(
        "racks",
        (
            Column("rack", ["r|01", "<b>r02</b>"]),
            Column("power", [40812.345678, None], "W", key="power_w"),
            Column("hosts", [1234567, 4]),
            Column("full", [True, False]),
        ),
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (1016, "1,016"),
        (393216, "393,216"),
        (0.0, "0"),
        (5.0, "5"),
        (130.45, "130.45"),
        (1234567.8, "1,234,568"),
        (-0.5, "-0.5"),
        (0.86, "0.86"),
        (1 / 3, "0.33333"),
        (99999.96, "100,000"),
        (1e-9, "1e-09"),
        (1.234567e-9, "1.2346e-09"),
        (-2.345678e16, "-2.3457e+16"),
        (1e18, "1e+18"),
        ([1, 2.5, None], "1, 2.5, —"),
        ("a\x1b[31mred\nb\x07", "a [31mred b "),
    ],
)
def test_values_as_people_read_them(value, text):
    assert format_value(value) == text


def test_json_keeps_full_precision_and_null(racks):
    rows = json.loads(racks.to_json())
    assert rows[0] == {"rack": "r|01", "power_w": 40812.345678, "hosts": 1234567, "full": True}
    assert rows[1]["power_w"] is None


def test_csv_keeps_full_precision_and_units(racks):
    rows = list(csv.reader(io.StringIO(racks.to_csv())))
    assert rows[0] == ["rack", "power [W]", "hosts", "full"]
    assert rows[1] == ["r|01", "40812.345678", "1234567", "True"]
    assert rows[2][1] == ""


def test_markdown_escapes_and_aligns(racks):
    lines = racks.to_markdown().splitlines()
    assert lines[0] == "| rack | power [W] | hosts | full |"
    assert lines[1].startswith("| --- | ---: | ---: |")
    assert lines[2] == r"| r\|01 | 40,812 | 1,234,567 | yes |"
    assert lines[3] == r"| \<b>r02\</b> | — | 4 | no |"


class _Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_html_escapes(racks):
    page = _Cells()
    page.feed(racks.to_html())
    assert "b" not in page.tags
    assert page.tags.count("tr") == 3
    assert page.tags.count("td") == 8
    assert "<b>r02</b>" in page.texts
    assert racks._repr_html_() == racks.to_html()


def test_html_escapes_the_name():
    assert "<script>" not in Table("<script>", (Column("a", [1]),)).to_html()


def test_terminal_text_is_plain_and_aligned(racks, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = racks.render()
    assert not any(ord(letter) < 32 and letter != "\n" for letter in text)
    lines = text.splitlines()
    assert lines[0] == "racks"
    assert "power [W]" in text
    row = next(line for line in lines if "40,812" in line)
    heading = next(line for line in lines if "power [W]" in line)
    assert row.index("40,812") + len("40,812") == heading.index("power [W]") + len("power [W]")
    assert "—" in text


def test_render_obeys_the_width():
    table = Table("", (Column("text", ["word " * 40]),))
    assert max(len(line) for line in table.render(40).splitlines()) <= 40
    assert "word " * 39 in table.render()


def test_values_are_no_markup():
    assert "[red]x[/red]" in Table("", (Column("a", ["[red]x[/red]"], "W"),)).render()


def test_headings_bring_no_control_characters():
    table = Table("\x1b[2J", (Column("site\x1b[2J", [1]),))
    assert "\x1b" not in table.render() + table.to_markdown() + table.to_html()


def test_print_writes_plain_text_where_there_is_no_terminal(racks, capsys):
    racks.print()
    assert capsys.readouterr().out == racks.render()


def test_print_wraps_long_lines_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    said = Table("said", (Column("id", ["one"]), Column("what", ["long words " * 40])))
    said.print()
    printed = capsys.readouterr().out
    assert 120 < max(map(len, printed.splitlines())) <= 160
    assert printed.count("long words") > 30
    monkeypatch.setenv("COLUMNS", "60")
    said.print()
    assert 30 < max(map(len, capsys.readouterr().out.splitlines())) <= 60


def test_print_keeps_columns_beside_each_other_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    Table("wide", tuple(Column(f"c{at}", ["w" * 30]) for at in range(9))).print()
    lines = capsys.readouterr().out.splitlines()
    assert sum("w" in line for line in lines[1:]) == 1
    assert max(map(len, lines)) > 9 * 30


def test_print_styles_on_a_terminal(racks, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    racks.print(stream)
    assert "\x1b[" in stream.getvalue()


def test_numpy_values():
    table = Table("", (Column("n", np.array([1, 2])), Column("x", np.array([0.5, np.nan])), Column("y", [1.0, np.inf])))
    assert json.loads(table.to_json()) == [{"n": 1, "x": 0.5, "y": 1.0}, {"n": 2, "x": None, "y": None}]
    assert "| 2 | — | — |" in table.to_markdown()


def test_format_and_align():
    table = Table("", (Column("speed", [400e9, None], align="left", format=lambda speed: f"{speed / 1e9:g}G"),))
    assert table.to_markdown() == "| speed |\n| --- |\n| 400G |\n| — |\n"
    assert json.loads(table.to_json())[0] == {"speed": 400e9}


def test_from_rows():
    table = Table.from_rows("loads", ["link", "load [bit/s]"], [("a:1", 1e9), ("b:1", 2e9)])
    assert table.columns[1].unit == "bit/s"
    assert list(table) == [("a:1", 1e9), ("b:1", 2e9)]
    assert len(table) == 2
    assert len(Table.from_rows("none", ["link", "load"], [])) == 0
    with pytest.raises(ValueError, match=r"zip\(\)|argument"):
        Table.from_rows("ragged", ["link", "load"], [("a", 1), ("b",)])


@pytest.mark.parametrize("format", ["table", "json", "csv", "markdown"])
def test_every_format_by_name(racks, format):
    assert "r|01" in racks.to(format).replace("\\", "")


def test_unknown_format_names_the_known(racks):
    with pytest.raises(ValueError, match="unknown table format 'xml'; known are table, json, csv, markdown"):
        racks.to("xml")


def test_columns_must_match():
    with pytest.raises(ValueError, match=r"columns differ in length: \{'a': 1, 'b': 2\}"):
        Table("t", (Column("a", [1]), Column("b", [1, 2])))
    with pytest.raises(ValueError, match="two columns have the same key: a, a"):
        Table("t", (Column("a", [1]), Column("a", [2])))


def test_import_is_light():
    code = "import sys, fabrictool.tabular; print({'rich', 'numpy', 'pydantic', 'yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
