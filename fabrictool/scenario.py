"""What differs from a healthy fabric: what a layout states and a command asks to be down or slow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fabrictool.domains import domain_named, rows_of
from fabrictool.errors import FabrictoolError, InputError, Problem
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.faults import Faults, faults_by_name, faults_of_rows, no_faults, random_faults
from fabrictool.fabric.parts import joined_by_tier
from fabrictool.layout.model import Layout
from fabrictool.placement import Placement
from fabrictool.records import Domain, Finding
from fabrictool.routing.wiring import wiring

#: A number to draw at random, names separated by commas, or a list of them.
Words = int | str | Iterable[int | str]
NAMED = 4


@dataclass(frozen=True)
class Asked:
    """What a command asks to be down or slow, beside what the layout states.

    Parameters
    ----------
    links, devices, domains : tuple of str
        By name; domains as ``KIND:NAME``.
    slow : mapping of str to float
        Links by either end, to the share of their speed that is left.
    random_links, random_devices : int
        So many links between switches, and switches, drawn at random.
    seed : int
    """

    links: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    slow: Mapping[str, float] = field(default_factory=dict)
    random_links: int = 0
    random_devices: int = 0
    seed: int = 0

    def __bool__(self) -> bool:
        return bool(self.links or self.devices or self.domains or self.slow or self.random_links or self.random_devices)


def asked_for(
    links: Words | None = None,
    devices: Words | None = None,
    domains: Words | None = None,
    slow: Mapping[str, float] | str | Iterable[str] | None = None,
    seed: int = 0,
) -> Asked:
    """Return the faults that options ask for: numbers are drawn at random, names may be separated by commas.

    Raises
    ------
    InputError
        If a factor is no number.
    """
    link_words, device_words, domain_words = _words(links), _words(devices), _words(domains)
    factors = slow if isinstance(slow, Mapping) else dict(_factor(word) for word in _words(slow))
    return Asked(
        links=_names(link_words),
        devices=_names(device_words),
        domains=tuple(domain_words),
        slow=factors,
        random_links=_number(link_words),
        random_devices=_number(device_words),
        seed=seed,
    )


def _names(words: list[str]) -> tuple[str, ...]:
    return tuple(word for word in words if not word.isdecimal())


def _number(words: list[str]) -> int:
    return sum(int(word) for word in words if word.isdecimal())


def _words(stated: Words | None) -> list[str]:
    if stated is None:
        return []
    listed = [stated] if isinstance(stated, int | str) else stated
    return [word.strip() for words in listed for word in str(words).split(",") if word.strip()]


def _factor(word: str) -> tuple[str, float]:
    link, _, factor = word.rpartition("=")
    try:
        return link, float(factor)
    except ValueError:
        raise InputError([Problem(word, "is no LINK=FACTOR", "write a slow link such as leaf-01:5=0.5")]) from None


@dataclass(frozen=True)
class State:
    """The state that results hold for.

    Parameters
    ----------
    fabric : Fabric
    faults : Faults
    domains : tuple of Domain
        Those that failed as a whole.
    """

    fabric: Fabric
    faults: Faults
    domains: tuple[Domain, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.faults) or bool(self.domains)

    @property
    def links(self) -> np.ndarray:
        """Rows of the links that are down by themselves, both of their devices being up."""
        a, z = self.fabric.ends
        down = self.faults.device
        return np.flatnonzero(self.faults.links.dead & ~down[a] & ~down[z])

    @property
    def slow(self) -> np.ndarray:
        """Rows of the links that are up and slow."""
        links = self.faults.links
        return np.flatnonzero((links.factor != 1.0) & ~links.dead)

    @property
    def text(self) -> str:
        """The state in a few words, such as ``1 device, 3 links down, 1 slow``."""
        devices, links, slow = int(self.faults.device.sum()), len(self.links), len(self.slow)
        down = [_count(devices, "device")] * (devices > 0) + [_count(links, "link")] * (links > 0)
        parts = ([f"{', '.join(down)} down"] if down else []) + ([f"{slow} slow"] if slow else [])
        spared = [str(domain) for domain in self.domains if not (domain.devices or domain.links)]
        return ", ".join((*parts, *(f"nothing lost with {name}" for name in spared)))

    def to_dict(self) -> dict[str, Any] | None:
        """Return the ``scenario`` object of the JSON output, null for a healthy fabric."""
        if not self:
            return None
        name, factor = self.fabric.link_name, self.faults.links.factor
        return {
            "devices": [self.fabric.names[row] for row in np.flatnonzero(self.faults.device).tolist()],
            "links": [name(row) for row in self.links.tolist()],
            "slow": [{"link": name(row), "factor": float(factor[row])} for row in self.slow.tolist()],
            "domains": [str(domain) for domain in self.domains],
        }


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def without_faults(state: State) -> State:
    """Return the same fabric with nothing down or slow."""
    return State(state.fabric, no_faults(state.fabric))


def state_of(
    fabric: Fabric, layout: Layout | None = None, placement: Placement | None = None, asked: Asked | None = None
) -> State:
    """Return the state of a fabric: what its layout states, and what is asked for beside.

    Raises
    ------
    FabrictoolError
        Naming every link, device and domain that does not exist.
    """
    faults = _stated(layout, fabric)
    if not asked:
        return State(fabric, faults)
    faults |= faults_by_name(fabric, asked.links, asked.devices, asked.slow)
    faults |= random_faults(fabric, asked.random_links, asked.random_devices, asked.seed)
    failed = tuple(domain_named(word, fabric, layout, placement) for word in asked.domains)
    devices, links = rows_of(failed)
    return State(fabric, faults | faults_of_rows(fabric, links, devices), failed)


def _stated(layout: Layout | None, fabric: Fabric) -> Faults:
    """Return what the scenario of a layout states; problems bear the place of their key."""
    scenario = layout.scenario if layout else None
    failed = scenario.failed if scenario else None
    slow = (scenario.slow if scenario else None) or []
    if failed is None and not slow:
        return faults_of_rows(fabric)
    problems = []
    try:
        return faults_by_name(
            fabric, failed.links if failed else (), failed.devices if failed else (), {s.link: s.factor for s in slow}
        )
    except FabrictoolError as error:
        places = {entry.link: ("scenario", "slow", row, "link") for row, entry in enumerate(slow)}
        for key in ("devices", "links") if failed else ():
            places |= {word: ("scenario", "failed", key, row) for row, word in enumerate(getattr(failed, key))}
        for problem in error.problems:
            word = next((word for word in places if problem.where in (word, word.rpartition(":")[0])), "")
            problems.append(replace(problem, path=places.get(word, ("scenario",))))
    raise InputError(problems)


def state_findings(state: State) -> list[Finding]:
    """Say for which state results hold, which ranks are lost with their hosts, and who is cut off."""
    if not state:
        return []
    fabric, down = state.fabric, state.faults.device
    hosts = np.flatnonzero(down & (fabric.devices.kind == KINDS.index("host")))
    gpus = int(np.count_nonzero(down[fabric.gpus.host]))
    fix = "leave the faults out for the healthy fabric; counts, power, cooling and cost are those of all of it"
    found = [Finding("scenario", "note", "fabric", f"{state.text}: results hold for this state", fix)]
    if gpus:
        message = f"{_count(len(hosts), 'host')} down ({_some(fabric, hosts)}): {_count(gpus, 'GPU')} in no job"
        fix = "give the job other hosts, or keep spare ones"
        found.append(Finding("ranks-lost", "warning", "jobs", message, fix))
    for network in range(len(fabric.networks)):
        found += _cut_off(state, network)
    return found


def _cut_off(state: State, network: int) -> list[Finding]:
    """Say which hosts that are up have no way to the rest of a network that joined them before."""
    fabric = state.fabric
    wired = wiring(fabric, network, state.faults)
    before = joined_by_tier(fabric, network, through_hosts=False)[-1][wired.switch]
    reached = np.zeros(wired.endpoints, bool)
    for lane, up in enumerate(wired.up.T):
        on = np.flatnonzero(up >= 0)
        seat = wired.terminals.seat[wired.lanes[on, lane]]
        pairs, place, count = np.unique(
            np.column_stack((before[seat], wired.part[seat])), axis=0, return_inverse=True, return_counts=True
        )
        order = np.lexsort((-count, pairs[:, 0]))
        _, first = np.unique(pairs[order, 0], return_index=True)
        reached[on] |= np.isin(place.ravel(), order[first])
    lost = np.flatnonzero(~reached & ~state.faults.device[wired.device])
    if not len(lost):
        return []
    hosts = np.unique(wired.device[lost])
    whole = len(lost) == np.isin(wired.device, hosts).sum()
    of = len(np.unique(wired.device)) if whole else wired.endpoints
    who = _count(len(hosts) if whole else len(lost), "host" if whole else "host port")
    verb = "is" if who.startswith("1 ") else "are"
    message = f"{who} of {of:,} {verb} cut off: {_some(fabric, hosts)}"
    fix = "mend what is down, or attach these hosts to a second leaf"
    return [Finding("cut-off", "error", f"network {fabric.networks[network].name}", message, fix)]


def _some(fabric: Fabric, rows: np.ndarray) -> str:
    names = ", ".join(fabric.names[row] for row in rows[:NAMED].tolist())
    return f"{names}, …" if len(rows) > NAMED else names
