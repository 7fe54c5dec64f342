"""The calibrated model on the published points: what the documents say of its errors, and what physics asks of it."""

from __future__ import annotations

import csv
import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from calibrated import DATA, cluster_setting, points, setting
from hypothesis import given
from hypothesis import strategies as st

import fabrictool as ft
from fabrictool.collectives.expected.constants import calibration
from fabrictool.collectives.expected.ranges import expected_range, expected_time_s
from fabrictool.collectives.expected.setting import COLLECTIVES, TRANSPORTS, Setting, generation
from fabrictool.collectives.expected.times import factor, time_s
from fabrictool.layout.reading import layout_from_tree

ROOT = Path(__file__).parents[2]
CONSTANTS = calibration().constants
H100 = ("H100", 8, 2, 8, 400.0, "infiniband")


@cache
def _benchmark(name: str = "calibration") -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def _left_out() -> dict[str, dict[str, float]]:
    with (DATA / "left-out.csv").open(newline="") as stream:
        return {
            row.pop("cluster"): {name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)
        }


def _document() -> str:
    return (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")


def test_the_tables_of_errors_in_the_documents_are_those_of_this_model() -> None:
    bench = _benchmark()
    table = bench.healthy()
    residual = bench.left_out_residual(table, _left_out())
    text = _document()
    tables = (
        bench.error_lines(table, residual, bench.trivial_left_out(table)),
        bench.cluster_lines(table, residual),
        bench.far_lines(table, residual),
    )
    for line in (line for lines in tables for line in lines):
        assert line in text
    assert f"{100 * bench.covered(table, residual).mean():.0f} % of the points" in text


def test_faults_and_other_libraries_in_the_documents_are_those_of_this_model() -> None:
    text = _document()
    for line in _benchmark().odd_lines():
        assert line in text


def test_every_point_is_in_the_documents_and_has_a_reason_beyond_ten_percent() -> None:
    """Each published point that is modelled is printed with its error; rows with points beyond 10 % say why."""
    bench = _benchmark("measured_points")
    assert bench.page() == bench.PAGE.read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in bench.point_lines()]
    printed = [float(one.rsplit(" ", 1)[1]) for row in rows for one in row[4].split(", ")]
    assert len(printed) == sum(point.modelled or "mscclpp" in point.library for point in points())
    for row in rows:
        far = [one for one in row[4].split(", ") if abs(float(one.rsplit(" ", 1)[1])) > 10]
        assert not far or len(row) == 6, row[0]


def test_published_plateaus_are_met_to_five_percent() -> None:
    """NVLink SHARP over 2 to 8 GPUs, H800, rings, an NDR adapter: figures that nothing was fitted to."""
    for line in _benchmark("measured_points").bandwidth_lines():
        assert abs(int(line.split(" | ")[3].removesuffix(" %"))) <= 5, line


def test_constants_without_a_cluster_are_what_a_fit_without_it_gives() -> None:
    bench = _benchmark()
    table, known = bench.healthy(), _left_out()
    assert set(known) == set(table.cluster)
    again = bench.fitted(table.without("gcp-a3mega"), CONSTANTS)
    mine = table.of("gcp-a3mega")
    assert mine.residual(again) == pytest.approx(mine.residual(known["gcp-a3mega"]), abs=0.02)


def test_the_spread_that_ships_is_that_of_the_left_out_clusters() -> None:
    bench = _benchmark()
    table = bench.healthy()
    residual = bench.left_out_residual(table, _left_out())
    for found, chosen in ((calibration().several, table.several), (calibration().one, ~table.several)):
        again = bench.spread(residual, table, chosen)
        assert found.slow == pytest.approx(again["slow"], abs=2e-3)
        assert found.fast == pytest.approx(again["fast"], abs=2e-3)


def test_published_figures_lie_in_their_ranges() -> None:
    """Two hosts of H100 measure 465 to 487 GB/s on 400 GB/s of adapters, four or more up to 391 (multi-host.csv)."""
    gib = 2.0**30
    two = cluster_setting(*H100)
    low, high = expected_range(two, "all-reduce", 16 * gib)
    assert low < 469e9 < high
    assert expected_time_s(two, "all-reduce", 16 * gib) == pytest.approx(2 * 15 / 16 * 16 * gib / 470e9, rel=0.05)
    eight = cluster_setting("H100", 8, 8, 8, 400.0, "infiniband")
    assert expected_range(eight, "all-reduce", 16 * gib)[1] < 460e9


def test_kinds_of_accelerators_by_name() -> None:
    names = {"H100": "hopper", "H100 SXM": "hopper", "NVIDIA A100-SXM4-80GB": "ampere", "GB200": "blackwell"}
    names |= {"B300": "blackwell", "MI300X": "cdna", "MI355X": "cdna", "V100-32": "volta"}
    assert {name: generation(name) for name in names} == names
    assert [generation(name) for name in ("Gaudi 3 HL-325L", "", "XH1000", None)] == [None] * 4


SETTINGS = st.builds(
    lambda gpu, per_host, hosts, scale_up, network, ports, transport: Setting(
        gpu, float(per_host * hosts), float(hosts), float(hosts), scale_up, network, ports, transport
    ),
    st.sampled_from(["volta", "ampere", "hopper", "blackwell", "cdna"]),
    st.integers(2, 16),
    st.integers(1, 4096),
    st.floats(1e11, 2e12),
    st.floats(1e9, 2e11),
    st.floats(0.25, 4),
    st.sampled_from(TRANSPORTS),
)


