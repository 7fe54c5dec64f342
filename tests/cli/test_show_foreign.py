"""``show`` on fabrics from elsewhere: what users type and scripts read."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from foreign import DATA

from fabrictool.cli.main import main
from fabrictool.formats.opening import unpacked

NET = DATA / "infiniband" / "rail_4su.net.gz"


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["show", *arguments])
    out = capsys.readouterr()
    return int(stop.value.code or 0), out.out, out.err


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, err = show(capsys, "--json", *arguments)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_listing_is_counted_like_a_layout(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, str(NET))
    assert found["layout"] == "rail_4su"
    assert found["source_format"] == "ibnetdiscover"
    assert found["counts"] == {
        "gpus": None, "hosts": 32, "switches": 24, "links": 256, "cables": 256, "transceivers": 512, "racks": None,
    }  # fmt: skip
    assert found["network_counts"]["infiniband"] == {
        "hosts": 32, "leaf": 16, "spine": 8, "core": 0, "links": 256, "cables": 256,
    }  # fmt: skip
    assert found["oversubscription"] == {"infiniband": 1.0}
    assert [finding["id"] for finding in found["findings"]] == ["ports-left"]


def test_several_layouts_of_any_format_in_one_call(capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(NET), str(DATA / "plans" / "plan-ref16.csv"), "topologies/ft64.yaml"]
    names[2] = str(Path(__file__).parents[2] / names[2])
    found = document(capsys, *names)
    assert [row["counts"]["links"] for row in found] == [256, 256, 128]
    assert found[1]["counts"]["cables"] == 128


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    content = unpacked("net", NET.read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert document(capsys, "-")["counts"]["hosts"] == 32


def test_unknown_speeds_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, str(DATA / "infiniband" / "ft2_64.topo"))
    assert {row["speed_bps"] for row in found["links"]} == {None}
    assert found["oversubscription"] == {"infiniband": None}
    assert [finding["id"] for finding in found["findings"]] == ["rate-unknown", "single-point", "ports-left"]


def test_an_error_finding_exits_with_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (DATA / "plans" / "cable-schedule-sample.csv").read_text()
    path = tmp_path / "twice.csv"
    path.write_text(text + text.splitlines()[1] + "\n")
    code, out, _ = show(capsys, "--json", str(path))
    assert code == 1
    finding = json.loads(out)["findings"][0]
    assert (finding["id"], finding["severity"], finding["where"]) == ("port-used-twice", "error", f"{path}:8")


def test_a_broken_file_exits_with_two_and_says_where(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(NET.read_bytes()[:500])
    code, out, err = show(capsys, "--json", str(path))
    assert (code, out) == (2, "")
    assert err.startswith(f"{path}:1:1: its compression ends early")


def test_tables_show_findings(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = show(capsys, "--format", "csv", str(DATA / "infiniband" / "ring6.net.gz"))
    assert code == 0
    assert "same-tier-links" in out
    assert "aggregation_nodes" not in out
