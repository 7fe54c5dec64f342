"""Devices and links as a file names them, before they become tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: A switch whose tier follows from what it is joined to.
SWITCH = "switch"
#: Longest name that is kept whole.
LONGEST = 120
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_DIGITS = re.compile(r"(\d+)")


@dataclass(slots=True)
class FoundPort:
    """A port of a device; ``cage``, counted from 0, is -1 for one of its own."""

    number: int
    label: str = ""
    cage: int = -1
    speed_bps: float = 0.0
    rail: int = -1
    plane: int = -1
    guid: int = 0
    lid: int = 0


@dataclass(slots=True)
class FoundDevice:
    """A device; ``kind`` is one of ``KINDS``, or ``SWITCH`` until its tier is known.

    ``chassis`` names the director that a chip is part of.
    """

    name: str
    kind: str
    line: int = 0
    ports: dict[int, FoundPort] = field(default_factory=dict)
    tier: int = -1
    type: str = "unknown"
    group: str = ""
    network: str | None = None
    plane: int = -1
    rail: int = -1
    pod: int = -1
    index: int = -1
    latency_s: float = 0.0
    guid: int = 0
    lid: int = 0
    chassis: str = ""

    def port(self, number: int) -> FoundPort:
        """Return a port, made if it is new."""
        if number not in self.ports:
            self.ports[number] = FoundPort(number)
        return self.ports[number]


@dataclass(slots=True)
class FoundLink:
    """A link between ports of two devices, which are places in the list of devices; speed 0 is unknown."""

    a: int
    a_port: int
    z: int
    z_port: int
    speed_bps: float = 0.0
    latency_s: float = 0.0
    network: str = ""
    line: int = 0
    rate: str = ""


def natural(word: str) -> tuple[tuple[int, str], ...]:
    """Return a key that sorts ``leaf2`` before ``leaf10``."""
    return tuple(
        (int(part[:18]), "") if part.isdecimal() and part.isascii() else (-1, part) for part in _DIGITS.split(word)
    )


def clean(name: str) -> str:
    """Return a name without control characters, of bounded length."""
    return _CONTROL.sub(" ", name).strip()[:LONGEST]


def title(name: str) -> str:
    """Return what a fabric is called after its file: the file's name without folders and endings."""
    return Path(name).name.partition(".")[0] or name


def make_unique(devices: Iterable[FoundDevice]) -> list[FoundDevice]:
    """Tell devices of equal names apart, by GUID where there is one; return those that were renamed."""
    rows = list(devices)
    uses = Counter(device.name for device in rows)
    taken = {name for name, count in uses.items() if count == 1}
    changed = [device for device in rows if uses[device.name] > 1 or not device.name]
    for device in changed:
        stem = f"{device.name}-{device.guid:016x}" if device.guid else device.name or "device"
        device.name = _free(stem, taken, bare=bool(device.guid))
        taken.add(device.name)
    return changed


def _free(stem: str, taken: set[str], bare: bool) -> str:
    if bare and stem not in taken:
        return stem
    number = 1
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def number_ports(
    devices: Iterable[FoundDevice],
    labels: Iterable[set[str]],
    prefix: str = "",
    given: Mapping[tuple[int, str], int] | None = None,
) -> list[dict[str, int]]:
    """Give each device its ports from labels; return for each the number of every label.

    Labels that are small numbers, behind ``prefix``, are the numbers; so is what is ``given`` by device and
    label, where it tells each port of a device; others are numbered in natural order from 1.
    """
    found = []
    for row, (device, words) in enumerate(zip(devices, labels, strict=True)):
        ordered = sorted(words, key=natural)
        plain = [_small_number(word.removeprefix(prefix)) for word in ordered]
        stated = [(given or {}).get((row, word), 0) for word in ordered]
        chosen = next((numbers for numbers in (plain, stated) if _distinct(numbers)), range(1, len(ordered) + 1))
        numbers = dict(zip(ordered, chosen, strict=True))
        for word, number in numbers.items():
            device.port(number).label = "" if word.removeprefix(prefix) == str(number) else word
        found.append(numbers)
    return found


def _distinct(numbers: Sequence[int]) -> bool:
    return all(0 < number < 2**15 for number in numbers) and len(set(numbers)) == len(numbers)


def _small_number(word: str) -> int:
    """Return the port number that a word is, 0 if it is none."""
    return int(word) if word.isdecimal() and word.isascii() and len(word) < 6 and int(word) < 2**15 else 0
