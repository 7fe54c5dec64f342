"""Types as a layout states them: the name of an entry of the catalogue, or the entry's keys in place."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from fabrictool.catalogue.parts import CoolingUnitType, RackType
from fabrictool.catalogue.store import find
from fabrictool.catalogue.types import HostType, SwitchType


def _lookup(kind: str, title: str) -> Any:
    """Return a validator that reads a name as the catalogue's entry and leaves a mapping to its model."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        return find(kind, value, title)

    return BeforeValidator(read, json_schema_input_type=str | dict[str, Any])


Switch = Annotated[SwitchType, _lookup("switches", "switch type")]
Host = Annotated[HostType, _lookup("hosts", "host type")]
Rack = Annotated[RackType, _lookup("racks", "rack type")]
CoolingUnit = Annotated[CoolingUnitType, _lookup("cooling_units", "cooling unit")]
