"""Models that ask more of hosts than the fabric holds: their host types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.loggp_jobs import host_of, run_loggp
from fabrictool.collectives.nccl_jobs import derived, run_nccl
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.records import Assumption

HOST_MODELS: dict[str, Callable[[Transport, Job, Mapping[str, HostType]], list[CollectiveResult]]] = {
    "loggp": run_loggp,
    "nccl": run_nccl,
}
SOURCE = "'loggp:' of the host types; by default o is in the latencies, g is what NCCL 2.30.7 reckons for posting"


def host_assumptions(transport: Transport, jobs: Iterable[Job], types: Mapping[str, HostType]) -> list[Assumption]:
    """Name what jobs that have run rest on beside the fabric, each once."""
    found: dict[Assumption, None] = {}
    for job in jobs:
        ranks = transport.ranks_of(job)
        if job.model == "nccl" and len(ranks) > 1:
            found |= dict.fromkeys(derived(transport, job, types).assumptions)
        if job.model == "loggp" and len(ranks) > 1:
            host = host_of(transport, ranks, types)
            value = f"o {host.overhead_s * 1e6:g} us at each end, g {host.gap_s * 1e6:g} us"
            found[Assumption("LogGP of hosts", value, SOURCE)] = None
    return list(found)
