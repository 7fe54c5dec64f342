"""``verify``: what was built against what was planned, with the root cause of each difference and its cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool import __version__
from fabrictool.cable_plan import planned_cables
from fabrictool.cabling.inferred import fabric_of, inferred
from fabrictool.cabling.planned import Plan, planned
from fabrictool.cabling.progress import Progress, progress
from fabrictool.cabling.their_plan import at_cells, check_plan
from fabrictool.cabling.told import Impact, RootCause
from fabrictool.cabling.verdict import Summary, Verdict, verdict
from fabrictool.changes.as_built import Difference, Pricing, rows_of_network
from fabrictool.changes.job_losses import AskedJobs
from fabrictool.changes.subject import Subject, subject_of
from fabrictool.errors import FabrictoolError, InputError, Problem
from fabrictool.fabric import Fabric
from fabrictool.formats import as_built_table
from fabrictool.formats.dumps import dump_from, sightings_of
from fabrictool.formats.names import read_names
from fabrictool.formats.netbox_plan import folder_plan
from fabrictool.formats.opening import read_all, text_of
from fabrictool.formats.plan_table import PlanTable, plan_of_others
from fabrictool.formats.recognise import imported
from fabrictool.layout.model import Layout
from fabrictool.locks.names import guid_names
from fabrictool.records import Dump, Finding, Sighting

if TYPE_CHECKING:
    from fabrictool.tabular import Table

FORMAT = 1
#: Links of a fabric up to which every mistake that changes it is priced: routing anew takes up to 0.3 s there.
MOST_LINKS = 20_000
#: Speed that all links are taken to have where none is known: shares of what is lost are the same at any.
USUAL_BPS = 100e9
#: Seconds that pricing may take; what is left then is unknown.
PRICING_S = 10.0


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """What was found; ``to_dict`` is the JSON of the command.

    Parameters
    ----------
    layout : str
    sources : tuple of (name, format, taken_s)
    findings : tuple of RootCause
        What the dumps cover first, then mistakes, the costliest first.
    summary : Summary
    progress : Progress
        By rack and network.
    """

    layout: str
    sources: tuple[tuple[str, str, float | None], ...]
    findings: tuple[RootCause, ...]
    summary: Summary
    progress: Progress

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(row.finding.severity == "error" for row in self.findings)

    @property
    def causes(self) -> tuple[RootCause, ...]:
        """Findings that name a mistake."""
        return tuple(row for row in self.findings if row.root_cause)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of ``verify``."""
        now = time.time()
        return {
            "format": FORMAT,
            "layout": self.layout,
            "fabrictool": __version__,
            "sources": [
                {"file": name, "format": form, "age_s": None if taken is None else max(0.0, round(now - taken, 1))}
                for name, form, taken in self.sources
            ],
            "findings": [row.to_dict() for row in self.findings],
            "summary": self.summary.to_dict(),
            "progress": self.progress.to_dict(),
        }

    def tables(self) -> list[Table]:
        """Return what a terminal shows."""
        from fabrictool.cabling.printing import verification_tables

        return verification_tables(self.layout, self.sources, self.findings, self.summary)

    def __repr__(self) -> str:
        return f"<Verification of {self.layout}: {len(self.causes)} root causes>"

    def _repr_html_(self) -> str:
        return "".join(table.to_html() for table in self.tables())


Given = Layout | Fabric | str | Path


