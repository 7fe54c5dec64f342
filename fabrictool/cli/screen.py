"""The first screen of ``score``: verdict first, then what it rests on.

Every number bears a mark of its evidence: # counted, ~ modelled, * assumed.
"""

from __future__ import annotations

import math
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from fabrictool.catalogue.store import EDITION
from fabrictool.cli.behind import behind, lost_words
from fabrictool.cli.cooling_lines import cooling_lines, power_text
from fabrictool.cli.measured import measured_lines
from fabrictool.cli.rack_lines import rack_lines
from fabrictool.fabric.counting import free_ports, network_counts, oversubscription
from fabrictool.layout.source import STDIN
from fabrictool.units import format_size, format_speed, format_time

if TYPE_CHECKING:
    from fabrictool.evaluation import Evaluation
    from fabrictool.records import Finding

_PROTOCOLS = {"infiniband": "InfiniBand", "ethernet": "Ethernet (RoCE)", "efa": "EFA", "tcp": "TCP"}
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
SHOWN = 6
#: At the end of what is ordered by length.
_LENGTH = re.compile(r" [\d.,]+ m$")
MOST_RANKS = 32_768
WIDTH = 110
_TOTALS = (("GPUs", "gpus"), ("hosts", "hosts"), ("switches", "switches"), ("racks", "racks"))


def first_screen(evaluation: Evaluation, verbose: bool, no_colour: bool) -> str:
    """Return the screen as text; with ``verbose`` all racks, findings and assumptions."""
    lines = [
        *_verdict(evaluation, verbose),
        *_scenario(evaluation),
        *_fabric(evaluation),
        *_lossless(evaluation),
        *_collectives(evaluation, verbose),
        *measured_lines(evaluation.measured, verbose),
        *_if_lost(evaluation),
        *_power(evaluation),
        *_racks(evaluation, verbose),
        *_cost(evaluation, verbose),
        *_assumptions(evaluation, verbose),
        *_next(evaluation),
    ]
    text = "\n".join(lines)
    if verbose and len(evaluation.cooling.loops):
        text += "\n\n" + evaluation.cooling.loops.table().render(WIDTH).rstrip("\n")
    return click.unstyle(text) if no_colour else text


def _width() -> int:
    """Return the columns to print in: those of the terminal, within reason."""
    return min(max(shutil.get_terminal_size((WIDTH, 24)).columns, 60), WIDTH)


def _wrapped(text: str, indent: int) -> str:
    """Break text for the terminal; its lines after the first stand under each other at ``indent``."""
    lines = textwrap.wrap(text, _width() - indent, break_on_hyphens=False, break_long_words=False)
    return ("\n" + " " * indent).join(lines)


def _head(title: str) -> str:
    return click.style(f"{title:<9}", bold=True)


def _verdict(evaluation: Evaluation, verbose: bool) -> Iterator[str]:
    yield f"{click.style(evaluation.layout.name, bold=True)}   catalogue {EDITION}   # counted  ~ modelled  * assumed"
    by_severity = {name: [f for f in evaluation.findings if f.severity == name] for name in _COLOURS}
    numbers = [f"{len(rows)} {name}{'s' if len(rows) != 1 else ''}" for name, rows in by_severity.items() if rows]
    numbers.append(f"{len(evaluation.assumptions)} assumptions")
    word = (
        click.style("READY", fg="green", bold=True) if evaluation.ok else click.style("NOT READY", fg="red", bold=True)
    )
    yield f"{_head('VERDICT')}{word}   {'  '.join(numbers)}"
    for severity, rows in by_severity.items():
        shown = rows if verbose else rows[:SHOWN]
        for number, finding in enumerate(shown, 1):
            yield from _finding(severity, number, finding)
        if len(rows) > len(shown):
            yield f" … {len(rows) - len(shown)} more {severity}s: -v shows them"


def _finding(severity: str, number: int, finding: Finding) -> Iterator[str]:
    mark = click.style(f"{severity[0].upper()}{number}", fg=_COLOURS[severity])
    yield f" {mark} {finding.id:<16} {_wrapped(f'{finding.where}: {finding.message}', 21)}"
    if finding.fix:
        yield f"{'':<21}-> {_wrapped(finding.fix, 24)}"


