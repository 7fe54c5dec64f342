"""Links of a fabric as text formats write them, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fabrictool.fabric import KINDS, Fabric


@dataclass(frozen=True, slots=True)
class LinkEnd:
    """One end of a link: its device, and the port by number and by name; ``group`` is the device's pod or empty."""

    device: str
    kind: str
    port: str
    number: int
    group: str


@dataclass(frozen=True, slots=True)
class LinkText:
    """A link with what its ends are called; speed and latency are 0 where not known."""

    a: LinkEnd
    z: LinkEnd
    speed_bps: float
    latency_s: float
    network: str


def port_words(fabric: Fabric) -> list[str]:
    """Return what each port is called: the label that it brought, else its number."""
    numbers = [str(number) for number in fabric.ports.number.tolist()]
    if fabric.ports.label is None:
        return numbers
    return [label or number for label, number in zip(fabric.ports.label.tolist(), numbers, strict=True)]


def link_texts(fabric: Fabric, words: Sequence[str] | None = None) -> Iterator[LinkText]:
    """Yield links in row order.

    Parameters
    ----------
    fabric : Fabric
    words : (ports,) sequence of str, optional
        What ports are called; by default :func:`port_words`.
    """
    words = port_words(fabric) if words is None else words
    kind = [KINDS[code] for code in fabric.devices.kind.tolist()]
    group = ["" if pod < 0 else str(pod) for pod in fabric.devices.pod.tolist()]
    number, links, names = fabric.ports.number.tolist(), fabric.links, fabric.names
    network = [facts.name for facts in fabric.networks]
    columns = (*fabric.ends, links.port_a, links.port_z, links.speed_bps, links.latency_s, links.network)
    for a, z, i, j, speed, latency, row in zip(*(column.tolist() for column in columns), strict=True):
        lower, upper = (
            LinkEnd(names[device], kind[device], words[port], number[port], group[device])
            for device, port in ((a, i), (z, j))
        )
        yield LinkText(lower, upper, speed, latency, network[row])


def bare(value: float) -> str:
    """Write a number so that reading it gives the same one; unknown is blank."""
    if not value:
        return ""
    return str(int(value)) if value.is_integer() else repr(value)