def verify(
    layout: Given,
    as_built: Fabric | str | Path | Iterable[Fabric | str | Path],
    source_format: str | None = None,
    names: str | Path | Mapping[str, str] | None = None,
    infer: bool = False,
    price: bool = True,
    asked: AskedJobs | None = None,
) -> Verification:
    """Hold what was built against a plan, as the ``verify`` command does.

    Parameters
    ----------
    layout : Layout, Fabric or str
        The plan, or the name of a file with one: a layout, a plan CSV, or a fabric. With ``infer`` an
        as-built fabric, whose majority's rule is the plan.
    as_built : Fabric, str, or several
        What was seen: files of ibnetdiscover, iblinkinfo, ibutils, LLDP, tables; or fabrics.
    source_format : str, optional
        Of the files, by default told by their content.
    names : str or mapping, optional
        Planned name by seen one, or a file with ``seen,planned`` rows or lines ``0xGUID "name"``.
    infer : bool
        Whether to do without a plan.
    price : bool
        Whether to compute what each mistake costs.
    asked : AskedJobs, optional
        Collectives to price beside all-reduce and all-to-all of large messages.

    Raises
    ------
    FabrictoolError
        If a file cannot be read, or the layout not be built.
    """
    given = [as_built] if isinstance(as_built, Fabric | str | Path) else list(as_built)
    if infer and not isinstance(layout, Layout):
        given = [layout, *given]
    aliases = read_names(str(names)) if isinstance(names, str | Path) else dict(names or {})
    places: dict[str, str] = {}
    rows: Sequence[Sighting] = ()
    if infer:
        dumps = [_dump(one, source_format) for one in given]
        subject = _inferred(dumps, given)
    else:
        subject, rows = _plan_of(layout)
        dumps = [_checked(one, source_format, subject, places) for one in given]
    if subject.layout is not None and subject.layout.lock is not None:
        aliases = guid_names(subject.layout.lock) | aliases
    plan = planned(subject.fabric, rows, _racks(subject))
    found = verdict(plan, dumps, aliases)
    findings = [*(RootCause(row) for row in subject.findings), *(at_cells(row, places) for row in found.findings)]
    shift = len(findings) - len(found.findings)
    if price:
        jobs = tuple(asked.jobs(subject.layout)) if asked else ()
        findings = _priced(
            partial(Pricing, _with_speeds(plan.fabric), jobs=jobs, types=subject.types), plan, found, findings, shift
        )
    ranked = sorted(findings, key=_rank)
    sources = tuple((dump.name, dump.format, dump.taken_s) for dump in dumps)
    return Verification(subject.fabric.name, sources, tuple(ranked), found.summary, progress(found.board))


def _checked(given: Fabric | str | Path, source_format: str | None, subject: Subject, places: dict[str, str]) -> Dump:
    """Return what was seen, or what a plan of others would plug, whose cells go to ``places``."""
    table = None if isinstance(given, Fabric) else _foreign(str(given), source_format)
    if table is None:
        return _dump(given, source_format)
    own = planned_cables(subject.layout, subject.fabric).plan if subject.layout is not None else None
    checked = check_plan(subject.fabric, table, own)
    places |= checked.places
    return checked.dump


def _foreign(path: str, source_format: str | None) -> PlanTable | None:
    """Return the plan of others in a file, or in a folder of NetBox CSV; None for dumps."""
    if path != "-" and Path(path).is_dir() and any(Path(path).glob("*cables.csv")):
        return folder_plan(path)
    return plan_of_others(path, source_format)


def _dump(given: Fabric | str | Path, source_format: str | None) -> Dump:
    if isinstance(given, Fabric):
        return Dump(given.name, "fabric", sightings_of(given), frozenset(given.names))
    name, content = read_all(str(given))
    found = dump_from(name, content, source_format)
    try:
        return replace(found, taken_s=Path(str(given)).stat().st_mtime)
    except OSError:  # standard input
        return found


def _plan_of(given: Given) -> tuple[Subject, Sequence[Sighting]]:
    """Return the plan, and the rows of a plan CSV, which know cables, racks and lengths."""
    subject = subject_of(given)
    if not isinstance(given, str | Path) or subject.layout is not None:
        return subject, ()
    name, content = read_all(str(given))
    text = text_of(content)
    if not as_built_table.sniff(text[:65536].encode()):
        return subject, ()
    return subject, as_built_table.read(name, text).sightings


def _inferred(dumps: Sequence[Dump], given: Sequence[Fabric | str | Path]) -> Subject:
    """Return the plan that the majority's rule is; a fabric that was discovered as a whole knows its tiers."""
    if not dumps:
        raise InputError([Problem("--infer", "has no as-built fabric", "name dumps, and no layout")])
    found = imported(str(given[0])) if len(dumps) == 1 and not isinstance(given[0], Fabric) else None
    if isinstance(given[0], Fabric) and len(dumps) == 1:
        fabric = given[0]
    elif found is not None:
        fabric = found.fabric
    else:
        fabric = fabric_of((row for dump in dumps for row in dump.sightings), dumps[0].name)
    plan, notes = inferred(fabric, dumps[0].name)
    return Subject(plan, None, tuple(notes))


