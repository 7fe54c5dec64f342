"""``verify`` as users call it."""

from __future__ import annotations

import json
from pathlib import Path

import as_built
import pytest
from commands import call
from foreign import DATA

PLAN = str(as_built.PLAN)
KEYS = {
    "id", "severity", "where", "message", "fix", "root_cause", "subject", "moves", "devices", "ports", "links",
    "impact", "alternatives",
}  # fmt: skip


def _case(identity: str) -> as_built.Case:
    return next(case for case in as_built.cases() if case["id"] == identity)


def _verify(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    status, out, err = call(capsys, "verify", *arguments, "--json")
    assert err == ""
    found: dict[str, object] = json.loads(out)
    return status, found


def test_json_of_a_mistake(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "built.csv").write_text(as_built.built([_case("A04")]))
    status, found = _verify(capsys, PLAN, str(tmp_path / "built.csv"))
    assert status == 1
    (finding,) = found["findings"]
    assert finding.keys() >= KEYS
    assert (finding["id"], finding["root_cause"]) == ("rails-swapped", "rails-swapped")
    assert finding["subject"] == ["gpu05:rail2", "gpu05:rail3"]
    assert {(move["from"], move["to"]) for move in finding["moves"]} == {
        ("gpu05:rail2", "gpu05:rail3"),
        ("gpu05:rail3", "gpu05:rail2"),
    }
    assert found["summary"] == {
        "planned": 256, "as_expected": 254, "missing": 0, "unexpected": 0, "moved": 2, "not_seen": 0,
    }  # fmt: skip


def test_the_plan_itself_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = _verify(capsys, PLAN, PLAN)
    assert (status, found["findings"]) == (0, [])


def test_a_missing_rail_costs_an_eighth(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One of 8 ports of a host is dark, and all-to-all goes at the pace of that host: 7/8 remain."""
    (tmp_path / "built.csv").write_text(as_built.built([_case("A14")]))
    _, found = _verify(capsys, PLAN, str(tmp_path / "built.csv"))
    (finding,) = found["findings"]
    assert finding["impact"]["all_to_all_lost"] == pytest.approx(1 / 8)


def test_dumps_of_single_devices_are_one_fabric(capsys: pytest.CaptureFixture[str]) -> None:
    """lldpd's own output of a leaf and a host, against a plan of two hosts and two leaves with one rail swapped."""
    lldp = DATA / "lldp"
    status, found = _verify(capsys, PLAN, str(lldp / "leaf1.json0"), str(lldp / "gpu01.json"))
    summary = found["summary"]
    assert status == 1
    assert summary["planned"] - summary["not_seen"] < 50


def test_swapped_uplinks_of_infiniband(capsys: pytest.CaptureFixture[str]) -> None:
    """The far ends of leaf001/9 and leaf002/10 are exchanged: spine001/1 and spine002/2, as the sample says."""
    folder = DATA / "infiniband"
    status, found = _verify(capsys, str(folder / "ft2_64.net.gz"), str(folder / "ft2_64_swap_isl.net.gz"))
    (finding,) = found["findings"]
    assert (status, finding["root_cause"]) == (1, "swapped-pair")
    assert set(finding["ports"]) == {"leaf001:9", "spine001:1", "leaf002:10", "spine002:2"}


def test_a_host_cable_exchanged_with_an_uplink(capsys: pytest.CaptureFixture[str]) -> None:
    folder = DATA / "infiniband"
    _, found = _verify(capsys, str(folder / "ft2_64.net.gz"), str(folder / "ft2_64_swap_mixed.net.gz"))
    (finding,) = found["findings"]
    assert (finding["root_cause"], finding["subject"]) == ("swapped-pair", ["leaf001:1", "leaf005:9"])


@pytest.mark.parametrize("form", ["iblinkinfo.out.gz", "iblinkinfo-l.out.gz", "net.gz", "opensm-subnet.lst.gz"])
def test_one_failed_link_in_every_dump(capsys: pytest.CaptureFixture[str], form: str) -> None:
    folder = DATA / "infiniband"
    status, found = _verify(capsys, str(folder / "ft2_64.net.gz"), str(folder / f"ft2_64_faillink.{form}"))
    (finding,) = (row for row in found["findings"] if row["root_cause"])
    assert (status, finding["root_cause"]) == (1, "missing-link")
    assert finding["links"] == ["leaf003:13 - spine005:3"]


def test_nothing_built_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "verify", PLAN)
    assert (status, out) == (2, "")
    assert "name what was built" in err


def test_a_folder_of_netbox_is_a_plan_of_others(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin-port cages, places and speeds come from its files; what is wrong stands at the line of the cable."""
    monkeypatch.chdir(tmp_path)
    layout = str(Path(__file__).parents[2] / "topologies" / "roce-2048-2to1.yaml")
    call(capsys, "export", layout, "--to", "netbox", "-o", "nb", "-q")
    status, out, err = call(capsys, "verify", layout, "nb", "--json", "--no-price")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert found["summary"]["as_expected"] == found["summary"]["planned"] == 2560
    interfaces, devices = Path("nb/07-interfaces.csv"), Path("nb/06-devices.csv")
    lines = interfaces.read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace("400000000", "200000000")
    interfaces.write_text("".join(lines))
    rows = devices.read_text().splitlines(keepends=True)
    at = next(place for place, row in enumerate(rows) if row.startswith("gpu-002,"))
    rows[at] = rows[at].replace(",1,front", ",9,front").replace(",r01,", ",r77,")
    devices.write_text("".join(rows))
    status, out, _ = call(capsys, "verify", layout, "nb", "--json", "--no-price")
    said = {row["id"]: row for row in json.loads(out)["findings"]}
    assert status == 1
    assert said["speed-differs"]["where"].startswith("nb/08-cables.csv:")
    assert "gpu-002 stands in r77" in said["rack-differs"]["message"]
