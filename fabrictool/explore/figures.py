"""Key figures of one evaluation, each with how certain it is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.collectives.congestion import TRIALS
from fabrictool.explore.designs import Counted, Design
from fabrictool.fabric.counting import oversubscription
from fabrictool.fabric.parts import halves_cut, hop_counts
from fabrictool.units import format_size

if TYPE_CHECKING:
    from fabrictool.evaluation import Evaluation
    from fabrictool.fabric import Fabric

_MIB = 2**20
#: Smallest message in bytes, to how far measurements on an idle fabric lie from the model, as a share.
_MODEL_ERRORS = ((256 * _MIB, 0.10), (_MIB, 0.50), (0, 1.0))
#: An indicative price is taken to be this share too high or too low.
PRICE_ERROR = 0.30
#: Survey average of PUE, 1.58, against the default for air, 1.40: this share of what a facility draws beside its IT.
OVERHEAD_ERROR = 0.45
#: Vendor range of what cold plates take, 70 to 80 %, against the default of 75 %.
COLD_PLATE_ERROR = 0.05 / 0.75
_STANDARD_ERRORS = 2.0
_SEVERITIES = ("error", "warning", "note")

EXACT = "exact"
PUBLISHED = "published maxima"
AS_STATED = "as the layout states"
_PRICES = f"indicative prices, each ±{100 * PRICE_ERROR:.0f} % (assumed)"
_SAMPLED = f"±2 standard errors of {TRIALS} random bisections"


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure of one design.

    Parameters
    ----------
    name : str
    unit : str
        ``""`` for counts and ratios, else ``B/s``, ``W``, ``%`` or a currency.
    value : float or None
        None where it cannot be computed.
    certainty : str
        What the figure rests on, in words.
    error : float
        How far the true value may lie from it, in ``unit``, independently of other designs.
    shared : mapping of str to float
        Errors that designs share, by what they come from: equal ones do not tell designs apart.
    """

    name: str
    unit: str
    value: float | None
    certainty: str
    error: float = 0.0
    shared: Mapping[str, float] = field(default_factory=dict)


def margin(first: Figure, other: Figure) -> float:
    """Return how large a difference of two figures must be to exceed their uncertainty, in their unit.

    Independent errors add as the root of their squares. Of a shared error, such as that of one
    switch's price, only the part counts by which the designs differ.
    """
    sources = {*first.shared, *other.shared}
    apart = sum(abs(other.shared.get(name, 0.0) - first.shared.get(name, 0.0)) for name in sources)
    return math.hypot(first.error, other.error) + apart


def key_figures(design: Design) -> list[Figure]:
    """Return the figures that designs are compared by; those of a fabric alone are what can be counted on it.

    Parameters
    ----------
    design : Evaluation or Counted
    """
    counted = [
        *(_exact(_COUNTS[name], count) for name, count in design.counts.items()),
        *_networks(design.fabric),
    ]
    if isinstance(design, Counted):
        return [*counted, *_findings(design)]
    run = (*_collectives(design), *_congestion(design), *_power(design), *_cost(design))
    return [*counted, *run, *_findings(design)]


_COUNTS = {
    "gpus": "GPUs",
    "hosts": "hosts",
    "switches": "switches",
    "links": "links",
    "cables": "cables",
    "transceivers": "transceivers",
    "racks": "racks",
}


def _exact(name: str, value: float | None, unit: str = "") -> Figure:
    return Figure(name, unit, value, EXACT)


def prefix(fabric: Fabric, name: str) -> str:
    """Return what stands before a network's figures: nothing where there is but one network."""
    return "" if len(fabric.networks) == 1 else f"{name}: "


def _networks(fabric: Fabric) -> Iterator[Figure]:
    """Yield oversubscription, bisection and hops of each network."""
    for row, network in enumerate(fabric.networks):
        start = prefix(fabric, network.name)
        speeds_known = fabric.links.speed_bps[fabric.links.network == row].all()
        ratios = oversubscription(fabric, row) if speeds_known else []
        hops = hop_counts(fabric, row) or {}
        pairs = sum(count for links, count in hops.items() if links > 0)
        total = sum(links * count for links, count in hops.items() if links > 0)
        yield _exact(f"{start}oversubscription", math.prod(ratios) if ratios else None)
        yield _exact(f"{start}bisection links", halves_cut(fabric, row))
        yield _exact(f"{start}longest path [links]", max(hops, default=None))
        yield _exact(f"{start}mean path [links]", total / pairs if pairs else None)


