"""What hosts and switches of the catalogue bring to a network that is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from fabrictool import units
from fabrictool.catalogue.store import find
from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.errors import InputError, NotSupportedError
from fabrictool.generators.tiers import MOST_PER_CAGE

GENERIC = "generic"
_GENERIC_SPEED_BPS = 400e9
#: Link speed in bit/s, to the InfiniBand switch of that generation.
_SWITCHES = {200e9: "qm8790", 400e9: "qm9700", 800e9: "q3400-ra"}
_GENERIC_PORTS = 64


@dataclass(frozen=True, slots=True)
class HostLinks:
    """Links of a host to a network: ``lanes`` in all, ``per_adapter`` of each adapter.

    ``trays`` are the hosts that one of a rack-scale type is, and ``rack_power_w`` is the most that such a rack draws.
    """

    lanes: int
    per_adapter: int
    speed_bps: float
    trays: int = 1
    rack_power_w: float | None = None


@dataclass(frozen=True, slots=True)
class SwitchPorts:
    """A switch as a layout writes it, its ports at a speed, and the protocol of its network."""

    text: str
    ports: int
    protocol: str

    @property
    def title(self) -> str:
        """What the switch is called in messages."""
        return self.text.split(",")[0].removeprefix("{name: ")


def host_links(host_type: str, speed: str | None) -> HostLinks:
    """Return the compute links of a host; a port faster than the links is split into as many as it carries.

    Raises
    ------
    FabrictoolError
        If the host has no such links.
    """
    asked = None if speed is None else _speed_bps(speed)
    if host_type == GENERIC:
        return HostLinks(1, 1, asked or _GENERIC_SPEED_BPS)
    kind = _catalogued("hosts", host_type, "host type")
    assert isinstance(kind, HostType)
    nics = [nic for nic in kind.nics if nic.role == "compute"]
    if not nics or not kind.gpus:
        raise InputError(f"{host_type} has no GPU with a compute port", "choose a host with GPUs")
    fastest_bps = min(nic.speed_bps for nic in nics)
    if asked is not None and asked > fastest_bps:
        slower = units.format_speed(fastest_bps)
        raise InputError(f"{host_type} has compute ports of {slower}, not {speed}", f"use --speed {slower}")
    speed_bps = asked or fastest_bps
    splits = [int(nic.speed_bps / speed_bps * (1 + 1e-9)) for nic in nics]
    if max(splits) > MOST_PER_CAGE:
        what = f"a compute port of {host_type} would be split into {max(splits):,} links of {speed}"
        raise InputError(what, f"a port has at most {MOST_PER_CAGE} lanes: use a higher --speed")
    lanes = sum(nic.ports * split for nic, split in zip(nics, splits, strict=True))
    per_adapter = min(nic.ports_each * split for nic, split in zip(nics, splits, strict=True))
    return HostLinks(lanes, per_adapter, speed_bps, kind.hosts_each, kind.power_max_w if kind.trays else None)


def switch_ports(switch_type: str | None, speed_bps: float) -> SwitchPorts:
    """Return a switch of the catalogue; by default that of the speed's generation, or one described in place.

    Raises
    ------
    FabrictoolError
        If there is no such switch, or its ports are too slow.
    """
    speed = units.format_speed(speed_bps)
    name = switch_type or _SWITCHES.get(speed_bps)
    if name is None:
        inline = f"{{name: switch-{_GENERIC_PORTS}x{speed}, ports: {_GENERIC_PORTS}, speed: {speed}, u: 1}}"
        return SwitchPorts(inline, _GENERIC_PORTS, "ethernet")
    kind = _catalogued("switches", name, "switch type")
    assert isinstance(kind, SwitchType)
    if kind.director is not None:
        fix = f"start with another switch, then write 'spine: {{type: {name}}}', or 'leaf' where one director is enough"
        raise NotSupportedError(f"{name} is a director; a starter of it is not supported yet", fix)
    each = min(MOST_PER_CAGE, int(kind.cage_speed_bps / speed_bps * (1 + 1e-9)))
    if not each:
        what = f"{name} has ports of {units.format_speed(kind.cage_speed_bps)} at most, not {speed}"
        raise InputError(what, "choose a faster switch or a lower speed")
    if (kind.protocol or "").startswith("nvlink"):
        raise InputError(f"{name} joins GPUs inside a rack, not hosts", "choose an InfiniBand or Ethernet switch")
    protocol = "infiniband" if "infiniband" in (kind.protocol or "") else "ethernet"
    return SwitchPorts(name, kind.cage_count * each, protocol)


def _catalogued(kind: str, name: str, title: str) -> HostType | SwitchType:
    try:
        found = find(kind, name, title)
    except ValueError as error:
        raise InputError(str(error).removesuffix(" A type may also be described inline")) from None
    assert isinstance(found, HostType | SwitchType)
    return found


def _speed_bps(speed: str) -> float:
    try:
        return units.parse(speed, units.SPEED)
    except ValueError as error:
        raise InputError(f"--speed: {error}") from None
