"""Logs of nccl-tests beside a plan: the verdict of the command, and logs that are of something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from accepted import TOPOLOGIES, log_text, plan, subject, write_logs
from commands import call

from fabrictool.acceptance.rehearsal import World
from fabrictool.acceptance.verdict import run_named
from fabrictool.acceptance.writing import write_plan

LAYOUT = str(TOPOLOGIES / "dgx-superpod-h100-1su.yaml")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with the plan of a scalable unit, and logs of its first two steps, with a slow host link."""
    target = tmp_path / "plan"
    found = plan("dgx-superpod-h100-1su")
    write_plan(found, str(target))
    world = World(found, subject("dgx-superpod-h100-1su", slow="leaf-03:7=0.5"), seed=3)
    for step in found.ladder.steps[:2]:
        for runs in step.rounds:
            write_logs(found, world.measure(runs), target / "logs")
    return target


def test_the_command_names_suspects_and_the_next_runs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "score", LAYOUT, "--expect", str(place), "--measured", str(place / "logs"))
    assert (status, err) == (1, "")
    assert "SUSPECT  1 one of 9: link dgx-07:1 - leaf-01:7" in out
    assert f"NEXT     bash {place}/next.sh   (7 runs: dgx-07 + " in out
    assert f"THEN     bash {place}/3-leaf.sh" in out
    assert (place / "next.sh").read_text().count("probe.all-reduce.g") == 7


def test_probes_end_the_search(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = plan("dgx-superpod-h100-1su")
    world = World(found, subject("dgx-superpod-h100-1su", slow="leaf-03:7=0.5"), seed=9)
    arguments = ("score", LAYOUT, "--expect", str(place), "--measured", str(place / "logs"), "--json")
    first = json.loads(call(capsys, *arguments)[1])
    runs = [run_named(found, row["log"].removesuffix(".log")) for row in first["next"]]
    write_logs(found, world.measure([run for run in runs if run], together=False), place / "logs")
    status, out, _ = call(capsys, *arguments)
    document = json.loads(out)
    assert status == 1
    assert (document["format"], document["version"]) == ("fabrictool-acceptance-verdict", 1)
    assert [one["suspects"] for one in document["suspicions"]] == [[{"kind": "link", "name": "dgx-07:3 - leaf-03:7"}]]
    assert document["suspicions"][0]["speed_left"] == pytest.approx(0.5, rel=0.15)
    assert document["next"] == []
    assert not (place / "next.sh").exists()


def test_a_healthy_step_passes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = [str(path) for path in sorted((place / "logs").glob("host.*.log"))]
    options = [word for log in logs for word in ("--measured", log)]
    status, out, _ = call(capsys, "score", LAYOUT, "--expect", str(place), *options)
    assert status == 0
    assert "VERDICT  PASS so far   31 runs measured, 0 fail" in out
    assert f"NEXT     bash {place}/2-pair.sh" in out


def _log(place: Path, name: str, text: str) -> None:
    (place / "logs" / f"{name}.log").write_text(text)


def test_logs_of_something_else_are_refused_all_at_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ladder = plan("dgx-superpod-h100-1su").ladder
    leaf, hall = ladder.by_name["leaf.leaf-01"], ladder.by_name["hall.all-reduce"]
    hosts = [f"dgx-{row:02d}" for row in range(1, 32)]
    busbw = {2.0**30: 47e9}
    _log(place, "leaf.leaf-01", log_text(hall, hosts, busbw))
    _log(place, "leaf.leaf-02", log_text(leaf, [*hosts[:30], "node-x"], busbw))
    _log(place, "leaf.leaf-03", log_text(ladder.by_name["hall.all-to-all"], hosts, busbw))
    _log(place, "leaf.leaf-04", log_text(leaf, hosts, busbw) * 2)
    _log(place, "leaf.leaf-05", "not a log\n")
    _log(place, "leaf.leaf-99", log_text(leaf, hosts, busbw))
    status, out, err = call(capsys, "score", LAYOUT, "--expect", str(place), "--measured", str(place / "logs"))
    assert (status, out) == (2, "")
    assert [line.rpartition("/")[2].partition(": ")[2] for line in err.splitlines()[:4]] == [
        "is of 248 ranks, but leaf.leaf-01 has 31; is it of another layout? run it again as the plan says",
        "ran on node-x, but leaf.leaf-02 is for dgx-31; correct hosts.map if these are the machines' own names",
        "is of all-to-all, but leaf.leaf-03 measures all-reduce; run it again",
        "holds 2 runs; keep one in each log",
    ]
    assert "leaf.leaf-05.log:2:1: ends before the first measured row" in err.splitlines()[4]
    assert "leaf.leaf-99 is no run of the plan for superpod-h100-1su" in err.splitlines()[5]
    assert "Traceback" not in err


def test_machines_names_are_mapped(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = plan("dgx-superpod-h100-1su").ladder.by_name["pair.1.dgx-01+dgx-17"]
    _log(place, run.name, log_text(run, ["gpu-a", "dgx-17"], {2.0**30: 350e9}))
    names = place / "hosts.map"
    names.write_text(names.read_text().replace("dgx-01 dgx-01", "dgx-01 gpu-a.hall.example"))
    log = str(place / "logs" / f"{run.name}.log")
    assert call(capsys, "score", LAYOUT, "--expect", str(place), "--measured", log)[0] == 0


def test_plans_of_other_layouts_are_refused(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = ("--measured", str(place / "logs"))
    other = str(TOPOLOGIES / "ft64.yaml")
    status, out, err = call(capsys, "score", other, "--expect", str(place), *logs)
    assert (status, out) == (2, "")
    assert "is a plan for superpod-h100-1su, not ft64" in err
    status, _, err = call(capsys, "score", LAYOUT, "--expect", str(place), "--fail-devices", "dgx-03", *logs)
    assert "with other hosts, steps or runs than it has now" in err
    status, _, err = call(capsys, "score", LAYOUT, "--expect", str(tmp_path / "none"), *logs)
    assert "plan.json: no such file; write the plan first" in err


def test_no_logs_are_no_pass(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ("score", LAYOUT, "--expect", str(place), "--measured")
    status, out, _ = call(capsys, *arguments, str(tmp_path / "empty"))
    assert status == 0
    assert "VERDICT  NOTHING YET   0 runs measured" in out
    status, out, err = call(capsys, *arguments, str(tmp_path / "none"))
    assert (status, out) == (2, "")
    assert "none: no such file or directory; name logs" in err


def test_sizes_are_those_of_the_plan_but_for_rounding(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 248 ranks an all-to-all of 8 GiB is 34,636,832 floats for each: 8,589,934,336 bytes."""
    run = plan("dgx-superpod-h100-1su").ladder.by_name["hall.all-to-all"]
    hosts = [f"dgx-{row:02d}" for row in range(1, 32)]
    log = str(place / "logs" / f"{run.name}.log")
    arguments = ("score", LAYOUT, "--expect", str(place), "--measured", log)
    _log(place, run.name, log_text(run, hosts, {8_589_934_336.0: 47e9}))
    assert call(capsys, *arguments)[0] == 0
    _log(place, run.name, log_text(run, hosts, {2.0**20: 1e9, 2.0**24: 5e9}))
    status, out, err = call(capsys, *arguments)
    assert (status, out) == (2, "")
    assert "measures 1 MiB to 16 MiB, but hall.all-to-all asks for 512 MiB to 8 GiB; run it again" in err
