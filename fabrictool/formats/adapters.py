"""Which channel adapters make up a host, and which rail each of a host's ports is on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from fabrictool.formats.descriptions import adapter
from fabrictool.formats.found import natural
from fabrictool.formats.imported import Report
from fabrictool.formats.subnet import Chip


def hosts_of(adapters: Sequence[Chip], report: Report) -> list[list[Chip]]:
    """Join adapters to hosts: by the host's name in their descriptions, else by their system image GUID.

    A name that would give a host the same adapter twice belongs to several machines and joins nothing.
    """
    named: defaultdict[str, list[Chip]] = defaultdict(list)
    unnamed: defaultdict[object, list[Chip]] = defaultdict(list)
    for chip in adapters:
        host, _ = adapter(chip.description)
        if host:
            named[host].append(chip)
        else:
            unnamed[chip.system or chip.key].append(chip)
    hosts = []
    for host, chips in named.items():
        if _distinct(chips):
            hosts.append(chips)
            continue
        by_system: defaultdict[object, list[Chip]] = defaultdict(list)
        for chip in chips:
            by_system[chip.system or chip.key].append(chip)
        hosts += by_system.values()
        what = f"{len(by_system)} machines call themselves '{host}'"
        report.warn("name-duplicate", chips[-1].line, what, "give each host a name of its own")
    return [sorted(chips, key=_order) for chips in (*hosts, *unnamed.values())]


def _order(chip: Chip) -> tuple[object, int, int]:
    return natural(adapter(chip.description)[1]), min(chip.ends, default=0), chip.guid


def _distinct(chips: Sequence[Chip]) -> bool:
    used = [(adapter(chip.description)[1], number) for chip in chips for number in chip.ends or (0,)]
    return len(set(used)) == len(used)


def host_name(chips: Sequence[Chip]) -> str:
    """Return the name of a host from its first adapter."""
    return adapter(chips[0].description)[0] or chips[0].description or chips[0].key


def port_labels(chips: Sequence[Chip]) -> list[tuple[Chip, int, str]]:
    """Return adapter, port and label of each of a host's ports, in their order.

    A label is the adapter's name, with the port behind it where an adapter has several: ``mlx5_0/2``.
    Adapters without a name are told by their place.
    """
    found = []
    names = Counter(adapter(chip.description)[1] for chip in chips)
    for place, chip in enumerate(chips, 1):
        name = adapter(chip.description)[1]
        numbers = sorted(set(chip.ends) | set(range(1, min(chip.port_count, 8) + 1)))
        several = len(numbers) > 1 or names[name] > 1
        for number in numbers:
            stem = name or (f"adapter{place}" if len(chips) > 1 else "")
            found.append((chip, number, f"{stem}/{number}" if several and stem else stem))
    return found


def rails(ports: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return the rail of each connected port of each host, by the ports' labels.

    The most frequent set of labels of several ports is the pattern; a host whose labels are all in it,
    as one whose adapter failed, gets its rails from there, another one counts its own ports. A host with one
    port is on no rail.
    """
    uses = Counter(tuple(labels) for labels in ports if len(labels) > 1)
    pattern = max(uses, key=lambda labels: (uses[labels], len(labels)), default=())
    place = {label: rail for rail, label in enumerate(pattern)}
    found = []
    for labels in ports:
        if len(labels) < 2:
            found.append([-1] * len(labels))
        elif set(labels) <= place.keys():
            found.append([place[label] for label in labels])
        else:
            found.append(list(range(len(labels))))
    return found
