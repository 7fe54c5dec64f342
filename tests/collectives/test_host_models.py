"""The models ``nccl`` and ``loggp`` on layouts: jobs, what they honour, and what is said beside the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fabrictool.evaluation import Evaluation, score
from fabrictool.layout.reading import layout_from_tree

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
SWITCH = {"name": "sw", "ports": 512, "speed": "400G"}
NETWORK = {"family": "fat-tree", "leaf": {"type": SWITCH}, "link": {"latency": "500 ns"}}
H100 = {"name": "h", "gpus": 8, "gpu": "H100", "scale_up": {"domain": 8, "speed": "3.6T"}, "nics": 8, "speed": "400G"}
STATED = {"cpu": "intel", "channels": 8, "intra": "48 GB/s", "inter": "48 GB/s"}


def _scored(kind: dict[str, Any], count: int, jobs: list[dict[str, Any]], **options: Any) -> Evaluation:
    hosts = [{"name": "host", "type": kind, "count": count}]
    layout = layout_from_tree(
        {"name": "case", "hosts": hosts, "networks": {"compute": NETWORK}, "workload": {"collectives": jobs}}
    )
    found = score(layout, **options)
    assert isinstance(found, Evaluation)
    return found


def test_nccl_on_stated_channels_meets_the_golden_times() -> None:
    """Eight hosts of eight H100, 8 channels of 48 GB/s: the time at each size, in us, of the smallest."""
    jobs = [{"collective": "all-reduce", "sizes": ["8 B", "1 MiB", "1 GiB", "8 GiB"], "model": "nccl"}]
    found = _scored(H100 | {"nccl": STATED}, 8, jobs)
    rows = found.collectives
    assert [row.algorithm for row in rows] == ["tree/ll", "tree/ll128", "nvls-tree/simple", "ring/simple"]
    expected = [45.200784, 97.565747, 5957.897846, 44859.472000]
    assert [row.time_s * 1e6 for row in rows if row.time_s] == pytest.approx(expected, rel=1e-6)
    assert [row.limited_by for row in rows] == ["latency", "latency", "channels", "channels"]
    assert not [row for row in found.assumptions if row.what.startswith("NCCL")]


def test_jobs_may_name_algorithm_and_protocol() -> None:
    asked: list[dict[str, Any]] = [
        {"algorithm": "ring", "protocol": "simple"},
        {"algorithm": "double-binary-tree"},
        {"protocol": "ll128"},
    ]
    jobs = [{"collective": "all-reduce", "sizes": ["1 GiB"], "model": "nccl"} | one for one in asked]
    rows = _scored(H100 | {"nccl": STATED}, 8, jobs).collectives
    assert [row.algorithm for row in rows] == ["ring/simple", "tree/simple", "ring/ll128"]
    expected = [6324.304000, 7604.940444, 7482.831390]
    assert [row.time_s * 1e6 for row in rows if row.time_s] == pytest.approx(expected, rel=1e-6)


def test_the_option_takes_what_nccl_tunes_and_leaves_the_rest() -> None:
    found = score(str(TOPOLOGIES / "dgx-superpod-h100-4su.yaml"), model="nccl", size="1GiB", algorithm="nvls-tree")
    rows = [(row.collective, row.algorithm, row.model) for row in found.collectives]
    assert rows == [("all-reduce", "nvls-tree/simple", "nccl"), ("all-to-all", "pairwise", "rounds")]
    said = [row for row in found.assumptions if row.what == "NCCL on dgx-h100"]
    assert len(said) == 1


def test_a_rank_alone_takes_no_time() -> None:
    for model in ("nccl", "loggp"):
        jobs = [{"collective": "all-reduce", "sizes": ["1 GiB"], "model": model, "ranks": {"count": 1}}]
        (row,) = _scored(H100, 2, jobs).collectives
        assert (row.ranks, row.time_s) == (1, 0.0)


def test_ranks_on_dead_hosts_have_no_time() -> None:
    jobs = [
        {"collective": "all-reduce", "sizes": ["1 GiB"], "model": model, "ranks": {"count": 8}}
        for model in ("nccl", "loggp")
    ]
    found = _scored(H100, 2, jobs, fail_devices=["host-01"])
    assert [(row.time_s, row.limited_by) for row in found.collectives] == [
        (None, "all hosts of its ranks are down")
    ] * 2
    assert not found.ok


def test_loggp_golden_time_on_a_layout() -> None:
    """126 (2 us + 16383 x 2e-11 s): two links of 0.5 us, o = 0.5 us, 400 Gbit/s."""
    kind = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G", "loggp": {"overhead": "500 ns", "gap": "1 us"}}
    jobs = [{"collective": "all-reduce", "algorithm": "ring", "sizes": ["1 MiB"], "model": "loggp"}]
    found = _scored(kind, 64, jobs)
    assert found.collectives[0].time_s == pytest.approx(0.000293285160, rel=1e-12)
    (said,) = (row for row in found.assumptions if row.what == "LogGP of hosts")
    assert said.value == "o 0.5 us at each end, g 1 us"


@pytest.mark.parametrize("nics", [1, 2, 4])
def test_loggp_without_overhead_or_gap_is_alpha_beta_less_a_byte(nics: int) -> None:
    """The gap of a message of k bytes is (k - 1) G, so each round is a byte shorter than under alpha-beta."""
    kind = {"name": "h", "gpus": 1, "nics": nics, "speed": "400G", "loggp": {"overhead": "0 s", "gap": "0 s"}}
    pairs = [
        ("all-reduce", "ring", 62),
        ("all-gather", "ring", 31),
        ("broadcast", "binomial", 5),
        ("all-to-all", "pairwise", 31),
    ]
    jobs = [
        {"collective": collective, "algorithm": algorithm, "sizes": ["1 KiB", "1 GiB"], "model": model}
        for collective, algorithm, _ in pairs
        for model in ("loggp", "alpha-beta")
    ]
    rows = _scored(kind, 32, jobs).collectives
    for row, (_, _, rounds) in enumerate(pairs):
        times = np.array([one.time_s for one in rows[4 * row : 4 * row + 4]])
        assert times[2:] - times[:2] == pytest.approx(rounds * 2e-11 / nics, abs=1e-13)


def test_loggp_is_never_better_than_the_bound() -> None:
    """Four leaves of four hosts under one uplink each: messages alone never meet there, the bound counts them."""
    kind = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G"}
    network = NETWORK | {"hosts_per_leaf": 4, "leaf": {"type": {"name": "l", "ports": 5, "speed": "400G"}, "up": 1}}
    layout = layout_from_tree(
        {
            "name": "case",
            "hosts": [{"name": "host", "type": kind, "count": 16}],
            "networks": {"compute": network | {"spine": {"type": SWITCH, "count": 1}}},
        }
    )
    found = score(layout, collective="all-to-all", algorithm="pairwise", model="loggp", size="1GiB")
    (row,) = found.collectives
    assert row.time_s == row.bound_s
    assert row.time_s == pytest.approx(4 * 12 / 16 * 2**30 / 50e9)


def test_many_messages_of_a_rank_wait_for_each_other() -> None:
    """All-to-all at once among 32: 31 messages of 32 B a rank, 30 gaps of 1 us, then L + 31 G."""
    kind = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G"}
    jobs = [{"collective": "all-to-all", "algorithm": "direct", "sizes": ["1 KiB"], "model": "loggp"}]
    (row,) = _scored(kind, 32, jobs).collectives
    assert row.time_s == pytest.approx(30e-6 + 1e-6 + 31 * 2e-11, rel=1e-9)
