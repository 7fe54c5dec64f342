"""The runs to do next: those that tell suspects apart, and halves of what is slow as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from fabrictool.acceptance.candidates import Candidate, Catalogue
from fabrictool.acceptance.judging import Judged
from fabrictool.acceptance.ladder import ALL_REDUCE, ALL_TO_ALL, Ladder, Run
from fabrictool.acceptance.steps import word
from fabrictool.acceptance.subject import Subject
from fabrictool.acceptance.suspects import Suspicion
from fabrictool.acceptance.traffic import Strains, strains

#: Probes for one fault in one round; slow runs that are taken apart, and other partners that are tried.
_MOST, _TAKEN, _PARTNERS = 16, 6, 3
#: A probe tells of a part if that would slow it by this factor, or is nearly full.
_MARGIN, _MOST_STRAIN = 1.25, 0.95
_WORDS = {(ALL_REDUCE, True): "all-reduce", (ALL_TO_ALL, True): "all-to-all", (ALL_TO_ALL, False): "across"}
_TESTS = {word: key for key, word in _WORDS.items()}
_NAME = re.compile(r"probe\.(?P<test>[a-z-]+)\.g(?P<gpus>[\d_]+)\.(?P<hosts>.+)")
_PART = re.compile(r"(?P<run>.+)@(?P<low>\d+)-(?P<high>\d+)")


def probe(subject: Subject, hosts: tuple[int, ...], gpus: tuple[int, ...], test: str, pxn: bool, part: str = "") -> Run:
    """Return a run outside the ladder; its name says all about it."""
    who = part or "+".join(word(subject.names[host]) for host in hosts)
    name = f"probe.{_WORDS[test, pxn]}.g{'_'.join(map(str, gpus))}.{who}"
    return Run(name, "probe", 1, test, hosts, gpus, pxn)


def probe_named(ladder: Ladder, name: str) -> Run | None:
    """Return the probe of a name, None if it is of no probe of this ladder."""
    match = _NAME.fullmatch(name)
    if match is None or match["test"] not in _TESTS:
        return None
    subject = ladder.subject
    gpus = tuple(int(gpu) for gpu in match["gpus"].split("_") if gpu)
    part = _PART.fullmatch(match["hosts"])
    if part is not None and part["run"] in ladder.by_name:
        hosts = ladder.by_name[part["run"]].hosts[int(part["low"]) : int(part["high"]) + 1]
    else:
        place = {word(host): row for row, host in enumerate(subject.names)}
        hosts = tuple(place.get(host, -1) for host in match["hosts"].split("+"))
    known = len(hosts) and min(hosts) >= 0 and gpus and max(gpus) < int(subject.gpus[list(hosts)].min())
    return Run(name, "probe", 1, _TESTS[match["test"]][0], hosts, gpus, _TESTS[match["test"]][1]) if known else None


def next_probes(
    catalogue: Catalogue, suspicions: Sequence[Suspicion], unexplained: Sequence[Judged], done: Sequence[Judged]
) -> list[Run]:
    """Return the probes of the next round: all may start together.

    Parameters
    ----------
    catalogue : Catalogue
    suspicions : sequence of Suspicion
    unexplained : sequence of Judged
        Runs that fail and that no part explains: their halves are next.
    done : sequence of Judged
        All runs that were measured.
    """
    names = {one.run.name for one in done}
    healthy = _healthy(catalogue.subject, done)
    busy: set[tuple[int, int]] = set()
    again = [repeated(catalogue.subject, one.run) for one in done if one.why and one.weak and one.run.step != "probe"]
    chosen = [run for run in again if run.name not in names and _free(run, busy)][:_MOST]
    waiting = {run.hosts for run in chosen}
    for one in suspicions:
        if not one.located:
            pool = [run for run in _pool(catalogue.subject, one, healthy) if run.name not in names]
            chosen += _telling(catalogue, one, pool, busy)
    for judged in unexplained:
        halves = _halves(catalogue.subject, judged.run) if judged.run.hosts not in waiting else []
        chosen += [run for run in halves if run.name not in names and _free(run, busy)]
    return chosen


def repeated(subject: Subject, run: Run) -> Run:
    """Return the probe that measures a run once more, by itself."""
    part = f"{run.name}@0-{len(run.hosts) - 1}" if len(run.hosts) > 2 else ""
    return probe(subject, run.hosts, run.gpus, run.test, run.pxn, part)


def _healthy(subject: Subject, done: Sequence[Judged]) -> list[int]:
    """Return hosts that are in no pair that fails; where pairs on the same leaves were measured, those alone count."""
    label = subject.levels[0]
    pairs = [one for one in done if len(one.run.hosts) == 2]
    near = [one for one in pairs if label[one.run.hosts[0]] == label[one.run.hosts[1]]]
    bad = {host for one in near or pairs if one.why for host in one.run.hosts}
    return [host for host in range(len(subject.names)) if host not in bad]


def _pool(subject: Subject, one: Suspicion, healthy: Sequence[int]) -> Iterator[Run]:
    """Yield runs that use some of what slow runs used, those of few GPUs and hosts first.

    Of a slow pair: each GPU, each host with other partners, and other hosts on the same leaves with those that have
    the same place elsewhere, to which traffic takes the same uplinks. Rings of four hosts that change leaves at every
    step fill uplinks that one pair cannot.
    """
    slow = sorted(one.runs, key=lambda judged: (len(judged.run.hosts), -judged.slowdown))[:_TAKEN]
    for judged in slow:
        run = judged.run
        pairs = [run.hosts] if len(run.hosts) == 2 else list(zip(run.hosts, run.hosts[1:], strict=False))[:_TAKEN]
        for pair in pairs:
            for both in (pair, *_elsewhere(subject, pair, healthy)):
                yield from _parts(subject, run, both)
        for pair in pairs[:1]:
            for four in _rings(subject, pair, healthy):
                yield from (probe(subject, four, (gpu,), ALL_REDUCE, True) for gpu in _shared(subject, four, run.gpus))


def _elsewhere(subject: Subject, pair: tuple[int, ...], healthy: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of either host with another partner, and of hosts beside them with those of the same place."""
    others = [host for host in healthy if host not in pair and subject.domain[host] not in subject.domain[list(pair)]]
    near = sorted(others, key=lambda host: _distance(subject, pair[0], host))
    partners = [*near[:_PARTNERS], *near[len(near) // 2 :][:_PARTNERS], *near[-_PARTNERS:]]
    yield from ((host, partner) for host in pair for partner in partners)
    for host in pair:
        twins = [other for other in others if _place(subject, other) == _place(subject, host)]
        for mate in _mates(subject, host, healthy)[:_PARTNERS]:
            yield from ((mate, twin) for twin in twins[:_PARTNERS] if subject.domain[mate] != subject.domain[twin])


def _mates(subject: Subject, host: int, healthy: Sequence[int]) -> list[int]:
    """Return other healthy hosts on the leaves of a host."""
    label = subject.levels[0]
    return [other for other in healthy if other != host and label[other] == label[host]]


def _place(subject: Subject, host: int) -> int:
    """Return the place of a host among those on its leaves."""
    label = subject.levels[0]
    return int(np.count_nonzero(label[:host] == label[host]))


def _rings(subject: Subject, pair: tuple[int, ...], healthy: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield rings of two hosts on the leaves of either host of a pair, in turn."""
    one, other = pair[0], pair[-1]
    if subject.levels[0][one] != subject.levels[0][other]:
        mates = zip(_mates(subject, one, healthy), _mates(subject, other, healthy), strict=False)
        yield from ((one, other, mate, twin) for mate, twin in mates)


def _parts(subject: Subject, run: Run, both: tuple[int, ...]) -> Iterator[Run]:
    """Yield a pair GPU by GPU, as a whole, and across rails by halves of its GPUs."""
    gpus = _shared(subject, both, run.gpus)
    yield from (probe(subject, both, (gpu,), ALL_REDUCE, True) for gpu in gpus)
    if len(gpus) > 1:
        yield probe(subject, both, gpus, run.test, run.pxn)
    if not run.pxn:
        yield from (probe(subject, both, half, run.test, run.pxn) for half in _binary_halves(gpus))


def _binary_halves(gpus: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield halves of some GPUs, by each digit of their places in binary: together they tell every GPU."""
    for digit in range((len(gpus) - 1).bit_length()):
        for value in (0, 1):
            half = tuple(gpu for place, gpu in enumerate(gpus) if place >> digit & 1 == value)
            if len(half) > 1:
                yield half


def _shared(subject: Subject, hosts: tuple[int, ...], gpus: tuple[int, ...]) -> tuple[int, ...]:
    most = int(subject.gpus[list(hosts)].min())
    return tuple(gpu for gpu in gpus if gpu < most)


def _distance(subject: Subject, one: int, other: int) -> int:
    """Return the level at which two hosts meet."""
    return next((level for level, label in enumerate(subject.levels) if label[one] == label[other]), 99)


def _telling(catalogue: Catalogue, one: Suspicion, pool: Sequence[Run], busy: set[tuple[int, int]]) -> list[Run]:
    """Return probes from a pool that tell most suspects apart, no GPU twice; each is chosen for what it splits."""
    pool = list({run.name: run for run in pool}.values())
    if not pool:
        return []
    suspects, tells = one.suspects, min(_MOST_STRAIN, _MARGIN * one.speed_left)
    used = _uses(suspects, strains(catalogue.subject, pool, together=False), len(pool), tells)
    label = np.zeros(len(suspects), np.int64)
    chosen: list[Run] = []
    while len(chosen) < _MOST and len(np.unique(label)) < len(suspects):
        order = np.argsort([-_parted(label, row) for row in used], kind="stable").tolist()
        best = next(
            (row for row in order if _parted(label, used[row]) > 0 and _free(pool[row], busy, take=False)), None
        )
        if best is None:
            break
        chosen.append(pool[best])
        _free(pool[best], busy)
        label = np.unique(2 * label + used[best], return_inverse=True)[1].ravel()
    return chosen


def _uses(suspects: Sequence[Candidate], found: Strains, runs: int, tells: float) -> np.ndarray:
    """Return which suspects would slow which probes noticeably: those with this strain, (probes, suspects) bool."""
    used = np.zeros((runs, len(suspects)), bool)
    for row in range(runs):
        part = found.part[found.first[row] : found.first[row + 1]]
        full = part[found.strain[found.first[row] : found.first[row + 1]] >= tells]
        used[row] = [not len(one.parts) or bool(np.isin(one.parts, full).any()) for one in suspects]
    return used


def _parted(label: np.ndarray, used: np.ndarray) -> int:
    """Return how many pairs of suspects that are alike so far a probe tells apart."""
    size = int(label.max()) + 1
    inside = np.bincount(label[used], minlength=size)
    return int((inside * (np.bincount(label, minlength=size) - inside)).sum())


def _free(run: Run, busy: set[tuple[int, int]], take: bool = True) -> bool:
    """Return whether no other probe uses the GPUs of a run, and take them."""
    wanted = {(host, gpu) for host in run.hosts for gpu in run.gpus}
    if wanted & busy:
        return False
    if take:
        busy |= wanted
    return True


def _halves(subject: Subject, run: Run) -> list[Run]:
    """Return both halves of a run of several hosts, in rank order."""
    count = len(run.hosts)
    if count < 4:
        return []
    parent, base = run.name, 0
    match = _NAME.fullmatch(run.name)
    part = _PART.fullmatch(match["hosts"]) if match else None
    if part is not None:
        parent, base = part["run"], int(part["low"])
    cuts = ((0, count // 2), (count // 2, count))
    return [
        probe(subject, run.hosts[low:high], run.gpus, run.test, run.pxn, f"{parent}@{base + low}-{base + high - 1}")
        for low, high in cuts
    ]
