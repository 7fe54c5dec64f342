"""``score``: the JSON that scripts depend on, formats, options and exit codes."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import planned
import pytest
from commands import call, run

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
SUPERPOD = str(TOPOLOGIES / "dgx-superpod-h100-4su.yaml")
SMALL = """\
name: small
hosts: {name: gpu, type: {name: h1, gpus: 1, nics: 1, speed: 400G, power_max: 1 kW, u: 1}, count: 16}
networks:
  compute:
    family: fat-tree
    hosts_per_leaf: 4
    leaf: {type: {name: sw8, ports: 8, speed: 400G, power_max: 100 W, u: 1}}
    link: {latency: 500 ns}
racks: {type: rack-48u, power_limit: 20 kW}
hall: {supply_temperature: 24 C}
"""
KEYS = {
    "": {"layout", "fabrictool", "counts", "network_counts", "collectives", "congestion", "power", "cooling", "cost",
         "lossless", "assumptions", "findings"},
    "counts": {"gpus", "hosts", "switches", "links", "cables", "transceivers", "racks"},
    "network_counts": {"hosts", "leaf", "spine", "core", "links", "cables"},
    "collectives": {"job", "network", "collective", "algorithm", "model", "ranks", "nbytes", "time_s",
                    "algbw_bytes_per_s", "busbw_bytes_per_s", "bound_s", "latency_s", "serialisation_s",
                    "congestion_s", "alternatives", "unsuitable", "expected_busbw_range",
                    "bottleneck"},
    "congestion": {"routing", "pattern", "max_link_load", "effective_bisection", "hot_links"},
    "power": {"it_max_w", "it_typical_w", "facility_w", "racks"},
    "power racks": {"rack", "it_w", "it_typical_w", "limit_w", "units_used"},
    "cooling": {"pue", "racks"},
    "cooling racks": {"rack", "air_w", "liquid_w", "airflow_m3_per_s", "coolant_kg_per_s"},
    "cost": {"capex", "network_share", "currency"},
    "assumptions": {"what", "value", "source"},
    "findings": {"id", "severity", "where", "message", "fix"},
}  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return str(path)


def _no_constant(word: str) -> float:
    raise AssertionError(f"{word} is not JSON")


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=_no_constant)


def _check_keys(document: dict[str, Any]) -> None:
    rows = {"": [document], "counts": [document["counts"]], "power": [document["power"]]}
    rows |= {key: list(document[key].values()) for key in ("network_counts", "congestion")}
    rows |= {key: document[key] for key in ("collectives", "assumptions", "findings")}
    rows |= {key: [document[key]] for key in ("cooling", "cost")}
    rows |= {f"{key} racks": document[key]["racks"] for key in ("power", "cooling")}
    for key, wanted in KEYS.items():
        for row in rows[key]:
            assert wanted <= set(row), key
    assert all(row["severity"] in ("error", "warning", "note") for row in document["findings"])


@pytest.mark.parametrize("path", sorted(TOPOLOGIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_layouts_have_every_key(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "score", str(path), "--json", "--size", "1MiB")
    document = _json(out)
    _check_keys(document)
    assert status == int(any(row["severity"] == "error" for row in document["findings"]))
    assert document["layout"]
    assert "no-collectives" not in {row["id"] for row in document["findings"]}
    assert document["collectives"]
    assert all(row["time_s"] >= row["bound_s"] * (1 - 1e-12) > 0 for row in document["collectives"])
    assert err in ("", "compiling kernels for this machine, once: takes some seconds\n")


@pytest.mark.parametrize(
    "text",
    [
        SMALL,
        "name: racks-only\nhosts: {type: dgx-h100, count: 8}\nracks: {type: rack-48u}\n",
        "name: bare\nhosts: {type: {name: h, gpus: 0, nics: 0, speed: 400G}, count: 1}\n",
        SMALL.replace("racks: {type: rack-48u, power_limit: 20 kW}\n", ""),
        SMALL.replace(", power_max: 1 kW", "").replace(", power_max: 100 W", ""),
        SMALL.replace("gpus: 1", "gpus: 0"),
        SMALL.replace("gpus: 1", "gpus: 2").replace("nics: 1", "nics: 2").replace("ports: 8", "ports: 16"),
    ],
    ids=["small", "racks only", "bare", "no racks", "no power figures", "no GPUs", "two GPUs a host"],
)
def test_every_key_is_there_whatever_is_left_out(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "layout.yaml"
    path.write_text(text)
    status, out, _ = call(capsys, "score", str(path), "--json")
    _check_keys(_json(out))
    assert status in (0, 1)
    call(capsys, "score", str(path))
    for form in ("csv", "markdown"):
        call(capsys, "score", str(path), "--format", form)


def test_exit_codes(small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "score", small)[0] == 0
    hot = tmp_path / "hot.yaml"
    hot.write_text(SMALL.replace("power_limit: 20 kW", "hosts_per_rack: 16, power_limit: 10 kW"))
    status, out, _ = call(capsys, "score", str(hot), "--json")
    assert status == 1
    assert any(row["severity"] == "error" and row["fix"] for row in _json(out)["findings"])
    assert call(capsys, "score", small, str(hot), "--json")[0] == 1
    assert call(capsys, "score", str(tmp_path / "none.yaml"))[0] == 2
    assert call(capsys, "score")[0] == 2
    assert call(capsys, "score", small, "--no-such-option")[0] == 2
    assert call(capsys, "scroe", small)[0] == 2


def test_one_layout_gives_an_object_and_several_a_list(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "score", small, "--json")
    assert _json(out)["layout"] == "small"
    _, out, _ = call(capsys, "score", small, small, "--json")
    assert [row["layout"] for row in _json(out)] == ["small", "small"]


def test_one_bad_layout_of_several_leaves_stdout_empty(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = call(capsys, "score", small, str(tmp_path / "none.yaml"), "--json")
    assert (status, out) == (2, "")
    assert "no such file" in err


def test_numbers_of_a_small_fabric(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Ring of 16 ranks, 1 GiB, 50 GB/s, two and four links of 500 ns: 2 x 15 x (2 us + 64 MiB / 50 GB/s)."""
    _, out, _ = call(capsys, "score", small, "--json", "--collective", "all-reduce", "--size", "1GiB")
    (row,) = _json(out)["collectives"]
    time_s = 30 * (2e-6 + 2**30 / 16 / 50e9)
    assert row["time_s"] == pytest.approx(time_s, rel=1e-12)
    assert (row["algorithm"], row["model"], row["ranks"], row["nbytes"]) == ("ring", "rounds", 16, 2**30)
    assert row["algbw_bytes_per_s"] == pytest.approx(2**30 / time_s)
    assert row["busbw_bytes_per_s"] == pytest.approx(2**30 / time_s * 30 / 16)
    assert row["latency_s"] == pytest.approx(60e-6)
    assert " - " in row["bottleneck"]
    counts = _json(out)["counts"]
    assert (counts["gpus"], counts["hosts"], counts["switches"], counts["links"]) == (16, 16, 6, 32)


