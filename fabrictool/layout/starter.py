"""Commented layouts to start from: sized by what is asked for, and scored as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import get_args

from fabrictool import units
from fabrictool.catalogue.store import find
from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.errors import InputError, NotSupportedError, did_you_mean
from fabrictool.layout.model import Family
from fabrictool.layout.starter_text import CORE, HOSTS, HOSTS_INLINE, NETWORKS, REST

GENERIC = "generic"
_GENERIC_SPEED_BPS = 400e9
#: Link speed in bit/s, to the InfiniBand switch of that generation.
_SWITCHES = {200e9: "qm8790", 400e9: "qm9700", 800e9: "q3400-ra"}
_GENERIC_PORTS = 64
_COMMENT_COLUMN = 38
_HOSTS = 64
_HOST_TYPES = {"fat-tree": GENERIC, "rail-optimized": "dgx-h100"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a starter is made of: hosts with ``lanes`` links each, and switches of ``ports`` links."""

    family: str
    hosts: int
    host_type: str
    lanes: int
    speed: str
    switch: str
    ports: int
    protocol: str

    @property
    def hosts_per_leaf(self) -> int:
        """Hosts whose links take half of a leaf's ports."""
        return self.ports // 2 // self.lanes

    @property
    def links(self) -> str:
        """What a host brings, in words."""
        return f"{self.lanes} compute port{'s' if self.lanes > 1 else ''}"

    @property
    def title(self) -> str:
        """What the switch is called in messages."""
        return self.switch.split(",")[0].removeprefix("{name: ")


def starter(
    family: str,
    hosts: int | None = None,
    host_type: str | None = None,
    speed: str | None = None,
    switch_type: str | None = None,
) -> str:
    """Return a commented layout.

    Parameters
    ----------
    family : {"fat-tree", "rail-optimized"}
    hosts : int, optional
        Number of hosts.
    host_type : str, optional
        Of the catalogue, or ``"generic"`` for an inline host of one GPU.
    speed : str, optional
        Of a link, such as ``"400G"``; by default that of the hosts' compute ports.
    switch_type : str, optional
        Of the catalogue; by default the InfiniBand switch of that speed.

    Raises
    ------
    InputError
        If hosts and switches do not fit together; it says how many hosts would.
    NotSupportedError
        If there is no starter for the family yet.
    """
    if family not in _SHAPES:
        raise _no_starter(family)
    hosts = _HOSTS if hosts is None else hosts
    if hosts < 2:
        raise InputError(f"{hosts} hosts make no network", "ask for 2 hosts or more")
    host_type = host_type or _HOST_TYPES[family]
    lanes, speed_bps = _host_links(host_type, speed)
    switch, ports, protocol = _switch(switch_type, speed_bps)
    parts = Parts(family, hosts, host_type, lanes, units.format_speed(speed_bps), switch, ports, protocol)
    return _text(parts, _SHAPES[family](parts))


def _no_starter(family: str) -> InputError | NotSupportedError:
    if family in get_args(Family):
        return NotSupportedError(f"a starter of family '{family}' is not supported yet", f"use {' or '.join(_SHAPES)}")
    return InputError(f"family '{family}' is not known", did_you_mean(family, _SHAPES))


def _catalogued(kind: str, name: str, title: str) -> HostType | SwitchType:
    try:
        found = find(kind, name, title)
    except ValueError as error:
        raise InputError(str(error).removesuffix(" A type may also be described inline")) from None
    assert isinstance(found, HostType | SwitchType)
    return found


def _host_links(host_type: str, speed: str | None) -> tuple[int, float]:
    """Return the compute ports of a host and the speed of a link, in bit/s."""
    asked = None if speed is None else _speed_bps(speed)
    if host_type == GENERIC:
        return 1, asked or _GENERIC_SPEED_BPS
    kind = _catalogued("hosts", host_type, "host type")
    assert isinstance(kind, HostType)
    if kind.trays:
        fix = f"start from another host, then write 'type: {host_type}' with the number of racks as its count"
        raise NotSupportedError(
            f"{host_type} is a rack of {kind.trays} hosts; a starter of it is not supported yet", fix
        )
    nics = [nic for nic in kind.nics if nic.role == "compute"]
    if not nics or not kind.gpus:
        raise InputError(f"{host_type} has no GPU with a compute port", "choose a host with GPUs")
    fastest_bps = min(nic.speed_bps for nic in nics)
    if asked is not None and asked > fastest_bps:
        slower = units.format_speed(fastest_bps)
        raise InputError(f"{host_type} has compute ports of {slower}, not {speed}", f"use --speed {slower}")
    return sum(nic.ports for nic in nics), asked or fastest_bps


