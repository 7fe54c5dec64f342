"""The answer to ``impact``: what changes cost, which single losses cost most, and in which waves to upgrade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from fabrictool import __version__
from fabrictool.changes.better import MOVED, placement_findings
from fabrictool.changes.capacity import Capacity, of_hosts, state_of
from fabrictool.changes.domains import domains_of
from fabrictool.changes.effects import Impact, impact_between
from fabrictool.changes.findings import bound_finding, change_findings, ranking_findings, stopped_job_finding
from fabrictool.changes.job_losses import AskedJobs, JobLoss, JobPricing
from fabrictool.changes.ranking import Loss, Losses, Progress, losses_of, ranked, worst_of_each_kind
from fabrictool.changes.subject import Subject, Words, down, faults_of, network_of, stated_routing, subject_of, words
from fabrictool.changes.upgrade import Upgrade, upgrade, upgrade_findings
from fabrictool.changes.waves import check_keep
from fabrictool.domains import PLACED
from fabrictool.errors import FabrictoolError, InputError, Problem, placed
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults, faults_by_name
from fabrictool.layout.checks import place_of_routing
from fabrictool.layout.model import Layout
from fabrictool.layout.network import Routing as Stated
from fabrictool.records import Domain, Finding
from fabrictool.routing.choose import routing_of
from fabrictool.routing.wiring import Wiring, under
from fabrictool.scenario import asked_for

if TYPE_CHECKING:
    from fabrictool.tabular import Table

FORMAT = 1
#: Losses that a table shows.
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Change:
    """A change: ``faults`` that are there, or a ``drain`` on top of them; what in words, and its impact.

    ``jobs`` is what it takes from collectives that were asked about.
    """

    kind: str
    what: str
    impact: Impact
    jobs: tuple[JobLoss, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the object in the JSON output."""
        found = {"change": self.kind, "what": self.what} | self.impact.to_dict()
        return found | {"collectives": [job.to_dict() for job in self.jobs]}


