"""Quantities with units, as people write them, to and from SI numbers.

Inside fabrictool every number is in bit/s, s, W, bytes, m, kg, K or degrees Celsius;
this module is the only place that knows prefixes and other units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = re.compile(r"\s*([+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$")
_DECIMAL = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}


@dataclass(frozen=True, slots=True)
class Dimension:
    """A kind of quantity: its units, the one used inside and the range that makes sense.

    Parameters
    ----------
    name : str
        What it is called in messages.
    unit : str
        The unit used inside.
    example : str
        How a user would write one.
    factors : mapping of str to float
        Unit as written, to the factor that takes it to ``unit``.
    low, high : float
        Accepted range in ``unit``, both ends included.
    """

    name: str
    unit: str
    example: str
    factors: Mapping[str, float]
    low: float
    high: float


def _prefixed(suffixes: Mapping[str, float]) -> dict[str, float]:
    return {p + s: f * g for p, f in _DECIMAL.items() for s, g in suffixes.items()}


_BITS = ("bit/s", "b/s", "bps", "bit", "b")
SPEED = Dimension(
    "speed",
    "bit/s",
    "400G",
    {p: f for p, f in _DECIMAL.items() if p} | _prefixed(dict.fromkeys(_BITS, 1.0) | {"B/s": 8.0}),
    1e3,
    1e16,
)
THROUGHPUT = Dimension(
    "throughput",
    "B/s",
    "48 GB/s",
    _prefixed({"B/s": 1.0}) | {p + "B/s": f for p, f in _BINARY.items()},
    1e3,
    1e16,
)
SIZE = Dimension("size", "B", "1GiB", _prefixed({"B": 1.0}) | {p + "B": f for p, f in _BINARY.items()}, 1.0, 1e18)
BUFFER = Dimension("packet buffer", "B", "160 MB", SIZE.factors, 1.0, 1e13)
TIME = Dimension(
    "time",
    "s",
    "500 ns",
    {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9, "ps": 1e-12, "min": 60.0, "h": 3600.0},
    0.0,
    1e9,
)
#: Beside watts: BTU (international table) an hour, tons of refrigeration (12,000 BTU/h) and mechanical horsepower.
_HEAT = {"BTU/h": 0.293071070172, "TR": 3516.85284207, "hp": 745.699872}
POWER = Dimension("power", "W", "40.8 kW", _prefixed({"W": 1.0}) | _HEAT, 1e-3, 1e12)
APPARENT_POWER = Dimension("apparent power", "VA", "2.5 MVA", _prefixed({"VA": 1.0}), 1e-3, 1e12)
LENGTH = Dimension(
    "length",
    "m",
    "1.2 m",
    {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "km": 1e3, "ft": 0.3048, "in": 0.0254},
    0.0,
    1e6,
)
AREA = Dimension("cross-section", "m2", "1000 mm2", {"m2": 1.0, "cm2": 1e-4, "mm2": 1e-6}, 1e-9, 1e3)
MASS = Dimension("mass", "kg", "130 kg", {"kg": 1.0, "g": 1e-3, "t": 1e3, "lb": 0.45359237}, 0.0, 1e7)
TEMPERATURE = Dimension("temperature", "degC", "24 C", {"C": 1.0, "degC": 1.0, "°C": 1.0}, -60.0, 200.0)
RISE = Dimension("temperature rise", "K", "12 K", {"K": 1.0, "C": 1.0, "degC": 1.0, "°C": 1.0, "F": 5 / 9}, 0.1, 100.0)
ALTITUDE = Dimension("altitude", "m", "500 m", {"m": 1.0, "km": 1e3, "ft": 0.3048}, -500.0, 5000.0)
VOLTAGE = Dimension("voltage", "V", "415 V", {"V": 1.0, "kV": 1e3}, 1.0, 1e5)
AIRFLOW = Dimension(
    "airflow",
    "m3/s",
    "1105 CFM",
    {"m3/s": 1.0, "m3/h": 1 / 3600, "CFM": 0.0004719474432, "cfm": 0.0004719474432, "l/s": 1e-3},
    1e-6,
    1e6,
)
COOLANT_FLOW = Dimension(
    "coolant flow",
    "m3/s",
    "2.1 l/min",
    {"m3/s": 1.0, "l/min": 1e-3 / 60, "l/s": 1e-3, "gpm": 6.30901964e-05},
    1e-9,
    1e4,
)
PRESSURE = Dimension(
    "pressure",
    "Pa",
    "200 kPa",
    _prefixed({"Pa": 1.0}) | {"bar": 1e5, "psi": 6894.75729317, "inH2O": 249.08891},
    0.0,
    1e8,
)
VOLUME = Dimension("volume", "m3", "800 l", {"m3": 1.0, "l": 1e-3, "gal": 0.003785411784}, 1e-6, 1e6)
#: Height of a rack unit, in m.
RACK_UNIT_M = 0.04445

_ALL = (
    SPEED, THROUGHPUT, SIZE, TIME, POWER, APPARENT_POWER, LENGTH, AREA, MASS, TEMPERATURE, VOLTAGE, AIRFLOW, PRESSURE,
    VOLUME,
)  # fmt: skip


def parse(value: object, dimension: Dimension) -> float:
    """Turn a quantity as written into a number in the unit used inside.

    Parameters
    ----------
    value : str
        Such as ``"400G"`` or ``"500 ns"``. A bare number is refused: it has no unit.
    dimension : Dimension
        What kind of quantity is expected.

    Returns
    -------
    float
        The quantity in ``dimension.unit``.

    Raises
    ------
    ValueError
        If there is no unit, an unknown one, one of another kind, or the value is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{_show(value)} is not {_a(dimension.name)}; write it like '{dimension.example}'")
    if not isinstance(value, str):
        raise ValueError(f"{_show(value)} has no unit; {_a(dimension.name)} is written like '{dimension.example}'")
    match = _NUMBER.match(value)
    if match is None:
        raise ValueError(f"{_show(value)} is not {_a(dimension.name)}; write it like '{dimension.example}'")
    number, unit = match[1].replace("_", ""), match[2]
    if unit not in dimension.factors:
        raise ValueError(_unknown_unit(value, unit, dimension))
    result = _times(number, dimension.factors[unit])
    if not math.isfinite(result) or not dimension.low <= result <= dimension.high:
        limits = f"{dimension.low:g} to {dimension.high:g} {dimension.unit}"
        raise ValueError(f"{_show(value)} is out of range for {_a(dimension.name)}; accepted are {limits}")
    return result


