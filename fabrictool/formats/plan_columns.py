"""Which column of somebody else's plan says what, by its header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

#: Columns without which a table is no plan.
NEEDED = ("a_device", "a_port", "z_device", "z_port")
_SIDES = {
    "a": "a", "side_a": "a", "source": "a", "src": "a", "from": "a", "near": "a", "near_end": "a", "local": "a",
    "a_end": "a", "end_a": "a", "a_side": "a", "start": "a", "origin": "a", "upstream": "a", "termination_a": "a",
    "1": "a", "2": "z", "end": "z", "termination": "z", "downstream": "z", "termination_b": "z", "z": "z", "b": "z",
    "side_b": "z", "side_z": "z", "destination": "z", "dest": "z", "dst": "z", "to": "z", "target": "z", "far": "z",
    "far_end": "z", "remote": "z", "z_end": "z", "end_b": "z", "b_end": "z", "z_side": "z", "b_side": "z",
}  # fmt: skip
_ENDS = {
    "device": "device", "node": "device", "node_name": "device", "device_name": "device", "host": "device",
    "hostname": "device", "host_name": "device", "switch": "device", "server": "device", "system": "device",
    "equipment": "device", "name": "device", "port": "port", "port_name": "port", "interface": "port",
    "interface_name": "port", "if": "port", "nic": "port", "hca": "port", "hca_port": "port", "nic_port": "port",
    "device_port": "port", "node_port": "port", "host_port": "port", "switch_port": "port", "slot_port": "port",
    "port_number": "port", "port_no": "port", "port_num": "port", "rack": "rack", "cabinet": "rack",
    "rack_name": "rack", "u": "u", "ru": "u", "unit": "u", "rack_unit": "u", "position": "u", "elevation": "u",
    "type": "kind", "role": "kind", "kind": "kind", "device_type": "kind", "label": "label", "site": "site",
    "connector": "connector", "module_pn": "optic", "optic": "optic", "transceiver": "optic", "row": "row",
    "room": "room", "cage": "cage", "leg": "leg", "cage_leg": "leg", "face": "side", "alias": "alias",
}  # fmt: skip
_WHOLE = {
    "cable_id": "cable_id", "cable": "cable_id", "cable_number": "cable_id", "cable_no": "cable_id",
    "cable_name": "cable_id", "id": "cable_id", "link": "link", "link_id": "link", "leg": "leg", "network": "network",
    "fabric": "network", "plane": "plane", "rail": "rail", "media": "media", "cable_type": "media", "type": "media",
    "medium": "media", "media_type": "media", "cable_media": "media", "sku": "sku", "part": "sku",
    "part_number": "sku", "cable_pn": "sku", "speed": "speed", "speed_gbps": "speed_gbps", "speed_gb_s": "speed_gbps",
    "speed_gbit": "speed_gbps", "speed_gbit_s": "speed_gbps", "bandwidth": "speed", "rate": "speed",
    "data_rate": "speed", "link_speed": "speed", "port_speed": "speed", "lanes": "lanes", "length": "length",
    "cable_length": "length", "len": "length", "cable_len": "length", "length_unit": "length_unit",
    "length_units": "length_unit", "route_m": "route_m", "slack_m": "slack_m", "bundle": "bundle",
    "tray_path": "tray_path", "status": "status", "state": "status", "color": "colour", "colour": "colour",
    "protocol": "protocol", "label": "cable_label", "phase": "phase", "optics_w": "optics_w", "price": "price",
}  # fmt: skip
#: Words that head a column of devices and, with ``port``, that of their ports, where no column names a side.
_ROLES = {"a": ("host", "server", "node", "system"), "z": ("switch", "leaf", "tor")}
#: In m, by the words that plans have for a unit of length.
METRES = {
    "m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0, "cm": 0.01, "mm": 0.001, "km": 1000.0,
    "ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "in": 0.0254, "inch": 0.0254, "inches": 0.0254, "mi": 1609.344,
}  # fmt: skip


def words(cells: Sequence[str]) -> list[str]:
    """Return headers in lower case with single underscores, units in brackets among them, and digits apart."""
    plain = (re.sub(r"[^a-z0-9]+", "_", cell.lower()).strip("_") for cell in cells)
    return [re.sub(r"(?<=[a-z])(?=[12]$)", "_", word) for word in plain]


def mapped(cells: Sequence[str]) -> dict[str, int] | None:
    """Return the column of each thing that a header names; None if it is no header of a plan.

    The InfiniBand form of point-to-point sheets names both sides alike: its second ``Rack`` begins the other.
    """
    given = words(cells)
    found = _by_second_rack(given) if given.count("rack") == 2 else _by_side(given)
    found = _netbox(found, given)
    if not all(column in found for column in NEEDED):
        found |= _by_role(given)
    return found if all(column in found for column in NEEDED) else None


def _by_side(given: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, word in enumerate(given):
        name = _WHOLE.get(word) or next(_sided(word), "") or ("length" if unit_of(word) else "")
        if name and name not in found:
            found[name] = place
    return found


def unit_of(word: str) -> str:
    """Return the unit that a header of lengths states, such as ``ft`` in ``length_in_ft``; else nothing."""
    named, _, unit = word.rpartition("_")
    return unit if unit in METRES and _WHOLE.get(named.removesuffix("_in")) == "length" else ""


def _sided(word: str) -> Iterator[str]:
    """Yield what a header with the word of a side before, behind or amid the word of a thing may mean."""
    parts = word.split("_")
    for size in range(len(parts), 0, -1):
        for start in range(len(parts) - size + 1):
            side = _SIDES.get("_".join(parts[start : start + size]))
            rest = "_".join(parts[:start] + parts[start + size :])
            if side and rest in _ENDS:
                yield f"{side}_{_ENDS[rest]}"
            elif side and not rest and len(word) > 1:
                yield f"{side}_device"


def _by_role(given: Sequence[str]) -> dict[str, int]:
    """Return the columns of hosts and switches, where the header names no sides."""
    found: dict[str, int] = {}
    for side, roles in _ROLES.items():
        for role in roles:
            ports = [f"{role}_port", f"{role}_interface", *(("hca", "nic") if side == "a" else ())]
            port = next((word for word in ports if word in given), None)
            if role in given and port is not None:
                found |= {f"{side}_device": given.index(role), f"{side}_port": given.index(port)}
                break
    return found


def _by_second_rack(given: Sequence[str]) -> dict[str, int]:
    start = [place for place, word in enumerate(given) if word == "rack"]
    found: dict[str, int] = {}
    for side, low, high in (("a", start[0], start[1]), ("z", start[1], len(given))):
        names = [place for place in range(low, high) if given[place] == "name"]
        for place in range(low, high):
            word = _ENDS.get(given[place])
            if word == "device" and place != names[-1]:
                word = "u"  # the manual prints Name where the far side's U stands
            if word:
                found.setdefault(f"{side}_{word}", place)
    return found


def _netbox(found: dict[str, int], given: Sequence[str]) -> dict[str, int]:
    """Return what NetBox's columns mean: ``side_a_name`` is a port, ``side_a_type`` what kind of thing is plugged."""
    if "side_a_device" not in given or "side_a_name" not in given:
        return found
    place: Mapping[str, int] = {word: at for at, word in enumerate(given)}
    for side, ours in (("side_a", "a"), ("side_b", "z")):
        found.pop(f"{ours}_kind", None)
        for word, meaning in (("device", "device"), ("name", "port"), ("site", "site")):
            if f"{side}_{word}" in place:
                found[f"{ours}_{meaning}"] = place[f"{side}_{word}"]
    found.setdefault("cable_label", place.get("label", -1))
    return {name: at for name, at in found.items() if at >= 0}
