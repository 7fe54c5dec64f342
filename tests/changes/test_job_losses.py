"""What changes take from collectives that are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import call

from fabrictool.changes.job_losses import AskedJobs
from fabrictool.changes.report import impact
from fabrictool.errors import InputError
from fabrictool.fabric import edit
from fabrictool.generators.building import build
from fabrictool.layout.reading import read_layout
from fabrictool.verification import verify

FT64 = str(Path(__file__).parents[2] / "topologies" / "ft64.yaml")

# SimGrid 3.32, CM02, 1 GiB on 64 hosts: healthy, and with one cable between a leaf and a spine down
SIMULATED = [
    ("all-reduce", "ring", 0.042530584, 0.042530584),
    ("all-reduce", "halving-doubling", 0.042296584, 0.079877548),
    ("all-to-all", "pairwise", 0.021265292, 0.039720230),
]


@pytest.mark.parametrize(("collective", "algorithm", "before_s", "after_s"), SIMULATED)
def test_a_cable_down(collective: str, algorithm: str, before_s: float, after_s: float) -> None:
    found = impact(FT64, fail_links="leaf-01:9", collective=collective, algorithm=algorithm, size="1GiB")
    (job,) = found.changes[0].jobs
    assert (job.before.time_s, job.after.time_s) == pytest.approx((before_s, after_s), rel=1e-6)
    assert job.percent == pytest.approx(100 * (1 - before_s / after_s), abs=1e-3)


def test_a_drain_comes_on_top_of_faults() -> None:
    """The next uplink takes what a dead cable and a drained spine carried: three shares where there were two."""
    found = impact(FT64, fail_links="leaf-01:9", drain="spine-02", collective="all-to-all", size="1GiB")
    (down,), (drained,) = (change.jobs for change in found.changes)
    assert drained.before == down.after
    assert (down.percent or 0.0) > 40
    assert 30 < (drained.percent or 0.0) < 100 / 3


def test_losses_that_are_shown_are_priced() -> None:
    found = impact(
        FT64, domain="switch", collective=["all-to-all", "all-reduce"], algorithm="auto", size=["1MiB", "1GiB"]
    )
    priced = [loss for loss in found.ranking if loss.jobs]
    assert len(priced) == 10
    spine = priced[0]
    assert spine.kind == "spine"
    # direct all-to-all keeps more than pairwise's barriers leave
    assert [job.after.algorithm for job in spine.jobs][1] == "direct"
    assert 40 < (spine.jobs[1].percent or 0.0) < 46.46
    leaf = next(loss for loss in priced if loss.kind == "leaf")
    assert [job.percent for job in leaf.jobs] == [100.0] * 4


def test_the_command_prints_and_gives_them(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["impact", FT64, "--fail-links", "leaf-01:9", "--collective", "all-to-all", "--size", "1GiB"]
    status, out, _ = call(capsys, *asked, "--json")
    (row,) = json.loads(out)["changes"][0]["collectives"]
    assert status == 0
    assert row["loss_percent"] == pytest.approx(46.46, abs=0.01)
    assert row["time_s_before"] == pytest.approx(0.021265292, rel=1e-6)
    assert (row["algorithm_before"], row["ranks_after"], row["limited_by"]) == ("pairwise", 64, "leaf uplink")
    _, out, _ = call(capsys, *asked)
    assert "collectives with the faults" in out
    assert "46.46 %" in out


def test_groups_and_models_can_be_asked() -> None:
    found = impact(FT64, fail_links="leaf-01:9", collective="all-reduce", size="1GiB", model="fluid",
                   parallel={"tensor": 8}, over="data")  # fmt: skip
    (job,) = found.changes[0].jobs
    assert job.before.groups is not None
    assert job.title == "all-reduce 1 GiB over data"
    assert job.to_dict()["groups_after"]["count"] == 8


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"size": "1GiB"}, "--size: says nothing without a collective"),
        ({"algorithm": "ring"}, "--algorithm: says nothing without a collective"),
        ({"collective": "all-rduce"}, "collective 'all-rduce' is not supported"),
        ({"collective": "all-reduce", "algorithm": "pairwise"}, "all-reduce by 'pairwise'"),
        ({"collective": "all-reduce", "size": "0B"}, "--size: '0B' is out of range for a size"),
        ({"collective": "all-reduce", "ranks": 65}, "65 ranks asked for, but there are 64 GPUs"),
        ({"collective": "all-reduce", "model": "roundz"}, "model 'roundz'"),
        ({"collective": "all-reduce", "over": "data"}, "--over: says nothing without --parallel"),
        ({"collective": "all-reduce", "parallel": "tensor=8"}, "--parallel: says nothing without --over"),
        (
            {"collective": "all-reduce", "parallel": "tensor:8", "over": "data"},
            "no kind of group 'tensor:8'; did you mean 'tensor'.; sizes are written like tensor=8",
        ),
    ],
)
def test_what_cannot_be_asked(options: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        impact(FT64, fail_links="leaf-01:9", **options)  # type: ignore[arg-type]


def test_miscablings_are_priced_by_collectives_too() -> None:
    """Traffic spreads over seven of eight uplinks: 49 of 63 shifts, which all of a leaf cross, take 8/7."""
    fabric = build(read_layout(FT64))
    asked = AskedJobs(("all-to-all", "all-reduce"), None, ("16GiB",))
    found = verify(FT64, edit(fabric, drop=["leaf-01:9"]), asked=asked)
    (cause,) = found.causes
    assert cause.root_cause == "missing-link"
    assert cause.impact is not None
    names = [name for name, _ in cause.impact.collectives]
    lost = [percent for _, percent in cause.impact.collectives]
    assert names == ["all-to-all 16 GiB", "all-reduce 16 GiB"]
    assert lost == pytest.approx([100 * (1 - 1 / (1 + 49 / 63 / 7)), 0.0], abs=0.01)
    assert cause.to_dict()["impact"]["collectives"][0]["loss_percent"] == lost[0]
    assert "of all-to-all 16 GiB" in "".join(table.to("csv") for table in found.tables())


def test_a_job_that_stops_beside_a_small_share_is_explained() -> None:
    """One of 64 hosts takes 1/64 along; the job with all ranks stops."""
    found = impact(FT64, domain="link", collective="all-reduce", size="1GiB")
    (note,) = (row for row in found.findings if row.id == "job-stops")
    assert note.message == (
        "the loss of h1-01:1 - leaf-01:1 stops all-reduce 1 GiB, which needs all of its ranks: 100 % lost; "
        "the usual figures let the others close up: 1.56 % of all-reduce"
    )
    down = impact(FT64, fail_links="h1-01:1", collective="all-reduce", size="1GiB")
    assert "1.56 % of all-reduce" in next(row.message for row in down.findings if row.id == "job-stops")
    spine = impact(FT64, fail_links="leaf-01:9", collective="all-reduce", size="1GiB")
    assert "job-stops" not in {row.id for row in spine.findings}
