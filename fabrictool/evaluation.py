"""From a layout to everything known about it: the one module that knows the order of the stages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool import __version__
from fabrictool.catalogue.types import HostType
from fabrictool.collectives.congestion import Congestion
from fabrictool.collectives.expected.comparison import Comparison, compared
from fabrictool.collectives.expected.differences import measured_findings
from fabrictool.collectives.expected.ranges import with_ranges
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.split import split_asked
from fabrictool.collectives.workloads import CollectiveResult, Job, jobs_asked_for, jobs_of, result_table
from fabrictool.cooling import RackCooling
from fabrictool.cost import CapitalCost
from fabrictool.design import lossless_assumptions, lossless_networks, rule_findings
from fabrictool.energy import Work, work_of
from fabrictool.errors import FabrictoolError, InputError
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.buffers import LosslessNetwork
from fabrictool.fabric.counting import counts, network_counts
from fabrictool.fabric_score import FabricScore, score_fabric
from fabrictool.facility import Facility, facility_of, not_known, rack_table
from fabrictool.formats.measured import read_measurements
from fabrictool.formats.measurements import Measurements
from fabrictool.formats.recognise import opened
from fabrictool.generators.building import build
from fabrictool.generators.from_file import file_findings
from fabrictool.generators.latency import latency_assumptions
from fabrictool.generators.managed import management_assumptions
from fabrictool.layout.model import Layout
from fabrictool.layout.network import Routing
from fabrictool.layout.source import Source
from fabrictool.placement import Placement
from fabrictool.power import RackPower, SupplyLoads
from fabrictool.power.optics import Optics
from fabrictool.power.racks import known
from fabrictool.records import Assumption, Finding
from fabrictool.running import beside_healthy, finding_table, joined_networks, run_networks
from fabrictool.scenario import Asked, State, Words, asked_for, state_findings, state_of, without_faults
from fabrictool.signal_ways import cable_ways, fabric_on_cables, way_assumptions, with_cable_ways

if TYPE_CHECKING:
    from fabrictool.tabular import Table

FORMAT = 1


@dataclass(frozen=True, repr=False)
class Evaluation:
    """All results of a layout; tables as attributes, ``to_dict`` is the JSON of ``score``."""

    layout: Layout
    fabric: Fabric
    collectives: tuple[CollectiveResult, ...]
    congestion: Mapping[str, Congestion]
    facility: Facility
    work: Work
    lossless: Mapping[str, LosslessNetwork]
    state: State
    assumptions: tuple[Assumption, ...]
    findings: tuple[Finding, ...]
    measured: Comparison | None = None
    counts: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Count once."""
        racks = 0 if self.placement is None else len(self.placement.racks)
        object.__setattr__(self, "counts", counts(self.fabric) | {"racks": racks})

    @property
    def placement(self) -> Placement | None:
        """Where devices stand, None for a layout without racks."""
        return self.facility.placement

    @property
    def optics(self) -> Optics:
        """What plugs into cages, by the cable plan."""
        return self.facility.optics

    @property
    def power(self) -> RackPower:
        """What racks draw."""
        return self.facility.power

    @property
    def supply(self) -> SupplyLoads:
        """What the elements of a hall's supply carry."""
        return self.facility.supply

    @property
    def cooling(self) -> RackCooling:
        """Heat of racks, and what carries it off."""
        return self.facility.cooling

    @property
    def cost(self) -> CapitalCost:
        """What is bought."""
        return self.facility.cost

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the versioned JSON document of ``score``."""
        return {
            "format": FORMAT,
            "layout": self.layout.name,
            "fabrictool": __version__,
            "scenario": self.state.to_dict(),
            "counts": dict(self.counts),
            "network_counts": network_counts(self.fabric),
            "collectives": [result.to_dict() for result in self.collectives],
            "congestion": {name: row.to_dict() for name, row in self.congestion.items()},
            "power": self._power(),
            "cooling": self.cooling.to_dict() | {"work": self.work.behind.cooling.to_dict()},
            "cost": self.cost.to_dict(),
            "lossless": {name: settings.to_dict() for name, settings in self.lossless.items()},
            "measured": None if self.measured is None else self.measured.to_dict(),
            "assumptions": [row.to_dict() for row in self.assumptions],
            "findings": [row.to_dict() for row in self.findings],
        }

    def _power(self) -> dict[str, Any]:
        power = self.power.to_dict(self.cooling.facility_w)
        if self.placement is not None:
            is_host = self.fabric.devices.kind == KINDS.index("host")
            hosts = self.placement.sum_by_rack(is_host).astype(int).tolist()
            for row, role, count in zip(power["racks"], self.placement.racks.role.tolist(), hosts, strict=True):
                row |= {"role": role, "hosts": count}
        work = (self.work.rack_idle_w, self.work.rack_mean_w, self.work.rack_swing_w)
        for row, values in zip(power["racks"], np.column_stack(work).tolist(), strict=True):
            keys = ("it_idle_w", "it_work_w", "swing_w")
            row |= {key: known(value) for key, value in zip(keys, values, strict=True)}
        behind = self.work.behind
        return power | {
            "optics": self.optics.to_dict(),
            "work": self.work.to_dict(),
            "utility_w": known(self.supply.utility_w),
            "distribution_loss_w": known(self.supply.loss_w),
            "cooling_on_supply_w": known(self.supply.cooling_w),
            "supply": [
                row | {"work_w": given, "work_loss_w": lost}
                for row, given, lost in zip(
                    self.supply.to_rows(), behind.element_w.tolist(), behind.element_loss_w.tolist(), strict=True
                )
            ],
        }

    def collective_table(self) -> Table:
        """Return the collectives as a table."""
        return result_table(self.collectives)

    def tables(self) -> list[Table]:
        """Return collectives, racks, loops and findings as tables."""
        measured = [] if self.measured is None else [self.measured.table(), self.measured.fit_table()]
        loops = [self.cooling.loops.table()] if len(self.cooling.loops) else []
        return [
            self.collective_table(),
            *measured,
            self.rack_table(),
            self.cooling.table(),
            *loops,
            self.finding_table(),
        ]

    def rack_table(self) -> Table:
        """Return the racks as a table."""
        return rack_table(self._power()["racks"], self.cooling.to_dict()["racks"])

    def finding_table(self) -> Table:
        """Return the findings as a table."""
        return finding_table(self.findings)

    def __repr__(self) -> str:
        verdict = "no errors" if self.ok else "errors"
        return f"<Evaluation of {self.layout.name}: {self.counts['gpus']:,} GPUs, {verdict}>"

    def _repr_html_(self) -> str:
        tables = (self.collective_table(), self.rack_table(), self.finding_table())
        return f"<h3>{self.layout.name}</h3>" + "".join(table.to_html() for table in tables)


def evaluate(
    layout: Layout,
    jobs: list[Job] | None = None,
    seed: int = 0,
    asked: Asked | None = None,
    routing: str | Mapping[str, object] | None = None,
    measured: Measurements | None = None,
) -> Evaluation:
    """Evaluate a layout: fabric, racks, power, cooling, cost, collectives and congestion.

    Parameters
    ----------
    layout : Layout
    jobs : list of Job, optional
        In place of those that the layout states.
    seed : int
        Of the random bisections.
    asked : Asked, optional
        What is down or slow beside what the layout's scenario states.
    routing : str or mapping, optional
        In place of those that the layout's networks state.
    measured : Measurements, optional
        To put beside the model; expected ranges are then those of this machine.

    Raises
    ------
    FabrictoolError
        If the layout cannot be built; located in its file.
    """
    with located(layout):
        fabric = build(layout)
        house = facility_of(layout, fabric)
        ways = cable_ways(layout, house.plan)
        fabric = with_cable_ways(fabric, ways)
        lossless = lossless_networks(layout, fabric)
        state = state_of(fabric, layout, house.placement, asked)
        joined = joined_networks(state, _stated(layout), routing, layout.types())
        run = jobs or jobs_of(layout)
        ran = run_networks(joined, run, seed, _sharing(layout), _types(layout))
        if state:
            healthy = joined_networks(without_faults(state), _stated(layout), routing, layout.types())
            beside_it = beside_healthy(ran.results, healthy, run, _sharing(layout), _types(layout))
            ran = replace(ran, results=beside_it)
        beside = compared(measured, joined.networks, _types(layout), run[0].model) if measured is not None else None
        own = beside.calibration_for if beside is not None else None
        results, unmeasured, carried = with_ranges(ran.results, run, state.fabric, _types(layout), own)
        work = work_of(layout, fabric, house, results)
    assumptions = (
        *latency_assumptions(layout),
        *way_assumptions(ways),
        *management_assumptions(layout),
        *house.assumptions,
        *work.assumptions,
        *work.behind.cooling.assumptions,
        *lossless_assumptions(layout, lossless),
        *ran.assumptions,
        *carried,
    )
    findings = [
        *file_findings(layout),
        *house.findings,
        *work.findings,
        *rule_findings(layout, fabric),
        *(finding for settings in lossless.values() for finding in settings.findings()),
        *state_findings(state),
        *ran.findings,
        *(measured_findings(beside) if beside is not None else ()),
        *not_known(layout, house, unmeasured),
        *house.cost.findings(),
    ]
    findings.sort(key=lambda finding: ("error", "warning", "note").index(finding.severity))
    return Evaluation(
        layout, fabric, results, ran.congestion, house, work, lossless, state, assumptions, tuple(findings), beside
    )


def evaluate_collectives(layout: Layout, fabric: Fabric, jobs: list[Job]) -> list[CollectiveResult]:
    """Run jobs on a layout's fabric and evaluate nothing else; no results if no network joins all GPUs.

    Raises
    ------
    FabrictoolError
        If a job cannot be run; located in the layout's file.
    """
    with located(layout):
        state = state_of(fabric_on_cables(layout, fabric), layout)
        joined = joined_networks(state, _stated(layout), None, layout.types())
        return run_jobs(joined.networks[0], jobs, _sharing(layout), _types(layout)) if joined.networks else []


def evaluate_measured(layout: Layout, fabric: Fabric, measured: Measurements, model: str = "rounds") -> Comparison:
    """Put measurements beside a layout's model and evaluate nothing else.

    Raises
    ------
    FabrictoolError
        If they cannot have been measured on this layout.
    """
    with located(layout):
        state = state_of(fabric_on_cables(layout, fabric), layout)
        joined = joined_networks(state, _stated(layout), None, layout.types())
        return compared(measured, joined.networks, _types(layout), model)


@contextmanager
def located(layout: Layout) -> Iterator[None]:
    """Give errors the places of their keys in the layout's file."""
    try:
        yield
    except FabrictoolError as error:
        source = layout.source or Source(layout.name)
        raise type(error)([source.locate(problem) for problem in error.problems]) from None


