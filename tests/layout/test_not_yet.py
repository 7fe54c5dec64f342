"""What the layout's grammar knows and this version does not compute is refused at its place, never ignored."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from fabrictool.cli.main import main
from fabrictool.layout.network import Routing
from fabrictool.routing.choose import ROUTINGS

LAYOUT = """\
name: later
hosts:
  - {name: gpu, type: {name: h1, gpus: 1, nics: 1, speed: 400G}, count: 16}
networks:
  compute:
    family: fat-tree
    hosts_per_leaf: 4
    leaf: {type: {name: sw8, ports: 8, speed: 400G}}
"""
NETWORK, LEAF = "    hosts_per_leaf: 4\n", "speed: 400G}}\n"

STATED = [
    # further lines, and where which word is refused
    *(
        (f"routing: {name}", 8, f"routing '{name}' is not supported yet; use one of d-mod-k")
        for name in get_args(Routing.model_fields["name"].annotation)
        if name not in ROUTINGS and name != "minimal"
    ),
    ("routing: {name: d-mod-k, hash: crc32}", 8, "routing d-mod-k takes no 'hash'; remove it"),
    (
        "spine: [{type: qm9700, hosts: [gpu]}]",
        8,
        "spine: switches above the leaves are of one kind; give one {type: …}",
    ),
    ("spine: {type: qm9700, hosts: [gpu]}", 8, "key 'hosts' is not supported yet; remove it"),
]
JOBS = [
    # one job of a scenario, and what is said
    ("collective: permutation, size: 1GiB", "no pairs are stated; add 'pairs: [[0, 1], …]' to the job"),
    ("collective: permutation, size: 1GiB, pairs: [[0, 16]]", "pair [0, 16] is not of two of the 16 ranks"),
    ("collective: send-recv, size: 1GiB, pairs: [[3, 3]]", "pair [3, 3] is not of two of the 16 ranks"),
    ("collective: all-to-all-v, size: 1GiB", "no volumes are stated for all-to-all-v; add 'volumes: FILE' to the job"),
    ("collective: all-reduce, size: 1GiB, volumes: v.csv", "volumes are stated, but all-reduce sends equal shares"),
    ("collective: all-reduce", "all-reduce has no size; add 'size: 1GiB' or the like"),
    ("collective: all-reduce, size: 1GiB, overlap: true", "rounds overlap in the model fluid only, not in rounds"),
    ("collective: all-reduce, algorithm: ring, size: 1GiB, chunks: 4", "ring does not cut messages into chunks; use"),
    ("collective: all-to-all, size: 1GiB, chunks: 4", "does not cut messages into chunks; use hierarchical or pxn"),
    ("collective: all-reduce, size: 1GiB, chunks: 0", "chunks"),
    ("collective: all-reduce, size: 1GiB, pairs: [[0, 5]]", "pairs are stated, but all-reduce"),
    ("collective: all-reduce, size: 1GiB, over: data", "over data, but no sizes are stated; add 'parallel: {"),
    ("collective: all-reduce, size: 1GiB, parallel: {tensor: 8}", "but not what the collective runs over; add 'over:"),
    ("collective: all-reduce, size: 1GiB, parallel: {tensor: 8}, over: dta", "over"),
    ("collective: all-reduce, size: 1GiB, parallel: {tensor: 3}, over: data", "tensor 3 does not divide the job's 16"),
    ("collective: all-reduce, size: 1GiB, parallel: {tensr: 3}, over: data", "tensr"),
    ("collective: all-reduce, size: 1GiB, groups: [[0, 1], [1, 2]]", "groups 0 and 1 overlap in rank 1; put each rank"),
    ("collective: all-reduce, size: 1GiB, groups: [[0, 16]]", "rank 16 is in a group, but the job has 16 ranks"),
    ("collective: all-reduce, size: 1GiB, groups: [[0, 1]], over: data", "groups are stated one by one, and by the"),
    ("collective: all-reduce, size: 0.5 B", "out of range for a size; accepted are 1 to"),
    ("collective: all-to-all, algorithm: sharp, size: 1GiB", "by 'sharp' is not supported yet"),
    ("collective: all-reduce, algorithm: nvls-tree, size: 1GiB", "needs scale-up domains of several ranks, not 16"),
    ("collective: all-reduce, size: 1GiB, model: nccl", "host type 'h1' has no 'gpu', so its generation is not known"),
    ("collective: all-to-all, size: 1GiB, model: nccl", "NCCL's tuning model knows all-reduce, all-gather, "),
    ("collective: all-reduce, algorithm: bruck, size: 1GiB, model: nccl", "NCCL has no algorithm 'bruck'; use one of"),
    ("collective: all-reduce, size: 1GiB, protocol: ll", "protocol 'll' is stated, but the model rounds knows none"),
    ("collective: all-reduce, size: 1GiB, ranks: {step: 2}", "'step' belongs to 'order: stride'"),
    ("collective: all-reduce, size: 1GiB, ranks: {list: [1, 2], count: 2}", "listed and ordered"),
    ("collective: all-reduce, size: 1GiB, ranks: {offset: 16}", "ranks from 16 on asked for, but there are 16 GPUs"),
    ("collective: all-reduce, size: 1GiB, ranks: {order: random, offset: 20}", "ranks from 20 on asked for"),
    ("collective: all-reduce, size: 1GiB, ranks: {order: stride, step: 8, count: 3}", "3 ranks asked for"),
    ("collective: all-reduce, size: 1GiB, ranks: {list: [3, 3]}", "a rank is named twice"),
    ("collective: all-reduce, size: 1GiB, ranks: {list: [3, 16]}", "rank 16 asked for, but there are 16 GPUs"),
]
TOP_LEVEL = [
    ("workload: {collectives: [{collective: all-reduce, sizes: [1GiB], ranks: {seed: 2}}]}", "'seed' belongs to"),
    ("workload: {collectives: [{collective: all-to-all-v, sizes: [1GiB]}]}", "no volumes are stated"),
    ("workload: {collectives: [{collective: all-to-all-v, volumes: v, sizes: [1B, 2B]}]}", "there are several sizes"),
    ("workload: {collectives: [{collective: all-reduce}]}", "all-reduce has no sizes"),
    ("hall: {containment: hot}", "containment: 'hot' is not known; did you mean 'hot-aisle'?"),
    ("hall: {loops: [{name: L1, cdu: coolit-chx2001}]}", "'coolit-chx2001'; did you mean 'coolit-chx2000'?"),
    ("hall: {loops: [{name: L1, redundancy: N+1}]}", "redundancy N+1 is of CDUs, but loop L1 states none; add 'cdu'"),
    ("naming: {core: 'c{index}'}", "there are no devices called 'core' to name"),
    ("cost: {prices: {qm9700: 5}}", "a price is given for 'qm9700', which the layout does not use"),
]  # fmt: skip


@pytest.fixture
def refusal(tmp_path: Path, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Score a text; return what stderr says, with the file's name left out."""

    def run(text: str, *options: str) -> str:
        path = tmp_path / "layout.yaml"
        path.write_text(text)
        with pytest.raises(SystemExit) as stop:
            main(["score", str(path), *options])
        printed = capsys.readouterr()
        assert (stop.value.code, printed.out) == (2, ""), printed
        return printed.err.replace(f"{path}:", "")

    return run


