"""Subjects and plans of shipped layouts, for tests of their acceptance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import fabrictool as ft
from fabrictool.acceptance.ladder import PROGRAMS, Ladder, Run, ladder_of
from fabrictool.acceptance.plan import Plan, plan_of
from fabrictool.acceptance.readings import Reading
from fabrictool.acceptance.subject import Subject, subject_of
from fabrictool.formats.measurements import busbw_factor
from fabrictool.scenario import asked_for

TOPOLOGIES = Path(__file__).parents[1] / "topologies"


def subject(name: str, **faults: str) -> Subject:
    """Return what is accepted of a shipped layout."""
    return subject_of(ft.read_layout(str(TOPOLOGIES / f"{name}.yaml")), asked_for(**faults))


def ladder(name: str, **faults: str) -> Ladder:
    """Return the ladder of a shipped layout."""
    return ladder_of(subject(name, **faults))


def plan(name: str, **faults: str) -> Plan:
    """Return the plan of a shipped layout."""
    return plan_of(subject(name, **faults))


HEADER = """\
#
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
"""


def log_text(run: Run, hosts: Sequence[str], busbw: Mapping[float, float], status: int = 0) -> str:
    """Return the log of nccl-tests for a run as the scripts write it: the command before, the status after."""
    text = f"# NCCL_ALGO=RING {PROGRAMS[run.test]} -b 256M -e 8G -f 2 -g 1\n# nThread 1 nGpus 1\n# Using devices\n"
    ranks = [(host, gpu) for host in hosts for gpu in range(len(run.gpus))]
    for rank, (host, gpu) in enumerate(ranks):
        text += f"#  Rank {rank:2} Group  0 Pid {4000 + rank} on {host:>10} device {gpu:2} [0x{gpu:02x}] NVIDIA H100\n"
    text += HEADER
    kind = "float sum" if run.test == "all-reduce" else "float none"
    for nbytes, each in busbw.items():
        algbw = each / busbw_factor(run.test, run.ranks)
        cells = f"{nbytes / algbw * 1e6:.1f} {algbw / 1e9:.2f} {each / 1e9:.2f} 0"
        text += f"{int(nbytes)} {int(nbytes / 4)} {kind} -1 {cells} {cells}\n"
    end = "# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 1.0\n" if busbw else "Test NCCL failure\n"
    return f"{text}{end}# exit status {status}\n"


def write_logs(plan: Plan, readings: Mapping[str, Reading], directory: Path) -> None:
    """Write logs for what was measured, named as the plan says."""
    directory.mkdir(exist_ok=True)
    for name, one in readings.items():
        hosts = [plan.subject.names[host] for host in one.run.hosts]
        text = log_text(one.run, hosts, one.busbw, 0 if one.busbw else 3)
        (directory / f"{name}.log").write_text(text)
