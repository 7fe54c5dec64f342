"""Time of the model ``fluid`` and of ``rounds`` on whole collectives, beside SimGrid on the same flows.

Run as ``python benchmarks/collectives.py``. Each figure is the median of several runs after one that warms up, on a
fabric that is built and routed; the answer of SimGrid, where a Python on this machine has it, is asserted to be equal.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from fabrics import routed
from timing import median_s

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

#: Hosts, collective, algorithm, and how many of its rounds SimGrid runs (0: all, -1: none, it would take minutes).
CASES = (
    (64, "all-to-all", "direct", 0),
    (256, "all-to-all", "direct", -1),
    (256, "all-to-all", "pairwise", 0),
    (1_024, "all-reduce", "ring", 20),
    (1_024, "all-to-all", "pairwise", -1),
)
SIZE_BYTES = 2.0**30


def _transport(hosts: int):  # type: ignore[no-untyped-def]
    from fabrictool.collectives.transport import Transport

    return Transport(routed(hosts).wiring.fabric, 0)


def _job(collective: str, algorithm: str, model: str):  # type: ignore[no-untyped-def]
    from fabrictool.collectives.workloads import Job
    from fabrictool.layout.workload import RankOrder

    return Job(0, collective, algorithm, (SIZE_BYTES,), RankOrder(), model)


def _peer(transport, collective: str, algorithm: str, most: int) -> tuple[float, float, int] | None:  # type: ignore[no-untyped-def]
    """Return what SimGrid says and how long it takes, both in s, and how many rounds it ran."""
    from fabrictool.collectives.entries import Group
    from fabrictool.collectives.schedules import ALGORITHMS
    from fabrictool.routing.flows import flows

    python = next((each for each in (sys.executable, "/usr/bin/python3") if _has_simgrid(each)), None)
    if python is None or most < 0:
        return None
    ranks = len(transport.alive)
    group = Group(ranks, np.arange(ranks, dtype=np.int32))
    rounds = [
        one
        for entry in ALGORITHMS[collective][algorithm].rounds(group)
        for each in entry.rounds(ranks)
        for one in [each] * each.repeat
    ][: most or None]
    count = [len(one.source) for one in rounds]
    source, target = (np.concatenate([getattr(one, end) for one in rounds]) for end in ("source", "target"))
    used = transport.routing.usage(flows(source, target))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flows.json"
        held = {
            "speed": transport.channels.speed_bps / 8, "latency": transport.channels.latency_s, "source": source,
            "target": target, "round": np.repeat(np.arange(len(rounds)), count), "first": used.first,
            "channel": used.channel, "nbytes": np.concatenate([one.shares for one in rounds]) * SIZE_BYTES,
        }  # fmt: skip
        path.write_text(json.dumps({name: values.tolist() for name, values in held.items()}))
        peer = Path(__file__).with_name("simgrid_peer.py")
        done = subprocess.run([python, str(peer), str(path)], capture_output=True, text=True, check=True)
    simulated, elapsed = map(float, done.stdout.split()[-2:])
    return simulated, elapsed, len(rounds)


def _has_simgrid(python: str) -> bool:
    if not Path(python).exists():
        return False
    return subprocess.run([python, "-c", "import simgrid"], capture_output=True, check=False).returncode == 0


def _all_cases() -> tuple[float, float]:
    """Return the processor time of all simulated cases: each in the model of its class, and all by ``fluid``."""
    from simulated import CASES as LISTED
    from simulated import jobs_of_case, transport_of_case

    from fabrictool.collectives.runs import run_jobs

    transports = [transport_of_case(case) for case in LISTED]
    models = ["rounds" if case["class"] == "exact" else "fluid" for case in LISTED]

    def run(chosen: list[str]) -> None:
        for case, transport, model in zip(LISTED, transports, chosen, strict=True):
            run_jobs(transport, jobs_of_case(case, model), "inverse-latency")

    by_class = median_s(lambda: run(models), 5, time.process_time)
    return by_class, median_s(lambda: run(["fluid"] * len(LISTED)), 3, time.process_time)


def main() -> None:
    """Print the table."""
    from fabrictool.collectives.runs import run_jobs

    print(f"{'hosts':>6} {'collective':12} {'algorithm':10} {'rounds s':>10} {'fluid s':>10}   SimGrid")
    for hosts, collective, algorithm, most in CASES:
        transport = _transport(hosts)
        found, times = {}, {}
        for model in ("rounds", "fluid"):
            job = _job(collective, algorithm, model)
            found[model] = run_jobs(transport, [job])[0].time_s
            times[model] = median_s(lambda job=job, transport=transport: run_jobs(transport, [job]))
        peer = _peer(transport, collective, algorithm, most)
        beside = "not run"
        if peer is not None:
            simulated, elapsed, rounds = peer
            whole = simulated if not most else simulated / rounds * 2 * (hosts - 1)
            assert abs(whole / found["fluid"] - 1) < 1e-5, (whole, found["fluid"])
            beside = f"{elapsed:.2f} s for {rounds} rounds, same answer"
        row = f"{times['rounds']:10.4f} {times['fluid']:10.4f}   {beside}"
        print(f"{hosts:6,} {collective:12} {algorithm:10} {row}")
    by_class, fluid = _all_cases()
    print(f"149 simulated cases, processor time: {by_class:.2f} s by the model of each class, {fluid:.2f} s by fluid")


if __name__ == "__main__":
    main()
