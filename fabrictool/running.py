"""Runs jobs on the networks of a fabric in some state: results, congestion, and why some are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.congestion import Congestion, congestion_of
from fabrictool.collectives.host_models import host_assumptions
from fabrictool.collectives.losses import with_loss
from fabrictool.collectives.networks import transports
from fabrictool.collectives.reducing import Types
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.unreached import unreachable_findings
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import FabrictoolError
from fabrictool.layout.checks import routing_named
from fabrictool.layout.network import Routing
from fabrictool.records import Assumption, Finding
from fabrictool.scenario import State

if TYPE_CHECKING:
    from fabrictool.tabular import Table


@dataclass(frozen=True)
class Joined:
    """The networks of a fabric that carry messages between all its ranks, and why the others do not."""

    state: State
    networks: tuple[Transport, ...]
    refused: Mapping[str, str]


@dataclass(frozen=True)
class Ran:
    """Results of jobs on the first network, the congestion of each, and what is to say about them."""

    results: tuple[CollectiveResult, ...]
    congestion: Mapping[str, Congestion]
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]


def joined_networks(
    state: State,
    stated: Mapping[str, Routing],
    routing: str | Mapping[str, object] | None = None,
    types: Types = MappingProxyType({}),
) -> Joined:
    """Return the networks that carry collectives.

    Parameters
    ----------
    state : State
    stated : mapping of str to Routing
        What a layout says, by network.
    routing : str or mapping, optional
        What is asked for in its place.
    types : mapping of str to HostType or SwitchType, optional
        Types by name.

    Raises
    ------
    FabrictoolError
        If a routing that is stated or asked for cannot be used.
    """
    asked = routing_named(routing)
    if asked is None:
        found, refused = transports(state.fabric, state.faults, stated, types)
        return Joined(state, tuple(found), refused)
    everywhere = {network.name: asked for network in state.fabric.networks}
    try:
        found, refused = transports(state.fabric, state.faults, everywhere, types)
    except FabrictoolError as error:  # not what the layout states, so at no place in it
        problems = [replace(row, path=(), where=row.where or "--routing") for row in error.problems]
        raise type(error)(problems) from None
    return Joined(state, tuple(found), refused)


def run_networks(
    joined: Joined,
    jobs: list[Job],
    seed: int = 0,
    sharing: str = "max-min",
    types: Mapping[str, HostType] = MappingProxyType({}),
) -> Ran:
    """Run jobs on the first network, and find the congestion of each; ``types`` are host types by name.

    Raises
    ------
    FabrictoolError
        If a job cannot be run.
    """
    first = joined.networks[0] if joined.networks else None
    results = run_jobs(first, jobs, sharing, types) if first else []
    congestion = {transport.name: congestion_of(transport, seed) for transport in joined.networks}
    unreached = unreachable_findings(results, jobs, first, bool(joined.state)) if first else ()
    loops = [finding for name, found in congestion.items() for finding in found.findings(name)]
    return Ran(
        tuple(results),
        congestion,
        (*_no_collectives(joined), *unreached, *loops),
        (*first.assumptions(results), *host_assumptions(first, jobs, types)) if first else (),
    )


def beside_healthy(
    results: Sequence[CollectiveResult],
    healthy: Joined,
    jobs: list[Job],
    sharing: str = "max-min",
    types: Mapping[str, HostType] = MappingProxyType({}),
) -> tuple[CollectiveResult, ...]:
    """Return results beside the same jobs with nothing down or slow.

    Parameters
    ----------
    results : sequence of CollectiveResult
    healthy : Joined
        The same networks without faults.
    jobs : list of Job
        Those that the results are of.
    sharing, types
        As of :func:`run_networks`.
    """
    if not results or not healthy.networks:
        return tuple(results)
    before = run_jobs(healthy.networks[0], jobs, sharing, types)
    return tuple(with_loss(row, one) for row, one in zip(results, before, strict=True))


def _no_collectives(joined: Joined) -> list[Finding]:
    """Say why there are no collectives."""
    if joined.networks or not joined.state.fabric.networks:
        return []
    why = "; ".join(joined.refused.values())
    message = f"no network carries messages between all ranks, so no collective is computed: {why}"
    fix = "attach equally many ports of every GPU to one network, and name a routing that its family has"
    return [Finding("no-collectives", "note", "networks", message, fix)]


def finding_table(findings: Sequence[Finding]) -> Table:
    """Return findings as a table."""
    from fabrictool.tabular import Column, Table

    keys = ("severity", "id", "where", "message", "fix")
    return Table("findings", tuple(Column(key, [getattr(row, key) for row in findings]) for key in keys))
