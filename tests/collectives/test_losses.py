"""What faults cost a collective, in percent of its bus bandwidth."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabrictool.evaluation import Evaluation, score

FT64 = str(Path(__file__).parents[2] / "topologies" / "ft64.yaml")

# SimGrid 3.32, CM02, 1 GiB on 64 hosts: healthy, and with one cable between a leaf and a spine down
SIMULATED = [
    ("all-reduce", "ring", 0.042530584, 0.042530584),
    ("all-reduce", "halving-doubling", 0.042296584, 0.079877548),
    ("all-to-all", "pairwise", 0.021265292, 0.039720230),
]


def _score(**options: object) -> Evaluation:
    found = score(FT64, **options)  # type: ignore[arg-type]
    assert isinstance(found, Evaluation)
    return found


@pytest.mark.parametrize(("collective", "algorithm", "healthy_s", "faulty_s"), SIMULATED)
def test_a_cable_down(collective: str, algorithm: str, healthy_s: float, faulty_s: float) -> None:
    asked = {"collective": collective, "algorithm": algorithm, "size": "1GiB"}
    (row,) = _score(**asked, fail_links="leaf-01:9").collectives
    assert (row.healthy_time_s, row.time_s) == pytest.approx((healthy_s, faulty_s), rel=1e-6)
    assert row.loss_percent == pytest.approx(100 * (1 - healthy_s / faulty_s), abs=1e-3)
    assert row.to_dict()["loss_percent"] == row.loss_percent


def test_a_healthy_fabric_says_nothing_of_losses() -> None:
    (row,) = _score(collective="all-reduce", size="1GiB").collectives
    assert (row.healthy_time_s, row.loss_percent) == (None, None)
    assert "time without faults" not in _score(collective="all-reduce", size="1GiB").collective_table().to("csv")


def test_ranks_that_are_cut_off_lose_all() -> None:
    found = _score(collective="all-reduce", size="1GiB", fail_devices="leaf-01")
    (row,) = found.collectives
    assert row.time_s is None
    assert row.loss_percent == 100
    assert row.healthy_time_s == pytest.approx(0.042530584, rel=1e-6)
    assert "time without faults" in found.collective_table().to("csv")


@pytest.mark.parametrize("model", ["rounds", "fluid", "loggp"])
@pytest.mark.parametrize("factor", [0.5, 0.25])
def test_a_slow_host_link_takes_its_part_of_a_ring(model: str, factor: float) -> None:
    """All bytes of a ring go over each host's link, so it is as slow as the slowest of them."""
    (row,) = _score(
        collective="all-reduce", algorithm="ring", size="16GiB", model=model, slow=f"h1-05:1={factor}"
    ).collectives
    assert row.loss_percent == pytest.approx(100 * (1 - factor), abs=0.2)


def test_a_fabric_without_a_layout_says_so_too(tmp_path: Path) -> None:
    from fabrictool.generators.building import build
    from fabrictool.layout.reading import read_layout

    fabric = build(read_layout(FT64))
    found = score(fabric, collective="all-to-all", size="1GiB", fail_links="leaf-01:9")
    (row,) = found.collectives
    assert row.loss_percent == pytest.approx(46.46, abs=0.01)
    jobs = score(fabric, fail_links="leaf-01:9").to_dict()["collectives"]
    assert all(one["healthy_time_s"] is not None for one in jobs)
