"""What tools say of an as-built fabric: sightings of neighbours, from any of their formats."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric.tables import KINDS, Fabric
from fabrictool.formats.imported import Imported
from fabrictool.formats.opening import read_all, text_of
from fabrictool.formats.recognise import HEAD, imported_from
from fabrictool.records import Dump, Sighting

#: Formats that name neighbours and no fabric, to their modules, in the order in which they are asked.
READERS = {"lldp": "lldp", "iblinkinfo": "iblinkinfo", "table": "as_built_table"}
#: Formats of fabrics.
FABRICS = ("npz", "graphml", "ibutils-lst", "ibnetdiscover", "ibnetdiscover-ports", "edges-csv", "ibutils-topo")


def read_dump(path: str, source_format: str | None = None) -> Dump:
    """Read what a tool said of an as-built fabric; the format is told by the content, or given.

    Raises
    ------
    InputError
        If the file cannot be read or is of no known format.
    """
    name, content = read_all(path)
    return dump_from(name, content, source_format)


def dump_from(name: str, content: bytes, source_format: str | None = None) -> Dump:
    """Return the sightings in bytes; ``name`` stands for the file in messages."""
    known = (*READERS, *FABRICS)
    if source_format is not None and source_format not in known:
        fix = did_you_mean(source_format, known) or f"use one of {', '.join(known)}"
        raise InputError([Problem("--source-format", f"no format '{source_format}'", fix)])
    text = text_of(content)
    if not text.strip():
        fix = "run the tool again where it sees the fabric: ibnetdiscover as root, lldpcli show neighbors -f json"
        raise InputError([Problem(f"{name}:1:1", "is empty", fix)])
    head = text[:HEAD].encode()
    for word, module_name in READERS.items():
        module = import_module(f"fabrictool.formats.{module_name}")
        if word == source_format or (source_format is None and module.sniff(head)):
            read: Callable[[str, str], Dump] = module.read
            return read(name, text)
    found = imported_from(name, content)
    if found is None:
        what = f"holds no neighbours in a known format ({', '.join(known)})"
        raise InputError([Problem(f"{name}:1:1", what, "give the whole output of a tool, or a table of links")])
    return dump_of(found, name)


def dump_of(found: Imported, name: str) -> Dump:
    """Return the sightings in a fabric that was discovered as a whole."""
    return Dump(name, found.format, sightings_of(found.fabric), frozenset(found.fabric.names), found.findings)


def sightings_of(fabric: Fabric) -> tuple[Sighting, ...]:
    """Return one sighting for each link of a fabric; aggregation engines are no neighbours."""
    engine = KINDS.index("aggregation")
    words = [str(number) for number in fabric.ports.number.tolist()]
    if fabric.ports.label is not None:
        words = [label or number for label, number in zip(fabric.ports.label.tolist(), words, strict=True)]
    names, kind = fabric.names, fabric.devices.kind.tolist()
    links = fabric.links
    columns = (*fabric.ends, links.port_a, links.port_z, links.speed_bps)
    return tuple(
        Sighting(names[a], words[i], names[z], words[j], speed_bps=speed)
        for a, z, i, j, speed in zip(*(column.tolist() for column in columns), strict=True)
        if engine not in (kind[a], kind[z])
    )
