"""LLDP neighbours as JSON: lldpd (``json`` and ``json0``), Cumulus, Arista EOS, SONiC, Junos and NX-OS.

None of them names the device that was asked, so that it is called after its file; a JSON object of several
such documents by device's name is read as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fabrictool.formats.found import clean
from fabrictool.formats.imported import Report
from fabrictool.records import Dump, Sighting

_WORDS = ("lldp", "lldpNeighbors", "lldp-neighbors-information", "TABLE_nbor_detail", "TABLE_nbor", "neighbor")
_MARKS = tuple(f'"{word}"'.encode() for word in _WORDS)
#: Endings of files that are no part of a device's name.
_ENDINGS = (".gz", ".xz", ".json", ".json0", ".txt", ".lldp", ".out")
Json = Any


def sniff(head: bytes) -> bool:
    """Return whether the start of a file looks like LLDP neighbours in JSON."""
    return head.lstrip()[:1] in (b"{", b"[") and any(mark in head for mark in _MARKS)


def read(name: str, text: str) -> Dump:
    """Read neighbours.

    Neighbours that said good-bye are left out, and so are those that EOS last heard more than twice their time to
    live before the latest.

    Raises
    ------
    InputError
        If it is no JSON, or has none of the known forms.
    """
    report = Report(name)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        raise report.refusal(line, f"is no whole JSON: {error}", "copy the file again", column) from None
    title = _title(name)
    found: list[Sighting] = []
    several = _several(document)
    for device, part in several.items() if several else ((title, document),):
        rows = list(_rows(device, part, report))
        if not rows and not _known(part):
            raise report.refusal(1, "has no neighbours in a known form", "use lldpcli -f json0, or a table")
        found += rows
    reporters = frozenset(several or (title,))
    return Dump(name, "lldp", tuple(found), reporters, report.sorted(), titled=not several)


def _title(name: str) -> str:
    word = Path(name).name
    while True:
        ending = next((end for end in _ENDINGS if word.lower().endswith(end) and len(word) > len(end)), "")
        if not ending:
            return word
        word = word[: -len(ending)]


def _known(part: Json) -> bool:
    return isinstance(part, dict) and any(key in part for key in ("lldp", *_FORMS))


def _several(document: Json) -> dict[str, Json]:
    """Return documents by device's name, if that is what a document is."""
    if isinstance(document, dict) and document and not _known(document) and all(map(_known, document.values())):
        return dict(document)
    return {}


def _rows(device: str, part: Json, report: Report) -> Iterator[Sighting]:
    if not isinstance(part, dict):
        return
    if "lldp" in part:
        yield from _lldpd(device, part["lldp"], report)
    for key, reader in _FORMS.items():
        if key in part:
            yield from reader(device, part[key])


def _listed(value: Json) -> list[Json]:
    """Return a list: the value, or what is in it; nothing for what is missing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Json, *keys: str) -> str:
    """Return the text behind keys, first entries of lists and ``value`` and ``data`` being looked through."""
    for key in (*keys, None):
        while isinstance(value, list):
            value = value[0] if value else None
        if key is not None:
            value = value.get(key) if isinstance(value, dict) else None
    while isinstance(value, dict | list):
        first = value[:1] or [None] if isinstance(value, list) else [value.get("value", value.get("data"))]
        value = first[0]
    return clean(str(value)).strip('"') if value is not None else ""


def _interfaces(lldp: Json) -> Iterator[tuple[str, Json]]:
    """Yield name and entry of each interface of lldpd's two forms."""
    for part in _listed(lldp):
        rows = part.get("interface") if isinstance(part, dict) else None
        for row in _listed(rows):
            if isinstance(row, dict) and "name" in row:
                yield _text(row, "name"), row
            elif isinstance(row, dict):
                yield from row.items()


def _lldpd(device: str, lldp: Json, report: Report) -> Iterator[Sighting]:
    for port, entry in _interfaces(lldp):
        if not isinstance(entry, dict):
            continue
        peer = _chassis(entry.get("chassis"))
        kind, value = _text(entry.get("port"), "id", "type"), _text(entry.get("port"), "id", "value")
        label = _text(entry.get("port"), "descr") if kind == "mac" else value
        if _gone(entry):
            what = f"{device}:{port}: {peer} has said good-bye; the entry is left out"
            report.add("entry-stale", "note", 0, what, "ask the device again")
        elif peer:
            yield Sighting(device, port, peer, label or value or "unknown", where=report.name)


