"""The arithmetic of a sized layout in words, with what was counted on the fabric that it builds."""

from __future__ import annotations

from collections.abc import Iterator

from fabrictool.explore.direct import DirectSize
from fabrictool.explore.proof import SWITCHES, Proof
from fabrictool.explore.sizing import Intent, Size, counted
from fabrictool.fabric.counting import network_counts


def arithmetic(intent: Intent, size: Size | DirectSize, proof: Proof, asked: tuple[int, int]) -> list[str]:
    """Return how the numbers of switches come about, line by line.

    Parameters
    ----------
    intent : Intent
    size : Size or DirectSize
    proof : Proof
        Counts on the built fabric.
    asked : tuple of int
        Hosts now and to come, before racks of hosts were filled.
    """
    if not isinstance(size, Size):
        rows = size.arithmetic(intent, proof.fabric)
    else:
        rows = _pair(intent, size) if intent.family == "switch-pair" else _tree(intent, size, proof)
    title = f"The arithmetic, proven by building it from {intent.title}:"
    every = [*_racks(intent, asked), *rows, *_counted(proof), *_addresses(intent, proof), *_later(intent, proof)]
    return [title, *(f"- {row}" for row in every)]


def _racks(intent: Intent, asked: tuple[int, int]) -> Iterator[str]:
    """Yield how many racks the hosts asked for are, where they come in whole racks."""
    if intent.trays == 1:
        return
    now, later = intent.hosts // intent.trays, intent.growth // intent.trays
    words = f"{counted(now, 'rack')} of {intent.trays} = {intent.hosts:,}"
    yield f"hosts: each tray of a rack is one; {asked[0]:,} asked for -> {words}"
    if asked[1]:
        yield f"hosts to come: {asked[1]:,} asked for -> {counted(later, 'rack')} more = {intent.growth:,}"


def _pair(intent: Intent, size: Size) -> Iterator[str]:
    each = -(-intent.lanes // 2)
    down = each * intent.total
    used = down + size.up + intent.reserve
    yield (
        f"a leaf: {intent.total:,} hosts x {each} links + {size.up} to the other leaf{_kept(intent)} "
        f"= {used} of {intent.ports} ports"
    )


def _kept(intent: Intent) -> str:
    return f" + {intent.reserve} kept free" if intent.reserve else ""


def _tree(intent: Intent, size: Size, proof: Proof) -> Iterator[str]:
    """Yield how leaves, spines and cores come about."""
    counts = proof.counts
    down = size.unit * intent.width
    wide = f" x {intent.width} links" if intent.width > 1 else ""
    up = f" + {size.up} up" if size.up else ""
    used = down + size.up + intent.reserve
    yield f"a leaf: {size.unit} hosts{wide}{_kept(intent)}{up} = {used} of {intent.ports} ports"
    units = -(-intent.hosts // size.unit)
    times = [f"{units:,} unit{'s' if units > 1 else ''} of {size.unit} hosts"]
    if size.pod:
        times = [
            f"{size.leaves(intent.hosts) // size.pod} pods of {size.pod} leaves for {units:,} times {size.unit} hosts"
        ]
    times += [f"{intent.columns} rails"] if intent.columns > 1 else []
    times += [f"{intent.copies} {'rails' if intent.family == 'rail-only' else 'planes'}"] if intent.copies > 1 else []
    whole = units * intent.columns * intent.copies
    pods = "" if size.pod or whole == counts["leaf"] else f" {whole:,}, in equal pods"
    yield f"leaves: {' x '.join(times)} ={pods} {counts['leaf']:,}"
    if size.levels == 2:
        yield from _spines(intent, size, counts["spine"])
    elif size.levels == 3:
        yield f"spines: {counts['spine']:,}, cores: {counts['core']:,}: the fewest that divide the uplinks below evenly"


def _spines(intent: Intent, size: Size, spines: int) -> Iterator[str]:
    leaves = -(-intent.total // size.unit) * intent.columns
    least = -(-leaves * size.up // intent.ports)
    quotient = f"{leaves:,} leaves x {size.up} uplinks / {intent.ports} ports = {leaves * size.up / intent.ports:.4g}"
    parallel = size.up // size.spines
    each = f"{parallel} link{'s' if parallel > 1 else ''} from each leaf to each spine"
    more = f", x {intent.copies} {'rails' if intent.family == 'rail-only' else 'planes'} = {spines:,}"
    rule = "" if least == size.spines else f"; {least} does not divide {size.up}, the next divisor does"
    yield f"spines: {quotient} -> {size.spines}{rule}{more if intent.copies > 1 else ''}"
    yield each


def _counted(proof: Proof) -> Iterator[str]:
    """Yield what was counted: switches, free ports and oversubscription."""
    kinds = [kind for kind in SWITCHES if proof.counts.get(kind)]
    total = sum(proof.counts[kind] for kind in kinds)
    parts = " + ".join(f"{proof.counts[kind]:,}" for kind in kinds)
    yield f"switches: {parts} = {total:,}" if len(kinds) > 1 else f"switches: {total:,}"
    free = ", ".join(f"{kind} {proof.free.get(kind, 0):,}" for kind in kinds)
    ratio = f"; oversubscription {proof.oversubscription:.4g}:1" if proof.oversubscription is not None else ""
    yield f"free ports: {free}{ratio}"


def _addresses(intent: Intent, proof: Proof) -> Iterator[str]:
    """Yield that a subnet has too few addresses, as trees of very many hosts may find."""
    need = (intent.host_ports + proof.switches) // intent.copies
    if intent.lids is not None and need > intent.lids:
        what = f"a subnet has {intent.lids:,} (LIDs), too few for {need:,} host ports and switches"
        yield f"addresses: {what}: choose an Ethernet switch, or planes"


def _later(intent: Intent, proof: Proof) -> Iterator[str]:
    if proof.grown is None:
        return
    after = network_counts(proof.grown)[proof.grown.networks[0].name]
    added = {kind: after.get(kind, 0) - proof.counts.get(kind, 0) for kind in SWITCHES}
    plural = {"leaf": "leaves", "spine": "spines", "core": "cores", "router": "routers"}
    words = " and ".join(f"{count:,} {plural[kind]}" for kind, count in added.items() if count) or "no switch"
    yield f"growth: {intent.growth:,} hosts more take {words} more; no cable of today moves"