def _racks(subject: Subject) -> dict[str, tuple[str, int]]:
    placement = subject.placement
    if placement is None:
        return {}
    names = placement.racks.name.tolist()
    rows = zip(subject.fabric.names, placement.rack.tolist(), placement.unit.tolist(), strict=True)
    return {device: (names[rack], max(unit, 0)) for device, rack, unit in rows if rack >= 0}


def _rank(row: RootCause) -> tuple[object, ...]:
    """Sort coverage and what is wrong with files first, then mistakes by what they cost."""
    if row.root_cause is None:
        return 0, ("error", "warning", "note").index(row.finding.severity), ()
    return 1, 0, row.impact.rank if row.impact else (0.0, 9)


def _priced(
    pricing_of: Callable[[int], Pricing], plan: Plan, found: Verdict, findings: Sequence[RootCause], shift: int
) -> list[RootCause]:
    """Return findings with what each costs, as long as there is time; what changes nothing costs nothing.

    ``pricing_of`` makes what prices mistakes in a network.
    """
    end = time.monotonic() + PRICING_S
    pricings: dict[int, Pricing] = {}
    result, why = [], dict[str, None]()
    for place, row in enumerate(findings):
        impact = row.impact
        if impact is None:
            result.append(row)
            continue
        if impact.effect in {"none", "risk"}:
            impact = Impact(impact.effect, 0.0, 0.0, 0)
        elif row.rows and len(plan.fabric.links) > MOST_LINKS:
            why[f"a fabric of more than {MOST_LINKS:,} links is not routed anew"] = None
        elif row.rows and time.monotonic() >= end:
            why[f"pricing ends after {PRICING_S:g} s"] = None
        elif row.rows:
            network = rows_of_network(plan.fabric, row.rows)
            if network not in pricings:
                pricings[network] = pricing_of(network)
            impact, reason = _cost(pricings[network], plan, row, found.moved.get(place - shift), impact)
            why |= dict.fromkeys([reason] if reason else [])
        result.append(replace(row, impact=impact))
    if why:
        what = f"some costs are unknown: {'; '.join(why)}"
        result.append(RootCause(Finding("not-priced", "note", "findings", what, "ask impact about single mistakes")))
    return result


def _with_speeds(fabric: Fabric) -> Fabric:
    """Return a fabric in which links of unknown speed are as fast as the fastest, so that mistakes can be priced."""
    links, ports = fabric.links, fabric.ports
    if (links.speed_bps > 0).all():
        return fabric
    usual = max(float(links.speed_bps.max(initial=0.0)), USUAL_BPS)
    speeds = [np.where(table.speed_bps > 0, table.speed_bps, usual) for table in (links, ports)]
    return replace(fabric, links=replace(links, speed_bps=speeds[0]), ports=replace(ports, speed_bps=speeds[1]))


def _cost(
    pricing: Pricing, plan: Plan, row: RootCause, moved: tuple[tuple[int, int, int], ...] | None, impact: Impact
) -> tuple[Impact, str]:
    """Return what a mistake costs, or why that is unknown."""
    try:
        cost = pricing.cost(_difference(plan, row, moved))
    except FabrictoolError as error:
        return impact, error.problems[0].what
    except (ValueError, IndexError):
        return impact, "a mistake makes a fabric that cannot be routed"
    effect = impact.effect
    if effect == "performance" and cost.hosts_lost:
        effect = "down"
    jobs = tuple((job.title, job.percent) for job in cost.jobs)
    found = Impact(effect, cost.all_reduce_lost, cost.all_to_all_lost, cost.hosts_lost, jobs)
    unknown = cost.all_reduce_lost is None and cost.all_to_all_lost is None
    return found, "too few hosts are left to compare" if unknown else ""


def _difference(plan: Plan, row: RootCause, moved: tuple[tuple[int, int, int], ...] | None) -> Difference:
    rows = [plan.links[link].row for link in row.rows] if moved is None else []
    if moved is None and row.left:
        return Difference({}, slow=dict.fromkeys(rows, row.left))
    if moved is None:
        return Difference({}, dead=tuple(rows))
    base = len(plan.fabric.ports)
    extra: list[int] = []
    place: dict[int, int] = {}
    for _, a, z in moved:
        for port in (a, z):
            if port >= base and port not in place:
                place[port] = base + len(extra)
                extra.append(plan.ports[port].device)
    return Difference({link: (place.get(a, a), place.get(z, z)) for link, a, z in moved}, extra)
