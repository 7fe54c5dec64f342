"""Time of power and cooling: formulas for 100,000 racks, a hall of 131,072 GPUs with every single failure, a year.

Run as ``python benchmarks/cooling.py``; each figure is the median of several runs after one that warms up.
"""

from __future__ import annotations

import numpy as np
from timing import median_s

RACKS = 100_000
SITE = {
    "name": "hall",
    "hosts": {"name": "tray", "type": "gb200-nvl72", "count": 1821},
    "racks": {"name": "nvl", "type": "rack-48u", "cooling": "direct-to-chip", "loop": "row"},
    "hall": {
        "supply_temperature": "24 C",
        "containment": "hot-aisle",
        "feeds": [
            {"name": "A", "voltage": "415 V", "amps": 250, "redundancy": "2N", "from": "busway-a"},
            {"name": "B", "voltage": "415 V", "amps": 250, "redundancy": "2N", "from": "busway-b"},
        ],
        "supply": [
            {"name": "utility", "kind": "utility"},
            {"name": "ups-a", "kind": "ups", "from": "utility"},
            {"name": "ups-b", "kind": "ups", "from": "utility"},
            {"name": "busway-a", "kind": "busway", "racks": 8, "from": "ups-a"},
            {"name": "busway-b", "kind": "busway", "racks": 8, "from": "ups-b"},
        ],
        "air_units": [
            {"name": "wall", "count": 400, "redundancy": "N+2", "capacity": "100 kW", "airflow": "8 m3/s",
             "water_temperature": "16 C"},
        ],
        "loops": [
            {"name": "row", "racks": 8, "cdu": "vertiv-coolchip-cdu-1350", "count": 2, "redundancy": "N+1",
             "facility_temperature": "25 C", "pressure_drop": "150 kPa"},
        ],
        "weather": "london",
        "plant": {"rejection": "dry-cooler"},
    },
}  # fmt: skip


def formulas(generator: np.random.Generator) -> float:
    """Return the time in s of the formulas of a rack, for all racks at once."""
    from fabrictool.cooling.air import airflow_m3_per_s
    from fabrictool.cooling.exchangers import counterflow_exchange
    from fabrictool.cooling.hydraulics import pipe_flow
    from fabrictool.cooling.liquid import coolant_m3_per_s
    from fabrictool.cooling.room import moving_power_w, recirculated_inlet_c
    from fabrictool.power.circuits import breaker_a, current_a
    from fabrictool.power.conversion import psu_efficiency
    from fabrictool.power.demand import empirical_power_w

    used = generator.uniform(0.1, 1, RACKS)
    idle, most = np.full(RACKS, 20e3), generator.uniform(40e3, 130e3, RACKS)

    def run() -> None:
        power = empirical_power_w(idle, most, used)
        airflow = airflow_m3_per_s(0.15 * power, 12.0, 24.0, 0.5, 300.0)
        moving_power_w(airflow, 400.0, 0.6)
        recirculated_inlet_c(24.0, 12.0, 0.05 * used)
        coolant = coolant_m3_per_s(0.85 * power, 10.0, 30.0, "PG25")
        drop = pipe_flow(coolant, 0.04, 10.0, 45e-6, 5.0, 1014.9, 1.776e-3).drop_pa
        moving_power_w(coolant, drop, 0.65)
        counterflow_exchange(power / 5, coolant * 4e6, coolant * 4.16e6, 45.0, 25.0)
        breaker_a(current_a(power / psu_efficiency(used), 415.0, 0.95), 0.8)

    return median_s(run)


def main() -> None:
    """Print the figures."""
    from fabrictool.cooling import rack_cooling
    from fabrictool.domains import domains
    from fabrictool.generators.building import build
    from fabrictool.layout.reading import layout_from_tree
    from fabrictool.placement import place
    from fabrictool.power import rack_power, supply_loads

    print(f"formulas of {RACKS:,} racks {1e3 * formulas(np.random.default_rng(0)):8.1f} ms")
    layout = layout_from_tree(SITE)
    fabric = build(layout)
    placement = place(layout, fabric)
    power = rack_power(layout, fabric, placement)
    print(f"{len(fabric.gpus):,} GPUs, {len(power.rack):,} racks")
    print(f"supply, every single failure {median_s(lambda: supply_loads(layout, placement, power)):8.3f} s")
    cooling_s = median_s(lambda: rack_cooling(layout, fabric, placement, power))
    print(f"cooling with a year, every loop after a loss {cooling_s:8.3f} s")
    for kind in ("loop", "cdu", "air-unit", "supply"):
        took_s = median_s(lambda kind=kind: domains(kind, fabric, layout, placement))
        print(f"domains of kind {kind:<10} {took_s:8.3f} s, {len(domains(kind, fabric, layout, placement)):,}")
    from fabrictool.cooling.hall_plant import plant_year

    cooled = rack_cooling(layout, fabric, placement, power)
    air_w = float(np.nansum(cooled.air_w))

    def year() -> None:
        plant_year(layout, float(power.it_w.sum()), air_w, cooled.loops, 0.0, cooled.room, np.nan)

    print(f"a year of hourly weather {median_s(year):8.3f} s")


if __name__ == "__main__":
    main()
