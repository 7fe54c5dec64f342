"""Time and memory of routing and its metrics, beside other libraries on the same work.

Run as ``python benchmarks/routing.py``. Each case runs in a process of its own, so that peak memory is that
case's; each figure is the median of several runs after one that warms up. Where another library does the same
work, its answer is asserted to be equal. ``kernel`` figures leave out what is derived once for a fabric.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from timing import median_s

SHAPES: dict[int, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
    64: ((8, 8), (1, 8), (1, 1)),
    256: ((16, 16), (1, 16), (1, 1)),
    1_024: ((8, 8, 16), (1, 8, 8), (1, 1, 1)),
    16_384: ((32, 32, 16), (1, 32, 8), (1, 1, 4)),
    65_536: ((32, 32, 64), (1, 32, 32), (1, 1, 1)),
    131_072: ((64, 32, 64), (1, 32, 32), (1, 1, 1)),
}
#: A row of the output: what, seconds, and a remark.
Row = tuple[str, float, str]


def _once_s(work: Callable[[], object]) -> tuple[float, object]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def _routing(hosts: int):  # type: ignore[no-untyped-def]
    from fabrictool.generators.building import build
    from fabrictool.layout.reading import layout_from_tree
    from fabrictool.routing.modk import ModK
    from fabrictool.routing.wiring import wiring

    switch = {"name": "sw", "ports": 512, "speed": "400G", "latency": "0 ns"}
    shape = dict(zip("mwp", map(list, SHAPES[hosts]), strict=True))
    host = {"type": {"name": "h", "gpus": 1, "nics": 1, "speed": "400G"}, "count": hosts}
    network = {"family": "fat-tree", "pgft": shape, "leaf": {"type": switch}, "link": {"latency": "500 ns"}}
    fabric = build(layout_from_tree({"name": "routing", "hosts": host, "networks": {"compute": network}}))
    routing = ModK("d-mod-k", wiring(fabric, 0))
    assert all(tree is not None for tree in routing.trees)
    return routing


def _permutation(hosts: int):  # type: ignore[no-untyped-def]
    from fabrictool.routing.patterns import pattern_flows

    return pattern_flows("random:1", hosts)


def all_to_all() -> list[Row]:
    small, large = _routing(1_024), _routing(131_072)
    from fabrictool.routing.flows import all_pairs

    pairs = all_pairs(1_024)
    listed_s, listed = _once_s(lambda: small.usage(pairs).loads(pairs.volume, len(small.wiring.channels)))
    assert np.array_equal(listed, small.all_to_all()[0])
    return [
        ("all-to-all loads, 131,072 hosts", median_s(large.all_to_all), "limit 15 ms"),
        ("  the same, 1,024 hosts", median_s(small.all_to_all), ""),
        ("  all pairs followed, 1,024 hosts", listed_s, "same loads"),
    ]


def permutation() -> list[Row]:
    from scipy.sparse import csr_array

    routing, flows = _routing(131_072), _permutation(131_072)
    coded, channels = routing.trees[0].coded, len(routing.wiring.channels)
    from fabrictool.kernels.residues import add_coded_loads

    up, down = np.zeros(coded.size), np.zeros(coded.size)
    arrays = (coded.code, flows.source, flows.target, flows.volume, up, down)
    used = routing.usage(flows)
    incidence = csr_array((used.share, used.channel, used.first), (len(flows), channels)).T.tocsr()
    assert np.array_equal(incidence @ flows.volume, routing.loads(flows))
    return [
        (
            "permutation's loads, 131,072 hosts, kernel",
            median_s(lambda: add_coded_loads.compiled(*arrays)),
            "limit 5 ms",
        ),
        ("  the same with arrays of all channels", median_s(lambda: routing.loads(flows)), ""),
        ("  scipy: paths known before, times volumes", median_s(lambda: incidence @ flows.volume), "same loads"),
        ("  paths of all flows", median_s(lambda: routing.usage(flows), 3), ""),
    ]


def shifts() -> list[Row]:
    from fabrictool.routing.lines import line_peaks, rank_line
    from fabrictool.routing.shifts import counted_peaks, shift_peaks

    small, large = _routing(1_024), _routing(131_072)
    tree, steps = large.trees[0], np.arange(1, 131_072)
    line = rank_line(np.arange(131_072, dtype=np.int32), large.lanes[0], tree)
    assert line is not None

    def closed() -> None:
        for level, classes in enumerate(tree.classes.tolist()):
            line_peaks(steps, line, level, classes)

    every = np.arange(1, 1_024)
    assert np.array_equal(counted_peaks(small, every), shift_peaks(small))
    return [
        ("all 131,071 shifts, closed form", median_s(closed), "limit 5 ms"),
        ("  with the proof that it holds", median_s(lambda: shift_peaks(large)), ""),
        ("  all 1,023 shifts of 1,024 hosts, flow by flow", median_s(lambda: counted_peaks(small, every), 3), "same"),
    ]


def matchings() -> list[Row]:
    from fabrictool.routing import bisection

    routing = _routing(16_384)
    few = next(bisection.shuffled(16_384, 5, 0))
    halves = few[:, :8_192], few[:, 8_192:]
    assert np.allclose(bisection._by_usage(routing)(*halves), bisection.rates_of(routing)(*halves), rtol=1e-12)
    found = bisection.effective_bisection(routing, 1_000)
    remark = f"limit 1 s; mean {found.mean:.4f}"
    fast_s = median_s(lambda: bisection.effective_bisection(routing, 1_000), 3)
    slow_s = median_s(lambda: bisection._by_usage(routing)(*halves), 3)
    return [
        ("1,000 random matchings, 16,384 hosts", fast_s, remark),
        ("  5 of them, by the paths of all flows", slow_s, "same rates"),
    ]


def rates() -> list[Row]:
    from fabrictool.routing.flows import all_pairs, flows
    from fabrictool.routing.rates import max_min_rates

    rng, large, small = np.random.default_rng(0), _routing(65_536), _routing(256)
    many = flows(*rng.integers(0, 65_536, (2, 1 << 20)))
    rows = []
    for title, routing, asked, limit in (
        ("max-min, one flow a host, 65,536 hosts", large, _permutation(65_536), "limit 0.25 s"),
        ("max-min, 65,280 flows on 256 hosts", small, all_pairs(256), "limit 50 ms"),
        ("max-min, 1,048,576 flows on 65,536 hosts", large, many, "limit 8 s"),
    ):
        used, speed = routing.usage(asked), routing.wiring.channels.speed_bps
        rows.append((title, median_s(lambda u=used, s=speed: max_min_rates(u, s), 3), limit))  # type: ignore[misc]
    used, speed = small.usage(all_pairs(256)), small.wiring.channels.speed_bps
    slow_s, slow = _once_s(lambda: _rounds(used, speed))
    assert np.allclose(max_min_rates(used, speed), slow, rtol=1e-9)  # type: ignore[arg-type]
    return [*rows, ("  numpy, round by round, 65,280 flows", slow_s, "same rates")]


def _rounds(used, speed):  # type: ignore[no-untyped-def]
    """Max-min rates in rounds over all flows, each of which settles those of the fullest channels."""
    flow = np.repeat(np.arange(len(used.hops)), np.diff(used.first))
    rate, left = np.full(len(used.hops), np.nan), speed.copy()
    while np.isnan(rate).any():
        rising = np.isnan(rate)[flow]
        count = np.bincount(used.channel[rising], minlength=len(speed))
        level = np.where(count > 0, left / np.maximum(count, 1), np.inf)
        now = np.unique(flow[rising & (level <= level.min() * (1 + 1e-12))[used.channel]])
        rate[now] = level.min()
        settled = np.isin(flow, now)
        left -= np.bincount(used.channel[settled], minlength=len(speed)) * level.min()
    return rate


def tables() -> list[Row]:
    routing = _routing(65_536)
    out = routing.table().out
    other = np.empty_like(out)
    copy_s = median_s(lambda: np.copyto(other, out), 5)
    ours_s = median_s(routing.table, 5)
    moved = out.nbytes / 1e9
    return [
        ("tables, 65,536 hosts x 5,120 switches", ours_s, f"limit 1 s; {moved:.2f} GB written"),
        (
            "  plain copy of them",
            copy_s,
            f"{2 * moved / copy_s:.1f} GB/s; ours reach {50 * copy_s / ours_s:.0f} % of it",
        ),
    ]


def hops() -> list[Row]:
    import igraph
    import networkx
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    from fabrictool.fabric.faults import random_faults
    from fabrictool.routing.hops import hops_between
    from fabrictool.routing.wiring import wiring

    fabric = _routing(65_536).wiring.fabric
    seen = wiring(fabric, 0, random_faults(fabric, 500, 20, 1))
    ways, size = seen.ways, len(seen.switch)
    ours = hops_between(seen).astype(np.float64)
    ours[ours == 255] = np.inf
    here = np.repeat(np.arange(size), np.diff(ways.first))
    once = here < ways.to
    graph = igraph.Graph(size, np.column_stack((here[once], ways.to[once])).tolist())
    igraph_s, theirs = _once_s(graph.distances)
    assert np.array_equal(ours, np.array(theirs))
    matrix = csr_array((np.ones(len(here)), (here, ways.to)), (size, size))
    some = np.arange(512)
    scipy_s, theirs = _once_s(lambda: shortest_path(matrix, unweighted=True, indices=some))
    assert np.array_equal(ours[some], theirs)
    plain = networkx.Graph()
    plain.add_nodes_from(range(size))
    plain.add_edges_from(zip(here[once].tolist(), ways.to[once].tolist(), strict=True))
    networkx_s, theirs = _once_s(lambda: networkx.single_source_shortest_path_length(plain, 0))
    assert all(ours[0, switch] == links for switch, links in theirs.items())  # type: ignore[attr-defined]
    return [
        ("distances, 65,536 hosts, 520 failures", median_s(lambda: hops_between(seen), 5), "limit 0.5 s"),
        ("  igraph", igraph_s, "same distances"),
        ("  scipy, of 512 of 5,120 switches", scipy_s, "same distances"),
        ("  networkx, of 1 of 5,120 switches", networkx_s, "same distances"),
    ]


def cut() -> list[Row]:
    import networkx

    from fabrictool.routing.cuts import halves_cut_bps

    routing, graph = _routing(1_024), networkx.Graph()
    fabric = routing.wiring.fabric
    for a, z, speed in zip(*(end.tolist() for end in fabric.ends), fabric.links.speed_bps.tolist(), strict=True):
        graph.add_edge(a, z, capacity=speed)
    for host, device in enumerate(routing.wiring.device.tolist()):
        graph.add_edge("from" if host < 512 else "to", device)
    networkx_s, theirs = _once_s(lambda: networkx.maximum_flow_value(graph, "from", "to"))
    assert halves_cut_bps(routing.wiring) == theirs
    large = _routing(65_536).wiring
    return [
        ("min cut of halves, 65,536 hosts", median_s(lambda: halves_cut_bps(large), 3), ""),
        ("  the same, 1,024 hosts", median_s(lambda: halves_cut_bps(routing.wiring), 3), ""),
        ("  networkx, 1,024 hosts", networkx_s, "same cut"),
    ]


CASES = {case.__name__: case for case in (all_to_all, permutation, shifts, matchings, rates, tables, hops, cut)}


def main() -> None:
    """Print one row a figure, with the peak memory of each case's process."""
    if len(sys.argv) > 1:
        rows = CASES[sys.argv[1]]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([rows, peak]))
        return
    for name in CASES:
        run = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
        rows, peak = json.loads(run.stdout)
        for row, (title, seconds, remark) in enumerate(rows):
            memory = f"{peak:>9,.0f} MB" if row == 0 else ""
            print(f"{title:<50}{1e3 * seconds:>12,.2f} ms{memory:>13}  {remark}", flush=True)
    if importlib.util.find_spec("simgrid") is None:
        print("SimGrid is not installed: its max-min rates are not beside these")


if __name__ == "__main__":
    main()