def _chassis(value: Json) -> str:
    """Return the system name, or the chassis' identity where there is none."""
    for row in _listed(value):
        if isinstance(row, dict):
            if "id" in row:
                return _text(row, "name") or _text(row, "id", "value")
            return next(iter(row), "")
    return ""


def _gone(entry: dict[str, Json]) -> bool:
    """Return whether a neighbour said good-bye: its time to live is 0."""
    return (_text(entry.get("port"), "ttl") or _text(entry, "ttl")) == "0"


def _eos(device: str, rows: Json) -> Iterator[Sighting]:
    """Yield the rows of Arista's two forms: a list, or details by interface."""
    if isinstance(rows, list):
        for row in rows:
            if isinstance(row, dict):
                yield from _one(device, _text(row, "port"), _text(row, "neighborDevice"), _text(row, "neighborPort"))
    elif isinstance(rows, dict):
        entries = [
            (port, row)
            for port, entry in rows.items()
            for row in _listed(entry.get("lldpNeighborInfo") if isinstance(entry, dict) else None)
            if isinstance(row, dict)
        ]
        latest = max((_number(row, "lastContactTime") for _, row in entries), default=0.0)
        for port, row in entries:
            if latest - _number(row, "lastContactTime") <= 2 * _number(row, "ttl"):
                yield from _eos_detail(device, port, row)


def _eos_detail(device: str, port: str, row: dict[str, Json]) -> Iterator[Sighting]:
    detail = row.get("neighborInterfaceInfo", {})
    mac = _text(detail, "interfaceIdType") == "macAddress"
    label = (_text(detail, "interfaceDescription") if mac else "") or _text(detail, "interfaceId")
    yield from _one(device, port, _text(row, "systemName") or _text(row, "chassisId"), label)


def _number(row: dict[str, Json], key: str) -> float:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _junos(device: str, rows: Json) -> Iterator[Sighting]:
    for part in _listed(rows):
        for row in _listed(part.get("lldp-neighbor-information") if isinstance(part, dict) else None):
            port = _text(row, "lldp-local-port-id") or _text(row, "lldp-local-interface")
            peer = _text(row, "lldp-remote-system-name") or _text(row, "lldp-remote-chassis-id")
            label = _text(row, "lldp-remote-port-id") or _text(row, "lldp-remote-port-description")
            yield from _one(device, port, peer, label)


def _nxos(device: str, rows: Json) -> Iterator[Sighting]:
    for part in _listed(rows):
        if not isinstance(part, dict):
            continue
        for row in _listed(part.get("ROW_nbor_detail", part.get("ROW_nbor"))):
            peer = _text(row, "sys_name") or _text(row, "chassis_id")
            yield from _one(device, _text(row, "l_port_id"), peer, _text(row, "port_id"))


def _openconfig(device: str, rows: Json) -> Iterator[Sighting]:
    """Yield neighbours of ``nv show interface lldp``: interfaces, each with neighbours by name."""
    for port, entry in rows.items() if isinstance(rows, dict) else ():
        lldp = entry.get("lldp", entry) if isinstance(entry, dict) else {}
        near = lldp.get("neighbor", {}) if isinstance(lldp, dict) else {}
        for peer, row in near.items() if isinstance(near, dict) else ():
            label = _text(row, "port", "name") or _text(row, "port", "id") or _text(row, "port", "description")
            yield from _one(device, port, _text(row, "chassis", "system-name") or peer, label)


def _one(device: str, port: str, peer: str, label: str) -> Iterator[Sighting]:
    if port and peer:
        yield Sighting(device, port, peer, label or "unknown")


_FORMS = {
    "lldpNeighbors": _eos, "lldp-neighbors-information": _junos, "TABLE_nbor_detail": _nxos, "TABLE_nbor": _nxos,
    "interface": _openconfig,
}  # fmt: skip
