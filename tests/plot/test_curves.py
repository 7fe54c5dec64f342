"""Bus bandwidth over size: the numbers behind the figure."""

import pytest
from calibrated import cluster_layout

from fabrictool.errors import InputError
from fabrictool.formats.measured import measurements_from
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree
from fabrictool.plot.curves import SIZES, busbw_curves, measured_curves

HOST = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G"}
SWITCH = {"name": "s", "ports": 8, "speed": "400G", "latency": "0 ns"}


def small(**more):
    network = {
        "family": "fat-tree",
        "hosts_per_leaf": 4,
        "leaf": {"type": SWITCH},
        "link": {"latency": "500 ns"},
    }
    hosts = [{"name": "h", "type": HOST, "count": 8}]
    return layout_from_tree({"name": "small", "hosts": hosts, "networks": {"compute": network}} | more)


def curves_of(layout, *arguments, **options):
    return busbw_curves(layout, build(layout), *arguments, **options)


def test_ring_all_reduce_tends_to_the_speed_of_the_host_link():
    """2 (N - 1) rounds of S/N over 50 GB/s: busbw goes to 50 GB/s, latency is 14 times 4 links of 500 ns."""
    curve = curves_of(small(), ["all-reduce"])[0]
    assert (curve.algorithm, curve.ranks, curve.limited_by) == ("ring", 8, "NIC")
    assert curve.nbytes == SIZES == tuple(2.0**p for p in range(3, 35))
    latency_s = 14 * 4 * 500e-9
    bandwidth_s = 14 / 8 / 50e9
    expected = [14 / 8 * size / (latency_s + bandwidth_s * size) for size in SIZES]
    assert curve.busbw_bytes_per_s == pytest.approx(expected, rel=1e-12)
    assert curve.half_nbytes == pytest.approx(latency_s / bandwidth_s)


def test_no_curve_is_above_its_bound():
    for curve in curves_of(small(), ["all-reduce", "reduce-scatter", "all-gather", "broadcast", "all-to-all"]):
        pairs = zip(curve.busbw_bytes_per_s, curve.bound_bytes_per_s, strict=True)
        assert all(busbw <= bound * (1 + 1e-12) for busbw, bound in pairs)


def test_default_collectives_are_those_of_the_layout():
    assert [c.collective for c in curves_of(small())] == ["all-reduce", "all-to-all"]
    item = {"collective": "all-gather", "sizes": ["1MiB"]}
    assert [c.collective for c in curves_of(small(workload={"collectives": [item]}))] == ["all-gather"]


def test_jobs_that_differ_in_size_alone_are_one_curve():
    job = {"collective": "all-reduce", "algorithm": "ring"}
    other = {"collective": "all-reduce", "algorithm": "halving-doubling"}
    jobs = [job | {"size": "1MiB"}, job | {"size": "1GiB"}, other | {"size": "1GiB"}]
    found = curves_of(small(scenario={"jobs": jobs}))
    assert [c.algorithm for c in found] == ["ring", "halving-doubling"]


def test_the_bound_as_a_model_has_no_latency():
    curve = curves_of(small(), ["all-reduce"], model="bound")[0]
    assert curve.half_nbytes is None
    assert curve.busbw_bytes_per_s == pytest.approx(curve.bound_bytes_per_s)


def test_ranks_without_a_path_are_named():
    """Rails that nothing joins: an all-to-all that does not change rails inside hosts has no path."""
    host = {"name": "h", "gpus": 2, "nics": 2, "speed": "400G", "scale_up": {"domain": 2, "speed": "3.6T"}}
    network = {"family": "rail-only", "leaf": {"type": SWITCH}}
    hosts = [{"name": "h", "type": host, "count": 4}]
    layout = layout_from_tree({"name": "rails", "hosts": hosts, "networks": {"compute": network}})
    assert [c.algorithm for c in curves_of(layout)] == ["hierarchical", "pxn"]
    with pytest.raises(InputError, match=r"all-to-all by pairwise: .*choose an algorithm that changes rails"):
        curves_of(layout, ["all-to-all"], "pairwise")


def test_one_rank_has_nothing_to_draw():
    with pytest.raises(InputError, match="single rank"):
        curves_of(small(), ranks=1)


def test_without_a_network_there_is_nothing_to_draw():
    layout = layout_from_tree({"name": "bare", "hosts": [{"name": "h", "type": HOST, "count": 2}]})
    with pytest.raises(InputError, match="no network joins all GPUs"):
        curves_of(layout)


def test_measured_points_stand_on_the_curve_of_their_ranks():
    h100 = cluster_layout("H100", 8, 4, 8, 400.0, "infiniband")
    points = ("all_reduce,16,1048576,72", "all_reduce,16,1073741824,4480", "all_gather,8,1024,20")
    text = "\n".join(("collective,ranks,size_bytes,time_us", *points))
    first, second = measured_curves(h100, build(h100), measurements_from("m.csv", text.encode()))
    assert (first.collective, first.ranks, second.collective, second.ranks) == ("all-reduce", 16, "all-gather", 8)
    assert first.measured[1] == pytest.approx((2.0**30, 2 * 15 / 16 * 2.0**30 / 4480e-6))
    low, high = first.expected_bytes_per_s[first.nbytes.index(2.0**30)]
    assert low < first.measured[1][1] < high
    with pytest.raises(InputError, match="broadcast was not measured"):
        measured_curves(h100, build(h100), measurements_from("m.csv", text.encode()), ["broadcast"])