@dataclass(frozen=True, slots=True, repr=False)
class ImpactReport:
    """What changes cost a network; ``to_dict`` is the JSON of the command.

    Parameters
    ----------
    layout, network, routing : str
    baseline : Capacity
        Of the network with nothing down.
    changes : tuple of Change
    ranking : tuple of Loss
        Losses on top of the faults, the worst first; empty where none was asked for.
    upgrade : Upgrade or None
        Waves on top of the faults, where they were asked for.
    findings : tuple of Finding
    """

    layout: str
    network: str
    routing: str
    baseline: Capacity
    changes: tuple[Change, ...]
    ranking: tuple[Loss, ...]
    upgrade: Upgrade | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the versioned JSON document of ``impact``."""
        return {
            "format": FORMAT,
            "layout": self.layout,
            "fabrictool": __version__,
            "network": self.network,
            "routing": self.routing,
            "baseline": self.baseline.to_dict(),
            "changes": [change.to_dict() for change in self.changes],
            "ranking": [loss.to_dict() for loss in self.ranking],
            "waves": self.upgrade.to_dict()["waves"] if self.upgrade else [],
            "fewest_waves": self.upgrade.fewest if self.upgrade else None,
            "keep": self.upgrade.keep if self.upgrade else None,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def tables(self) -> list[Table]:
        """Return what a terminal shows."""
        from fabrictool.changes.printing import change_tables, finding_table, job_tables, ranking_tables, wave_tables

        return [
            *change_tables(self.baseline, self.changes, f"{self.layout}, {self.network}"),
            *job_tables(self.changes),
            *ranking_tables(self.ranking[:SHOWN], worst_of_each_kind(self.ranking)),
            *wave_tables(self.upgrade),
            *finding_table(self.findings),
        ]

    def __repr__(self) -> str:
        return f"<ImpactReport of {self.layout}: {len(self.changes)} changes, {len(self.ranking):,} losses ranked>"

    def _repr_html_(self) -> str:
        return f"<h3>{self.layout}</h3>" + "".join(table.to_html() for table in self.tables())


def impact(
    subject: Layout | Fabric | str | PathLike[str],
    fail_links: Words = (),
    fail_devices: Words = (),
    fail_domain: Words = (),
    slow: Mapping[str, float] | str | Iterable[str] = (),
    drain: Words = (),
    n_1: bool = False,
    waves: bool = False,
    keep: float = 0.75,
    domain: Words = (),
    domains: Iterable[Domain] = (),
    network: str | None = None,
    routing: str | Mapping[str, object] | None = None,
    seed: int = 0,
    collective: str | Sequence[str] = (),
    algorithm: str | None = None,
    size: str | float | Sequence[str | float] = (),
    ranks: int | None = None,
    model: str = "rounds",
    parallel: str | Mapping[str, object] | None = None,
    over: str | Sequence[str] = (),
    progress: Progress | None = None,
) -> ImpactReport:
    """Return what changes to a network cost, as the ``impact`` command does.

    Parameters
    ----------
    subject : Layout, Fabric, str or path
        Or the name of a file of either.
    fail_links, fail_devices : int, str or list of str
        Links as ``device:port`` and devices that are down; a number is drawn at random.
    fail_domain : str or list of str
        Racks, feeds and the like that are down, as ``KIND:NAME``.
    slow : mapping of str to float, or words ``LINK=FACTOR``
        Links at a share of their speed.
    drain : str or list of str
        Devices to be taken out together, on top of what is down.
    n_1 : bool
        Rank the loss of every single link and switch, on top of what is down; so where nothing is asked.
    waves : bool
        Plan an upgrade of all switches.
    keep : float
        Share that must stay in each wave: of hosts that run, times of their path capacity.
    domain : str or list of str
        Kinds of domain to rank: link, switch, rail, host, pod, plane, rack, row, feed, supply, loop, cdu, tray,
        scale-up; ``all`` of them that racks, power, cooling and trays make; or kinds
        of ``domains``.
    domains : iterable of Domain
        What else may be lost together.
    network : str, optional
        By default the one that most GPUs or hosts are on.
    routing : str or mapping, optional
        By default the layout's.
    seed : int
        Of faults at random.
    collective : str or list of str
        Collectives to price beside the usual figures; for each change, and for those of the losses that tables show.
    algorithm, size, ranks, model, parallel, over
        Of these collectives, as of :func:`fabrictool.score`.
    progress : callable, optional
        Is told how many losses of how many are ranked, where each takes a rebuild.

    Raises
    ------
    FabrictoolError
        If the layout, or anything asked for, cannot be used.
    """
    check_keep(keep)
    for option, given in (("--drain", drain), ("--domain", domain)):
        if given and not words(given):
            raise InputError([Problem(option, "names nothing", "give a name, or leave it out")])
    about = subject_of(subject)
    healthy = network_of(about, network)
    stated = stated_routing(about, healthy, routing)
    with placed(place_of_routing(about.layout if routing is None else None, healthy.name)):
        found = routing_of(healthy, stated)
    faults = faults_of(about, asked_for(fail_links, fail_devices, fail_domain, slow, seed))
    named = AskedJobs(_several(collective), algorithm, _several(size), ranks, model, parallel, _several(over))
    pricing = JobPricing(about.fabric, healthy.network, stated, named.jobs(about.layout, seed), about.types)
    asked = _Asked(about, healthy, stated, faults, pricing)
    changes, findings = asked.changes(words(drain))
    kinds, shared = asked.kinds(n_1 or not (changes or words(domain) or waves), words(domain))
    losses = asked.losses() if kinds or waves else None
    ranking = asked.ranking(losses, kinds, [*domains, *shared], progress) if losses else []
    ranking = asked.priced(ranking)
    plan = upgrade(losses, keep) if losses and waves else None
    findings = [*about.findings, *findings, *ranking_findings(about.fabric, healthy.name, ranking)]
    findings += bound_finding(healthy.name, ranking)
    shares = [(change.what, change.impact.all_reduce_lost, change.jobs) for change in changes]
    shares += [(f"the loss of {loss.domain.name}", loss.all_reduce_lost, loss.jobs) for loss in ranking]
    findings += stopped_job_finding(healthy.name, shares)
    if losses and set(kinds) & PLACED and about.layout is not None and about.placement is not None:
        findings += placement_findings(about.layout, about.fabric, about.placement, losses, ranking)
    findings += upgrade_findings(healthy.name, plan) if plan else []
    findings.sort(key=lambda finding: ("error", "warning", "note").index(finding.severity))
    baseline = changes[0].impact.before if changes else state_of(found).capacity
    return ImpactReport(
        about.fabric.name, healthy.name, found.name, baseline, tuple(changes), tuple(ranking), plan, tuple(findings)
    )


def _several(given: str | float | Sequence[Any]) -> tuple[Any, ...]:
    return (given,) if isinstance(given, str | int | float) else tuple(given)


@dataclass(frozen=True)
class _Asked:
    """A network with its routing, and what is down in it."""

    subject: Subject
    healthy: Wiring
    stated: Stated | None
    faults: Faults
    pricing: JobPricing

    def _wired(self, faults: Faults) -> Wiring:
        return of_hosts(under(self.healthy, faults))

    def changes(self, drain: list[str]) -> tuple[list[Change], list[Finding]]:
        """Return the impact of the faults, and of a drain on top of them, with what to know about each."""
        found: list[Change] = []
        findings: list[Finding] = []
        fabric = self.subject.fabric
        steps = [("faults", self.faults, down(fabric, self.faults))] if self.faults else []
        if drain:
            drained = faults_by_name(fabric, devices=drain)
            steps.append(("drain", self.faults | drained, f"drain of {', '.join(drain)}"))
        before = state_of(routing_of(self.healthy, self.stated)) if steps else None
        results = self.pricing.results(None) if steps else []
        for kind, faults, what in steps:
            after = state_of(routing_of(self._wired(faults), self.stated))
            assert before is not None
            jobs = self.pricing.losses(results, faults)
            change = Change(kind, what, impact_between(before, after), jobs)
            results = [job.after for job in jobs]
            found.append(change)
            findings += change_findings(fabric, what, change.impact, faults, kind == "drain")
            before = after
        return found, findings

    def priced(self, ranking: list[Loss]) -> list[Loss]:
        """Return losses, those that tables show with what they take from the jobs."""
        if not ranking or not self.pricing.jobs:
            return ranking
        shown = {id(loss) for loss in [*ranking[:SHOWN], *(loss for loss, _ in worst_of_each_kind(ranking))]}
        before = self.pricing.results(self.faults)
        return [
            replace(loss, jobs=self.pricing.without(before, self.faults, loss.domain)) if id(loss) in shown else loss
            for loss in ranking
        ]

    def kinds(self, n_1: bool, named: list[str]) -> tuple[list[str], list[Domain]]:
        """Return the kinds to rank, and the domains of ``all``: what racks, power, cooling and trays share."""
        shared = self._shared() if "all" in named else []
        every = list(dict.fromkeys(domain.kind for domain in shared))
        listed = ["switch", "link"] if n_1 else []
        listed += [kind for word in named for kind in (every if word == "all" else [word])]
        return list(dict.fromkeys(listed)), shared

    def _shared(self) -> list[Domain]:
        """Return the domains of every kind of shared fate that this layout knows."""
        fabric, network, layout = self.subject.fabric, self.healthy.network, self.subject.layout
        found: list[Domain] = []
        for kind in MOVED:
            with suppress(FabrictoolError):
                found += domains_of(kind, fabric, network, layout, self.subject.placement)
        if not found:
            raise InputError([Problem("--domain", "nothing shares racks, power or cooling", "add racks to the layout")])
        return found

    def losses(self) -> Losses:
        """Return what computes losses on top of the faults."""
        return losses_of(self._wired(self.faults), self.stated)

    def ranking(
        self, losses: Losses, kinds: list[str], given: Iterable[Domain], progress: Progress | None
    ) -> list[Loss]:
        """Return the losses of all domains of some kinds."""
        listed = list(given)
        fabric, network, layout = self.subject.fabric, self.healthy.network, self.subject.layout
        placement = self.subject.placement if set(kinds) & PLACED else None
        found = [row for kind in kinds for row in domains_of(kind, fabric, network, layout, placement, listed)]
        return ranked(losses, found, progress)
