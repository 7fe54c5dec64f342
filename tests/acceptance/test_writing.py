"""The files of a plan: whole or not there, kept where they belong to the site, and scripts that run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accepted import TOPOLOGIES, plan
from commands import call

from fabrictool.acceptance.plan import plan_of
from fabrictool.acceptance.subject import subject_of
from fabrictool.acceptance.writing import read_plan, write_plan
from fabrictool.errors import InputError
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

MPIRUN = """\
#!/usr/bin/env bash
echo "mpirun $*"
while [[ $1 != --hostfile ]]; do shift; done
cat "$2"
"""


def _written(tmp_path: Path, name: str) -> Path:
    target = tmp_path / name
    write_plan(plan(name), str(target))
    return target


@pytest.mark.parametrize("name", ["ft64", "dgx-superpod-h100-1su", "dgx-superpod-gb200-2su", "dragonfly-72"])
def test_scripts_are_shell(name: str, tmp_path: Path) -> None:
    target = _written(tmp_path, name)
    scripts = sorted(str(path) for path in (*target.glob("*.sh"), target / "site.env"))
    assert len(scripts) == len(plan(name).ladder.steps) + 2
    for script in scripts:
        subprocess.run(["bash", "-n", script], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "-x", *scripts], check=True, cwd=target)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_scripts_start_each_run_as_planned(tmp_path: Path) -> None:
    target = _written(tmp_path, "dgx-superpod-h100-1su")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "mpirun").write_text(MPIRUN)
    (tools / "mpirun").chmod(0o755)
    names = target / "hosts.map"
    names.write_text(names.read_text().replace("dgx-02 dgx-02", "dgx-02 node-b"))
    env = {"PATH": f"{tools}:{os.environ['PATH']}", "LD_LIBRARY_PATH": "/opt/lib", "NCCL_TESTS": "/opt/nccl-tests"}
    subprocess.run(["bash", "3-leaf.sh"], cwd=target, env=env, check=True, stdout=subprocess.PIPE)
    logs = sorted(path.name for path in (target / "logs").iterdir())
    assert logs == [f"leaf.leaf-0{row}.log" for row in range(1, 9)]
    lines = (target / "logs" / "leaf.leaf-03.log").read_text().splitlines()
    hosts = [f"{'node-b' if row == 2 else f'dgx-{row:02d}'} slots=1" for row in range(1, 32)]
    assert lines[0].endswith(
        "CUDA_VISIBLE_DEVICES=2 /opt/nccl-tests/all_reduce_perf -b 256M -e 8G -f 2 -n 20 -w 5 -g 1"
    )
    assert lines[2:] == [*hosts, "# exit status 0"]
    assert "-np 31 " in lines[1]
    assert "CUDA_VISIBLE_DEVICES=2 /opt/nccl-tests/all_reduce_perf -b 256M -e 8G -f 2 -n 20 -w 5 -g 1" in lines[1]
    assert "env LD_LIBRARY_PATH=/opt/lib NCCL_ALGO=RING NCCL_DEBUG=WARN NCCL_CROSS_NIC=0 " in lines[1]
    again = subprocess.run(["bash", "3-leaf.sh"], cwd=target, env=env, check=True, stdout=subprocess.PIPE, text=True)
    assert again.stdout.count("there   leaf.") == 8


def test_plan_is_versioned_and_complete(tmp_path: Path) -> None:
    found = read_plan(str(_written(tmp_path, "ft64")))
    assert (found["format"], found["version"], found["layout"]) == ("fabrictool-acceptance", 1, "ft64")
    runs = [run for step in found["steps"] for run in step["runs"]]
    assert len(runs) == 138
    assert {run["log"] for run in runs} >= {"hall.all-reduce.log", "uplink.1.h1-01+h1-33.log"}
    for run in runs:
        sizes = found["expected"][run["expected"]]
        assert all(size["gate"] < size["range"][0] < size["busbw_bytes_per_s"] <= size["range"][1] for size in sizes)
        assert run["ranks"] == len(run["hosts"]) * len(run["gpus"])


def test_a_plan_is_written_again_around_what_the_site_changed(tmp_path: Path) -> None:
    target = _written(tmp_path, "ft64")
    (target / "site.env").write_text("JOBS=8\n")
    (target / "logs" / "hall.all-reduce.log").write_text("measured\n")
    (target / "README.md").write_text("old")
    (target / "9-old.sh").write_text("old")
    write_plan(plan("ft64"), str(target))
    assert (target / "site.env").read_text() == "JOBS=8\n"
    assert (target / "logs" / "hall.all-reduce.log").read_text() == "measured\n"
    assert (target / "README.md").read_text().startswith("# Acceptance of ft64")
    assert not (target / "9-old.sh").exists()
    with pytest.raises(InputError, match="holds logs of a plan for ft64"):
        write_plan(plan("k-ary-8"), str(target))


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_text

    def full(self: Path, text: str, **more: str) -> int:
        if self.name.startswith("2-"):
            raise OSError(28, "No space left on device")
        return write(self, text, **more)  # type: ignore[arg-type]

    old = _written(tmp_path, "ft64")
    (old / "README.md").write_text("old")
    monkeypatch.setattr(Path, "write_text", full)
    for target in (old, tmp_path / "new"):
        with pytest.raises(InputError, match="No space left on device; make room"):
            write_plan(plan("ft64"), str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["ft64"]
    assert (old / "README.md").read_text() == "old"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("file", "is no directory; name a new directory"),
        ("other", "is there and holds no plan.json; name a new directory"),
        ("[]", "is no plan of an acceptance"),
        ('{"format": "fabrictool-acceptance", "version": 2}', "is of version 2, this program writes 1"),
        ("{", "is no JSON"),
    ],
)
def test_other_places_are_refused(made: str, words: str, tmp_path: Path) -> None:
    target = tmp_path / "there"
    if made == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / ("thesis.tex" if made == "other" else "plan.json")).write_text(made)
    with pytest.raises(InputError, match=words):
        write_plan(plan("ft64"), str(target))


def test_command_writes_and_prints_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(tmp_path / "plan")
    status, out, err = call(capsys, "score", str(TOPOLOGIES / "ft64.yaml"), "--expect", place)
    assert (status, err) == (0, "")
    assert "wrote 19 files into" in out
    status, out, _ = call(capsys, "score", str(TOPOLOGIES / "ft64.yaml"), "--expect", place, "--json")
    assert json.loads(out) == read_plan(place)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--size", "1GiB", "--rank-order", "random"), "leave out --size, --rank-order"),
        (("--watch",), "--expect and --watch do not go together"),
        ((str(TOPOLOGIES / "ft256.yaml"),), "--expect takes one LAYOUT"),
    ],
)
def test_options_of_other_jobs_are_refused(
    options: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "plan"
    status, out, err = call(capsys, "score", str(TOPOLOGIES / "ft64.yaml"), "--expect", str(place), *options)
    assert (status, out) == (2, "")
    assert words in err
    assert not place.exists()


def test_hosts_with_odd_names_are_one_word_in_scripts(tmp_path: Path) -> None:
    """Node descriptions of discovered fabrics hold blanks; the machine is called by their first word."""
    tree = {
        "name": "odd",
        "hosts": {"type": {"name": "h1", "gpus": 1, "nics": 1, "speed": "400G"}, "count": 4},
        "networks": {"compute": {"family": "fat-tree", "hosts_per_leaf": 2,
                                 "leaf": {"type": {"name": "sw", "ports": 8, "speed": "400G"}}}},
    }  # fmt: skip
    built = build(layout_from_tree(tree))
    name = np.array([f"gpu-{row} mlx5 $(reboot)" if row < 4 else "" for row in range(len(built.devices))])
    fabric = replace(built, devices=replace(built.devices, name=name))
    target = tmp_path / "plan"
    write_plan(plan_of(subject_of(fabric)), str(target))
    assert (target / "hosts.map").read_text().splitlines()[1] == "gpu-0%20mlx5%20%24%28reboot%29 gpu-0"
    rows = [line.split() for line in (target / "1-pair.sh").read_text().splitlines() if line.startswith("pair.")]
    assert all(len(row) == 4 and "$" not in "".join(row) for row in rows)
    subprocess.run(["bash", "-n", str(target / "1-pair.sh")], check=True)
