"""A plan from what was built: the rule that most links follow."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabrictool.cabling.naming import folded
from fabrictool.cabling.rules import Ints, fitted
from fabrictool.errors import InputError, Problem
from fabrictool.fabric import KINDS, Fabric
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.found import natural
from fabrictool.formats.imported import Report
from fabrictool.records import Finding, Sighting

#: Share of a group's links that must follow a rule before it is taken as the plan.
MAJORITY = 0.6
#: Share of a group's devices that must use a port before the rule gives it to all.
USUAL = 0.5
#: Links of a group that tell no rule, and are no plan either: fewer are beside the plan.
FEWEST = 4
_NUMBER = re.compile(r"(\d+)(?!.*\d)")


@dataclass(slots=True)
class _Group:
    """Links between lower devices of one kind of name and upper ones, by place and port."""

    names: dict[int, str]
    labels: list[str]
    uppers: dict[int, str]
    upper_labels: list[str]
    kinds: tuple[str, str]
    rows: list[tuple[int, int, int, int]]
    speed_bps: float = 0.0


def inferred(fabric: Fabric, name: str) -> tuple[Fabric, list[Finding]]:
    """Return the fabric that the majority's rules give, and what was taken for a rule.

    Parameters
    ----------
    fabric : Fabric
        As it was built.
    name : str
        What messages call it.

    Raises
    ------
    InputError
        If no group of links follows a rule.
    """
    cabled = Cabled(Report(name))
    told: dict[str, list[int]] = {}
    ruled = 0
    for group in _groups(fabric):
        rows, agreeing = _predicted(group)
        total = len(group.rows)
        if total < FEWEST:
            continue
        holds = agreeing >= MAJORITY * total
        ruled += total * holds
        rows = rows if holds else group.rows
        links = f"{group.kinds[0]}-{group.kinds[1]} links"
        text = f"{links}: the rule that most follow is the plan" if holds else f"{links}: taken as they are, by no rule"
        told.setdefault(text, []).append(agreeing if holds else total)
        _add(cabled, group, rows)
    if not ruled:
        what = "no rule holds for most of its links, so that none can be the plan"
        raise InputError([Problem(name, what, "give the plan, or dumps that cover more of the fabric")])
    notes = [_note(name, f"{text} ({sum(counts):,} links in {len(counts)} groups)") for text, counts in told.items()]
    return cabled.fabric(name, "unknown"), notes


def fabric_of(sightings: Iterable[Sighting], name: str) -> Fabric:
    """Return the fabric in sightings of single devices; kinds follow from names."""
    cabled = Cabled(Report(name))
    done: set[frozenset[tuple[str, str]]] = set()
    for row in sightings:
        ends = ((row.device, row.port), (row.peer, row.peer_port))
        if row.seen and row.peer and frozenset(ends) not in done:
            done.add(frozenset(ends))
            a, z = (End(device, "", port) for device, port in ends)
            cabled.add(0, a, z, row.speed_bps, 0.0, "as-built")
    if not cabled.devices:
        raise InputError([Problem(name, "holds no link", "give dumps with neighbours")])
    return cabled.fabric(name, "unknown")


def _note(name: str, message: str) -> Finding:
    return Finding("rule-inferred", "note", name, message, "give the plan to be sure")


def _groups(fabric: Fabric) -> list[_Group]:
    names, kind = fabric.names, [KINDS[code] for code in fabric.devices.kind.tolist()]
    places = _places(names, kind)
    label = [str(number) for number in fabric.ports.number.tolist()]
    if fabric.ports.label is not None:
        label = [word or number for word, number in zip(fabric.ports.label.tolist(), label, strict=True)]
    columns = (*fabric.ends, fabric.links.port_a, fabric.links.port_z, fabric.links.speed_bps)
    found: defaultdict[tuple[str, str, str, str], list[tuple[int, str, int, str]]] = defaultdict(list)
    speeds: defaultdict[tuple[str, str, str, str], Counter[float]] = defaultdict(Counter)
    for a, z, i, j, speed in zip(*(column.tolist() for column in columns), strict=True):
        key = (kind[a], _stem(names[a]), kind[z], _stem(names[z]))
        found[key].append((a, label[i], z, label[j]))
        speeds[key][speed] += 1
    return [
        replace(_group(rows, names, places, (key[0], key[2])), speed_bps=speeds[key].most_common(1)[0][0])
        for key, rows in found.items()
        if "aggregation" not in key
    ]


def _group(
    rows: Sequence[tuple[int, str, int, str]], names: Sequence[str], places: Sequence[int], kinds: tuple[str, str]
) -> _Group:
    labels = sorted({row[1] for row in rows}, key=natural)
    uppers = sorted({row[3] for row in rows}, key=natural)
    low, high = ({word: at for at, word in enumerate(words)} for words in (labels, uppers))
    return _Group(
        {places[a]: names[a] for a, *_ in rows}, labels, {places[z]: names[z] for _, _, z, _ in rows}, uppers, kinds,
        [(places[a], low[i], places[z], high[j]) for a, i, z, j in rows],
    )  # fmt: skip


def _stem(name: str) -> str:
    return _NUMBER.sub("#", folded(name))


def _places(names: Sequence[str], kinds: Sequence[str]) -> list[int]:
    """Return the place of each device among those of its kind of name: its number, else its rank."""
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        groups[kind, _stem(name)].append(row)
    found = [0] * len(names)
    for rows in groups.values():
        matches = [_NUMBER.search(folded(names[row])) for row in rows]
        numbers = [int(match[1][:9]) if match else -1 for match in matches]
        if len(set(numbers)) < len(rows) or max(numbers) - min(numbers) > 4 * len(rows):
            ranks = {row: rank for rank, row in enumerate(sorted(rows, key=lambda row: natural(names[row])))}
            numbers = [ranks[row] for row in rows]
        for row, number in zip(rows, numbers, strict=True):
            found[row] = number - min(numbers)
    return found


def _predicted(group: _Group) -> tuple[list[tuple[int, int, int, int]], int]:
    """Return the links that the rules give, and how many of the group's own are among them."""
    place, port, upper, upper_port = (np.array(column, np.int64) for column in zip(*group.rows, strict=True))
    device_rule, port_rule = fitted(place, port, upper), fitted(place, port, upper_port)
    uses = Counter(port.tolist())
    usual = [label for label, count in uses.items() if count >= USUAL * len(group.names)]
    j, q = (grid.ravel() for grid in np.meshgrid(np.array(sorted(group.names)), np.array(sorted(usual) or [0])))
    rows = _possible(group, j, q, device_rule(j, q), port_rule(j, q))
    agreeing = len(set(rows) & set(group.rows))
    odd = [row for row in group.rows if row[1] not in usual]
    taken = {(row[2], row[3]) for row in rows}
    return rows + [row for row in odd if (row[2], row[3]) not in taken], agreeing


def _possible(group: _Group, j: Ints, q: Ints, upper: Ints, port: Ints) -> list[tuple[int, int, int, int]]:
    """Return predicted links whose ends exist, each port once: the link that was seen before others."""
    seen = set(group.rows)
    rows = list(zip(j.tolist(), q.tolist(), upper.tolist(), port.tolist(), strict=True))
    taken: set[tuple[int, int]] = set()
    kept = []
    for row in sorted(rows, key=lambda row: row not in seen):
        if row[2] in group.uppers and 0 <= row[3] < len(group.upper_labels) and row[2:] not in taken:
            taken.add(row[2:])
            kept.append(row)
    return sorted(kept)


def _add(cabled: Cabled, group: _Group, rows: Iterable[tuple[int, int, int, int]]) -> None:
    for a, i, z, j in rows:
        ends = (
            End(group.names[a], group.kinds[0], group.labels[i]),
            End(group.uppers[z], group.kinds[1], group.upper_labels[j]),
        )
        cabled.add(0, *ends, group.speed_bps, 0.0, "inferred")
