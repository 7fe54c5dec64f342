"""Racks on the screen of ``score``: equal ones on a line, each with -v, and never wider than the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from commands import call

DGX = {"name": "dgx", "gpus": 8, "nics": 8, "speed": "400G", "u": 8, "power_max": "10.2 kW", "weight": "130 kg"}
RACK = {"type": "rack-48u", "hosts_per_rack": 4, "power_limit": "41 kW"}


def lines(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *arguments: str,
    hosts: int = 14,
    racks: object = None,
    hall: object = None,
) -> list[str]:
    plan = {"name": "p", "hosts": {"type": DGX, "count": hosts}, "racks": racks or RACK, "hall": hall or {}}
    path = tmp_path / "p.yaml"
    path.write_text(yaml.safe_dump(plan))
    _, out, _ = call(capsys, "score", str(path), *arguments)
    rows = out.splitlines()
    start = next(at for at, row in enumerate(rows) if row.startswith("RACKS"))
    return [row for row in rows[start : start + 60] if row.startswith(("RACKS", " "))]


def test_equal_racks_share_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """14 hosts, 4 a rack: three full racks and one with two."""
    head, full, rest, *_ = lines(tmp_path, capsys)
    assert head.split() == ["RACKS", "holds", "kW#", "of", "U#", "kg~", "air", "m3/s~", "in", "C~"]
    assert full.split()[:5] == ["r01-r03", "4", "hosts", "40.8", "41"]
    assert full.split()[5] == "32/48"
    assert rest.split()[:4] == ["r04", "2", "hosts", "20.4"]


def test_each_rack_has_a_line_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = lines(tmp_path, capsys, "-v")
    assert [row.split()[0] for row in rows[1:5]] == ["r01", "r02", "r03", "r04"]


def test_few_kinds_are_shown_and_the_rest_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Six groups of one rack with 1 to 6 hosts each, the largest draw first."""
    groups = [{"name": f"g{n}", "type": "rack-48u", "hosts_per_rack": n, "count": 1} for n in range(1, 7)]
    rows = lines(tmp_path, capsys, hosts=21, racks=groups)
    assert [row.split()[0] for row in rows[1:5]] == ["g6-01", "g5-01", "g4-01", "g3-01"]
    assert rows[5] == " … 2 more kinds of rack: -v shows each rack"


@pytest.mark.parametrize("columns", [60, 80, 110])
def test_the_table_fits_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    loop = {"name": "L", "cdu": "vertiv-coolchip-cdu-1350", "supply_temperature": "30 C", "rise": "10 K",
            "facility_temperature": "25 C"}  # fmt: skip
    rows = lines(tmp_path, capsys, racks=RACK | {"cooling": "direct-to-chip"}, hall={"loops": [loop]})
    table = rows[: 1 + next(at for at, row in enumerate(rows[1:], 1) if row.startswith(" r04"))]
    assert max(map(len, table)) <= columns
    assert ("kg~" in table[0]) == (columns >= 80)
    assert "kW#" in table[0]


def test_unknown_figures_are_dashes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = {"name": "p", "hosts": {"type": {k: v for k, v in DGX.items() if k != "power_max"}, "count": 2},
            "racks": RACK}  # fmt: skip
    path = tmp_path / "p.yaml"
    path.write_text(yaml.safe_dump(plan))
    _, out, _ = call(capsys, "score", str(path))
    head, row = out[out.index("RACKS") :].splitlines()[:2]
    assert "kW#" not in head
    assert row.split()[:4] == ["r01", "2", "hosts", "41"]
