"""Checks of a hall's cooling: loops that are not there, temperatures and numbers that cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from fabrictool.errors import Problem, did_you_mean
from fabrictool.layout.cooling import SATURATION_C, Loop
from fabrictool.layout.model import Layout
from fabrictool.layout.plant import Plant

_Path = tuple[str | int, ...]
#: At 30 C, and of air in a hall, to tell the impossible.
WATER_J_PER_M3_K, PG25_J_PER_M3_K = 4.161552e6, 4.00343e6
AIR_J_PER_M3_K = 1.19 * 1010
#: CDUs that a redundancy needs at least.
_LEAST = {"N": 1, "N+1": 2, "N+2": 3, "2N": 2}


def cooling_problems(layout: Layout) -> Iterator[Problem]:
    """Yield what is contradictory in the cooling of a hall."""
    loops = (layout.hall.loops if layout.hall else None) or []
    names: set[str] = set()
    for row, loop in enumerate(loops):
        path: _Path = ("hall", "loops", row)
        if loop.name in names:
            yield Problem("", f"two loops are called '{loop.name}'", "give each a name of its own", (*path, "name"))
        names.add(loop.name)
        yield from _cdus(loop, path)
        yield from _temperatures(loop, path)
    yield from _racks(layout, names)
    yield from _air_units(layout)
    yield from _plant(layout)


def _racks(layout: Layout, loops: set[str]) -> Iterator[Problem]:
    """Yield racks on loops that are not there, and keys that go with another kind of cooling."""
    for row, group in enumerate(layout.racks or []):
        for key in ("loop", "door"):
            name = getattr(group, key)
            if name is not None and name not in loops:
                hint = did_you_mean(name, loops) if loops else "add 'loops' to the hall"
                yield Problem("", f"there is no loop '{name}'", hint, ("racks", row, key))
        if group.cooling == "air" and group.loop is not None:
            what = f"racks on loop {group.loop} have cooling air, which takes no liquid"
            yield Problem("", what, "use rear-door, direct-to-chip or immersion, or remove it", ("racks", row, "loop"))
        if group.door is not None and group.cooling != "direct-to-chip":
            what = f"door is the loop of a rear door behind cold plates, but these racks have cooling {group.cooling}"
            yield Problem("", what, "use cooling: direct-to-chip, or 'loop' with rear-door", ("racks", row, "door"))
        if group.capture is not None and group.cooling != "rear-door" and group.door is None:
            yield Problem(
                "", "capture is of a rear door, but these racks have none", "remove it", ("racks", row, "capture")
            )
        if group.fluid is not None and group.cooling != "immersion":
            what = f"fluid is of an immersion tank, but these racks have cooling {group.cooling}"
            yield Problem("", what, "use cooling: immersion, or remove it", ("racks", row, "fluid"))
        yield from _boiling_tank(layout, row)


def _boiling_tank(layout: Layout, row: int) -> Iterator[Problem]:
    """Yield a tank whose loop is stated to be as warm as its fluid boils."""
    group = (layout.racks or [])[row]
    boils = SATURATION_C.get(group.fluid or "")
    loops = {loop.name: loop for loop in (layout.hall.loops if layout.hall else None) or []}
    loop = loops.get(group.loop or next(iter(loops), ""))
    if boils is None or loop is None or loop.supply_temperature_c is None or loop.supply_temperature_c < boils:
        return
    what = f"{group.fluid} boils at {boils:.3g} C, but loop {loop.name} supplies {loop.supply_temperature_c:g} C"
    yield Problem("", what, f"give supply_temperature below {boils:.3g} C, or another fluid", ("racks", row, "fluid"))


def _air_units(layout: Layout) -> Iterator[Problem]:
    """Yield air handlers that cannot be: water warmer than their air, too few for a redundancy, impossible coils."""
    hall = layout.hall
    supply = 25.0 if hall is None or hall.supply_temperature_c is None else hall.supply_temperature_c
    names: set[str] = set()
    for row, group in enumerate((hall.air_units if hall else None) or []):
        path: _Path = ("hall", "air_units", row)
        if group.name in names:
            yield Problem(
                "", f"two groups of air handlers are called '{group.name}'", "give each a name", (*path, "name")
            )
        names.add(group.name)
        least = _LEAST[group.redundancy]
        if group.count < least:
            what = f"redundancy {group.redundancy} needs {least} air handlers, but {group.name} are {group.count}"
            yield Problem("", what, "give more, or redundancy: N", (*path, "count"))
        if group.water_temperature_c is not None and group.water_temperature_c >= supply:
            what = f"chilled water of {group.water_temperature_c:g} C cannot cool air to {supply:g} C"
            yield Problem("", what, "give colder water, or warmer supply_temperature", (*path, "water_temperature"))
        cooled = group.capacity_w / (group.airflow_m3_per_s * AIR_J_PER_M3_K)
        gained, near = group.water_rise_k or 6.0, group.approach_k or 8.0
        if gained >= near + cooled:
            what = (
                f"water would gain {gained:.3g} K in {group.name}, more than its approach of {near:g} K and the "
                f"{cooled:.3g} K that air is cooled by"
            )
            yield Problem("", what, "check capacity, airflow, approach and water_rise", (*path, "water_rise"))


def _cdus(loop: Loop, path: _Path) -> Iterator[Problem]:
    """Yield keys that need a CDU, and numbers of CDUs that a redundancy cannot have."""
    if loop.cdu is None:
        given = {
            "facility_temperature": loop.facility_temperature_c,
            "facility_flow": loop.facility_flow_m3_per_s,
            "approach": loop.approach_k,
        }
        for key in (key for key, value in given.items() if value is not None):
            yield Problem("", f"{key} is of a CDU, but loop {loop.name} states none", "add 'cdu'", (*path, key))
        if loop.redundancy != "N":
            what = f"redundancy {loop.redundancy} is of CDUs, but loop {loop.name} states none"
            yield Problem("", what, "add 'cdu'", (*path, "redundancy"))
        return
    if loop.count is not None and loop.count < _LEAST[loop.redundancy]:
        what = (
            f"redundancy {loop.redundancy} needs {_LEAST[loop.redundancy]} CDUs, but loop {loop.name} has {loop.count}"
        )
        yield Problem("", what, f"give {_LEAST[loop.redundancy]} or more, or redundancy: N", (*path, "count"))
    yield from _impossible_unit(loop, path)
    if loop.redundancy == "2N" and loop.count is not None and loop.count % 2:
        what = f"2N is two equal sets of CDUs, but loop {loop.name} has {loop.count}"
        yield Problem("", what, f"give {loop.count + 1}", (*path, "count"))
    if loop.cdu.coolant is not None and loop.coolant is not None and loop.cdu.coolant != loop.coolant:
        what = f"{loop.cdu.name} is made for {loop.cdu.coolant}, but loop {loop.name} has {loop.coolant}"
        yield Problem("", what, f"use coolant: {loop.cdu.coolant}, or another CDU", (*path, "coolant"))


def _impossible_unit(loop: Loop, path: _Path) -> Iterator[Problem]:
    """Yield a CDU whose facility water would leave warmer than its coolant enters: no exchanger does that."""
    unit = loop.unit
    if unit is not None and unit.approach_k == 0:
        what = f"{unit.name} would bring coolant down to the temperature of its facility water, which no exchanger does"
        yield Problem("", what, "give an approach_k above 0, such as 4", (*path, "cdu"))
        return
    if unit is None or unit.flow_m3_per_s is None or unit.primary_flow_m3_per_s is None:
        return
    gained = unit.capacity_w / WATER_J_PER_M3_K / unit.primary_flow_m3_per_s
    given = unit.capacity_w / PG25_J_PER_M3_K / unit.flow_m3_per_s
    approach = 5.0 if unit.approach_k is None else unit.approach_k
    if gained >= approach + given:
        what = (
            f"at {unit.capacity_w / 1e3:g} kW facility water would gain {gained:.3g} K in {unit.name}, more than its "
            f"approach of {approach:g} K and the {given:.3g} K that coolant gives"
        )
        yield Problem("", what, "check capacity, flow, primary_flow and approach", (*path, "cdu"))


def _temperatures(loop: Loop, path: _Path) -> Iterator[Problem]:
    supply, facility = loop.supply_temperature_c, loop.facility_temperature_c
    boils = SATURATION_C.get(loop.coolant or "")
    if boils is not None:
        for key, value in (("supply_temperature", supply), ("rise", loop.rise_k)):
            if value is not None:
                what = f"{loop.coolant} boils at {boils:g} C throughout loop {loop.name}, so it has no {key} of its own"
                yield Problem("", what, "remove it, or use a coolant that does not boil", (*path, key))
        supply = boils
    if loop.cdu is not None and facility is not None and supply is not None and facility >= supply:
        what = f"facility water of {facility:g} C cannot cool loop {loop.name} to {supply:g} C"
        fix = f"give colder water, or supply_temperature above {facility:g} C by the CDU's approach"
        yield Problem("", what, fix, (*path, "facility_temperature"))
    if supply is not None and loop.rise_k is not None and supply + loop.rise_k > 90:
        what = f"loop {loop.name} would return at {supply + loop.rise_k:g} C, close to boiling"
        yield Problem("", what, "give a smaller rise", (*path, "rise"))


def _plant(layout: Layout) -> Iterator[Problem]:
    """Yield a plant without weather, weather without a plant, and a wet bulb that cannot be."""
    hall = layout.hall
    plant = hall.plant if hall else None
    if hall is None or plant is None:
        if hall is not None and hall.weather is not None:
            fix = "add 'plant', such as plant: {rejection: tower}, or remove it"
            yield Problem("", "weather is for a plant, but the hall states none", fix, ("hall", "weather"))
        return
    if hall.weather is None and plant.outdoor is None:
        fix = "add weather: london, a CSV or EPW file, or plant.outdoor: {dry_bulb: 35 C, wet_bulb: 24 C}"
        yield Problem("", "nothing says under which weather the plant stands", fix, ("hall", "plant"))
    yield from _plant_water(layout, plant)
    if plant.outdoor is None:
        return
    dry, wet, path = plant.outdoor.dry_bulb_c, plant.outdoor.wet_bulb_c, ("hall", "plant", "outdoor")
    if wet is None and plant.rejection != "dry-cooler" and hall.weather is None:
        yield Problem("", f"a plant with rejection {plant.rejection} needs the wet bulb", "add 'wet_bulb'", path)
    if wet is not None and wet > dry:
        what = f"a wet bulb of {wet:g} C is above the dry bulb of {dry:g} C"
        yield Problem("", what, "give a lower one", (*path, "wet_bulb"))


def _plant_water(layout: Layout, plant: Plant) -> Iterator[Problem]:
    hall = layout.hall
    supply = 25.0 if hall is None or hall.supply_temperature_c is None else hall.supply_temperature_c
    if plant.chilled_water_c is not None and plant.chilled_water_c >= supply:
        what = f"chilled water of {plant.chilled_water_c:g} C cannot cool air to {supply:g} C"
        yield Problem("", what, "give colder water, or warmer supply_temperature", ("hall", "plant", "chilled_water"))
    if plant.exchanger_k is not None and plant.rejection != "tower":
        what = f"exchanger is between a tower and the hall, but rejection is {plant.rejection}"
        yield Problem("", what, "remove it", ("hall", "plant", "exchanger"))
    if plant.pads is not None and plant.rejection != "adiabatic":
        what = f"pads are of rejection adiabatic, but rejection is {plant.rejection}"
        yield Problem("", what, "remove it", ("hall", "plant", "pads"))
    if not plant.chiller and plant.economiser == "none":
        what = "without a chiller and with economiser none, nothing cools the water"
        yield Problem("", what, "use economiser: full, or chiller: true", ("hall", "plant", "economiser"))
