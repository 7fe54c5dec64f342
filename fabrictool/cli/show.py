"""``fabrictool show``: what a layout consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import (
    asked_by,
    fault_options,
    format_option,
    layouts_argument,
    print_json,
    print_tables,
    quiet_option,
)
from fabrictool.units import format_speed

if TYPE_CHECKING:
    from fabrictool.fabric import Fabric
    from fabrictool.formats.imported import Imported
    from fabrictool.scenario import Asked, State
    from fabrictool.tabular import Table


@click.command("show", short_help="Count what a layout consists of.")
@layouts_argument
@fault_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of faults drawn at random.")
@quiet_option
@format_option
def command(layouts: tuple[str, ...], as_json: bool, form: str, quiet: bool, **options: Any) -> int:
    """Count devices, links, cables, transceivers and free ports of layouts.

    Also oversubscription by tier, hops between hosts, connected parts and the links that part the
    hosts in halves. LAYOUT is a layout file, - for standard input, a fabric saved as .npz, or one from
    elsewhere, such as ibnetdiscover, GraphML, DOT or a plan CSV. Files are told apart by content; .gz and .xz are
    unpacked. What a file states wrongly is a finding.

    With faults, counts and oversubscription stay those of the whole; hops, connected parts and the links
    between halves are those of what is left.
    """
    found = [_summary(path, asked_by(options)) for path in layouts]
    if as_json or form == "json":
        documents = found
        print_json(documents[0] if len(documents) == 1 else documents)
    elif not quiet:
        for document in found:
            print_tables(_tables(document), form)
    return int(any(finding["severity"] == "error" for document in found for finding in document["findings"]))


def _summary(path: str, asked: Asked | None = None) -> dict[str, Any]:
    """Return the document of a layout with its racks, or of a fabric from elsewhere."""
    from fabrictool.design import rule_findings
    from fabrictool.formats.imported import Imported
    from fabrictool.formats.recognise import opened
    from fabrictool.generators.building import build
    from fabrictool.generators.from_file import file_findings
    from fabrictool.power.settling import placed
    from fabrictool.scenario import state_findings, state_of

    layout = opened(path)
    if isinstance(layout, Imported):
        return imported_summary(layout, asked)
    fabric = build(layout)
    placement = placed(layout, fabric)
    state = state_of(fabric, layout, placement, asked)
    rows = (*file_findings(layout), *rule_findings(layout, fabric), *state_findings(state))
    document = summary(fabric, len(placement.racks) if placement else 0, state)
    return document | {"findings": [finding.to_dict() for finding in rows]}


def imported_summary(found: Imported, asked: Asked | None = None) -> dict[str, Any]:
    """Return the JSON document of ``show`` for a fabric from elsewhere.

    GPUs are null where the format tells of none, cables are those that the file names.
    """
    from fabrictool.scenario import state_findings, state_of

    state = state_of(found.fabric, asked=asked)
    document = summary(found.fabric, state=state)
    document["counts"] |= found.counts()
    for network, cables in found.cables.items():
        document["network_counts"][network]["cables"] = cables
    apart = {"set_apart": dict(found.set_apart)} if found.set_apart else {}
    stated = {"stated": dict(found.stated)} if found.stated else {}
    findings = [finding.to_dict() for finding in (*found.every_finding(), *state_findings(state))]
    return {"source_format": found.format} | document | apart | stated | {"findings": findings}


def summary(fabric: Fabric, racks: int | None = None, state: State | None = None) -> dict[str, Any]:
    """Return the JSON document of ``show``; ``racks`` is None for a fabric without a layout.

    Hops, parts and the links between halves are those of what a state leaves.
    """
    from dataclasses import asdict

    from fabrictool import __version__
    from fabrictool.fabric import counting, parts
    from fabrictool.fabric.edits import remaining

    left = remaining(fabric, state.faults) if state else fabric
    rows = {network.name: row for row, network in enumerate(fabric.networks)}
    known = {name for name, row in rows.items() if fabric.links.speed_bps[fabric.links.network == row].all()}
    ratios = {name: counting.oversubscription(fabric, row) for name, row in rows.items()}
    return {
        "format": 1,
        "layout": fabric.name,
        "fabrictool": __version__,
        "scenario": state.to_dict() if state else None,
        "counts": counting.counts(fabric) | {"racks": racks},
        "network_counts": counting.network_counts(fabric),
        "links": [asdict(row) | {"speed_bps": row.speed_bps or None} for row in counting.link_counts(fabric)],
        "free_ports": {name: counting.free_ports(fabric, row) for name, row in rows.items()},
        "components": {name: parts.switch_components(left, row) for name, row in rows.items()},
        "bisection_links": {name: parts.halves_cut(left, row) for name, row in rows.items()},
        "hops": {name: _by_hops(parts.hop_counts(left, row)) for name, row in rows.items()},
        "oversubscription": {
            name: _product(ratios[name]) if name in known and (ratios[name] or fabric.networks[row].is_tree) else None
            for name, row in rows.items()
        },
        "oversubscription_by_tier": ratios,
    }


def _network_rows(found: dict[str, Any], names: list[str]) -> dict[str, list[Any]]:
    """Return what is shown of networks: title to one value a network."""
    numbers = found["network_counts"]
    kinds = dict.fromkeys(kind for row in numbers.values() for kind in row)
    free = [", ".join(f"{kind} {count:,}" for kind, count in found["free_ports"][name].items()) for name in names]
    return {kind: [numbers[name].get(kind, 0) for name in names] for kind in kinds} | {
        "free ports": free,
        "oversubscription": [_ratios(found["oversubscription_by_tier"][name]) for name in names],
        "links apart: pairs of hosts": [_hops(found["hops"][name]) for name in names],
        "parts of switches": [found["components"][name] for name in names],
        "links between halves of hosts": [found["bisection_links"][name] for name in names],
    }


def _by_hops(counted: dict[int, int] | None) -> dict[str, int] | None:
    if counted is None:
        return None
    return {"inf" if hops < 0 else str(hops): pairs for hops, pairs in counted.items()}


def _product(ratios: list[float]) -> float:
    result = 1.0
    for ratio in ratios:
        result *= ratio
    return result


def _tables(found: dict[str, Any]) -> list[Table]:
    from fabrictool.tabular import Column, Table

    names = list(found["network_counts"])
    rows = _network_rows(found, names)
    shape = (
        Column("of", list(rows)),
        *(Column(name, [row[at] for row in rows.values()]) for at, name in enumerate(names)),
    )
    links = found["links"]
    wiring = (
        Column("network", [row["network"] for row in links]),
        Column("from", [row["a"] for row in links]),
        Column("to", [row["z"] for row in links]),
        *([Column("scope", [row["scope"] or "" for row in links])] if any(row["scope"] for row in links) else []),
        *(
            Column(key.replace("_", " "), [row[key] for row in links])
            for key in ("count", "cables", "per_pair", "groups")
        ),
        Column("speed", [format_speed(row["speed_bps"]) if row["speed_bps"] else "unknown" for row in links]),
    )
    totals = found["counts"] | {what: count for what, count in found.get("set_apart", {}).items() if count}
    return [
        Table(found["layout"], (Column("of", list(totals)), Column("count", list(totals.values())))),
        Table("networks", shape),
        Table("links", wiring),
        *_finding_tables(found["findings"]),
    ]


def _finding_tables(findings: list[dict[str, str]]) -> list[Table]:
    from fabrictool.tabular import Column, Table

    keys = ("severity", "id", "where", "message", "fix")
    columns = tuple(Column(key, [finding[key] for finding in findings]) for key in keys)
    return [Table("findings", columns)] if findings else []


def _ratios(ratios: list[float]) -> str:
    return " x ".join(f"{ratio:.4g}:1" for ratio in ratios) or "none"


def _hops(hops: dict[str, int] | None) -> str:
    from fabrictool.fabric.parts import MOST_SEARCHED

    if hops is None:
        return f"not counted above {MOST_SEARCHED:,} switches"
    return ", ".join(f"{links}: {pairs:,}" for links, pairs in hops.items())
