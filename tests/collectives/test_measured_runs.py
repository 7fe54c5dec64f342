"""Measured runs beside a layout: what is fitted, what is found to be off, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calibrated import DATA, cluster_layout, cluster_setting

import fabrictool as ft
from fabrictool.collectives.expected.constants import calibration
from fabrictool.collectives.expected.fit import fitted, scaled
from fabrictool.collectives.expected.times import time_s
from fabrictool.errors import InputError
from fabrictool.evaluation import evaluate_measured
from fabrictool.formats.measured import measurements_from, read_measurements
from fabrictool.generators.building import build

H100 = ("H100", 8, 2, 8, 400.0, "infiniband")
HEADER = "collective,ranks,size_bytes,time_us\n"
SIZES = 2.0 ** np.arange(10, 35)


def _csv(cluster: str, hosts: int, slower: dict[float, float] | None = None) -> str:
    """Write the published points of a cluster, some sizes slowed down."""
    with (DATA / "multi-host.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if (row["cluster"], row["nodes"]) == (cluster, str(hosts))]
    lines = ["collective,ranks,size_bytes,time_us,place"]
    for row in rows:
        size = float(row["size_bytes"])
        time_us = float(row["time_us"]) * (slower or {}).get(size, 1.0)
        lines.append(f"{row['collective']},{row['ranks']},{size:.0f},{time_us},{row['place']}")
    return "\n".join(lines) + "\n"


def _score(text: str, layout: Any, **more: Any) -> Any:
    path = Path("points.csv")
    return ft.evaluate(layout, measured=measurements_from(str(path), text.encode()), **more)


def _found(evaluation: Any, identity: str) -> list[str]:
    return [f"{finding.message} -> {finding.fix}" for finding in evaluation.findings if finding.id == identity]


def test_a_fit_finds_factors_that_were_put_in() -> None:
    known, machine = calibration(), cluster_setting(*H100)
    times = time_s(machine, "all-reduce", SIZES, scaled(known.constants, 1.5, 0.8))
    noise = np.exp(np.random.default_rng(3).normal(0, 0.02, len(SIZES)))
    fit = fitted("all-reduce", [machine] * len(SIZES), SIZES, times * noise, known)
    assert fit.latency_factor == pytest.approx(1.5, rel=0.04)
    assert fit.efficiency_factor == pytest.approx(0.8, rel=0.03)
    assert fit.startup_range_s is not None
    assert fit.startup_range_s[0] < fit.startup_s < fit.startup_range_s[1] < 1.2 * fit.startup_s


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    known, machine = calibration(), cluster_setting(*H100)
    times = time_s(machine, "all-reduce", SIZES, scaled(known.constants, 1.3, 0.9))
    truth = float(time_s(machine, "all-reduce", 1.0, scaled(known.constants, 1.3, 0.9)))
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(60):
        noise = np.exp(rng.normal(0, 0.03, len(SIZES)))
        interval = fitted("all-reduce", [machine] * len(SIZES), SIZES, times * noise, known).startup_range_s
        assert interval is not None
        held += interval[0] <= truth <= interval[1]
    assert held >= 50


def test_a_few_wild_points_hardly_move_a_fit() -> None:
    known, machine = calibration(), cluster_setting(*H100)
    times = time_s(machine, "all-reduce", SIZES, known.constants)
    times[[3, 11]] *= (20.0, 8.0)
    fit = fitted("all-reduce", [machine] * len(SIZES), SIZES, times, known)
    assert (fit.latency_factor, fit.efficiency_factor) == pytest.approx((1, 1), abs=0.02)


def test_large_messages_alone_do_not_tell_the_start_up() -> None:
    known, machine = calibration(), cluster_setting(*H100)
    sizes = SIZES[SIZES >= 2.0**32]
    fit = fitted(
        "all-reduce", [machine] * len(sizes), sizes, time_s(machine, "all-reduce", sizes, known.constants), known
    )
    assert fit.startup_range_s is None
    assert fit.busbw_range_bytes_per_s is not None


def test_a_healthy_cluster_is_in_range_and_its_fit_narrows_what_is_expected() -> None:
    """Two Dell hosts of H100: 29.8 us at 1 KiB, 469.21 GB/s at 16 GiB (multi-host.csv, h100-dell-ib)."""
    layout = cluster_layout(*H100)
    found = _score(_csv("h100-dell-ib", 2), layout)
    assert found.ok
    assert not _found(found, "measured-under")
    assert found.measured.verdicts.count("in range") >= 0.8 * len(found.measured.measured)
    fit = found.measured.fits["all-reduce"]
    assert fit.startup_s == pytest.approx(29.8e-6, rel=0.06)
    assert fit.busbw_bytes_per_s == pytest.approx(469e9, rel=0.02)
    before = ft.evaluate(layout).collectives[2].expected_busbw_range
    after = found.collectives[2].expected_busbw_range
    assert found.collectives[2].nbytes == 2.0**30
    assert after[0] <= 448.9e9 <= after[1]
    assert np.log(after[1] / after[0]) < 0.5 * np.log(before[1] / before[0])


def test_a_slow_stretch_is_named_with_its_sizes_and_its_share() -> None:
    slower = dict.fromkeys((2.0**24, 2.0**25, 2.0**26), 1.9)
    (said,) = _found(_score(_csv("h100-dell-ib", 2, slower), cluster_layout(*H100)), "measured-under")
    assert "all-reduce of 16 ranks: 16 MiB to 128 MiB measured" in said
    assert "protocol or channels" in said


def test_one_adapter_of_four_is_told_by_its_rate() -> None:
    """One of four adapters of 400 Gbit/s carries 0.95 of 50 GB/s, as nccl-tests issue 290 has it."""
    layout = cluster_layout("H100", 8, 4, 4, 400.0, "ethernet")
    lines = ["collective,ranks,size_bytes,busbw_GBps"]
    lines += [f"all_reduce,32,{size:.0f},{47.0 * size / (size + 2e7):.2f}" for size in SIZES if size >= 2.0**24]
    (said,) = _found(_score("\n".join(lines), layout), "measured-under")
    assert "about what 1 of a host's 4 ports carries" in said


def test_a_cliff_is_told_at_its_line() -> None:
    """The bandwidth of h100-3n-cliff falls from 29.5 to 5.3 GB/s after 32 MiB (multi-host.csv)."""
    found = _score(_csv("h100-3n-cliff", 3), cluster_layout("H100", 8, 3, 8, 400.0, "infiniband"))
    (said,) = _found(found, "measured-cliff")
    assert "from 32 MiB to 64 MiB the bandwidth falls to 18%" in said
    assert _found(found, "measured-under")


def test_wrong_values_are_an_error_and_cut_logs_a_note() -> None:
    text = (
        "# all_reduce_perf\n# Using devices\n"
        + "".join(f"#  Rank {r:2d} Group  0 Pid {r} on  n{r // 8} device  {r % 8} [0x1b] H100\n" for r in range(16))
        + "# size count type redop root time algbw busbw #wrong time algbw busbw #wrong\n"
        + "1073741824 268435456 float sum -1 4480 239.67 449.38 0 4480 239.67 449.38 7\n"
    )
    layout = cluster_layout(*H100)
    cut = _score(text, layout)
    assert cut.ok
    assert _found(cut, "measured-cut")
    bad = _score(text + "# Out of bounds values : 7 FAILED\n# Avg bus bandwidth : 449\n", layout)
    assert not bad.ok
    assert "found 7 wrong values" in _found(bad, "measured-wrong")[0]
    assert bad.to_dict()["measured"]["points"][1]["wrong"] is True


def test_hosts_by_name_are_those_of_the_layout() -> None:
    layout = cluster_layout("H100", 8, 4, 8, 400.0, "infiniband")
    fabric = build(layout)
    names = [name for name in fabric.names if name.startswith("h-")]
    text = (
        "# all_reduce_perf\n# Using devices\n"
        + "".join(
            f"#  Rank {r:2d} Group  0 Pid {r} on  {names[3 - r // 2]} device  {r % 2} [0x1b] H100\n" for r in range(4)
        )
        + "# size count type redop root time algbw busbw #wrong time algbw busbw #wrong\n"
        + "1073741824 268435456 float sum -1 10000 107.37 161.06 0 10000 107.37 161.06 0\n"
    )
    beside = evaluate_measured(layout, fabric, measurements_from("a.log", text.encode()))
    assert beside.placed[0].gpus.tolist() == [24, 25, 16, 17]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("all_reduce,64,1024,30\n", "m.csv:2:1: 64 ranks ran, but the layout has 16 GPUs"),
        ("", "m.csv:1:1: holds no measured point"),
    ],
)  # fmt: skip
def test_what_cannot_have_been_measured_here_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        ft.evaluate(cluster_layout(*H100), measured=measurements_from("m.csv", (HEADER + text).encode()))
    assert said in str(caught.value)


def test_json_has_the_key_always_and_every_point(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(_csv("h100-dell-ib", 2))
    layout = cluster_layout(*H100)
    assert ft.evaluate(layout).to_dict()["measured"] is None
    found = ft.evaluate(layout, measured=read_measurements([str(tmp_path)])).to_dict()["measured"]
    assert len(found["points"]) == 20
    assert found["points"][0].keys() == {
        "run", "where", "nbytes", "place", "time_s", "busbw_bytes_per_s", "modelled_busbw_bytes_per_s",
        "expected_busbw_bytes_per_s", "expected_busbw_range", "verdict", "wrong",
    }  # fmt: skip
    assert found["fits"][0]["collective"] == "all-reduce"
    assert found["runs"][0]["ranks"] == 16


def test_accelerators_that_nothing_is_known_of_are_still_laid_beside_the_model() -> None:
    kind = {"name": "x", "gpus": 1, "nics": 1, "speed": "400G"}
    network = {"family": "fat-tree", "hosts_per_leaf": 2, "leaf": {"type": {"name": "s", "ports": 8, "speed": "400G"}}}
    tree = {"name": "n", "hosts": {"name": "h", "type": kind, "count": 4}, "networks": {"compute": network}}
    text = "collective,ranks,size_bytes,time_us\nall_reduce,4,1048576,50\n"
    found = ft.evaluate(ft.layout_from_tree(tree), measured=measurements_from("m.csv", text.encode())).measured
    assert found is not None
    assert found.verdicts == [None]
    assert found.modelled[0] > 0
    assert not found.fits
