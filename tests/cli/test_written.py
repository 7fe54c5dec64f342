"""What was written is said in one line on stderr; formats that nobody has are met with the one that was meant."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from commands import call

LAYOUT = str(Path(__file__).parents[2] / "topologies" / "dgx-superpod-h100-1su.yaml")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        # 31 hosts x 8 rails + 4 of UFM + 8 leaves x 32 uplinks = 508 links and cables; 31 + 1 + 8 + 4 devices
        ("cables {} -o plan.csv", "wrote plan.csv: 508 rows of 508 cables"),
        ("cables {} -o plan", "wrote plan: 6 files, 508 rows of 508 cables"),
        ("export {} --to p2p -o p2p.xlsx", "wrote p2p.xlsx: 508 rows of 508 cables"),
        ("export {} --to netbox -o nb", "wrote nb: 9 files, 508 rows of 508 cables"),
        ("export {} --to dot -o a.dot", "wrote a.dot: 44 devices, 508 links"),
        ("route {} -o tables", "wrote tables: forwarding tables of 12 switches"),
    ],
)
def test_what_was_written_is_said(capsys: Capture, command: str, line: str) -> None:
    words = command.format(LAYOUT).split()
    status, _, err = call(capsys, *words)
    assert (status, err.splitlines()[-1]) == (0, line)  # kernels that compile are said above
    assert Path(words[-1]).exists()
    assert call(capsys, *words, "-q")[2] == ""


def test_a_plan_has_as_many_rows_as_are_said(capsys: Capture) -> None:
    call(capsys, "cables", LAYOUT, "-o", "plan.csv", "-q")
    rows = list(csv.DictReader(Path("plan.csv").read_text().splitlines()))
    assert (len(rows), len({row["cable_id"] for row in rows})) == (508, 508)


def test_a_lock_and_an_import_are_said(capsys: Capture) -> None:
    Path("site.yaml").write_text(Path(LAYOUT).read_text())
    _, _, err = call(capsys, "cables", "site.yaml", "--lock")
    assert err == "wrote site.lock: 9 racks, 44 devices, 508 cables\n"
    call(capsys, "export", "site.yaml", "--to", "edges", "-o", "e.csv")
    _, out, err = call(capsys, "import", "e.csv", "--to", "layout", "-o", "back.yaml")
    assert (out, err) == ("", "wrote back.yaml: 2 files, 44 devices, 508 links\n")
    _, out, err = call(capsys, "cables", "site.yaml", "--lock", "--json")
    assert (json.loads(out)["cables"], err) == (508, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", LAYOUT, "--to", "excel"), "did you mean 'workbook'?"),
        (("export", LAYOUT, "--to", ".xls"), "did you mean 'workbook'?"),
        (("export", LAYOUT, "--to", "csv"), "did you mean 'plan'?"),
        (("export", LAYOUT, "--to", "grafml"), "did you mean 'graphml'?"),
        (("export", LAYOUT, "--to", "qqq"), "there are edges, graphml, gexf"),
        (("import", LAYOUT, "--from", "excel"), "leave out --from"),
        (("import", LAYOUT, "--from", "netbox"), "leave out --from"),
        (("import", LAYOUT, "--from", "visio"), "did you mean 'dot'?"),
    ],
)
def test_a_wrong_format_is_met_with_the_one_meant(capsys: Capture, arguments: tuple[str, ...], said: str) -> None:
    status, out, err = call(capsys, *arguments)
    assert (status, out) == (2, "")
    assert said in err
