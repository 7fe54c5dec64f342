"""All-to-all-v by a file: what is read, what it costs, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fabrics
import numpy as np
import pytest

from fabrictool.cli.main import main
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.volumes import StatedVolumes, read_volumes
from fabrictool.collectives.workloads import Job
from fabrictool.errors import InputError
from fabrictool.fabric.faults import faults_by_name
from fabrictool.layout.workload import RankOrder

TREE = fabrics.pgft((4, 4), (1, 2), (1, 1))
LAYOUT = """name: skewed
hosts: {name: gpu, type: {name: h1, gpus: 1, nics: 1, speed: 400G}, count: 16}
networks:
  compute:
    family: fat-tree
    hosts_per_leaf: 4
    leaf: {type: {name: sw8, ports: 8, speed: 400G}}
    link: {latency: 500 ns}
scenario:
  jobs:
    - {collective: all-to-all-v, volumes: experts.csv, algorithm: ALGORITHM}
"""


def _write(folder: Path, text: str, algorithm: str = "direct") -> Path:
    (folder / "experts.csv").write_text(text)
    path = folder / "layout.yaml"
    path.write_text(LAYOUT.replace("ALGORITHM", algorithm))
    return path


@pytest.fixture
def score(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["score", *map(str, arguments)])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def _collective(printed: tuple[int, str, str]) -> dict[str, Any]:
    code, out, err = printed
    assert code in (0, 1), err
    found: dict[str, Any] = json.loads(out)["collectives"][0]
    return found


Score = Callable[..., tuple[int, str, str]]


def test_a_hot_expert_takes_what_its_link_takes(tmp_path: Path, score: Score) -> None:
    """Ranks 1 to 3 send 50 MB each to rank 0, over links of 50 GB/s: 3 ms, and 1 us on two links."""
    path = _write(tmp_path, "source,destination,volume\n1,0,50000000\n2,0,50000000\n3,0,50000000\n0,1,1000000\n")
    found = _collective(score(path, "--json"))
    assert found["time_s"] == pytest.approx(3e-3 + 1e-6, rel=1e-9)
    assert found["bound_s"] == pytest.approx(3e-3, rel=1e-9)
    assert found["nbytes"] == 50_000_000
    assert found["collective"] == "all-to-all-v"


def test_rounds_go_by_the_distance_of_ranks(tmp_path: Path, score: Score) -> None:
    """Shift 1 takes 1 ms and shift 2 takes 2 ms; shift 3 has no flow."""
    path = _write(tmp_path, "source;destination;volume\n0;1;50e6\n1;2;25e6\n0;2;100e6\n2;2;1e12\n", "pairwise")
    assert _collective(score(path, "--json"))["time_s"] == pytest.approx(3e-3 + 2 * 1e-6, rel=1e-9)


def test_equal_volumes_cost_what_an_all_to_all_costs() -> None:
    source, target = np.divmod(np.arange(256, dtype=np.int32), 16)
    stated = StatedVolumes("v", source, source, target, np.full(256, 1e6))
    for model in ("rounds", "alpha-beta", "fluid", "loggp"):
        for algorithm in ("direct", "pairwise"):
            even = Job(0, "all-to-all", algorithm, (16e6,), RankOrder(), model)
            uneven = Job(1, "all-to-all-v", algorithm, (16e6,), RankOrder(), model, volumes=stated)
            one, other = run_jobs(Transport(TREE, 0), [even, uneven])
            assert other.time_s == pytest.approx(one.time_s, rel=1e-12)
            assert other.bound_s == pytest.approx(one.bound_s, rel=1e-12)


def test_ranks_on_dead_hosts_send_nothing_and_the_others_keep_their_numbers() -> None:
    ends = np.array([[0, 1], [1, 2], [2, 3]], np.int32)
    stated = StatedVolumes("v", ends[:, 0], ends[:, 0], ends[:, 1], np.array([1e9, 2e9, 1e6]))
    faults = faults_by_name(TREE, devices=["host-02"])
    job = Job(0, "all-to-all-v", "direct", (1e9,), RankOrder(count=4), volumes=stated)
    (result,) = Transport(TREE, 0, faults).run(job)
    assert result.ranks == 3
    assert result.time_s == pytest.approx(1e6 / 50e9, rel=0.2)


def test_pairs_keep_their_ranks_where_a_host_is_down() -> None:
    pairs = ((0, 1), (2, 3))
    faults = faults_by_name(TREE, devices=["host-02"])
    job = Job(0, "permutation", None, (1e9,), RankOrder(count=4), pairs=pairs)
    (result,) = Transport(TREE, 0, faults).run(job)
    assert result.time_s == pytest.approx(0.02, rel=1e-3)
    assert "host-0" in str(result.bottleneck)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "experts.csv:1:"),
        ("source,destination\n", "holds no flow"),
        ("source,destination,volume\n0,1,-5\n", "experts.csv:2:1: volume '-5'"),
        ("source,destination,volume\n0,16,5\n", "experts.csv:2:1: rank 16 is none of the job's 16 ranks"),
        ("source,destination,volume\n0,x,5\n", "experts.csv:2:1: 'x' is not the number of a rank"),
        ("source,destination,volume\n0,1,5\n0,1,6\n", "experts.csv:2:1: ranks 0 to 1 are stated again"),
        ("source,destination,volume\n0,1,0\n", "no rank sends anything"),
        ("rank,to\n0,1\n", "source"),
    ],
)
def test_files_that_make_no_sense(tmp_path: Path, score: Score, text: str, words: str) -> None:
    code, out, err = score(_write(tmp_path, text))
    assert (code, out) == (2, "")
    assert words in err


def test_a_missing_file_and_a_size_beside_volumes(tmp_path: Path, score: Score) -> None:
    path = _write(tmp_path, "source,destination,volume\n0,1,5\n")
    code, _, err = score(path, "--size", "1GiB")
    assert (code, "leave out --size" in err) == (2, True)
    (tmp_path / "experts.csv").unlink()
    code, _, err = score(path)
    assert (code, "experts.csv" in err) == (2, True)


def test_reading_many_rows(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("source,destination,volume\n" + "".join(f"{s},{d},{s + d}\n" for s in range(90) for d in range(90)))
    stated = read_volumes(path)
    assert len(stated.source) == 8100
    assert stated.sent_bytes == sum(89 + d for d in range(90))
    with pytest.raises(InputError):
        stated.between(np.arange(89), 1.0)
