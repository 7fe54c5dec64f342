"""A network from a file: its wiring and names, the layout's types and GPUs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fabrictool.errors import FabrictoolError
from fabrictool.evaluation import evaluate
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import network_counts
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout
from fabrictool.layout.reading import layout_from_bytes

FILE = Path(__file__).parents[1] / "data" / "infiniband" / "ft2_64.net.gz"
TEXT = """\
name: discovered
hosts: {{name: gpu, type: {type}, count: {count}}}
networks:
  compute: {{family: file, path: {path}, leaf: qm9700}}
"""


def _layout(type_: str = "dgx-h100", count: int = 64, path: str = FILE.name) -> Layout:
    text = TEXT.format(type=type_, count=count, path=path)
    return layout_from_bytes(str(FILE.parent / "layout.yaml"), text.encode())


def _fabric(gpus: int) -> Fabric:
    return build(_layout(f"{{name: h, gpus: {gpus}, nics: 1, speed: 200G}}"))


def test_wiring_is_the_files_and_types_are_the_layouts() -> None:
    """64 hosts on 8 leaves under 8 spines, as the sample's README states."""
    fabric = build(_layout())
    counts = network_counts(fabric)["compute"]
    assert (counts["hosts"], counts["leaf"], counts["spine"], counts["links"]) == (64, 8, 8, 128)
    types = np.array(fabric.types)[fabric.devices.type]
    assert set(types[fabric.devices.kind == 0]) == {"dgx-h100"}
    assert set(types[fabric.devices.tier == 1]) == {"qm9700"}
    assert fabric.devices.guid is not None
    assert len(set(fabric.names)) == len(fabric.devices)


@pytest.mark.parametrize("gpus", [1, 2, 8])
def test_gpus_share_the_ports_of_their_host(gpus: int) -> None:
    fabric = _fabric(gpus)
    assert len(fabric.gpus) == len(fabric.gpu_ports) == 64 * gpus
    port_host = fabric.ports.device[fabric.gpu_ports.port]
    assert np.array_equal(port_host, fabric.gpus.host[fabric.gpu_ports.gpu])


def test_trays_of_racks_are_the_hosts_of_a_file() -> None:
    """16 racks of four trays with two GPUs each are the sample's 64 hosts; a domain spans its rack."""
    kind = "{name: r, gpus: 8, trays: 4, nics: 1, speed: 200G, scale_up: {domain: 8, speed: 3.6T}}"
    fabric = build(_layout(kind, count=16))
    assert np.unique(fabric.gpus.host, return_counts=True)[1].tolist() == [2] * 64
    assert np.unique(fabric.gpus.domain, return_counts=True)[1].tolist() == [8] * 16


def test_a_tree_from_a_file_is_scored() -> None:
    evaluation = evaluate(_layout())
    assert evaluation.counts["gpus"] == 512
    assert all(row.time_s for row in evaluation.collectives)
    assert evaluation.power.it_max_w == pytest.approx(64 * 10200 + 8 * 1720)


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (_layout(count=63), "layout.yaml:2:1: the layout has 63 compute hosts, but ft2_64.net.gz has 64"),
        (_layout(path="../../fabrics.py"), "fabrics.py is no fabric file"),
        (_layout(path="nowhere.txt"), "no such file"),
    ],
)
def test_what_does_not_fit_is_refused(layout: Layout, words: str) -> None:
    with pytest.raises(FabrictoolError) as refused:
        build(layout)
    assert words in str(refused.value)