def _scenario(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.state:
        yield f"{_head('SCENARIO')}{evaluation.state.text}  #"


def _fabric(evaluation: Evaluation) -> Iterator[str]:
    fabric = evaluation.fabric
    totals = evaluation.counts
    for row, (name, numbers) in enumerate(network_counts(fabric).items()):
        network = evaluation.layout.networks[name]
        ratios = oversubscription(fabric, row)
        inside = fabric.links.network == row
        speed = format_speed(float(fabric.links.speed_bps[inside].min())) if inside.any() else ""
        tiers = int(fabric.devices.tier[fabric.devices.network == row].max(initial=0))
        blocking = " x ".join(f"{ratio:.4g}:1" for ratio in ratios) or "none"
        yield (
            f"{_head('FABRIC')}{name}  {_PROTOCOLS[network.protocol]} {speed}  {network.family}  "
            f"{tiers} tier{'' if tiers == 1 else 's'}  oversubscription {blocking}"
        )
        kinds = "  ".join(
            f"{kind} {count:,}" for kind, count in numbers.items() if count and kind not in ("links", "cables")
        )
        free = ", ".join(f"{kind} {count:,}" for kind, count in free_ports(fabric, row).items())
        counts = f" {kinds}  links {numbers['links']:,}  cables {numbers['cables']:,}"
        rest = f"  free ports {free}{_credit_loops(evaluation, name)}  #"
        yield from (counts + rest,) if len(counts + rest) <= _width() else (counts, rest[1:])
    cages = f"  transceivers {totals['transceivers']:,}" if totals["transceivers"] else ""
    sums = "  ".join(f"{label} {totals[key]:,}" for label, key in _TOTALS)
    yield f" all networks: {sums}{cages}  #"


def _credit_loops(evaluation: Evaluation, network: str) -> str:
    """Say how many circles of waiting channels a network's routing has, where that is counted."""
    found = evaluation.congestion[network].credit_loops if network in evaluation.congestion else None
    return "" if found is None else f"  credit loops {found or 'none'}"


def _lossless(evaluation: Evaluation) -> Iterator[str]:
    for name, settings in evaluation.lossless.items():
        tightest = settings.tightest
        room = "unknown" if tightest.buffer_bytes is None else f"{tightest.buffer_bytes / 1e6:.4g} MB#"
        ports = ", ".join(f"{place} {need / 1e3:,.0f} kB" for place, need in settings.headroom_bytes.items())
        reach = "" if tightest.max_length_m is None else f", enough to {tightest.max_length_m:,.0f} m~"
        line = f"PFC headroom of a port {ports}~, of a {tightest.type} {tightest.need_bytes / 1e6:.3g} MB~"
        yield " " + _wrapped(f"lossless {name}: {line}, buffer {room}{reach}", 2)


def _collectives(evaluation: Evaluation, verbose: bool) -> Iterator[str]:
    if not evaluation.collectives:
        return
    ranks = sorted({result.ranks for result in evaluation.collectives})
    routing = ", ".join(sorted({row.routing for row in evaluation.congestion.values()}))
    title = f"GB/s busbw, {', '.join(f'{n:,}' for n in ranks)} ranks, {routing}"
    yield f"{_head('COLLECT')}{title:<42}{'bound#':>9}{'model~':>9}{'healthy~':>12}{'time~':>11}  limited by"
    for result in evaluation.collectives:
        label = f"{result.collective}  {format_size(result.nbytes)}  {result.algorithm}"
        if result.model != "rounds":
            label += f" ({result.model})"
        if result.groups is not None:
            label += f"  {result.groups.count} over {result.groups.over}"
        bound, model = (_gb(value) for value in (result.bound_busbw_bytes_per_s, result.busbw_bytes_per_s))
        time = "-" if result.time_s is None else format_time(result.time_s)
        healthy = "-" if result.expected_busbw_range is None else _between(*result.expected_busbw_range)
        lost = "" if result.loss_percent is None else f", {lost_words(result.loss_percent)}"
        yield f" {label:<50}{bound:>9}{model:>9} {healthy:>11}{time:>11}  {result.limited_by}{lost}"
        yield from (f"   {_wrapped(line, 5)}" for line in (behind(result) if verbose else ()))
    for name, row in evaluation.congestion.items():
        hot = f"; hottest {row.hot_links[0][0]}" if row.hot_links else ""
        line = f"congestion {name}: {row.pattern}, busiest link {row.max_link_load:.3g}x a host link's load#{hot}; "
        yield f" {_wrapped(f'{line}effective bisection {100 * row.effective_bisection:.1f} %~', 1)}"


def _between(low: float, high: float) -> str:
    """Write a range of gigabytes a second with three digits, and three decimals at most."""
    if high < 1e6:
        return "<0.001"
    giga = (value / 1e9 for value in (low, high))
    return "-".join(f"{value if value >= 1 else round(value, 3):.3g}" for value in giga)


def _if_lost(evaluation: Evaluation) -> Iterator[str]:
    """Say what one lost switch or host link costs a healthy fabric under D-mod-k; in large ones that takes a second."""
    from fabrictool.changes.capacity import of_hosts
    from fabrictool.changes.if_lost import if_lost
    from fabrictool.collectives.host_bus import limited
    from fabrictool.routing.choose import routing_of
    from fabrictool.routing.wiring import wiring

    fabric = evaluation.fabric
    if len(fabric.gpus) > MOST_RANKS and evaluation.congestion:
        yield f"{_head('IF LOST')}not shown above {MOST_RANKS:,} GPUs; 'impact' takes some seconds more"
        return
    for name, congestion in evaluation.congestion.items():
        if evaluation.state:
            continue
        if congestion.routing != "d-mod-k":
            how = f"not reckoned under {congestion.routing}; 'impact' ranks the loss of each switch and link"
            yield f"{_head('IF LOST')}{name}: {how}"
            continue
        wired = limited(wiring(fabric, fabric.network_row(name)), evaluation.layout.types())
        rows = if_lost(routing_of(of_hosts(wired)))
        lost = [(r.kind, _two_digits(100 * r.all_reduce_lost), _two_digits(100 * r.all_to_all_lost)) for r in rows]
        parts = [f"one {kind} {reduced}~, {exchanged}~" for kind, reduced, exchanged in lost]
        if parts:
            yield _head("IF LOST") + _wrapped(f"% of all-reduce, all-to-all: {'; '.join(parts)}", 9)


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"


def _gb(value: float | None) -> str:
    """Write gigabytes a second with four digits, and five decimals at most."""
    if value is None:
        return "-"
    giga = value / 1e9
    if giga >= 0.01:
        return f"{giga:.4g}"
    return f"{giga:.5f}".rstrip("0") if giga >= 1e-5 else "<0.00001"


def _power(evaluation: Evaluation) -> Iterator[str]:
    power, cooling = evaluation.power, evaluation.cooling
    missing = f"   no data: {', '.join(power.no_power_data)} (not counted as 0)" if power.no_power_data else ""
    if math.isnan(power.it_max_w):
        yield f"{_head('POWER')}{_wrapped(f'no figures{missing}', 9)}"
        return
    facility = _facility_text(evaluation)
    yield f"{_head('POWER')}{_wrapped(f'IT max {power_text(power.it_max_w)}#{facility}{missing}', 9)}"
    racks = [row for row in range(len(power.rack)) if not math.isnan(power.it_w[row])]
    if not racks:
        return
    worst = max(racks, key=lambda row: float(power.it_w[row]))
    limit = float(power.limit_w[worst])
    of = "" if math.isnan(limit) else f" of {power_text(limit)}"
    draw, units = power_text(float(power.it_w[worst])), int(power.units_used[worst])
    yield f" worst rack {power.rack[worst]}: {draw}#{of}, {units} U#"
    yield from _work(evaluation)
    yield from _supply(evaluation)
    air, liquid = float(cooling.air_w[racks].sum()), float(cooling.liquid_w[racks].sum())
    flow = float(cooling.airflow_m3_per_s[racks].sum())
    line = f"{_head('COOLING')}air {power_text(air)}~"
    line += f"  {flow:.1f} m3/s~" if flow else ""
    if liquid:
        line += f"   liquid {power_text(liquid)}~  {float(cooling.coolant_kg_per_s[racks].sum()):.1f} kg/s~"
    yield line
    yield from (f" {_wrapped(line, 1)}" for line in cooling_lines(evaluation))


def _work(evaluation: Evaluation) -> Iterator[str]:
    """Say what the workload draws, how far it swings, and what the last collective takes an accelerator."""
    work = evaluation.work
    idle, _, _, mean = (float(value) for value in work.totals_w)
    if math.isnan(mean):
        return
    line = f"at work {power_text(mean)}~, idle {power_text(idle)}~, swings by {power_text(work.swing_w)}~"
    if not math.isnan(work.facility_w):
        line += f"; the facility then {power_text(work.facility_w)}~"
    if work.step is not None:
        step = work.step
        each = step.energy_j / max(step.gpus, 1)
        line += f"; a step of {format_time(step.time_s)} takes {each:.4g} J an accelerator~"
    elif work.collectives:
        last = work.collectives[-1]
        each = last.total_j / max(last.gpus, 1)
        if not math.isnan(each):
            line += f"; {last.collective} {format_size(last.nbytes)} takes {each:.4g} J an accelerator~"
    yield f" {_wrapped(line, 1)}"


def _racks(evaluation: Evaluation, verbose: bool) -> Iterator[str]:
    lines = rack_lines(evaluation, verbose, _width() - 1)
    first = next(lines, None)
    if first is not None:
        yield f"{_head('RACKS')}{first[8:]}"
    yield from (f" {line}" for line in lines)


def _facility_text(evaluation: Evaluation) -> str:
    """Say what the facility draws, and what it draws over IT."""
    cooling, hall = evaluation.cooling, evaluation.layout.hall
    if math.isnan(cooling.facility_w):
        return ""
    if cooling.year is not None and (hall is None or hall.pue is None):
        return f"   facility up to {power_text(cooling.facility_w)}~, PUE {cooling.pue:.3g}~"
    given = "*" if hall is None or hall.pue is None else "#"
    return f"   facility {power_text(cooling.facility_w)}~ at PUE {cooling.pue:.3g}{given}"


def _supply(evaluation: Evaluation) -> Iterator[str]:
    """Say what the utility delivers, and which element is nearest to its rating under any single failure."""
    supply = evaluation.supply
    if not supply.elements:
        return
    share = 100 * supply.loss_w / supply.utility_w
    line = f"supply: utility {power_text(supply.utility_w)}~, {share:.1f} % of it lost~"
    line += f", {power_text(supply.cooling_w)} for cooling~" if supply.cooling_w else ""
    tightest = max(supply.elements, key=lambda one: one.fullest_w / one.limit_w)
    if math.isfinite(tightest.limit_w):
        cause = f" once {tightest.fullest_failure} has failed" if tightest.fullest_failure else ""
        of = 100 * tightest.fullest_w / tightest.limit_w
        line += f"; tightest {tightest.kind} {tightest.name} at {of:.0f} % of its rating{cause}~"
    yield f" {_wrapped(line, 1)}"


def _cost(evaluation: Evaluation, verbose: bool) -> Iterator[str]:
    cost = evaluation.cost
    parts = []
    if cost.capex is not None:
        parts.append(f"capex {cost.capex / 1e6:,.2f} M {cost.currency}*")
    if cost.network is not None:
        parts.append(f"network {cost.network / 1e6:,.2f} M {cost.currency}*")
    if cost.network_share is not None:
        parts.append(f"= {100 * cost.network_share:.1f} % of capex")
    if cost.missing:
        parts.append(f"no price: {', '.join(_kinds(cost.missing))}")
    yield f"{_head('COST')}{_wrapped('   '.join(parts), 9)}"
    if cost.sources:
        yield " " * 9 + _wrapped(f"prices: {'; '.join(cost.sources)}", 9)
    for row in cost.rows if verbose else ():
        price = (
            "no price" if row.unit_price is None else f"{row.unit_price:,.2f} each, {row.total:,.0f} {cost.currency}"
        )
        yield f" {row.count:>9,} x {row.name:<24} {price}"


def _kinds(names: Sequence[str]) -> list[str]:
    """Return names once each, those that differ in their length alone as one."""
    alike: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        alike.setdefault(_LENGTH.sub("", name), []).append(name)
    return [f"{kind} ({len(found)} lengths)" if len(found) > 1 else found[0] for kind, found in alike.items()]


def _assumptions(evaluation: Evaluation, verbose: bool) -> Iterator[str]:
    rows = evaluation.assumptions
    if not rows:
        return
    if verbose:
        yield _head("ASSUMED").rstrip()
        for row in rows:
            yield f" {row.what}: {_wrapped(f'{row.value}*  ({row.source})', len(row.what) + 3)}"
        return
    yield _head("ASSUMED") + _wrapped(f"{'; '.join(row.what for row in rows)}: -v shows values and sources", 9)


def _next(evaluation: Evaluation) -> Iterator[str]:
    source = evaluation.layout.source
    name = source.name if source and source.name != STDIN else "LAYOUT"
    yield f"{_head('NEXT')}fabrictool show {name}"
    yield f"{'':<9}fabrictool plot {name} --what busbw"
    yield f"{'':<9}fabrictool route {name}"
    yield f"{'':<9}fabrictool impact {name}"