@given(SETTINGS, st.sampled_from(COLLECTIVES), st.floats(1, 1e12), st.floats(1, 100))
def test_more_bytes_never_take_less_and_more_bandwidth_never_more(
    machine: Setting, collective: str, nbytes: float, times: float
) -> None:
    before = float(time_s(machine, collective, nbytes, CONSTANTS))
    assert 1e-6 < before < np.inf
    assert float(time_s(machine, collective, nbytes * times, CONSTANTS)) >= before * (1 - 1e-12)
    faster = Setting(
        machine.gpu, machine.ranks, machine.hosts, machine.domains, machine.scale_up_bytes_per_s * times,
        machine.network_bytes_per_s * times, machine.ports, machine.transport,
    )  # fmt: skip
    assert float(time_s(faster, collective, nbytes, CONSTANTS)) <= before * (1 + 1e-12)


@given(SETTINGS, st.sampled_from(COLLECTIVES), st.floats(1, 1e12))
def test_a_range_holds_its_middle(machine: Setting, collective: str, nbytes: float) -> None:
    low, high = expected_range(machine, collective, nbytes)
    middle = float(factor(machine, collective)) * nbytes / float(time_s(machine, collective, nbytes, CONSTANTS))
    assert 0 < low < middle < high


def test_time_of_large_messages_grows_as_their_size() -> None:
    machine = cluster_setting(*H100)
    once, twice = (float(time_s(machine, "all-reduce", size, CONSTANTS)) for size in (2.0**40, 2.0**41))
    assert twice / once == pytest.approx(2, rel=1e-3)


def test_no_point_is_left_without_a_setting() -> None:
    assert all(setting(point).ranks >= 2 for point in points() if point.modelled)


def _layout(kind: dict[str, object], oversubscription: int = 1, hosts: int = 16) -> ft.Layout:
    network = {"family": "fat-tree", "hosts_per_leaf": 4, "oversubscription": oversubscription}
    network |= {"leaf": {"type": SWITCH}, "spine": {"type": SWITCH}}
    group = {"name": "h", "type": {"name": "x", "nics": 1, "speed": "400G"} | kind, "count": hosts}
    return layout_from_tree({"name": "c", "hosts": group, "networks": {"compute": network}})


SWITCH = {"name": "sw", "ports": 64, "speed": "400G", "latency": "0 ns"}


def test_score_gives_ranges_and_they_fall_where_the_fabric_is_oversubscribed() -> None:
    full = ft.score(_layout({"gpus": 1, "gpu": "H100"}), "all-to-all", size="1GiB").collectives[0].expected_busbw_range
    quarter = ft.score(_layout({"gpus": 1, "gpu": "H100"}, oversubscription=4), "all-to-all", size="1GiB").collectives[
        0
    ]
    assert full is not None
    assert 35e9 < full[0] < full[1] < 60e9
    assert quarter.expected_busbw_range is not None
    assert quarter.expected_busbw_range[1] < full[1] / 2.5


@pytest.mark.parametrize(
    ("kind", "collective", "said"),
    [
        ({"gpus": 1}, "all-reduce", "busbw (nothing was measured on accelerators like those of x (no gpu stated))"),
        ({"gpus": 1, "gpu": "Gaudi 3"}, "all-reduce", "accelerators like those of x (Gaudi 3)"),
        ({"gpus": 2, "gpu": "H100"}, "all-reduce", "GPUs of a host have no scale-up links between them"),
        ({"gpus": 1, "gpu": "H100"}, "send-recv", "send-recv was measured nowhere"),
    ],
)  # fmt: skip
def test_where_nothing_was_measured_the_range_is_null_and_a_note_says_why(
    kind: dict[str, object], collective: str, said: str
) -> None:
    found = ft.score(_layout(kind), collective, size="1MiB")
    assert found.collectives[0].expected_busbw_range is None
    assert any(said in finding.message for finding in found.findings if finding.id == "not-known")


def test_every_row_of_a_table_is_a_number_that_could_differ() -> None:
    assert len(re.findall(r"^\| .* \| \d+ \| [\d.]+ / [\d.]+ % \|", _document(), re.MULTILINE)) == 9


def test_ranges_widen_downwards_beyond_what_was_measured_and_score_says_so() -> None:
    eight, many = (cluster_setting("H100", 8, hosts, 8, 400.0, "infiniband") for hosts in (8, 64))
    for size, each in ((2.0**30, 0.15), (2.0**32, 0.06), (2.0**33, 0.035), (2.0**34, 0.01)):
        (low, high), (lower, higher) = (expected_range(machine, "all-reduce", size) for machine in (eight, many))
        assert np.log(higher / lower) - np.log(high / low) == pytest.approx(3 * each, abs=1e-6)
    found = ft.score(_layout({"gpus": 1, "gpu": "H100"}, hosts=128), "all-reduce", size="1GiB")
    said = [row.value for row in found.assumptions if row.what == "range of healthy runs"]
    assert said == ["up to 64 ranks over a network as measured; for 128 carried on and widened"]


def test_no_range_is_above_the_bound_of_the_fabric() -> None:
    machine = cluster_setting(*H100)
    least_s = 0.9 * expected_time_s(machine, "all-reduce", 2.0**30)
    bound = float(factor(machine, "all-reduce")) * 2.0**30 / least_s
    assert expected_range(machine, "all-reduce", 2.0**30, least_s)[1] <= bound
