"""``compare`` and ``plot`` on fabrics from elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from foreign import DATA

from fabrictool.cli.main import main

WHOLE = DATA / "infiniband" / "ft2_64.net.gz"
FAILED = DATA / "infiniband" / "ft2_64_faillink.net.gz"
PLANNED = Path(__file__).parents[2] / "topologies" / "ft64.yaml"
IDENTITY = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]


def run(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in arguments])
    return int(stop.value.code or 0), *capfd.readouterr()


def compared(capfd: pytest.CaptureFixture[str], *arguments: object) -> Any:
    code, out, _ = run(capfd, "compare", *arguments, "--json")
    assert code == 0
    return json.loads(out)


def values(document: Any) -> dict[str, list[float | None]]:
    return {figure["name"]: figure["values"] for figure in document["figures"]}


def test_a_lost_link_is_all_that_differs(capfd: pytest.CaptureFixture[str]) -> None:
    document = compared(capfd, WHOLE, FAILED)
    found = values(document)
    assert (found["links"], found["bisection links"], found["hosts"]) == ([128, 127], [32, 31], [64, 64])
    assert found["oversubscription"] == [1.0, 8 / 7]
    assert found["GPUs"] == found["racks"] == [None, None]
    assert [row["what"] for row in document["structure"]] == ["links leaf - spine"]
    assert [row["id"] for row in document["findings"]] == ["unequal-uplinks"]
    assert document["findings"][0]["layouts"] == ["ft2_64_faillink"]


def test_a_discovered_fabric_stands_beside_its_layout(capfd: pytest.CaptureFixture[str]) -> None:
    document = compared(capfd, PLANNED, WHOLE)
    found = values(document)
    assert (found["links"], found["switches"], found["bisection links"]) == ([128, 128], [16, 16], [32, 32])
    assert found["all-reduce 1 GiB busbw"][1] is None
    structure = {row["what"]: row["values"] for row in document["structure"]}
    assert structure["family"] == ["fat-tree", "file"]
    assert structure["routing"] == ["d-mod-k", None]
    assert "single-point" not in {row["id"] for row in document["findings"]}  # of the only network of both


def test_unknown_speeds_are_words(capfd: pytest.CaptureFixture[str]) -> None:
    document = compared(capfd, WHOLE, DATA / "infiniband" / "ft2_64.topo")
    structure = {row["what"]: row["values"] for row in document["structure"]}
    assert structure["links leaf - spine"] == ["64 x 200G, 1 a pair", "64 x unknown speed, 1 a pair"]
    assert values(document)["oversubscription"] == [1.0, None]


def test_cables_are_those_that_a_plan_names(capfd: pytest.CaptureFixture[str]) -> None:
    plans = DATA / "plans"
    assert values(compared(capfd, plans / "plan-ref16.csv", plans / "ref16.graphml"))["cables"] == [128, 256]


def test_an_error_in_a_file_ends_with_1(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (DATA / "plans" / "cable-schedule-sample.csv").read_text()
    path = tmp_path / "twice.csv"
    path.write_text(text + text.splitlines()[1] + "\n")
    assert run(capfd, "compare", WHOLE, path, "-q")[0] == 1


def test_since_compares_what_was_discovered_then_and_now(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(WHOLE, "fabric.net.gz")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *IDENTITY, *words], check=True, capture_output=True)
    shutil.copy(FAILED, "fabric.net.gz")
    document = compared(capfd, "fabric.net.gz", "--since", "HEAD")
    assert document["layouts"] == ["fabric at HEAD", "fabric now"]
    assert values(document)["links"] == [128, 127]


def test_a_broken_file_exits_with_two_and_says_where(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(WHOLE.read_bytes()[:500])
    for words in (["compare", WHOLE, path], ["plot", path, "--what", "topology"]):
        code, out, err = run(capfd, *words)
        assert (code, out) == (2, "")
        assert err.startswith(f"{path}:1:1: its compression ends early")


def test_sizes_of_no_layout_are_refused(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capfd, "compare", WHOLE, FAILED, "--size", "1GiB")
    assert (code, out) == (2, "")
    assert "--size goes with a layout: a fabric from elsewhere has no collectives" in err


@pytest.mark.parametrize("name", ["infiniband/ft2_64.topo", "plans/plan-ref16.csv", "plans/ref16.graphml"])
def test_a_topology_is_drawn_from_any_file(name: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = tmp_path / "a.svg"
    code, out, _ = run(capfd, "plot", DATA / name, "--what", "topology", "-o", place, "--json")
    assert code == 0
    boxes = json.loads(out)["networks"][0]["boxes"]
    assert sum(box["devices"] for box in boxes) == {"infiniband/ft2_64.topo": 80}.get(name, 28)
    assert place.read_text().startswith("<?xml")


def test_collectives_of_no_layout_are_not_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capfd, "plot", WHOLE)
    assert (code, out) == (2, "")
    assert "is no layout, so it has no collectives; use --what topology" in err
