"""Runs flows through SimGrid, for a comparison: rounds with a barrier, on stated paths of directed links.

Run as ``python benchmarks/simgrid_peer.py FILE.json`` by a Python that has the module ``simgrid`` (Debian's
python3-simgrid); prints its memory in MB, the simulated and the elapsed seconds. The file holds ``speed`` (bytes per s)
and ``latency`` of links, and of flows ``round``, ``source``, ``target``, ``nbytes``, ``first`` and ``channel``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import simgrid as sg

OPTIONS = (
    "network/model:CM02", "network/crosstraffic:0", "network/TCP-gamma:0", "network/weight-S:0",
    "network/latency-factor:1", "network/bandwidth-factor:1", "network/optim:Full", "surf/precision:1e-9",
    "maxmin/precision:1e-5",
)  # fmt: skip


def main(path: str) -> None:
    """Run the flows of a file."""
    held = json.loads(Path(path).read_text())
    engine = sg.Engine(["peer", "--log=root.thresh:warning", *(f"--cfg={word}" for word in OPTIONS)])
    zone = sg.NetZone.create_full_zone("zone")
    links = [
        zone.create_link(f"l{at}", float(speed)).set_latency(float(latency)).seal()
        for at, (speed, latency) in enumerate(zip(held["speed"], held["latency"], strict=True))
    ]
    ends = held["source"], held["target"]
    hosts = [zone.create_host(f"h{at}", 1e9) for at in range(max(*ends[0], *ends[1]) + 1)]
    known = set()
    for s, t, (a, z) in zip(*ends, pairwise(held["first"]), strict=True):
        if (s, t) not in known:
            known.add((s, t))
            path_of = [sg.LinkInRoute(links[at]) for at in held["channel"][a:z]]
            zone.add_route(hosts[s].netpoint, hosts[t].netpoint, None, None, path_of, False)
    zone.seal()
    sizes, rounds = held["nbytes"], defaultdict(list)
    for flow, one in enumerate(held["round"]):
        rounds[one].append(flow)

    def run() -> None:
        for flows in rounds.values():
            sent = [sg.Comm.sendto_init(hosts[ends[0][f]], hosts[ends[1][f]]) for f in flows]
            for comm, flow in zip(sent, flows, strict=True):
                comm.set_payload_size(int(sizes[flow]))
                if len(rounds) == 1:
                    comm.detach()  # nothing waits for the flows of the only round
            if len(rounds) > 1:
                sg.Comm.wait_all([comm.start() for comm in sent])

    sg.Actor.create("sender", hosts[0], run)
    started = time.perf_counter()
    engine.run()
    elapsed_s = time.perf_counter() - started
    status = Path("/proc/self/status").read_text().splitlines()
    peak_mb = next(int(row.split()[1]) / 1024 for row in status if row.startswith("VmHWM"))
    print(peak_mb, engine.clock, elapsed_s)


main(sys.argv[1])
