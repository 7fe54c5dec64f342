"""Texts of labels by a template of the layout's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fabrictool.records import CableEnd, CableRow


def labelled(row: CableRow, template: str) -> CableRow:
    """Return a row with the labels that a template makes; an end without a place keeps its label.

    ``fabrictool.layout.cabling`` lists what a template may name: of the end that the label is fixed to, with
    ``far_`` of the other one, and of the cable.
    """
    cable = {
        "cable": row.cable_id, "network": row.network, "media": row.media, "sku": row.sku, "length": row.length_m,
        "bundle": row.bundle, "phase": row.phase, "rail": row.rail + 1,
    }  # fmt: skip
    ends = _words(row.a), _words(row.z)
    a, z = (_filled(template, near, far, cable) for near, far in (ends, ends[::-1]))
    return replace(row, a=replace(row.a, label=a or row.a.label), z=replace(row.z, label=z or row.z.label))


def _words(end: CableEnd) -> dict[str, object]:
    place = end.place
    return {
        "site": place.site, "room": place.room, "row": place.row, "rack": place.rack, "unit": place.unit,
        "device": place.device, "kind": end.kind, "port": end.port, "name": end.called, "cage": end.cage,
        "leg": end.leg, "side": end.side, "optic": end.optic, "connector": end.connector,
    }  # fmt: skip


def _filled(template: str, near: Mapping[str, object], far: Mapping[str, object], cable: Mapping[str, object]) -> str:
    """Return a label, empty where the template wants a number that is not known."""
    try:
        return template.format_map({**near, **{f"far_{name}": word for name, word in far.items()}, **cable})
    except (TypeError, ValueError):
        return ""
