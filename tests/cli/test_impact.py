"""``fabrictool impact``: what users type and scripts read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import call
from foreign import DATA

import fabrictool as ft

ROOT = Path(__file__).parents[2]
FT64 = str(ROOT / "topologies" / "ft64.yaml")
RAILS = str(DATA / "infiniband" / "rail_4su.net.gz")
COMPILING = "compiling kernels for this machine, once: takes some seconds\n"


def document(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    code, out, err = call(capsys, "impact", "--json", *arguments)
    assert (code, err.replace(COMPILING, "")) == (status, "")
    return json.loads(out)


def test_without_a_question_every_single_loss_is_ranked(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, FT64)
    assert list(found) == [
        "format", "layout", "fabrictool", "network", "routing", "baseline", "changes", "ranking",
        "waves", "fewest_waves", "keep", "findings",
    ]  # fmt: skip
    assert (found["format"], found["layout"], found["network"], found["routing"]) == (1, "ft64", "compute", "d-mod-k")
    assert found["changes"] == []
    assert len(found["ranking"]) == 16 + 128
    worst = found["ranking"][0]
    assert (worst["kind"], worst["all_reduce_lost"]) == ("spine", 0)
    assert worst["all_to_all_lost"] == pytest.approx(1 - 63 / 112)
    assert [finding["id"] for finding in found["findings"]] == ["single-loss", "single-loss"]
    assert {finding["severity"] for finding in found["findings"]} == {"warning"}


def test_faults_that_cut_hosts_off_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, FT64, "--fail-devices", "leaf-02", status=1)
    (change,) = found["changes"]
    assert (change["change"], change["what"]) == ("faults", "device leaf-02")
    assert len(change["hosts_lost"]) == 8
    assert change["bisection_links"] == {"before": 32, "after": 24}
    assert found["findings"][0]["id"] == "hosts-cut-off"
    assert found["ranking"] == []


def test_hosts_that_are_failed_themselves_are_not_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, FT64, "--fail-devices", "h1-05,h1-06")
    assert found["changes"][0]["hosts_lost"] == ["h1-05", "h1-06"]
    assert [finding["id"] for finding in found["findings"]] == ["bandwidth-lost"]


def test_a_drain_comes_on_top_of_faults_and_may_stop_its_hosts(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, FT64, "--slow", "h1-05:1=0.5", "--drain", "leaf-02")
    faults, drain = found["changes"]
    assert faults["what"] == "link h1-05:1 - leaf-01:5 at 0.5 of its speed"
    assert drain["before"] == faults["after"]
    assert [finding["id"] for finding in found["findings"]] == [
        "bandwidth-lost", "drain-stops-hosts", "bandwidth-lost",
    ]  # fmt: skip


def test_faults_at_random_are_those_of_their_seed(capsys: pytest.CaptureFixture[str]) -> None:
    one, two, other = (
        document(capsys, FT64, "--fail-links", "3", "--seed", seed)["changes"][0]["what"] for seed in ("1", "1", "2")
    )
    assert one == two != other
    assert one.count("link ") == 3


def test_losses_are_ranked_on_top_of_faults(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, FT64, "--fail-devices", "spine-03", "--domain", "switch")
    by_name = {loss["name"]: loss for loss in found["ranking"]}
    assert by_name["spine-03"]["all_to_all_lost"] == 0  # it is down already
    assert by_name["spine-04"]["all_to_all_lost"] == pytest.approx(1 - 112 / 168)  # three shares on one uplink


def test_a_fabric_from_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, RAILS, "--domain", "switch", "--domain", "host")
    assert found["baseline"]["endpoints"] == 4 * found["baseline"]["hosts"] == 128
    assert len(found["ranking"]) == 24 + 32
    assert max(loss["hosts_lost"] + loss["hosts_impaired"] for loss in found["ranking"]) == 8


def test_without_speeds_there_is_reach_and_no_bandwidth(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, str(DATA / "infiniband" / "ft2_64.topo"), "--domain", "switch")
    assert found["baseline"]["all_to_all_bytes_per_s"] is None
    assert found["baseline"]["pairs"] == found["baseline"]["endpoints"] * (found["baseline"]["endpoints"] - 1)
    assert {loss["all_reduce_lost"] for loss in found["ranking"]} == {None}
    assert found["ranking"][0]["pairs_lost"] > 0


def test_racks_are_ranked_and_failed(capsys: pytest.CaptureFixture[str]) -> None:
    """ft64 has eight hosts a rack and its switches in one of their own."""
    found = document(capsys, FT64, "--domain", "rack")
    assert {(loss["domain"], loss["kind"]) for loss in found["ranking"]} == {("rack", "rack")}
    rack = next(loss for loss in found["ranking"] if loss["hosts_lost"] == 8)
    failed = document(capsys, FT64, "--fail-domain", f"rack:{rack['name']}")
    assert len(failed["changes"][0]["hosts_lost"]) == 8
    assert failed["changes"][0]["pairs_lost"] == rack["pairs_lost"]


def test_several_layouts_in_one_call(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, FT64, RAILS, "--domain", "host")
    assert [row["layout"] for row in found] == ["ft64", "rail_4su"]


def test_tables_fit_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "impact", FT64, "--n-1", "--drain", "spine-01")
    assert code == 0
    for part in ("ft64, compute", "drain lost", "one lost: the worst of each kind", "one lost: the worst 10"):
        assert part in out
    assert max(len(line) for line in out.split("findings")[0].splitlines()) <= 140


def test_waves_of_a_superpod_stop_a_unit_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    """RA-11333-001: 4 units of 32 hosts (the last 31), 8 leaves each, 16 spines."""
    layout = str(ROOT / "topologies" / "dgx-superpod-h100-4su.yaml")
    found = document(capsys, layout, "--waves", "--keep", "0.7")
    assert [wave["stops"] for wave in found["waves"][:4]] == ["SU 1", "SU 2", "SU 3", "SU 4"]
    assert [len(wave["devices"]) for wave in found["waves"]] == [9] * 4 + [4] * 3
    assert [wave["hosts_stopped"] for wave in found["waves"]] == [32, 32, 32, 31, 0, 0, 0]
    assert found["fewest_waves"] == 7
    assert {wave["pairs_cut"] for wave in found["waves"]} == {0}
    assert found["waves"][-1]["stays"] == 0.75
    assert found["ranking"] == []
    assert [finding["id"] for finding in found["findings"]] == ["wave-stops-hosts", "wave-routing"]
    code, out, _ = call(capsys, "impact", layout, "--waves", "--keep", "0.7")
    assert (code, "upgrade in 7 waves, at least 7" in out) == (0, True)


def test_what_alone_leaves_too_little_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, FT64, "--waves", "--keep", "0.9")
    assert found["findings"][0]["message"] == "16 alone leave less than the 90 % to keep: leaf-01 87.5 %"
    assert len(found["waves"]) == 16


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--drain", "spine-3"], "spine-3: no such device; did you mean 'spine-03'?"),
        (["--fail-links", "leaf-01:99"], "leaf-01:99: no such port; leaf-01 has ports 1 to 16"),
        (["--fail-links", "9999"], "9999 failed links between switches asked for, but there are 64; ask for fewer"),
        (["--drain", ","], "--drain: names nothing; give a name, or leave it out"),
        (
            ["--fail-links", "leaf-01"],
            "leaf-01: is no device:port; name one of the link's two ends, such as leaf-01:5",
        ),
        (["--keep", "2"], "--keep: 2 is not above 0 and below 1; give a share such as 0.75"),
        (["--slow", "leaf-01:9"], "leaf-01:9: is no LINK=FACTOR; write a slow link such as leaf-01:5=0.5"),
        (["--slow", "leaf-01:9=2"], "leaf-01:9: factor 2.0 is not above 0 and at most 1; fail the link instead"),
        (["--domain", "swich"], "--domain: no domains of kind 'swich' are known; did you mean 'switch'?"),
        (["--waves", "--keep", "75"], "--keep: 75 is not above 0 and below 1; give a share such as 0.75"),
        (["--network", "storage"], "--network: no network 'storage'; known are compute"),
        (["--routing", "dmodk"], "routing: there is no 'dmodk'; did you mean 'd-mod-k'?"),
    ],
)
def test_bad_input_is_refused_with_a_way_out(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code, out, err = call(capsys, "impact", FT64, *arguments)
    assert (code, out, err.strip()) == (2, "", said)


def test_the_function_is_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    report = ft.impact(FT64, drain="spine-01")
    assert report.to_dict() == document(capsys, FT64, "--drain", "spine-01")
    assert report.ok
    assert "drain" in report._repr_html_()


SUPPLIED = """
name: supplied
hosts: {name: h, type: {name: h, gpus: 1, nics: 1, speed: 400G, u: 4, power_max: 10 kW}, count: 64}
networks:
  compute: {family: fat-tree, speed: 400G, leaf: {type: {name: s, ports: 16, speed: 400G, u: 1, power_max: 1 kW}}}
racks: {type: rack-48u, hosts_per_rack: 4, power_limit: 40 kW}
hall:
  feeds: [{name: A, voltage: 415 V, amps: 80, from: busway}]
  supply:
    - {name: utility, kind: utility}
    - {name: busway, kind: busway, racks: 4, from: utility}
"""


def test_what_an_element_of_the_supply_takes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Sixteen racks of four hosts each, four racks a busway, and one rack with all switches on the fifth."""
    path = tmp_path / "supplied.yaml"
    path.write_text(SUPPLIED, encoding="utf-8")
    found = document(capsys, str(path), "--domain", "supply")
    rows = {row["name"]: row for row in found["ranking"]}
    assert list(rows)[:2] == ["busway-05", "utility"]
    assert [rows[f"busway-0{n}"]["hosts_lost"] for n in (1, 2, 3, 4, 5)] == [16, 16, 16, 16, 64]
    assert rows["busway-01"]["all_to_all_lost"] == pytest.approx(0.25)
    assert rows["utility"]["hosts_lost"] == 64
    fault = document(capsys, str(path), "--fail-domain", "supply:busway-01")["changes"][0]
    assert fault["hosts_lost"] == [f"h-{n:02d}" for n in range(1, 17)]