@pytest.mark.parametrize(("line", "row", "words"), STATED)
def test_what_a_network_states(line: str, row: int, words: str, refusal) -> None:  # type: ignore[no-untyped-def]
    text = refusal(LAYOUT.replace(NETWORK, f"{NETWORK}    {line}\n"))
    assert words in text
    assert {found.split(":")[0] for found in text.splitlines()} == {str(row)}


@pytest.mark.parametrize(("line", "words"), TOP_LEVEL)
def test_the_rest_of_a_layout(line: str, words: str, refusal) -> None:  # type: ignore[no-untyped-def]
    text = refusal(f"{LAYOUT}{line}\n")
    assert words in text
    assert all(found.startswith("9:") and "; " in found for found in text.splitlines())


@pytest.mark.parametrize(("job", "words"), JOBS)
def test_jobs(job: str, words: str, refusal) -> None:  # type: ignore[no-untyped-def]
    text = refusal(f"{LAYOUT}scenario:\n  jobs:\n    - {{{job}}}\n")
    assert words in text
    assert all(found.startswith("11:") and "; " in found for found in text.splitlines())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--collective", "all-to-all-v"], "--collective: no volumes are stated for all-to-all-v; add"),
        (["--collective", "permutation"], "--collective: no pairs are stated"),
        (["--collective", "all-reduce", "--algorithm", "nvls"], "nvls needs ranks in one scale-up domain, not in"),
        (["--collective", "broadcast", "--algorithm", "nvls"], "broadcast by 'nvls' is not supported yet; use one of"),
        (["--model", "logp"], "--model: model 'logp' is not supported yet; did you mean 'loggp'? use one of rounds, "),
        (["--collective", "all-reduc"], "'all-reduc' is not supported yet; did you mean 'all-reduce'? use one of "),
        (["--collective", "AllReduce"], "'AllReduce' is not supported yet; did you mean 'all-reduce'? use one of "),
        (["--collective", ""], "--collective: collective '' is not supported yet; use one of all-reduce, "),
        (["--algorithm", "rign"], "all-reduce by 'rign' is not supported yet; did you mean 'ring'? use one of ring, "),
        (["--algorithm", ""], "--algorithm: all-reduce by '' is not supported yet; use one of ring, "),
        (["--collective", "all-reduce", "--algorithm", "pairwise"], "'pairwise' is not supported yet; use one of ring"),
        (["--model", "nccl", "--algorithm", ""], "--algorithm: NCCL has no algorithm ''; use one of ring, "),
        (["--model", "nccl", "--algorithm", "rng"], "NCCL has no algorithm 'rng'; did you mean 'ring'? use one of"),
        (["--model", "nccl"], "host type 'h1' has no 'gpu', so its generation is not known; give 'gpu: H100'"),
        (["--model", "nccl", "--collective", "all-to-all"], "--model: NCCL's tuning model knows all-reduce"),
        (["--model", "nccl", "--algorithm", "bruck"], "--algorithm: NCCL has no algorithm 'bruck'; use one of ring, "),
        (["--size", "4 apples"], "size: '4 apples' has an unknown unit 'apples'"),
        (["--size", "0"], "size: '0 B' is out of range"),
        (["--size", "-1GiB"], "size: '-1GiB' is out of range"),
        (["--ranks", "0"], "ranks: 0 is not 1 or more"),
        (["--ranks", "17"], "17 ranks asked for, but there are 16 GPUs"),
        (["--ranks", "many"], "'many' is not a valid integer"),
        (["--rank-order", "zigzag"], "'zigzag' is not one of"),
    ],
)  # fmt: skip
def test_options_that_make_no_sense(options: list[str], words: str, refusal) -> None:  # type: ignore[no-untyped-def]
    assert words in refusal(LAYOUT, *options)
