"""Channels that NCCL's search finds, against what the library printed on real machines."""

from __future__ import annotations

import pytest

from fabrictool.collectives.nccl.search import Machine, heads, rings, trees
from fabrictool.collectives.nccl.system import Graph
from fabrictool.collectives.nccl.tables import tuning

GB = 1e9
A100, H100, B200 = 240 * GB, 370.8 * GB, 721.8 * GB


def _graph(channels: int, inside: float, between: float) -> Graph:
    return Graph(channels, inside * GB, between * GB)


def _found(machine: Machine) -> tuple[Graph, Graph, Graph | None]:
    ring = rings(machine, tuning())
    assert ring is not None
    return ring, trees(machine, tuning(), ring), heads(machine, tuning())


def test_one_host_of_eight_h100() -> None:
    """NVIDIA/nccl issue 1197, GRAPH log: rings and trees 12 x 30/30, NVLS 8 x 40/60; links were 360 GB/s then."""
    for scale_up in (360 * GB, H100):
        found = _found(Machine("hopper", 8, scale_up, 8, 48 * GB, alone=True))
        assert found == (_graph(12, 30, 30), _graph(12, 30, 30), _graph(8, 40, 60))


def test_two_a100_in_one_host() -> None:
    """A published GRAPH log of two A100 on an NVSwitch: rings 12 x 20/20, trees 12 x 40/40, no NVLS."""
    found = _found(Machine("ampere", 2, A100, 2, 24 * GB, alone=True))
    assert found == (_graph(12, 20, 20), _graph(12, 40, 40), None)


def test_eight_a100_in_one_host() -> None:
    """A published GRAPH log of an HGX A100: rings 12 x 20/20."""
    assert _found(Machine("ampere", 8, A100, 8, 24 * GB, alone=True))[0] == _graph(12, 20, 20)


def test_hosts_of_eight_h100() -> None:
    """A published log of two hosts with eight 400G adapters: rings 8 x 48/48 across adapters."""
    ring, tree, nvls = _found(Machine("hopper", 8, H100, 8, 48 * GB, alone=False))
    assert (ring, tree) == (_graph(8, 48, 48), _graph(8, 48, 48))
    assert nvls == _graph(8, 40, 48)  # nine times 40 GB/s fit into a GPU's links, nine times 42 do not


def test_eight_gpus_of_a_gb200_rack() -> None:
    """A published log of NCCL 2.29.7 on eight GPUs of two trays: NVLS 80/90, and 32 channels, which are 16 doubled."""
    ring, _, nvls = _found(Machine("blackwell", 8, B200, 8, 48 * GB, alone=True))
    assert ring == _graph(16, 45, 45)
    assert nvls == _graph(8, 80, 90)


def test_one_a100_in_each_host() -> None:
    """A published GRAPH log of one A100 with a 200G adapter: ring 1 x 24/24, tree 1 x 48/24."""
    found = _found(Machine("ampere", 1, A100, 1, 24 * GB, alone=False))
    assert found == (_graph(1, 24, 24), _graph(1, 48, 24), None)


@pytest.mark.parametrize(
    "gpu, scale_up", [("volta", 120 * GB), ("ampere", A100), ("hopper", H100), ("blackwell", B200)]
)
@pytest.mark.parametrize("gpus", [2, 4, 8, 16, 72])
@pytest.mark.parametrize("nics", [1, 2, 8, 72])
@pytest.mark.parametrize("alone", [True, False])
def test_channels_fit_into_the_links(gpu: str, scale_up: float, gpus: int, nics: int, alone: bool) -> None:
    nic = 48 * GB
    ring, tree, nvls = _found(Machine(gpu, gpus, scale_up, nics, nic, alone))
    chains = -(-ring.channels * (gpus - 1) // gpus)
    assert chains * ring.intra_bytes_per_s <= scale_up + 1e6
    assert chains * tree.intra_bytes_per_s <= scale_up + 1e6
    assert alone or ring.channels * ring.inter_bytes_per_s <= nics * nic + 1e6
    if nvls is not None:
        assert (nvls.channels + 1) * nvls.intra_bytes_per_s <= scale_up + 1e6
        assert nvls.channels <= gpus


def test_slower_adapters_never_give_faster_channels() -> None:
    carried = []
    for nic in (1, 3, 6, 12, 24, 30, 48, 96):
        ring = rings(Machine("blackwell", 8, B200, 8, nic * GB, alone=False), tuning())
        assert ring is not None
        carried.append(ring.channels * ring.inter_bytes_per_s)
    assert carried == sorted(carried)


def test_nothing_is_found_without_links() -> None:
    assert rings(Machine("hopper", 8, 0.0, 8, 48 * GB, alone=True), tuning()) is None
    assert rings(Machine("hopper", 8, H100, 8, 0.1 * GB, alone=False), tuning()) is None
