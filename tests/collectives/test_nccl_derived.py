"""What NCCL sees of a layout's hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fabrics import rail_only

from fabrictool.collectives.nccl.asked import Asked, among
from fabrictool.collectives.nccl.choice import choose, combinations, fastest
from fabrictool.collectives.nccl.derive import Derived, derive
from fabrictool.collectives.nccl.system import Graph, System
from fabrictool.collectives.nccl_jobs import apart
from fabrictool.errors import InputError
from fabrictool.fabric.faults import faults_of_rows
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout
from fabrictool.layout.reading import layout_from_tree, read_layout
from fabrictool.routing.ranks import rank_wiring

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
GB = 1e9
SWITCH = {"name": "sw", "ports": 512, "speed": "400G"}
H100 = {"name": "h", "gpus": 8, "gpu": "H100", "scale_up": {"domain": 8, "speed": "3.6T"}, "nics": 8, "speed": "400G"}


def _layout(hosts: Any) -> Layout:
    network = {"family": "fat-tree", "leaf": {"type": SWITCH}}
    return layout_from_tree({"name": "case", "hosts": hosts, "networks": {"compute": network}})


def _hosts(count: int = 4, **changed: Any) -> Layout:
    kind = {key: value for key, value in (H100 | changed).items() if value is not None}
    return _layout([{"name": "host", "type": kind, "count": count}])


def _derived(layout: Layout, count: int | None = None) -> Derived:
    wiring = rank_wiring(build(layout), 0)
    ranks = np.arange(count or wiring.hosts, dtype=np.int32)
    return derive(wiring, ranks, {kind.name: kind for kind in layout.host_types()})


def test_superpod_of_h100() -> None:
    derived = _derived(read_layout(TOPOLOGIES / "dgx-superpod-h100-4su.yaml"))
    system, (said,) = derived.system, derived.assumptions
    assert (system.gpu, system.cpu, system.ranks, system.hosts) == ("hopper", "intel", 1016, 127)
    assert system.graph == Graph(8, 48 * GB, 48 * GB)
    assert (said.what, "rings 8 x 48 / 48" in said.value) == ("NCCL on dgx-h100", True)
    chosen = choose(system, "all-reduce", [8, 2**20, 2**30])
    assert [str(one) for one in chosen.combination] == ["tree/ll", "tree/ll128", "nvls-tree/simple"]


def test_a_rack_is_one_host_of_nccl() -> None:
    """Two scalable units of eight racks: 16 domains of 72 GPUs, and 8 GPUs of two trays are in one."""
    layout = read_layout(TOPOLOGIES / "dgx-superpod-gb200-2su.yaml")
    system = _derived(layout).system
    assert (system.ranks, system.hosts, system.per_host, system.cpu) == (1152, 16, 72, "arm")
    alone = _derived(layout, 8).system
    assert (alone.hosts, alone.nvls) == (1, Graph(8, 80 * GB, 90 * GB))


def test_one_gpu_of_each_host_has_no_nvls() -> None:
    kind = H100 | {"gpus": 1, "nics": 1, "scale_up": None}
    system = _derived(_hosts(4, **kind)).system
    assert (system.per_host, system.nvls) == (1, None)
    assert "pat/simple" in {str(one) for one in combinations(system, "all-gather")}


def test_ports_of_an_adapter_count_as_one() -> None:
    """Eight adapters of two ports of 200 Gbit/s are eight of 400, and no faster than their slots."""
    for speed, gbytes in (("200G", 48), ("400G", 48), ("100G", 24)):
        nics = [{"role": "compute", "count": 8, "ports_each": 2, "speed": speed}]
        assert _derived(_hosts(nics=nics, speed=None)).system.graph == Graph(8, gbytes * GB, gbytes * GB)


def test_stated_channels_override() -> None:
    stated = {"gpu": "blackwell", "cpu": "amd", "channels": 6, "intra": "40 GB/s", "inter": "30 GB/s"}
    derived = _derived(_hosts(nccl=stated))
    one = Graph(6, 40 * GB, 30 * GB)
    system = derived.system
    assert (system.gpu, system.cpu, system.graph, system.nvls) == ("blackwell", "amd", one, one)
    assert derived.assumptions == ()


def test_cpus_that_are_not_stated_are_said() -> None:
    (said,) = _derived(_hosts()).assumptions
    assert "CPU intel (not stated)" in said.value


def test_mixed_hosts_take_the_oldest_and_the_least() -> None:
    a100 = H100 | {"name": "a", "gpu": "A100", "nccl": {"cpu": "amd"}}
    a100["scale_up"] = {"domain": 8, "speed": "2.4T"}
    groups = [{"name": name, "type": kind, "count": 2} for name, kind in (("new", H100), ("old", a100))]
    layout = _layout(groups)
    system = _derived(layout).system
    assert (system.gpu, system.cpu, system.equal_gpus, system.nvls) == ("ampere", "mixed", False, None)
    assert system.graph == Graph(8, 24 * GB, 24 * GB)  # the slots of A100 hosts carry no more


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"gpu": None}, "host type 'h' has no 'gpu'.*give 'gpu: H100'"),
        (
            {"gpu": "MI300X"},
            "GPU 'MI300X' of host type 'h' is none of V100, .*use another model, or for other NVIDIA GPUs state 'nccl:",
        ),
        ({"scale_up": None}, "8 GPUs of a host of type 'h' are in no scale-up domain.*state 'nccl:"),
        ({"scale_up": {"domain": 4, "speed": "3.6T"}}, "8 GPUs of a host of type 'h' are in no scale-up domain"),
        ({"scale_up": {"domain": 8, "speed": "1G"}}, "no channels are found on hosts of type 'h'.*state 'nccl:"),
    ],
)
def test_what_is_not_known_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _derived(_hosts(**changed))


def test_pcie_hosts_with_stated_channels() -> None:
    """Without NVLink the steps inside a host cost more and LL128 is off."""
    stated = {"channels": 2, "intra": "12 GB/s", "inter": "12 GB/s"}
    system = _derived(_hosts(scale_up=None, nccl=stated)).system
    assert (system.nvlink, system.nvls) == (False, None)
    assert {one.protocol for one in choose(system, "all-reduce", 2.0 ** np.arange(3, 34)).combination} == {
        "ll",
        "simple",
    }


@pytest.mark.parametrize(
    "stated, message",
    [
        ({"channels": 8}, "channels, intra and inter belong together"),
        ({"channels": 0, "intra": "1 GB/s", "inter": "1 GB/s"}, "channels"),
        ({"gpu": "tesla"}, "gpu"),
        ({"cpu": "xeon"}, "cpu"),
        ({"channels": 8, "intra": "48 Gbit", "inter": "48 GB/s"}, "intra"),
        ({"rings": 8}, "rings"),
    ],
)
def test_wrong_keys(stated: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _hosts(nccl=stated)


SYSTEM = System("hopper", "intel", 64, 8, Graph(8, 48 * GB, 48 * GB), Graph(8, 40 * GB, 48 * GB))


@pytest.mark.parametrize(
    "asked, chosen",
    [
        (Asked("all-reduce"), ["tree/ll", "nvls-tree/simple"]),
        (Asked("all-reduce", "auto"), ["tree/ll", "nvls-tree/simple"]),
        (Asked("all-reduce", "ring"), ["ring/ll", "ring/simple"]),
        (Asked("all-reduce", "double-binary-tree"), ["tree/ll", "tree/simple"]),
        (Asked("all-reduce", None, "ll128"), ["tree/ll128", "ring/ll128"]),
        (Asked("all-reduce", "ring", "ll"), ["ring/ll", "ring/ll"]),
        (Asked("all-reduce", "sharp"), ["nvls/simple", "nvls/simple"]),
        (Asked("broadcast"), ["ring/ll", "ring/simple"]),
        (Asked("reduce", "ring", "ll128"), ["ring/ll128", "ring/ll128"]),
    ],
)
def test_what_a_job_asks_for(asked: Asked, chosen: list[str]) -> None:
    found = fastest(SYSTEM, asked.collective, among(SYSTEM, asked), [8, 2**30])
    assert [str(one) for one in found.combination] == chosen


@pytest.mark.parametrize(
    "asked, message",
    [
        (
            Asked("all-to-all"),
            "--model: NCCL's tuning model knows all-reduce, .*reduce, not all-to-all.*use the model r",
        ),
        (
            Asked("all-reduce", "bruck"),
            "--algorithm: NCCL has no algorithm 'bruck'; use one of ring, double-binary-tree",
        ),
        (
            Asked("all-reduce", None, "ll64"),
            "--protocol: NCCL has no protocol 'll64'; did you mean 'll'. use one of ll",
        ),
        (
            Asked("all-reduce", "nvls"),
            "no nvls for all-reduce over 64 ranks on 8 hosts of hopper GPUs; use one of tree/ll,",
        ),
        (Asked("all-reduce", "nvls-tree", "ll"), "no nvls-tree/ll for all-reduce"),
        (
            Asked("broadcast", "double-binary-tree"),
            "no double-binary-tree for broadcast.*use one of ring/ll, ring/ll128",
        ),
    ],
)
def test_what_is_not_to_be_had_is_refused(asked: Asked, message: str) -> None:
    with pytest.raises(InputError, match=message):
        among(SYSTEM, asked)


def test_ranks_that_nothing_joins() -> None:
    """Rails without switches between them are joined inside hosts; with all cables of a host down it is apart."""
    fabric = rail_only(4, 2)
    whole = rank_wiring(fabric, 0)
    ranks = np.arange(whole.hosts, dtype=np.int32)
    assert apart(whole, ranks) is None
    assert apart(whole, ranks[::2]) is None
    cut = rank_wiring(fabric, 0, faults_of_rows(fabric, np.flatnonzero(fabric.ports.device[fabric.links.port_a] == 3)))
    assert apart(cut, ranks) == (0, 6)
    assert apart(cut, ranks[:6]) is None
