"""What is asked about: a layout, a fabric from elsewhere, one of its networks, and what is down in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from fabrictool.changes.capacity import of_hosts
from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults, faults_by_name, random_faults
from fabrictool.layout.model import Layout
from fabrictool.layout.network import Routing as Stated
from fabrictool.records import Finding
from fabrictool.routing.wiring import Wiring, wiring

Words = int | str | Iterable[int | str]


@dataclass(frozen=True)
class Subject:
    """A fabric that changes are asked about.

    Parameters
    ----------
    fabric : Fabric
    layout : Layout or None
        None for a fabric from elsewhere.
    findings : tuple of Finding
        What is wrong with the file that it came from.
    """

    fabric: Fabric
    layout: Layout | None = None
    findings: tuple[Finding, ...] = ()


def subject_of(given: Layout | Fabric | str) -> Subject:
    """Return what a layout, a fabric, or the name of a file of either is.

    Raises
    ------
    FabrictoolError
        If the file cannot be read, or the layout not be built.
    """
    from fabrictool.formats.opening import read_all
    from fabrictool.formats.recognise import imported_from
    from fabrictool.generators.building import build
    from fabrictool.layout.reading import layout_from_bytes

    if isinstance(given, Fabric):
        return Subject(given)
    if isinstance(given, str):
        name, content = read_all(given)
        found = imported_from(name, content)
        if found is not None:
            return Subject(found.fabric, None, found.findings)
        given = layout_from_bytes(name, content)
    return Subject(build(given), given)


def faults_of(
    subject: Subject,
    links: Words = (),
    devices: Words = (),
    slow: Mapping[str, float] | str | Iterable[str] = (),
    seed: int = 0,
) -> Faults:
    """Return what the layout's scenario states and what is asked for, together.

    Numbers of links and devices are drawn at random; names may be separated by commas.

    Raises
    ------
    InputError
        Naming every link and device that does not exist.
    """
    fabric = subject.fabric
    link_words, device_words = words(links), words(devices)
    factors = slow if isinstance(slow, Mapping) else dict(_factor(word) for word in words(slow))
    some_links, some_devices = (
        sum(int(word) for word in chosen if word.isdecimal()) for chosen in (link_words, device_words)
    )
    named_links, named_devices = (
        [word for word in chosen if not word.isdecimal()] for chosen in (link_words, device_words)
    )
    named = faults_by_name(fabric, named_links, named_devices, factors)
    return _scenario(subject) | named | random_faults(fabric, some_links, some_devices, seed)


def words(given: Words) -> list[str]:
    """Return words that stand alone, in a list or between commas."""
    listed = [given] if isinstance(given, int | str) else given
    return [word.strip() for entry in listed for word in str(entry).split(",") if word.strip()]


def _scenario(subject: Subject) -> Faults:
    scenario = subject.layout.scenario if subject.layout else None
    failed, slow = (scenario.failed, scenario.slow or []) if scenario else (None, [])
    links, devices = (failed.links or (), failed.devices or ()) if failed else ((), ())
    return faults_by_name(subject.fabric, links, devices, {entry.link: entry.factor for entry in slow})


def _factor(word: str) -> tuple[str, float]:
    link, _, factor = word.rpartition("=")
    try:
        return link, float(factor)
    except ValueError:
        raise InputError([Problem(word, "is no LINK=FACTOR", "write a slow link such as leaf-01:5=0.5")]) from None


def network_of(subject: Subject, name: str | None = None) -> Wiring:
    """Return the healthy wiring of a network: that of a name, or the one that most GPUs or hosts are on.

    Raises
    ------
    InputError
        If there is no such network, or none with hosts.
    """
    fabric = subject.fabric
    names = [network.name for network in fabric.networks]
    if name is not None:
        if name not in names:
            raise InputError([Problem("--network", f"no network '{name}'", did_you_mean(name, names))])
        found = [wiring(fabric, names.index(name))]
    else:
        found = [wiring(fabric, row) for row in range(len(names))]
    best = max(found, key=lambda one: one.hosts, default=None)
    if best is None or best.hosts < 2:
        where = f"network {name}" if name else "no network"
        raise InputError(f"{where} joins two hosts or more, so nothing can be lost", "attach hosts to a network")
    return of_hosts(best)


def stated_routing(subject: Subject, wiring: Wiring, name: str | None = None) -> Stated | None:
    """Return the routing asked for, else the layout's, else None for the network's default."""
    if name is not None:
        from pydantic import ValidationError

        try:
            return Stated(name=name)
        except ValidationError:
            from fabrictool.routing.choose import ROUTINGS

            raise InputError([Problem("--routing", f"no routing '{name}'", did_you_mean(name, ROUTINGS))]) from None
    if subject.layout is None or wiring.name not in subject.layout.networks:
        return None
    return subject.layout.networks[wiring.name].routing


def down(fabric: Fabric, faults: Faults) -> str:
    """Return in words what is down or slow."""
    a, z = fabric.ends
    links = faults.links.dead & ~faults.device[a] & ~faults.device[z]
    parts = [
        *(f"device {fabric.names[row]}" for row in np.flatnonzero(faults.device).tolist()),
        *(f"link {fabric.link_name(row)}" for row in np.flatnonzero(links).tolist()),
        *(
            f"link {fabric.link_name(row)} at {faults.links.factor[row]:g} of its speed"
            for row in np.flatnonzero(faults.links.factor != 1).tolist()
        ),
    ]
    shown = ", ".join(parts[:4])
    return f"{shown}, … {len(parts) - 4:,} more" if len(parts) > 4 else shown