#: Sizes of a range at most.
MOST_SIZES = 256


def parse_sizes(value: object) -> list[float]:
    """Turn a size, or a range of sizes, into bytes.

    Parameters
    ----------
    value : str
        Such as ``"1GiB"``; ``"8B..16GiB"`` doubles from the first to the last, ``"8B..16GiB..x4"`` takes another
        factor, and ``"1MiB..8MiB..1MiB"`` a step.

    Raises
    ------
    ValueError
        If a part is no size, or the range is empty or longer than ``MOST_SIZES``.
    """
    if not isinstance(value, str) or ".." not in value:
        return [parse(value, SIZE)]
    first, last, *by = (part.strip() for part in value.split(".."))
    low, high = parse(first, SIZE), parse(last, SIZE)
    if len(by) > 1 or low > high:
        raise ValueError(f"{_show(value)} is not a range of sizes; write it like '8B..16GiB', from small to large")
    way = by[0] if by else "x2"
    factor, step = _factor(way) if way.startswith("x") else (1.0, parse(way, SIZE))
    found = [low]
    while (after := found[-1] * factor + step) <= high * (1 + 1e-12) and len(found) <= MOST_SIZES:
        found.append(after)
    if len(found) > MOST_SIZES:
        raise ValueError(f"{_show(value)} has more than {MOST_SIZES} sizes; use a larger step")
    return found


def _factor(way: str) -> tuple[float, float]:
    try:
        factor = float(way[1:])
    except ValueError:
        factor = 0.0
    if not 1 < factor < math.inf:
        raise ValueError(f"{_show(way)} is not a factor between sizes; write it like 'x2', above 1")
    return factor, 0.0


def _times(number: str, factor: float) -> float:
    """Multiply in decimals where that is safe, so that 500 ns is 5e-7 to the last bit."""
    if 1e-30 < abs(float(number)) < 1e30:
        return float(Decimal(number) * Decimal(repr(factor)))
    return float(number) * factor


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _show(value: object) -> str:
    text = str(value)
    return f"'{text[:37]}…'" if len(text) > 40 else f"'{text}'"


def _unknown_unit(value: str, unit: str, dimension: Dimension) -> str:
    if not unit:
        return f"{_show(value)} has no unit; {_a(dimension.name)} is written like '{dimension.example}'"
    # kelvins before K of thousand bits a second
    for other in (RISE, *_ALL) if dimension is TEMPERATURE else _ALL:
        if unit in other.factors:
            way = f"write it like '{dimension.example}'"
            return f"{_show(value)} is {_a(other.name)}, not {_a(dimension.name)}; {way}"
    return f"{_show(value)} has an unknown unit '{unit}'; {_a(dimension.name)} is written like '{dimension.example}'"


def parse_ratio(value: object) -> float:
    """Turn ``"40 %"`` or ``0.4`` into 0.4.

    Raises
    ------
    ValueError
        If it is not a number between 0 and 1.
    """
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            number = float(value.strip()[:-1]) / 100
        except ValueError:
            raise ValueError(f"{_show(value)} is not a share; write it like '40 %' or 0.4") from None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    else:
        raise ValueError(f"{_show(value)} is not a share; write it like '40 %' or 0.4")
    if not 0 <= number <= 1:
        raise ValueError(f"{_show(value)} is not between 0 and 1")
    return number


def _scaled(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    for factor, unit in steps:
        if abs(value) >= factor * 0.9999995:
            return f"{value / factor:.6g} {unit}"
    factor, unit = steps[-1]
    return f"{value / factor:.6g} {unit}"


def format_speed(speed_bps: float) -> str:
    """Write a speed the way the trade does: ``400G``."""
    return _scaled(speed_bps, ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))).replace(" ", "")


def format_link_speed(speed_bps: float) -> str:
    """Return a link's speed in words; a fabric from elsewhere may not know it, and holds 0."""
    return format_speed(speed_bps) if speed_bps else "unknown speed"


def format_size(nbytes: float) -> str:
    """Write a message size in binary units: ``1 GiB``."""
    return _scaled(nbytes, ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")))


def format_time(time_s: float) -> str:
    """Write a duration with three to six digits: ``42.53 ms``."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if time_s >= factor:
            return f"{time_s / factor:.4g} {unit}"
    return f"{time_s / 1e-9:.4g} ns"


def format_power(power_w: float) -> str:
    """Write a power: ``40.8 kW``."""
    return _scaled(power_w, ((1e6, "MW"), (1e3, "kW"), (1.0, "W")))