def _types(layout: Layout) -> dict[str, HostType]:
    """Return the host types of a layout by name."""
    return {kind.name: kind for kind in layout.host_types()}


def _sharing(layout: Layout) -> str:
    """Return how flows of the model ``fluid`` share links."""
    return layout.scenario.sharing if layout.scenario is not None else "max-min"


def _stated(layout: Layout) -> dict[str, Routing]:
    """Return the routings that a layout states, by network."""
    found = {name: layout.stated_routing(name) for name in layout.networks}
    return {name: routing for name, routing in found.items() if routing is not None}


def score(
    layout: Layout | Fabric | str | PathLike[str],
    collective: str | list[str] | None = None,
    algorithm: str | None = None,
    size: str | float | list[str | float] | None = None,
    ranks: int | None = None,
    rank_order: str = "linear",
    model: str = "rounds",
    seed: int = 0,
    routing: str | Mapping[str, object] | None = None,
    fail_links: Words | None = None,
    fail_devices: Words | None = None,
    fail_domain: str | Iterable[str] | None = None,
    slow: Mapping[str, float] | str | Iterable[str] | None = None,
    parallel: str | Mapping[str, object] | None = None,
    over: str | Sequence[str] | None = None,
    measured: str | PathLike[str] | list[str] | None = None,
) -> Evaluation | FabricScore:
    """Evaluate a layout as the ``score`` command does.

    Parameters
    ----------
    layout : Layout, Fabric, str or path
        A layout or a fabric, or the name of a file with one; fabrics without a layout get a FabricScore.
    collective : str or list of str, optional
        In place of those that the layout states; ``size`` alone keeps the layout's collectives.
    algorithm : str, optional
        Of all collectives asked for; by default each one's own.
    size : str, float or list, optional
        Such as ``"1GiB"``, or bytes.
    ranks : int, optional
        Use the first so many of the rank order.
    rank_order : {"linear", "stride", "random"}
    model : {"rounds", "alpha-beta", "bound"}
    seed : int
        Of a random rank order, of the random bisections and of faults drawn at random.
    routing : str or mapping, optional
        In place of those that the layout's networks state: a name such as ``"min-hop"``, or a mapping with
        parameters.
    fail_links, fail_devices : int, str or list, optional
        What is down: links by either end as ``device:port`` and devices by name, or so many links between
        switches and switches drawn at random.
    fail_domain : str or list of str, optional
        What fails together, such as ``"rack:r01"`` or ``"feed:A"``.
    slow : mapping of str to float, optional
        Links by either end, to the share of their speed that is left; also as ``"leaf-01:5=0.5"``.
    parallel : str or mapping, optional
        Sizes of the groups that ranks are split into, such as ``"tensor=8,pipeline=4"``.
    over : str or list of str, optional
        What each collective runs over: ``"data"``, or several kinds of groups joined.
    measured : str or list of str, optional
        Logs of nccl-tests, rccl-tests or OSU benchmarks, or CSV files, to put beside the model.

    Raises
    ------
    FabrictoolError
        If the layout or an option cannot be used.
    """
    given = opened(layout) if isinstance(layout, str | PathLike) else layout
    asked = asked_for(fail_links, fail_devices, fail_domain, slow, seed)
    names = [collective] if isinstance(collective, str) else collective
    sizes = [size] if isinstance(size, str | int | float) else size
    stated = given if isinstance(given, Layout) else None
    jobs = None
    split = split_asked(parallel, over)
    if (names, algorithm, sizes, ranks, rank_order, model, split) != (None,) * 4 + ("linear", "rounds", None):
        jobs = jobs_asked_for(stated, names, algorithm, sizes, ranks, rank_order, model, seed, split)
    logs = read_measurements(measured, ranks or 0) if measured else None
    if isinstance(given, Layout):
        return evaluate(given, jobs, seed, asked, routing, logs)
    if logs is not None:
        what = "--measured needs a layout: a fabric from elsewhere does not tell what its GPUs are"
        raise InputError(what, "state hosts and their types in a layout with 'family: file'")
    return score_fabric(given, jobs, seed, asked, routing)
