"""The catalogue as tables: what there is, and everything known about one type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fabrictool import units
from fabrictool.catalogue import store
from fabrictool.catalogue.kinds import KINDS
from fabrictool.catalogue.types import Type
from fabrictool.errors import InputError, did_you_mean
from fabrictool.tabular import Column, Table

# Figures shown of each kind: field of the type, heading with unit.
_FIGURES: dict[str, dict[str, str]] = {
    "switches": {
        "protocol": "protocol",
        "ports": "ports",
        "speed_bps": "speed",
        "cages": "cages",
        "u": "units",
        "power_typical_w": "typical [W]",
        "power_max_w": "maximum [W]",
    },
    "hosts": {
        "gpus": "GPUs",
        "gpu": "GPU",
        "ports": "ports",
        "u": "units",
        "power_typical_w": "typical [W]",
        "power_max_w": "maximum [W]",
        "weight_kg": "weight [kg]",
    },
    "nics": {"ports": "ports", "speed_bps": "speed", "cage": "cage", "power_max_w": "maximum [W]"},
    "transceivers": {
        "speed_bps": "speed",
        "links": "links",
        "media": "media",
        "form": "form",
        "reach_m": "reach [m]",
        "power_max_w": "maximum [W]",
    },
    "cables": {"kind": "kind", "speed_bps": "speed", "links": "links", "reach_m": "reach [m]"},
    "racks": {"u": "units", "tare_kg": "own weight [kg]", "capacity_kg": "capacity [kg]"},
    "cooling_units": {
        "kind": "kind",
        "capacity_w": "capacity [W]",
        "approach_k": "approach [K]",
        "power_w": "power [W]",
    },
    "power_units": {"kind": "kind", "hosts": "hosts", "power_w": "power [W]", "feeds": "feeds"},
    "storage": {"u": "units", "read_bytes_per_s": "read", "write_bytes_per_s": "write", "accelerators_fed": "feeds"},
    "prices": {"usd": "price [USD]"},
    "link_prices": {
        "media": "media",
        "speed_bps": "speed",
        "min_m": "from [m]",
        "max_m": "to [m]",
        "cable_usd": "cable [USD]",
        "cable_usd_per_m": "cable length [USD/m]",
        "transceiver_usd": "transceiver [USD]",
        "transceiver_w": "transceiver power [W]",
    },
}
_FORMATS: dict[str, Callable[[Any], str]] = {
    "speed_bps": units.format_speed,
    "read_bytes_per_s": lambda rate: f"{rate / 1e9:.6g} GB/s",
    "write_bytes_per_s": lambda rate: f"{rate / 1e9:.6g} GB/s",
}


def listing(kind_or_name: str | None = None) -> Table | list[Table]:
    """Return what the catalogue knows.

    Parameters
    ----------
    kind_or_name : str, optional
        A kind such as ``switches``, or the name of a type such as ``qm9700``.

    Returns
    -------
    Table or list of Table
        One table for each kind; the table of the kind asked for; or every known figure of the type,
        as its vendor gives it, with its indicative price.

    Raises
    ------
    InputError
        If there is neither a kind nor a type of that name.
    """
    if kind_or_name is None:
        return [_overview(kind) for kind in KINDS]
    if kind_or_name in KINDS:
        return _overview(kind_or_name)
    return _sheet(kind_or_name)


def _overview(kind: str) -> Table:
    entries = [store.entry(kind, name) for name in store.names(kind)]
    fields = {"name": "name"} | _FIGURES[kind] | {"source": "source", "as_of": "as of"}
    return Table(kind.replace("_", " "), tuple(_column(entries, *field) for field in fields.items()))


def _column(entries: list[Type], field: str, heading: str) -> Column:
    values = [getattr(entry, field) for entry in entries]
    if write := _FORMATS.get(field):
        return Column(heading, values, align="right", format=write, key=field)
    title, _, unit = heading.removesuffix("]").partition(" [")
    return Column(title, values, unit, key=field)


def _sheet(name: str) -> Table:
    kinds = [kind for kind in KINDS if name in store.names(kind)]
    if not kinds:
        known = [*KINDS, *(entry for kind in KINDS for entry in store.names(kind))]
        raise InputError(f"the catalogue has neither a kind nor a type '{name}'", did_you_mean(name, known))
    rows = [("kind of type", kinds[0].replace("_", " ")), *_figures(store.as_written(kinds[0], name))]
    for kind in kinds[1:]:
        rows += [(f"{kind.replace('_', ' ')}: {key}", text) for key, text in _figures(store.as_written(kind, name))]
    return Table.from_rows(name, ["figure", "value"], rows)


def _figures(written: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Go through the figures of an entry; groups such as adapters get a line each."""
    last = {"note": None, "source": None, "as_of": None}
    for key in [
        *(key for key in written if key not in last and key != "name"),
        *(key for key in last if key in written),
    ]:
        groups = (
            written[key] if isinstance(written[key], list) and isinstance(written[key][0], dict) else [written[key]]
        )
        for group in groups:
            yield key.replace("_", " "), _text(group)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_text(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
