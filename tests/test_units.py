"""Quantities as people write them."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrictool import units
from fabrictool.units import (
    AIRFLOW,
    ALTITUDE,
    COOLANT_FLOW,
    LENGTH,
    MASS,
    POWER,
    RISE,
    SIZE,
    SPEED,
    TEMPERATURE,
    THROUGHPUT,
    TIME,
    VOLTAGE,
    Dimension,
    parse,
    parse_ratio,
)

DIMENSIONS = [value for value in vars(units).values() if isinstance(value, Dimension)]


@pytest.mark.parametrize(
    ("text", "dimension", "expected"),
    [
        ("400G", SPEED, 400e9),
        ("400 Gbit/s", SPEED, 400e9),
        ("400Gb/s", SPEED, 400e9),
        ("50 GB/s", SPEED, 400e9),
        ("3.6T", SPEED, 3.6e12),
        ("1_000M", SPEED, 1e9),
        (" 1e2 G ", SPEED, 1e11),
        ("48 GB/s", THROUGHPUT, 48e9),
        ("698 GiB/s", THROUGHPUT, 698 * 2**30),
        ("1GiB", SIZE, 2**30),
        ("16 MiB", SIZE, 16 * 2**20),
        ("1 GB", SIZE, 1e9),
        ("0 B", SIZE, None),
        ("0 ns", TIME, 0),
        ("500 ns", TIME, 5e-7),
        ("1.5 us", TIME, 1.5e-6),
        ("1.5 µs", TIME, 1.5e-6),
        ("2 h", TIME, 7200),
        ("40.8 kW", POWER, 40800),
        ("1.2 MW", POWER, 1.2e6),
        ("897 mm", LENGTH, 0.897),
        ("10 ft", LENGTH, 3.048),
        ("1 in", LENGTH, 0.0254),
        ("130.45 kg", MASS, 130.45),
        ("1 lb", MASS, 0.45359237),
        ("-5 C", TEMPERATURE, -5),
        ("24 °C", TEMPERATURE, 24),
        ("12 K", RISE, 12),
        ("-100 m", ALTITUDE, -100),
        ("415 V", VOLTAGE, 415),
        ("11 kV", VOLTAGE, 11000),
        ("3600 m3/h", AIRFLOW, 1),
        ("1105 CFM", AIRFLOW, 1105 * 0.3048**3 / 60),
        ("2.1 l/min", COOLANT_FLOW, 3.5e-5),
    ],
)
def test_parse(text, dimension, expected):
    """Expected values follow from the SI prefixes and the exact foot, inch and pound of 1959."""
    if expected is None:
        with pytest.raises(ValueError, match="out of range"):
            parse(text, dimension)
    else:
        assert parse(text, dimension) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("value", "dimension", "message"),
    [
        ("400", SPEED, "'400' has no unit; a speed is written like '400G'"),
        (400, SPEED, "'400' has no unit"),
        (400.0, POWER, "'400.0' has no unit"),
        ("400 GB", SPEED, "'400 GB' is a size, not a speed"),
        ("400G", POWER, "'400G' is a speed, not a power"),
        ("30 K", TEMPERATURE, "'30 K' is a temperature rise, not a temperature; write it like '24 C'"),
        ("10 kW", MASS, "'10 kW' is a power, not a mass"),
        ("48 GB/s", SIZE, "is a speed, not a size"),
        ("5 furlong", LENGTH, "unknown unit 'furlong'"),
        ("400 g", SPEED, "is a mass, not a speed"),
        ("nan G", SPEED, "'nan G' is not a speed"),
        ("NaN", TIME, "'NaN' is not a time"),
        (math.nan, TIME, "'nan' has no unit"),
        ("inf G", SPEED, "'inf G' is not a speed"),
        ("-400G", SPEED, "out of range for a speed; accepted are 1000 to 1e\\+16 bit/s"),
        ("-1 ns", TIME, "out of range for a time"),
        ("1e30G", SPEED, "out of range"),
        ("1e999G", SPEED, "out of range"),
        ("9" * 500 + "G", SPEED, "out of range"),
        ("-300 C", TEMPERATURE, "out of range"),
        (True, SPEED, "'True' is not a speed; write it like '400G'"),
        ([400], SPEED, "is not a speed"),
        ({"value": 1}, POWER, "is not a power"),
        (None, POWER, "'None' is not a power"),
        ("", SPEED, "'' is not a speed"),
        ("fast", SPEED, "'fast' is not a speed"),
        ("4 0 0 G", SPEED, "unknown unit '0 0 G'"),
    ],
)
def test_parse_refuses(value, dimension, message):
    with pytest.raises(ValueError, match=message):
        parse(value, dimension)


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda dimension: dimension.name)
def test_every_example_is_readable(dimension):
    assert dimension.low <= parse(dimension.example, dimension) <= dimension.high
    assert dimension.unit in dimension.factors or dimension.unit == "degC"


def test_long_input_is_cut_in_messages():
    with pytest.raises(ValueError, match="…") as caught:
        parse("x" * 10_000, SPEED)
    assert len(str(caught.value)) < 150


@given(st.sampled_from(DIMENSIONS), st.data())
def test_every_unit_round_trips(dimension, data):
    unit = data.draw(st.sampled_from(sorted(dimension.factors)))
    value = data.draw(
        st.floats(dimension.low, dimension.high, allow_subnormal=False).filter(lambda v: v == 0 or abs(v) > 1e-200)
    )
    factor = dimension.factors[unit]
    boundless = replace(dimension, low=-math.inf, high=math.inf)  # a value at the edge may be rounded past it
    assert parse(f"{value / factor!r}{unit}", boundless) == pytest.approx(value, rel=1e-12)


@given(st.floats(1e3, 1e16))
def test_speed_round_trips(speed_bps):
    assert parse(units.format_speed(speed_bps), SPEED) == pytest.approx(speed_bps, rel=1e-5)


@given(st.floats(1, 9.9e17))
def test_size_round_trips(nbytes):
    assert parse(units.format_size(nbytes), SIZE) == pytest.approx(nbytes, rel=1e-5)


@given(st.floats(1e-12, 9e8))
def test_time_round_trips(time_s):
    assert parse(units.format_time(time_s), TIME) == pytest.approx(time_s, rel=1e-3)


@given(st.floats(1e-2, 9e11))
def test_power_round_trips(power_w):
    assert parse(units.format_power(power_w), POWER) == pytest.approx(power_w, rel=1e-5)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())))
def test_what_has_no_number_and_unit_is_a_value_error(value):
    for dimension in DIMENSIONS:
        if not (isinstance(value, str) and any(letter.isdigit() for letter in value)):
            with pytest.raises(ValueError, match=dimension.name):
                parse(value, dimension)


@given(st.integers(-(10**40), 10**40), st.sampled_from(DIMENSIONS), st.data())
def test_what_is_accepted_is_in_range(number, dimension, data):
    unit = data.draw(st.sampled_from(sorted(dimension.factors)))
    within = dimension.low <= number * dimension.factors[unit] <= dimension.high
    if within:
        assert parse(f"{number} {unit}", dimension) == pytest.approx(number * dimension.factors[unit])
    else:
        with pytest.raises(ValueError, match=f"out of range for an? {dimension.name}"):
            parse(f"{number} {unit}", dimension)


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (units.format_speed, 400e9, "400G"),
        (units.format_speed, 1.6e12, "1.6T"),
        (units.format_size, 2**30, "1 GiB"),
        (units.format_size, 1000, "1000 B"),
        (units.format_time, 0.04253, "42.53 ms"),
        (units.format_time, 5e-7, "500 ns"),
        (units.format_power, 40800, "40.8 kW"),
        (units.format_power, 747, "747 W"),
    ],
)
def test_format(write, value, text):
    assert write(value) == text


@pytest.mark.parametrize(("value", "share"), [("40 %", 0.4), ("100%", 1), (0.25, 0.25), (0, 0), (1, 1)])
def test_ratio(value, share):
    assert parse_ratio(value) == pytest.approx(share)


@pytest.mark.parametrize("value", ["40", "forty %", "140 %", -0.1, 1.5, True, None, [0.5], math.nan, "nan %"])
def test_ratio_refuses(value):
    with pytest.raises(ValueError, match=r"is not a share|is not between 0 and 1"):
        parse_ratio(value)


@pytest.mark.parametrize(("text", "seconds"), [("500 ns", 5e-7), ("0.3 us", 3e-7), ("1.1 ms", 1.1e-3), ("7 ps", 7e-12)])
def test_decimal_quantities_are_the_nearest_number(text: str, seconds: float) -> None:
    assert units.parse(text, units.TIME) == seconds


@pytest.mark.parametrize("text", ["1e999999999999 s", "1e30 s", "9" * 5000 + " s"])
def test_huge_numbers_are_out_of_range(text: str) -> None:
    with pytest.raises(ValueError, match="out of range"):
        units.parse(text, units.TIME)
