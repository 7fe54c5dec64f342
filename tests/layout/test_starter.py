"""Starters: read, built and scored as they are, at every size that fits."""

import re

import pytest

import fabrictool as ft
from fabrictool.errors import InputError, NotSupportedError
from fabrictool.layout.reading import layout_from_bytes
from fabrictool.layout.starter import starter

FAMILIES = ("fat-tree", "rail-optimized")
TYPES = ("generic", "dgx-h100", "dgx-b200", "dgx-b300")
GPUS = {"generic": 1, "dgx-h100": 8, "dgx-b200": 8, "dgx-b300": 8}
COUNTS = (2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 127, 128, 256, 500, 1024, 2048, 3000, 4096)
OPTION = re.compile(r"^(\s*)#(?=\w+:|  )", re.MULTILINE)


def built(text):
    layout = layout_from_bytes("starter.yaml", text.encode())
    return layout, ft.build(layout)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("host_type", TYPES)
def test_every_size_is_built_or_refused_with_the_largest(family, host_type):
    for hosts in COUNTS:
        try:
            text = starter(family, hosts, host_type)
        except InputError as error:
            largest = int(re.search(r"ask for ([\d,]+) hosts at most", str(error))[1].replace(",", ""))
            assert largest < hosts
            assert len(built(starter(family, largest, host_type))[1].gpus) == largest * GPUS[host_type]
            continue
        layout, fabric = built(text)
        assert layout.hosts[0].count == hosts
        assert len(fabric.gpus) == hosts * GPUS[host_type]
        assert len(fabric.networks) == 1


@pytest.mark.parametrize(
    "family, host_type, largest",
    [
        ("fat-tree", "generic", 64**3 // 4),  # k^3/4 hosts of a k-ary tree, Leiserson 1985, Al-Fares 2008
        ("fat-tree", "dgx-h100", 64**3 // 4 // 8),
        ("rail-optimized", "dgx-h100", 256),  # 64 leaves of 32 hosts' rails under spines of 64 ports: 2,048 GPUs
        ("rail-optimized", "dgx-b300", 1296),  # 10,368 GPUs, NVIDIA's figure for two levels of Quantum-X800
    ],
)
def test_largest_sizes_are_the_known_ones(family, host_type, largest):
    starter(family, largest, host_type)
    with pytest.raises(InputError, match=f"ask for {largest:,} hosts at most"):
        starter(family, largest + 1, host_type)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("host_type", TYPES)
@pytest.mark.parametrize("hosts", [2, 33, 64])
def test_scores_without_an_error(family, host_type, hosts):
    layout, _ = built(starter(family, hosts, host_type))
    evaluation = ft.evaluate(layout)
    assert evaluation.ok, [str(f) for f in evaluation.findings]
    assert all(row["message"] for row in evaluation.to_dict()["findings"])
    assert {row.collective for row in evaluation.collectives} == {"all-reduce", "all-to-all"}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("host_type", TYPES)
@pytest.mark.parametrize("hosts", [32, 64])
def test_every_option_is_valid_too(family, host_type, hosts):
    text = starter(family, hosts, host_type)
    options, found = OPTION.subn(r"\1", text)
    assert found >= 10
    layout, _ = built(options)
    assert layout.workload is not None
    assert layout.cost.prices
    assert layout.networks["compute"].oversubscription == [2.0]
    assert ft.evaluate(layout).ok


def test_superpod_is_what_was_published():
    """NVIDIA DGX SuperPOD RA-11333-001, Table 4: 127 hosts, 32 leaves, 16 spines."""
    _, fabric = built(starter("rail-optimized", 127, "dgx-h100"))
    from fabrictool.fabric.counting import network_counts

    counts = network_counts(fabric)["compute"]
    assert (counts["hosts"], counts["leaf"], counts["spine"]) == (127, 32, 16)


@pytest.mark.parametrize(
    "speed, switch, protocol, name",
    [
        (None, None, "infiniband", "qm9700"),
        ("200G", None, "infiniband", "qm8790"),
        ("800G", None, "infiniband", "q3400-ra"),
        ("100G", None, "ethernet", "switch-64x100G"),
        ("400G", "sn5600", "ethernet", "sn5600"),
    ],
)
def test_speed_and_switch(speed, switch, protocol, name):
    layout, _ = built(starter("fat-tree", 100, speed=speed, switch_type=switch))
    network = layout.networks["compute"]
    assert (network.protocol, network.leaf.type.name) == (protocol, name)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("fat-tree", 1), "1 hosts make no network; ask for 2 hosts or more"),
        (("fat-tree", -5), "-5 hosts make no network"),
        (("fat-tree", 8, "dgx-h10"), "no host type 'dgx-h10'; did you mean 'dgx-h100'?"),
        (("fat-tree", 8, "dgx-h100", "800G"), "compute ports of 400G, not 800G; use --speed 400G"),
        (("fat-tree", 8, None, "400 GB"), "is a size, not a speed"),
        (("fat-tree", 8, None, None, "qm970"), "no switch type 'qm970'; did you mean"),
        (("fat-tree", 8, None, "800G", "qm8790"), "qm8790 has ports of 200G at most, not 800G"),
        (("fat-tree", 8, "ufm-appliance"), "no GPU with a compute port"),
        (("rail-optimised", 8), "did you mean 'rail-optimized'?"),
    ],
)
def test_what_cannot_be_made_says_why(arguments, message):
    with pytest.raises(InputError, match=re.escape(message)):
        starter(*arguments)


@pytest.mark.parametrize("family", ["dragonfly", "multi-plane", "slim-fly", "rail-only"])
def test_families_to_come_are_refused(family):
    with pytest.raises(NotSupportedError, match=f"'{family}' is not supported yet; use fat-tree or rail-optimized"):
        starter(family)


def test_racks_of_hosts_are_refused():
    with pytest.raises(NotSupportedError, match="rack of 18 hosts"):
        starter("fat-tree", 8, "gb200-nvl72")


def test_comments_stand_in_one_column():
    lines = [line for line in starter("rail-optimized").split("\n") if "  # " in line]
    columns = [line.index("  # ") for line in lines if len(line.split("  # ")[0].rstrip()) < 36]
    assert len(columns) > 8
    assert set(columns) == {36}