def _speed_bps(speed: str) -> float:
    try:
        return units.parse(speed, units.SPEED)
    except ValueError as error:
        raise InputError(f"--speed: {error}") from None


def _switch(switch_type: str | None, speed_bps: float) -> tuple[str, int, str]:
    """Return a switch as a layout writes it, its ports at a speed, and the network's protocol."""
    speed = units.format_speed(speed_bps)
    name = switch_type or _SWITCHES.get(speed_bps)
    if name is None:
        inline = f"{{name: switch-{_GENERIC_PORTS}x{speed}, ports: {_GENERIC_PORTS}, speed: {speed}, u: 1}}"
        return inline, _GENERIC_PORTS, "ethernet"
    kind = _catalogued("switches", name, "switch type")
    assert isinstance(kind, SwitchType)
    each = int(kind.cage_speed_bps / speed_bps * (1 + 1e-9))
    if not each:
        fastest = units.format_speed(kind.cage_speed_bps)
        raise InputError(
            f"{name} has ports of {fastest} at most, not {speed}", "choose a faster switch or a lower speed"
        )
    return name, kind.cage_count * each, "infiniband" if "infiniband" in (kind.protocol or "") else "ethernet"


def _fat_tree(parts: Parts) -> dict[str, object]:
    """Return levels and hosts per leaf: half of each switch's ports go down, those of the top all."""
    most_per_leaf = parts.hosts_per_leaf
    largest = most_per_leaf * (parts.ports // 2) * parts.ports
    _refuse_above(parts, largest, "three levels")
    per_leaf = min(most_per_leaf, -(-parts.hosts // 2))
    leaves = -(-parts.hosts // per_leaf)
    return {
        "hosts_per_leaf": per_leaf,
        "levels": 2 if leaves <= parts.ports else 3,
        "two_levels": most_per_leaf * parts.ports,
        "largest": largest,
    }


def _rail_optimized(parts: Parts) -> dict[str, object]:
    """Return the scalable unit: as many hosts as half of a leaf's ports, or all of a smaller site."""
    half = parts.ports // 2
    largest = half * (parts.ports // parts.lanes)
    _refuse_above(parts, largest, "two levels")
    return {"rails": parts.lanes, "unit": min(half, parts.hosts), "full_unit": half, "largest": largest}


def _refuse_above(parts: Parts, largest: int, levels: str) -> None:
    if parts.hosts > largest:
        what = (
            f"{parts.hosts:,} hosts of {parts.links} do not fit a {parts.family} network of {levels} "
            f"of {parts.title} ({parts.ports} x {parts.speed})"
        )
        ways = "choose a switch with more ports"
        raise InputError(what, f"ask for {largest:,} hosts at most, or {ways}" if largest > 1 else ways)


_SHAPES: dict[str, Callable[[Parts], dict[str, object]]] = {"fat-tree": _fat_tree, "rail-optimized": _rail_optimized}


def _text(parts: Parts, shape: dict[str, object]) -> str:
    """Fill the templates, and line the comments up."""
    inline = parts.host_type == GENERIC
    words = asdict(parts) | shape
    words |= {
        "group": "dgx" if parts.host_type.startswith("dgx") else "host",
        "priced_host": "host-1gpu" if inline else parts.host_type,
        "links": parts.links,
        "core": CORE.format_map(words) if shape.get("levels") == 3 else "",
    }
    template = (HOSTS_INLINE if inline else HOSTS) + NETWORKS[parts.family] + REST
    return "\n".join(_aligned(line) for line in template.format_map(words).split("\n"))


def _aligned(line: str) -> str:
    """Return a line with the comment after its key in the column of all others."""
    key, mark, comment = line.partition("  # ")
    return f"{key + '  ':<{_COMMENT_COLUMN}}# {comment}" if mark and key.strip() else line
