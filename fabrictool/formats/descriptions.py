"""What InfiniBand descriptions say: host and adapter, switch and model, link width and speed."""

from __future__ import annotations

import re

#: Highest unicast LID (InfiniBand Architecture Specification, volume 1, section 4.1.3).
LAST_LID = 0xBFFF
#: Nominal speed of one lane in bit/s.
LANE_BPS = {
    "SDR": 2.5e9,
    "DDR": 5e9,
    "QDR": 10e9,
    "FDR10": 10e9,
    "FDR": 14e9,
    "EDR": 25e9,
    "HDR": 50e9,
    "NDR": 100e9,
    "XDR": 200e9,
}
#: Speed of one lane as ibutils writes it in Gbit/s.
LANE_GBPS = {
    "2.5": "SDR", "5": "DDR", "10": "QDR", "14": "FDR", "25": "EDR", "50": "HDR", "100": "NDR", "200": "XDR",
}  # fmt: skip
_RATE = re.compile(r"(\d{1,2})x\s*([A-Z]+\d*)")
_ADAPTER = re.compile(
    r"^(?P<host>.*\S)\s+(?P<adapter>HCA-?\d+|mlx\d+_\d+|mthca\d+|hfi\d+_\d+|qib\d+|irdma\d+|ib(?:[ps]\S*|\d+))$"
)
_MANAGED = re.compile(r"^MF0;(?P<name>[^;]+?):(?P<model>[^:/]+)(?P<board>(?:/[A-Z]+\d+)*)$")
_BOARD = re.compile(r"/[LS]\d+(/|$)")
_AGGREGATION = "Aggregation Node"


def link_speed(rate: str) -> float:
    """Return the speed of a rate such as ``4xHDR`` in bit/s, 0 if it says nothing."""
    match = _RATE.fullmatch(rate)
    return int(match[1]) * LANE_BPS.get(match[2], 0.0) if match else 0.0


def rate_in(text: str) -> str:
    """Return the rate that stands in a text, such as ``4xHDR``, or an empty string."""
    match = _RATE.search(text)
    return f"{match[1]}x{match[2]}" if match and match[2] in LANE_BPS else ""


def adapter(description: str) -> tuple[str, str]:
    """Return host and adapter of a channel adapter's description; two empty strings if it names no host."""
    match = _ADAPTER.match(description.strip())
    if match is None or match["host"].strip("'\" ").lower() in {"", "localhost", "(none)"}:
        return "", ""
    return match["host"], match["adapter"]


def is_aggregation(description: str, device_id: int = 0) -> bool:
    """Return whether a channel adapter is the aggregation engine of a switch."""
    return _AGGREGATION in description or (device_id >> 8 == 0xCF and bool(device_id & 1))


def switch_name(description: str) -> tuple[str, str]:
    """Return name and model of a switch; chips of a director get their board behind the name, such as L03 or L03/U2."""
    match = _MANAGED.match(description.strip())
    if match is None:
        return description, ""
    boards = [board for board in match["board"].split("/") if board not in ("", "U1")]
    return "/".join([match["name"], *boards]), match["model"]


def chassis_name(description: str) -> str:
    """Return the name of the director that a chip is on a board of, such as L03 or S12; an empty string for others."""
    match = _MANAGED.match(description.strip())
    return match["name"] if match and _BOARD.match(match["board"]) else ""
