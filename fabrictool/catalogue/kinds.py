"""Kinds of entries: the file of the catalogue that each stands in, and the schema that it has."""

from __future__ import annotations

from fabrictool.catalogue.parts import (
    CableType,
    CoolingUnitType,
    LinkPrice,
    NicType,
    PowerUnitType,
    Price,
    RackType,
    StorageType,
    TransceiverType,
)
from fabrictool.catalogue.types import HostType, SwitchType, Type

KINDS: dict[str, type[Type]] = {
    "switches": SwitchType,
    "hosts": HostType,
    "nics": NicType,
    "transceivers": TransceiverType,
    "cables": CableType,
    "racks": RackType,
    "cooling_units": CoolingUnitType,
    "power_units": PowerUnitType,
    "storage": StorageType,
    "prices": Price,
    "link_prices": LinkPrice,
}
