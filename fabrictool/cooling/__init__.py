"""Heat of racks into air and liquid, and the flows that carry it off."""

from fabrictool.cooling.air import (
    airflow_m3_per_s,
    humidity_ratio,
    moist_air_density_kg_per_m3,
    moist_air_enthalpy_j_per_kg,
    moist_air_volume_m3_per_kg,
    pressure_pa,
    saturation_pressure_pa,
)
from fabrictool.cooling.liquid import COOLANTS, Coolant, coolant_kg_per_s, coolant_m3_per_s
from fabrictool.cooling.racks import RackCooling
from fabrictool.cooling.stage import rack_cooling

__all__ = [
    "COOLANTS",
    "Coolant",
    "RackCooling",
    "airflow_m3_per_s",
    "coolant_kg_per_s",
    "coolant_m3_per_s",
    "humidity_ratio",
    "moist_air_density_kg_per_m3",
    "moist_air_enthalpy_j_per_kg",
    "moist_air_volume_m3_per_kg",
    "pressure_pa",
    "rack_cooling",
    "saturation_pressure_pa",
]