def _collectives(evaluation: Evaluation) -> Iterator[Figure]:
    """Yield bus bandwidth and its bound, of the fastest algorithm that a layout states of each collective."""
    best: dict[tuple[str, float], tuple[float, float | None]] = {}
    for result in evaluation.collectives:
        key = (result.collective, result.nbytes)
        busbw = result.busbw_bytes_per_s or 0.0
        if key not in best or busbw > best[key][0]:
            best[key] = (busbw, result.bound_busbw_bytes_per_s)
    for (collective, nbytes), (busbw, bound) in best.items():
        share = next(share for least, share in _MODEL_ERRORS if nbytes >= least)
        words = f"model, ±{100 * share:.0f} % of measurements" if share < 1 else "model, within a factor of 2"
        title = f"{collective} {format_size(nbytes)}"
        yield Figure(f"{title} busbw", "B/s", busbw or None, words, share * busbw)
        yield _exact(f"{title} bound", bound, "B/s")


def _congestion(evaluation: Evaluation) -> Iterator[Figure]:
    for name, row in evaluation.congestion.items():
        start = prefix(evaluation.fabric, name)
        error = _STANDARD_ERRORS * row.effective_bisection_error
        yield _exact(f"{start}busiest link over host link", row.max_link_load)
        yield Figure(f"{start}effective bisection", "%", 100 * row.effective_bisection, _SAMPLED, 100 * error)


def _power(evaluation: Evaluation) -> Iterator[Figure]:
    cooling, it_w = evaluation.cooling, _known(evaluation.power.it_max_w)
    assumed = {row.what for row in evaluation.assumptions}
    yield Figure("IT power", "W", it_w, PUBLISHED)
    facility_w = _known(cooling.facility_w)
    words, shared = PUBLISHED, {}
    if "PUE" in assumed and facility_w is not None and it_w is not None:
        words = f"assumed PUE, ±{100 * OVERHEAD_ERROR:.0f} % of the overhead"
        shared = {"overhead": OVERHEAD_ERROR * (facility_w - it_w)}
    yield Figure("facility power", "W", facility_w, words, shared=shared)
    air_w, liquid_w = (None if it_w is None else float(np.nansum(w)) for w in (cooling.air_w, cooling.liquid_w))
    words, shared = PUBLISHED, {}
    if liquid_w is not None and any("cold plates" in what for what in assumed):
        words = f"assumed share of cold plates, ±{100 * COLD_PLATE_ERROR:.0f} %"
        shared = {"cold plates": COLD_PLATE_ERROR * liquid_w}
    yield Figure("heat to air", "W", air_w, words, shared=shared)
    yield Figure("heat to liquid", "W", liquid_w, words, shared=shared)


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _cost(evaluation: Evaluation) -> Iterator[Figure]:
    """Yield what is bought; each thing's price has one error that all designs share."""
    cost = evaluation.cost
    for name, value, parts in (
        ("capex", cost.capex, {"network", "compute", "facility"}),
        ("network cost", cost.network, {"network"}),
    ):
        priced = [row for row in cost.rows if row.part in parts and not row.source.startswith("layout")]
        shared: dict[str, float] = {}
        for row in priced:  # lengths of a cable share what its price rests on
            part = re.sub(r" [\d.]+ m$", "", row.name)
            shared[part] = shared.get(part, 0.0) + PRICE_ERROR * (row.total or 0.0)
        yield Figure(name, cost.currency, value, _PRICES if priced else AS_STATED, shared=shared)


def _findings(design: Design) -> Iterator[Figure]:
    for severity in _SEVERITIES:
        yield _exact(f"{severity}s", sum(row.severity == severity for row in design.findings))
