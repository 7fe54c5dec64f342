"""Time and memory of routing and its metrics, beside other libraries on the same work.

Run as ``python benchmarks/routing.py``, or with the name of one case. Each case runs in a process of its own; each
figure is the median of several runs after one that warms up, with the memory that a run takes beside what was there
before. Where another library does the same work, its answer is asserted to be equal. ``kernel`` figures leave out what
is derived once for a fabric.

Of our own figures the share of the memory bandwidth is given: the bytes of arrays that must be read or written at least
once, over the time, as part of what a plain copy reaches. Near 100 % nothing but moving less would help. A few percent
say that the time goes into arithmetic, branches and scattered counters, as in matchings, rates, cuts and losses: their
arrays are used many times and are counted once. Where all arrays stay in the processor's own memory the share would say
nothing, and is left out; so it is of other libraries, whose arrays are not known.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from fabrics import Row, nbytes, routed, share_of_bandwidth
from losses import losses
from timing import Figure, copy_bytes_per_s, measured, most_mb, once

#: For how long flows send in SimGrid, in s: a multiple of 2 to 16, so that most send whole bytes.
SENT_S = 720_720


def _permutation(hosts: int):  # type: ignore[no-untyped-def]
    from fabrictool.routing.patterns import pattern_flows

    return pattern_flows("random:1", hosts)


def all_to_all() -> list[Row]:
    small, large = routed(1_024), routed(131_072)
    from fabrictool.routing.flows import all_pairs

    pairs = all_pairs(1_024)
    listed_took, listed = once(lambda: small.usage(pairs).loads(pairs.volume, len(small.wiring.channels)))
    assert np.array_equal(listed, small.all_to_all()[0])
    loads = large.all_to_all()[0]
    return [
        Row("all-to-all loads, 131,072 hosts", measured(large.all_to_all), "limit 15 ms", loads.nbytes),
        Row("  the same, 1,024 hosts", measured(small.all_to_all), "", small.all_to_all()[0].nbytes),
        Row("  all pairs followed, 1,024 hosts", listed_took, "same loads"),
    ]


def permutation() -> list[Row]:
    from scipy.sparse import csr_array

    routing, flows = routed(131_072), _permutation(131_072)
    coded, channels = routing.trees[0].coded, len(routing.wiring.channels)
    from fabrictool.kernels.residues import add_coded_loads

    up, down = np.zeros(coded.size), np.zeros(coded.size)
    arrays = (coded.code, flows.source, flows.target, flows.volume, up, down)
    used = routing.usage(flows)
    incidence = csr_array((used.share, used.channel, used.first), (len(flows), channels)).T.tocsr()
    assert np.array_equal(incidence @ flows.volume, routing.loads(flows))
    return [
        Row(
            "permutation's loads, 131,072 hosts, kernel",
            measured(lambda: add_coded_loads.compiled(*arrays)),
            "limit 5 ms",
            nbytes(arrays),
        ),
        Row(
            "  the same with arrays of all channels",
            measured(lambda: routing.loads(flows)),
            "",
            nbytes(arrays, routing.loads(flows)),
        ),
        Row("  scipy: paths known before, times volumes", measured(lambda: incidence @ flows.volume), "same loads"),
        Row("  paths of all flows", measured(lambda: routing.usage(flows), 3), "", nbytes(arrays[:4], used)),
    ]


def shifts() -> list[Row]:
    from fabrictool.routing.lines import line_peaks, rank_line
    from fabrictool.routing.shifts import counted_peaks, shift_peaks

    small, large = routed(1_024), routed(131_072)
    tree, steps = large.trees[0], np.arange(1, 131_072)
    line = rank_line(np.arange(131_072, dtype=np.int32), large.lanes[0], tree)
    assert line is not None

    def closed() -> None:
        for level, classes in enumerate(tree.classes.tolist()):
            line_peaks(steps, line, level, classes)

    every = np.arange(1, 1_024)
    assert np.array_equal(counted_peaks(small, every), shift_peaks(small))
    return [
        Row("all 131,071 shifts, closed form", measured(closed), "limit 5 ms", 2 * len(tree.classes) * steps.nbytes),
        Row(
            "  with the proof that it holds",
            measured(lambda: shift_peaks(large)),
            "",
            nbytes(large.lanes[0], shift_peaks(large)),
        ),
        Row(
            "  all 1,023 shifts of 1,024 hosts, flow by flow",
            measured(lambda: counted_peaks(small, every), 3),
            "same",
            nbytes(small.lanes[0]),
        ),
    ]


def matchings() -> list[Row]:
    from fabrictool.routing import bisection

    routing = routed(16_384)
    few = next(bisection.shuffled(16_384, 5, 0))
    halves = few[:, :8_192], few[:, 8_192:]
    assert np.allclose(bisection._by_usage(routing)(*halves), bisection.rates_of(routing)(*halves), rtol=1e-12)
    found = bisection.effective_bisection(routing, 1_000)
    remark = f"limit 1 s; mean {found.mean:.4f}"
    drawn = 2 * 1_000 * few[0].nbytes  # each matching is written once and read once
    fast_took = measured(lambda: bisection.effective_bisection(routing, 1_000), 3)
    slow_took = measured(lambda: bisection._by_usage(routing)(*halves), 3)
    return [
        Row("1,000 random matchings, 16,384 hosts", fast_took, remark, drawn),
        Row("  5 of them, by the paths of all flows", slow_took, "same rates"),
    ]


def rates() -> list[Row]:
    from fabrictool.routing.flows import all_pairs, flows
    from fabrictool.routing.rates import max_min_rates

    rng, large, small = np.random.default_rng(0), routed(65_536), routed(256)
    many = flows(*rng.integers(0, 65_536, (2, 1 << 20)))
    rows = []
    for title, routing, asked, limit in (
        ("max-min, one flow a host, 65,536 hosts", large, _permutation(65_536), "limit 0.25 s"),
        ("max-min, 65,280 flows on 256 hosts", small, all_pairs(256), "limit 50 ms"),
        ("max-min, 1,048,576 flows on 65,536 hosts", large, many, "limit 8 s"),
    ):
        used, speed = routing.usage(asked), routing.wiring.channels.speed_bps
        took = measured(lambda u=used, s=speed: max_min_rates(u, s), 3)  # type: ignore[misc]
        rows.append(Row(title, took, limit, nbytes(used, speed, asked.volume)))
    used, speed = small.usage(all_pairs(256)), small.wiring.channels.speed_bps
    slow_took, slow = once(lambda: _rounds(used, speed))
    assert np.allclose(max_min_rates(used, speed), slow, rtol=1e-9)  # type: ignore[arg-type]
    return [*rows, Row("  numpy, round by round, 65,280 flows", slow_took, "same rates"), *_beside_simgrid()]


def _beside_simgrid() -> list[Row]:
    """Return rates by ours and by SimGrid of the same flows on the same paths, if a Python here has SimGrid.

    SimGrid is given what each flow sends in the same time at our rate: all end at that time only if its rates are ours.
    """
    from fabrictool.routing.flows import all_pairs
    from fabrictool.routing.rates import max_min_rates

    python = next((each for each in (sys.executable, "/usr/bin/python3") if _has_simgrid(each)), None)
    if python is None:
        return [
            Row("  SimGrid", Figure(float("nan"), float("nan")), "is not installed (Debian: python3-simgrid): skipped")
        ]
    rows = []
    for title, hosts, asked in (
        ("one flow a host, 4,096 hosts", 4_096, _permutation(4_096)),
        ("16,256 flows on 128 hosts", 128, all_pairs(128)),
        *((("65,280 flows on 256 hosts", 256, all_pairs(256)),) if "--long" in sys.argv else ()),
    ):
        routing = routed(hosts)
        used, speed = routing.usage(asked), routing.wiring.channels.speed_bps
        rate = max_min_rates(used, speed)
        sent_s, took = _simgrid(python, asked, used, speed, rate)
        assert abs(sent_s / SENT_S - 1) < 1e-6, sent_s
        ours_took = measured(lambda u=used, v=speed: max_min_rates(u, v), 3)  # type: ignore[misc]
        rows.append(Row(f"max-min, {title}", ours_took, "", nbytes(used, speed, rate)))
        rows.append(Row(f"  SimGrid, {title}", took, "same rates; its whole process, with the ends of all flows"))
    return rows


def _has_simgrid(python: str) -> bool:
    return subprocess.run([python, "-c", "import simgrid"], capture_output=True, check=False).returncode == 0


def _simgrid(python: str, asked, used, speed_bps, rate_bps) -> tuple[float, Figure]:  # type: ignore[no-untyped-def]
    """Return when the last flow ends, and time and memory that SimGrid took; links without latency share evenly."""
    held = {
        "speed": speed_bps / 8, "latency": np.zeros(len(speed_bps)), "source": asked.source, "target": asked.target,
        "round": np.zeros(len(asked), int), "first": used.first, "channel": used.channel,
        "nbytes": np.round(rate_bps / 8 * SENT_S),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flows.json"
        path.write_text(json.dumps({name: values.tolist() for name, values in held.items()}))
        peer = Path(__file__).with_name("simgrid_peer.py")
        done = subprocess.run([python, str(peer), str(path)], capture_output=True, text=True, check=True)
    megabytes, sent_s, took_s = map(float, done.stdout.split()[-3:])
    return sent_s, Figure(took_s, megabytes)


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
    routing = routed(65_536)
    out = routing.table().out
    other = np.empty_like(out)
    copy_took = measured(lambda: np.copyto(other, out), 5)
    ours_took = measured(routing.table, 5)
    moved = 2 * out.nbytes / copy_took.seconds / 1e9
    smaller = routed(16_384)
    tables = smaller.table()
    assert np.array_equal(tables.all_to_all()[0], smaller.all_to_all()[0])
    followed_took = measured(lambda: replace(tables).all_to_all(), 3)  # a new one has nothing of the runs before
    return [
        Row("tables, 65,536 hosts x 5,120 switches", ours_took, f"limit 1 s; {out.nbytes / 1e9:.2f} GB", out.nbytes),
        Row("  plain copy of them", copy_took, f"{moved:.1f} GB/s"),
        Row("all-to-all by tables, 16,384 hosts x 1,280", followed_took, "loads of the closed form", tables.out.nbytes),
    ]


def hops() -> list[Row]:
    import igraph
    import networkx
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    from fabrictool.fabric.faults import random_faults
    from fabrictool.routing.hops import hops_between
    from fabrictool.routing.wiring import wiring

    fabric = routed(65_536).wiring.fabric
    seen = wiring(fabric, 0, random_faults(fabric, 500, 20, 1))
    ways, size = seen.ways, len(seen.switch)
    ours = hops_between(seen).astype(np.float64)
    ours[ours == 255] = np.inf
    here = np.repeat(np.arange(size), np.diff(ways.first))
    upper = here < ways.to
    graph = igraph.Graph(size, np.column_stack((here[upper], ways.to[upper])).tolist())
    igraph_took, theirs = once(graph.distances)
    assert np.array_equal(ours, np.array(theirs))
    matrix = csr_array((np.ones(len(here)), (here, ways.to)), (size, size))
    some = np.arange(512)
    scipy_took, theirs = once(lambda: shortest_path(matrix, unweighted=True, indices=some))
    assert np.array_equal(ours[some], theirs)
    plain = networkx.Graph()
    plain.add_nodes_from(range(size))
    plain.add_edges_from(zip(here[upper].tolist(), ways.to[upper].tolist(), strict=True))
    networkx_took, theirs = once(lambda: networkx.single_source_shortest_path_length(plain, 0))
    assert all(ours[0, switch] == links for switch, links in theirs.items())  # type: ignore[attr-defined]
    return [
        Row(
            "distances, 65,536 hosts, 520 failures",
            measured(lambda: hops_between(seen), 5),
            "limit 0.5 s",
            nbytes(hops_between(seen), ways),
        ),
        Row("  igraph", igraph_took, "same distances"),
        Row("  scipy, of 512 of 5,120 switches", scipy_took, "same distances"),
        Row("  networkx, of 1 of 5,120 switches", networkx_took, "same distances"),
    ]


def cut() -> list[Row]:
    import networkx

    from fabrictool.routing.cuts import halves_cut_bps

    routing, graph = routed(1_024), networkx.Graph()
    fabric = routing.wiring.fabric
    for a, z, speed in zip(*(end.tolist() for end in fabric.ends), fabric.links.speed_bps.tolist(), strict=True):
        graph.add_edge(a, z, capacity=speed)
    for host, device in enumerate(routing.wiring.device.tolist()):
        graph.add_edge("from" if host < 512 else "to", device)
    networkx_took, theirs = once(lambda: networkx.maximum_flow_value(graph, "from", "to"))
    assert halves_cut_bps(routing.wiring) == theirs
    large = routed(65_536).wiring
    return [
        Row("min cut of halves, 65,536 hosts", measured(lambda: halves_cut_bps(large), 3), "", nbytes(large.ways)),
        Row(
            "  the same, 1,024 hosts",
            measured(lambda: halves_cut_bps(routing.wiring), 3),
            "",
            nbytes(routing.wiring.ways),
        ),
        Row("  networkx, 1,024 hosts", networkx_took, "same cut"),
    ]


CASES = {case.__name__: case for case in (all_to_all, permutation, shifts, matchings, rates, tables, hops, cut, losses)}


def main() -> None:
    """Print one row a figure, with its memory, and what each case's process holds at most."""
    if len(sys.argv) > 1 and sys.argv[1] == "--case":
        rows = CASES[sys.argv[2]]()
        print(json.dumps([rows, most_mb()]))
        return
    asked = [word for word in sys.argv[1:] if word != "--long"] or list(CASES)
    copied = copy_bytes_per_s()
    print(f"{copied / 1e9:.1f} GB/s of memory are read and written by a plain copy on one core")
    for name in asked:
        arguments = [sys.executable, __file__, "--case", name, *(word for word in sys.argv if word == "--long")]
        run = subprocess.run(arguments, capture_output=True, text=True, check=True)
        rows, peak = json.loads(run.stdout)
        print(f"{name.replace('_', '-')}: {peak:,.0f} MB in all")
        for title, (seconds, megabytes), remark, moved in rows:
            row = Row(title, Figure(seconds, megabytes), remark, moved)
            took = f"{1e3 * seconds:>12,.2f} ms{megabytes:>9,.1f} MB" if not math.isnan(seconds) else f"{'':>26}"
            said = "; ".join(word for word in (remark, share_of_bandwidth(row, copied)) if word)
            print(f"{title:<50}{took}  {said}", flush=True)


if __name__ == "__main__":
    main()
