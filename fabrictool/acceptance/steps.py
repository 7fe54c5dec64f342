"""The steps of a ladder, derived from where the ports of a fabric's hosts are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

import numpy as np

from fabrictool.acceptance.ladder import ALL_REDUCE, ALL_TO_ALL, Run, Step
from fabrictool.acceptance.pairing import rounds_of_pairs
from fabrictool.acceptance.subject import Ints, Subject

#: Fewer hosts than these under a leaf are a pair, which the step before measures.
_GROUP = 3
Found = Iterator[tuple[str, Step | str]]


def word(name: str) -> str:
    """Return a name as it stands in names of logs: without dots, slashes and plus signs."""
    return quote(name, safe="-_").replace(".", "%2E").replace("~", "%7E")


def token(name: str) -> str:
    """Return a name as it stands in scripts and lists of hosts: one word, of which a shell takes nothing apart."""
    return quote(name, safe="-_.+~")


def pair_name(subject: Subject, step: str, number: int, pair: tuple[int, int]) -> str:
    """Return the name of a run of two hosts."""
    return f"{step}.{number}." + "+".join(word(subject.names[host]) for host in pair)


def all_steps(subject: Subject) -> Found:
    """Yield each step, or why there is none of its kind."""
    yield "each host alone", _hosts(subject)
    yield "scale-up domains", _domains(subject)
    yield "pairs under the same leaves", _pairs(subject)
    yield "leaves", _leaves(subject)
    yield from _uplinks(subject)
    yield "pairs across rails", _across_rails(subject)
    yield "rails", _rails(subject)
    yield from _units(subject)
    yield "the whole hall", _hall(subject)


def _all_gpus(subject: Subject, hosts: Sequence[int]) -> tuple[int, ...]:
    """Return the GPUs that each of some hosts has."""
    return tuple(range(int(subject.gpus[list(hosts)].min())))


def _hosts(subject: Subject) -> Step | str:
    several = np.flatnonzero(subject.gpus > 1)
    if not len(several):
        return "hosts have one GPU each"
    if not subject.scaled_up:
        return "no scale-up domain is stated that joins the GPUs of a host"
    runs = tuple(
        Run(f"host.{word(subject.names[host])}", "host", 1, ALL_REDUCE, (host,), _all_gpus(subject, (host,)))
        for host in several.tolist()
    )
    asks = "GPUs, scale-up links and their switches inside each host; no cable of the network takes part"
    return Step("host", "each host alone", asks, runs)


def _members(label: Ints) -> list[list[int]]:
    """Return the hosts of each group, in order of its label."""
    order = np.argsort(label, kind="stable")
    cut = np.flatnonzero(np.diff(label[order])) + 1
    return [part.tolist() for part in np.split(order, cut)]


def _domains(subject: Subject) -> Step | str:
    groups = [hosts for hosts in _members(subject.domain) if len(hosts) > 1]
    if not groups:
        return "no scale-up domain spans several hosts"
    runs = tuple(
        Run(f"domain.{word(subject.names[hosts[0]])}", "domain", 1, ALL_REDUCE, tuple(hosts), _all_gpus(subject, hosts))
        for hosts in groups
    )
    return Step("domain", "scale-up domains", "scale-up links and switches between the hosts of each domain", runs)


def _matched(subject: Subject, pairs: Sequence[tuple[int, int]], step: str, number: int, **more: object) -> list[Run]:
    """Return the runs of pairs that reach each other over the network alone."""
    return [
        Run(pair_name(subject, step, number, pair), step, number, **({"test": ALL_REDUCE} | more),  # type: ignore[arg-type]
            hosts=pair, gpus=_all_gpus(subject, pair))
        for pair in pairs
        if subject.domain[pair[0]] != subject.domain[pair[1]]
    ]  # fmt: skip


def _near_pairs(subject: Subject, step: str, **more: object) -> tuple[Run, ...]:
    """Return two or three rounds of pairs of hosts on the same leaves, of all leaves at once."""
    runs: list[Run] = []
    for hosts in _members(subject.levels[0]):
        by_domain = sorted(hosts, key=lambda host: int(subject.domain[host]) if subject.domain[host] >= 0 else host)
        for number, pairs in enumerate(rounds_of_pairs(len(by_domain)), 1):
            runs += _matched(subject, [(by_domain[i], by_domain[j]) for i, j in pairs], step, number, **more)
    return tuple(sorted(runs, key=lambda run: run.round))


def _pairs(subject: Subject) -> Step | str:
    runs = _near_pairs(subject, "pair")
    if not runs:
        return "no two hosts share their leaves outside a scale-up domain"
    asks = "adapters, host links and leaf ports: each host meets two others under its leaves"
    return Step("pair", "pairs under the same leaves", asks, runs)


def _leaves(subject: Subject) -> Step | str:
    """Return one run for each leaf (in planes, for each set of leaves): the GPUs on it, the same of each host."""
    seat = np.sort(subject.seat.reshape(-1, subject.seat.shape[2]), axis=1)
    used = np.flatnonzero(subject.endpoint.ravel() >= 0)
    leaves, label = np.unique(seat[used], axis=0, return_inverse=True)
    host, gpu = np.divmod(used, subject.endpoint.shape[1])
    runs = []
    for row in np.argsort(leaves[:, -1], kind="stable").tolist():
        on = np.flatnonzero(label.ravel() == row)
        if len(np.unique(host[on])) >= _GROUP and len(np.unique(subject.domain[host[on]])) > 1:
            title = "+".join(word(subject.fabric.names[leaf]) for leaf in np.unique(leaves[row][leaves[row] >= 0]))
            runs += _alike(f"leaf.{title}", host[on], gpu[on])
    if not runs:
        return "no leaf joins three hosts or more that are not in one scale-up domain"
    return Step("leaf", "leaves", "each leaf switch, with all hosts on it at once", tuple(runs))


def _alike(name: str, host: Ints, gpu: Ints) -> list[Run]:
    """Return a run over the largest set of hosts that have the same GPUs on a leaf."""
    sets: dict[tuple[int, ...], list[int]] = {}
    for one in np.unique(host).tolist():
        sets.setdefault(tuple(gpu[host == one].tolist()), []).append(one)
    gpus, hosts = max(sets.items(), key=lambda item: len(item[1]))
    return [Run(name, "leaf", 1, ALL_REDUCE, tuple(hosts), gpus)] if len(hosts) >= _GROUP else []


def _uplinks(subject: Subject) -> Found:
    """Yield pairs of hosts that meet at each tier above the leaves, all at once."""
    levels = subject.levels
    if len(levels) == 1:
        yield "pairs between leaves", "all hosts share their leaves"
    for level in range(1, len(levels)):
        step = "uplink" if level == 1 else f"uplink{level}"
        runs: list[Run] = []
        for hosts in _members(levels[level]):
            below = [[hosts[row] for row in rows] for rows in _members(levels[level - 1][hosts])]
            for number, groups in enumerate(rounds_of_pairs(len(below)), 1):
                pairs = [pair for i, j in groups for pair in zip(below[i], below[j], strict=False)]
                runs += _matched(subject, pairs, step, number)
        title = "pairs between leaves" if level == 1 else f"pairs that meet at tier {level + 1}"
        asks = "uplinks and the switches above: each host meets hosts elsewhere, and all do so at once"
        ordered = tuple(sorted(runs, key=lambda run: run.round))
        yield title, Step(step, title, asks, ordered) if runs else "no two hosts meet there"


def _across_rails(subject: Subject) -> Step | str:
    """Return pairs whose data crosses rails in the network, where nothing else uses the spines."""
    if len(subject.levels) > 1:
        return "pairs between leaves use the same uplinks"
    if len(np.unique(subject.seat[0])) < 2 or not subject.transport.joined:
        return "no switches join leaves"
    runs = _near_pairs(subject, "across", test=ALL_TO_ALL, pxn=False)
    asks = "uplinks and spines between the leaves of different rails, which data on its own rail never uses"
    return Step("across", "pairs across rails", asks, runs) if runs else "no two hosts share their leaves"


def _rails(subject: Subject) -> Step | str:
    rails = np.unique(subject.rail[subject.rail >= 0])
    if len(rails) < 2:
        return "the network has no rails"
    if len(subject.levels) == 1:
        return "each rail is one leaf, which the leaves' step measures"
    runs = []
    for rail in rails.tolist():
        on = subject.rail == rail
        gpus = np.unique(np.nonzero(on)[1])
        hosts = np.flatnonzero(on[:, gpus].all(axis=1))
        if len(hosts) >= _GROUP:
            name = f"rail.{rail + 1}"
            runs.append(Run(name, "rail", 1, ALL_REDUCE, tuple(hosts.tolist()), tuple(gpus.tolist())))
    if not runs:
        return "no rail has three hosts or more"
    return Step("rail", "rails", "each rail over all hosts, with the other rails beside it", tuple(runs))


def _units(subject: Subject) -> Found:
    """Yield whole groups between a leaf and the hall: scalable units, pods, dragonfly groups."""
    levels = subject.levels
    named = 0
    for level, label in enumerate(levels[:-1]):
        if level == 0 and len(np.unique(subject.seat[0])) == subject.seat.shape[2]:
            continue  # these are leaves
        groups = [hosts for hosts in _members(label) if len(np.unique(subject.domain[hosts])) > 1]
        if level == 0 and not groups:
            continue  # these are scale-up domains
        named += 1
        step = "unit" if named == 1 else f"unit{named}"
        title = "scalable units, pods or groups" if named == 1 else f"groups that meet at tier {level + 1}"
        runs = [
            Run(f"{step}.{number}.{test}", step, row, test, tuple(hosts), _all_gpus(subject, hosts))
            for row, test in enumerate((ALL_REDUCE, ALL_TO_ALL), 1)
            for number, hosts in enumerate(groups, 1)
            if len(hosts) >= _GROUP
        ]
        asks = "each group of hosts as a whole, the others beside it"
        yield title, Step(step, title, asks, tuple(runs)) if runs else "no group has three hosts or more"


def _hall(subject: Subject) -> Step | str:
    hosts = tuple(range(len(subject.device)))
    if len(hosts) < _GROUP:
        return "there are fewer than three hosts"
    runs = tuple(
        Run(f"hall.{test}", "hall", number, test, hosts, _all_gpus(subject, hosts))
        for number, test in enumerate((ALL_REDUCE, ALL_TO_ALL), 1)
    )
    return Step("hall", "the whole hall", "everything at once: spines, routing, and how it all scales", runs)