def test_options_choose_collective_algorithm_size_and_ranks(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--collective", "all-reduce", "--collective", "all-gather", "--size", "1MiB", "--size", "2 MiB"]
    _, out, _ = call(capsys, "score", small, "--json", *options, "--algorithm", "ring", "--ranks", "8")
    rows = _json(out)["collectives"]
    assert [(row["collective"], row["nbytes"]) for row in rows] == [
        ("all-reduce", 2**20), ("all-reduce", 2**21), ("all-gather", 2**20), ("all-gather", 2**21),
    ]  # fmt: skip
    assert {(row["algorithm"], row["ranks"]) for row in rows} == {("ring", 8)}
    _, out, _ = call(capsys, "score", small, "--json", "--algorithm", "halving-doubling", "--collective", "all-reduce")
    assert {row["algorithm"] for row in _json(out)["collectives"]} == {"halving-doubling"}


@pytest.mark.parametrize("model", ["rounds", "alpha-beta", "bound"])
def test_models(model: str, small: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "score", small, "--json", "--model", model)
    assert {row["model"] for row in _json(out)["collectives"]} == {model}


def test_rank_orders(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    times = {}
    for order in ("linear", "random"):
        for seed in ("0", "1"):
            options = ["--rank-order", order, "--seed", seed, "--collective", "all-reduce", "--size", "1GiB"]
            _, out, _ = call(capsys, "score", small, "--json", *options)
            times[order, seed] = _json(out)["collectives"][0]["time_s"]
    assert times["linear", "0"] == times["linear", "1"]
    assert times["random", "0"] >= times["linear", "0"]
    assert len(set(times.values())) > 1


def test_any_seed_orders_ranks(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--rank-order", "random", "--seed", str(10**30), "--collective", "all-reduce", "--size", "1MiB"]
    assert call(capsys, "score", small, *options)[0] == 0


@pytest.mark.parametrize(("ranks", "says"), [("0", "0 is not 1 or more"), (str(10**30), "is more than 10,000,000")])
def test_numbers_of_ranks_that_no_fabric_has(
    ranks: str, says: str, small: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = call(capsys, "score", small, "--ranks", ranks)
    assert (status, out) == (2, "")
    assert says in err


def test_csv_and_markdown(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "score", small, "--format", "csv")
    blocks = out.strip().split("\n\n")
    collectives = list(csv.DictReader(io.StringIO(blocks[0])))
    assert [row["collective"] for row in collectives] == ["all-reduce"] * 3 + ["all-to-all"] * 3
    assert all(math.isfinite(float(row["time [s]"])) for row in collectives)
    _, out, _ = call(capsys, "score", small, "--format", "markdown")
    lines = out.splitlines()
    assert lines[0].startswith("| collective |")
    assert set(lines[1]) <= set("|-: ")
    _, by_format, _ = call(capsys, "score", small, "--format", "json")
    _, by_flag, _ = call(capsys, "score", small, "--json")
    assert by_format == by_flag


def test_quiet_prints_nothing_and_keeps_the_status(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(capsys, "score", small, "-q") == (0, "", "")
    hot = tmp_path / "hot.yaml"
    hot.write_text(SMALL.replace("power_limit: 20 kW", "hosts_per_rack: 16, power_limit: 10 kW"))
    assert call(capsys, "score", str(hot), "-q") == (1, "", "")


def test_the_screen_begins_with_the_verdict(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "score", small)
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0].startswith("small")
    assert "# counted  ~ modelled  * assumed" in lines[0]
    assert lines[1].startswith("VERDICT  READY")
    assert "\x1b" not in out
    assert out.endswith("\n")
    assert "GPUs 16" in out
    _, wide, _ = call(capsys, "score", small, "-v")
    assert len(wide) > len(out)


def test_published_superpod_as_a_whole_command(capsys: pytest.CaptureFixture[str]) -> None:
    """RA-11333-001 V11, Table 4 and the rack elevations: 127 hosts, 4 a rack of 40.8 kW."""
    status, out, _ = call(capsys, "score", SUPERPOD, "--json", "--size", "1GiB")
    document = _json(out)
    assert status == 0
    assert document["counts"]["gpus"] == 1016
    assert document["network_counts"]["compute"]["spine"] == 16
    hosts = [row for row in document["power"]["racks"] if row["hosts"]]
    assert len(hosts) == 32
    assert max(row["it_w"] for row in hosts) == pytest.approx(40.8e3)


def test_colours_go_with_no_color_and_off_a_terminal(small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from fabrictool.cli import common

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout", Terminal())
    assert not common.plain(False)
    assert common.plain(True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert common.plain(False)
    monkeypatch.setenv("NO_COLOR", "")
    assert not common.plain(False)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert common.plain(False)


def test_the_installed_command_prints_one_document(small: str) -> None:
    done = run("score", small, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    _check_keys(_json(done.stdout.decode()))


def test_auto_over_a_range_of_sizes(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["score", small, "--collective", "all-to-all", "--algorithm", "auto", "--size"]
    status, out, _ = call(capsys, *arguments, "8B..16GiB", "--json")
    rows = _json(out)["collectives"]
    assert status == 0
    assert [row["nbytes"] for row in rows] == [2**power for power in range(3, 35)]
    for row in rows:
        assert row["latency_s"] + row["serialisation_s"] + row["congestion_s"] == row["time_s"]
        assert all(other["time_s"] >= row["time_s"] for other in row["alternatives"])
    status, out, _ = call(capsys, *arguments, "1MiB", "-v", "--no-color")
    assert "others: " in out
    assert "+ congestion" in out


@pytest.mark.parametrize("size", ["8B", "8KiB", "1MiB", "1GiB"])
def test_columns_of_collectives_stand_apart(size: str, small: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Small messages have tiny bandwidths; their digits must not run into the next column."""
    asked = ("--collective", "all-reduce", "--algorithm", "ring", "--size", size)
    status, out, _ = call(capsys, "score", small, *asked, "--no-color")
    heading, row = (next(line for line in out.splitlines() if word in line) for word in ("COLLECT", " all-reduce "))
    assert status == 0
    ends = [heading.index(word) + len(word) for word in ("bound#", "model~", "healthy~", "time~")]
    assert all(row[end - 1] != " " and row[end] == " " for end in ends)
    figures = row[ends[0] - 9 : ends[3]].split()
    assert len(figures) == 5  # the time has a unit
    _, exact, _ = call(capsys, "score", small, *asked, "--json")
    busbw = _json(exact)["collectives"][0]["busbw_bytes_per_s"] / 1e9
    assert float(figures[1]) == pytest.approx(busbw, rel=1e-3, abs=5e-6)


@pytest.mark.parametrize(
    ("bytes_per_s", "text"),
    [(None, "-"), (204.7e9, "204.7"), (0.0133e9, "0.0133"), (5.067e5, "0.00051"), (9e3, "<0.00001"), (0.0, "<0.00001")],
)
def test_bandwidths_take_eight_letters_at_most(bytes_per_s: float | None, text: str) -> None:
    from fabrictool.cli.screen import _gb

    assert _gb(bytes_per_s) == text


def test_the_screen_keeps_to_its_width(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    large = str(TOPOLOGIES / "dgx-superpod-gb200-2su.yaml")
    _, out, _ = call(capsys, "score", large, "--size", "1GiB", "--no-color")
    assert [line for line in out.splitlines() if len(line) > 110] == []
    assert "free ports leaf 1,792, spine 768, core 0" in out


def test_what_has_no_price_is_named_once_whatever_its_length(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Trunks of 3, 5 and 7 m are one kind, and the line is no wider than the others."""
    leaf = planned.switch(8, cages=4, cage="OSFP")
    tree = planned.tree(4, hosts_per_leaf=4, leaf=leaf) | {"cabling": {"panels": {}}}
    path = tmp_path / "panels.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    _, out, _ = call(capsys, "score", str(path), "--size", "1MiB")
    lines = out.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("COST"))
    said = " ".join(" ".join(lines[start : start + 3]).split())
    assert "trunk of 12, multimode fibre OM4, MPO-12/APC, type B, male (3 lengths)" in said
    assert max(len(line) for line in lines[start : start + 3]) <= 110
