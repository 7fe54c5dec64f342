"""Save and load a fabric without loss, as one ``.npz`` file with a format version."""

from __future__ import annotations

import json
import os
import struct
import tokenize
import zipfile
import zlib
from contextlib import ExitStack
from dataclasses import astuple
from pathlib import Path
from typing import IO, Any

import numpy as np

from fabrictool.errors import FabricError, InputError, Problem
from fabrictool.fabric.assembly import LinkRows, PortRows, assemble
from fabrictool.fabric.tables import Devices, Fabric, GpuPorts, Gpus, Links, NetworkFacts, Ports

FORMAT = 1
MAGIC = b"PK\x03\x04"
_TABLES: dict[str, Any] = {"devices": Devices, "ports": Ports, "links": Links, "gpus": Gpus, "gpu_ports": GpuPorts}


def save(fabric: Fabric, path: str | Path) -> None:
    """Write a fabric; the file is written beside and renamed, so there is never half a file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            write_stream(fabric, stream)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(
            [Problem(str(target), f"cannot be written: {error.strerror}", "choose another place")]
        ) from None


def write_stream(fabric: Fabric, stream: IO[bytes]) -> None:
    """Write a fabric to a stream, as ``save`` does to a file."""
    facts = {
        "format": FORMAT,
        "name": fabric.name,
        "types": fabric.types,
        "groups": fabric.groups,
        "networks": [list(astuple(network)) for network in fabric.networks],
        "widths": fabric.widths,
        "naming": dict(fabric.naming),
    }
    arrays = {
        f"{table}.{name}": column for table in _TABLES for name, column in getattr(fabric, table).columns().items()
    }
    np.savez_compressed(stream, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8), **arrays)


def read_fabric(path: str | Path | IO[bytes], name: str = "") -> Fabric:
    """Read a fabric that ``save`` wrote, from a file or a stream; ``name`` stands for it in messages.

    Raises
    ------
    InputError
        If the file is missing, cut, of another kind or of a newer format.
    """
    where = name or str(path)
    try:
        with ExitStack() as open_files:
            stream = open_files.enter_context(Path(path).open("rb")) if isinstance(path, str | Path) else path
            archive = open_files.enter_context(np.load(stream, allow_pickle=False))
            facts = json.loads(archive["facts"].tobytes())
            if facts["format"] > FORMAT:
                what = f"format {facts['format']} is newer than {FORMAT}, which this version reads"
                raise InputError([Problem(where, what, "install a newer fabrictool")])
            tables = {
                table: kind(**{key.partition(".")[2]: archive[key] for key in archive if key.startswith(table + ".")})
                for table, kind in _TABLES.items()
            }
        return _joined(facts, **tables)
    except OSError as error:
        raise InputError([Problem(where, error.strerror or "cannot be read")]) from None
    except FabricError as error:
        problems = [Problem(where, str(problem), "save it again") for problem in error.problems]
        raise InputError(problems) from None
    except _BROKEN as error:
        what = f"is not a whole fabric file ({type(error).__name__})"
        raise InputError([Problem(where, what, "save it again")]) from None


#: What the readers of zip archives, arrays and JSON raise on files that are cut, changed or foreign.
_BROKEN = (
    AttributeError, KeyError, IndexError, ValueError, TypeError, EOFError, NotImplementedError, RuntimeError,
    zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError,
)  # fmt: skip


def _joined(
    facts: dict[str, Any], devices: Devices, ports: Ports, links: Links, gpus: Gpus, gpu_ports: GpuPorts
) -> Fabric:
    a, z = links.port_a, links.port_z
    rows = LinkRows(
        ports.device[a], ports.number[a].astype(np.int32), ports.device[z], ports.number[z].astype(np.int32),
        links.network, links.speed_bps, links.latency_s,
    )  # fmt: skip
    networks = [network_facts(row) for row in facts["networks"]]
    bare = PortRows(**{name: column for name, column in ports.columns().items() if name != "peer"})
    return assemble(
        facts["name"], devices, bare, rows, gpus, gpu_ports, facts["types"], facts["groups"], networks,
        facts["naming"], facts["widths"],
    )  # fmt: skip


def network_facts(row: list[Any]) -> NetworkFacts:
    """Return a network's facts from a list of them as JSON gives it back."""
    name, protocol, family, cables, host_cables, uplinks, *ways = row
    kept = tuple((str(kind), int(count), float(speed)) for kind, count, speed in uplinks)
    way_m = next(((float(host), float(fabric)) for host, fabric in filter(None, ways)), None)
    return NetworkFacts(name, protocol, family, cables, host_cables, kept, way_m)
