"""``score`` of a fabric without a layout: collectives over its GPUs or hosts, congestion and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fabrictool import __version__
from fabrictool.collectives.congestion import Congestion
from fabrictool.collectives.workloads import CollectiveResult, Job, default_jobs, result_table
from fabrictool.cooling.at_work import no_work
from fabrictool.cooling.hall_air import no_air
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import counts, network_counts
from fabrictool.fabric.rules import design_findings
from fabrictool.formats.imported import Imported
from fabrictool.records import Assumption, Finding
from fabrictool.running import beside_healthy, finding_table, joined_networks, run_networks
from fabrictool.scenario import Asked, State, state_findings, state_of, without_faults

if TYPE_CHECKING:
    from fabrictool.tabular import Table

#: Figures of a hall's power, null without a layout.
POWER_KEYS = ("it_max_w", "it_typical_w", "facility_w", "utility_w", "distribution_loss_w", "cooling_on_supply_w")
_LEVELS: dict[str, Any] = dict.fromkeys(("idle_w", "waiting_w", "computing_w", "mean_w"))
_SWING: dict[str, Any] = dict.fromkeys(("rack_w", "row_w", "hall_w", "utility_w", "ramp_w_per_s"))
POWER_PARTS: dict[str, Any] = {
    "racks": [], "circuits": [], "supply": [], "optics": {"power_w": None, "media": []},
    "work": _LEVELS | {"pue": None, "facility_w": None, "utility": _LEVELS, "distribution_loss": _LEVELS}
    | {"step": None, "parts": [], "collectives": [], "swing": _SWING},
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class FabricScore:
    """Results of a fabric without a layout; ``to_dict`` is the JSON of ``score``, null where a layout is needed."""

    fabric: Fabric
    collectives: tuple[CollectiveResult, ...]
    congestion: Mapping[str, Congestion]
    state: State
    assumptions: tuple[Assumption, ...]
    findings: tuple[Finding, ...]
    counts: Mapping[str, int | None]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the versioned JSON document of ``score``."""
        return {
            "format": 1,
            "layout": self.fabric.name,
            "fabrictool": __version__,
            "scenario": self.state.to_dict(),
            "counts": dict(self.counts),
            "network_counts": network_counts(self.fabric),
            "collectives": [result.to_dict() for result in self.collectives],
            "congestion": {name: row.to_dict() for name, row in self.congestion.items()},
            "power": dict.fromkeys(POWER_KEYS) | POWER_PARTS,
            "cooling": {"pue": None, "racks": [], "loops": [], "air": no_air(), "year": None, "work": no_work()},
            "cost": {
                "capex": None,
                "network_share": None,
                "currency": "USD",
                "network": None,
                "known": None,
                "missing": [],
                "rows": [],
            },
            "lossless": {},
            "measured": None,
            "assumptions": [row.to_dict() for row in self.assumptions],
            "findings": [row.to_dict() for row in self.findings],
        }

    def tables(self) -> list[Table]:
        """Return the collectives and the findings as tables."""
        return [result_table(self.collectives), finding_table(self.findings)]

    def __repr__(self) -> str:
        verdict = "no errors" if self.ok else "errors"
        return f"<FabricScore of {self.fabric.name}: {verdict}>"

    def _repr_html_(self) -> str:
        return f"<h3>{self.fabric.name}</h3>" + "".join(table.to_html() for table in self.tables())


def score_fabric(
    given: Imported | Fabric,
    jobs: list[Job] | None = None,
    seed: int = 0,
    asked: Asked | None = None,
    routing: str | Mapping[str, object] | None = None,
) -> FabricScore:
    """Score a fabric: its ranks are the GPUs, or where none are known hosts or adapter ports.

    Parameters
    ----------
    given : Imported or Fabric
    jobs : list of Job, optional
        In place of the default ones.
    seed : int
        Of the random bisections.
    asked : Asked, optional
        What is down or slow.
    routing : str or mapping, optional
        By default D-mod-k on trees, minimal ways elsewhere.

    Raises
    ------
    FabrictoolError
        If something asked for is not there or makes no sense.
    """
    imported = given if isinstance(given, Imported) else None
    fabric = imported.fabric if imported else given
    assert isinstance(fabric, Fabric)
    state = state_of(fabric, asked=asked)
    joined = joined_networks(state, {}, routing)
    run = default_jobs() if jobs is None else jobs
    ran = run_networks(joined, run, seed)
    if state:
        healthy = joined_networks(without_faults(state), {}, routing)
        ran = replace(ran, results=beside_healthy(ran.results, healthy, run))
    findings = [
        *(imported.every_finding() if imported else design_findings(fabric)),
        *state_findings(state),
        *ran.findings,
        *_no_layout(joined.networks[0].wiring.title if joined.networks else ""),
    ]
    findings.sort(key=lambda finding: ("error", "warning", "note").index(finding.severity))
    counted = imported.counts() if imported else counts(fabric)
    return FabricScore(
        fabric, ran.results, ran.congestion, state, ran.assumptions, tuple(findings), dict(counted) | {"racks": None}
    )


def _no_layout(ranks: str) -> list[Finding]:
    """Say what a fabric without a layout leaves open, and what the ranks are."""
    message = "null or empty: racks, power, cooling and cost, which a fabric's file does not tell"
    if ranks and ranks != "GPUs":
        message += f"; collectives run over {ranks}, no GPUs being known"
    fix = "state hosts, types and racks in a layout with 'family: file' and 'path'"
    return [Finding("no-layout", "note", "results", message, fix)]
