"""Patch panels in NetBox: devices with rear and front ports, cords before them, and trunks behind them.

A plug of a trunk is a cable of its own between two rear ports, and the trunk a bundle of cables: NetBox has no profile
for a dozen plugs. A fibre that several links share is written as one cable without panels, since an import maps one
position of a front port only.

References
----------
NetBox 4.7, ``dcim/forms/bulk_import.py`` (``RearPortImportForm``, ``FrontPortImportForm``, ``CableBundleImportForm``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fabrictool.formats.imported import Report
from fabrictool.formats.netbox_cables import BREAKOUTS, Interface, NetboxCable
from fabrictool.records import Patch, PatchPanel

ROLE, PORT_TYPE = "panel", "mpo"
INTERFACE, FRONT, REAR = "dcim.interface", "dcim.frontport", "dcim.rearport"
#: A termination: its type, device and name.
Termination = tuple[str, str, str]


def device_lines(panels: Iterable[PatchPanel], site: str, vendor: str) -> Iterator[tuple[object, ...]]:
    """Yield panels as devices with rack, position and face; one that hangs over its rack has none of the last two."""
    for one in panels:
        seat = (one.unit, one.side) if one.unit > 0 else ("", "")
        yield one.name, ROLE, vendor, one.type, "planned", site, one.rack, *seat


def rear_lines(panels: Iterable[PatchPanel]) -> Iterator[tuple[object, ...]]:
    """Yield the rear ports of panels: device, name, type, positions."""
    for one in panels:
        yield from ((one.name, _rear(number), PORT_TYPE, 1) for number in range(1, one.ports + 1))


def front_lines(panels: Iterable[PatchPanel]) -> Iterator[tuple[object, ...]]:
    """Yield the front ports of panels: device, name, type, positions, and the rear port behind."""
    for one in panels:
        numbers = range(1, one.ports + 1)
        yield from ((one.name, str(number), PORT_TYPE, 1, _rear(number), 1) for number in numbers)


def _rear(number: int) -> str:
    return f"rear {number}"


def patches_by_cable(patches: Iterable[Patch]) -> dict[str, list[Patch]]:
    """Return the fibres of each cable that go over panels, strand by strand."""
    found: defaultdict[str, list[Patch]] = defaultdict(list)
    for patch in patches:
        found[patch.cable_id].append(patch)
    return found


def fibres_of(cable: NetboxCable, patches: Mapping[str, Sequence[Patch]]) -> Sequence[Patch]:
    """Return the fibres of a cable that are written over panels; none for those that several links share."""
    return patches.get(cable.links[0].cable_id, ()) if len(cable.links) == 1 else ()


def parts(cable: NetboxCable, fibres: Sequence[Patch]) -> Iterator[dict[str, object]]:
    """Yield a patched cable in parts: the cord at side A, each fibre of its trunk, and the cord at side B."""
    profile = "single-1c1p" if len(fibres) == 1 else f"breakout-1c{len(fibres)}p-{len(fibres)}c1p"
    cord = {"profile": profile if len(fibres) == 1 or len(fibres) in BREAKOUTS else "", "bundle": ""}
    name = cable.links[0].cable_id
    fronts = [(fibre.a_panel, str(fibre.a_port)) for fibre in fibres]
    yield _line((INTERFACE, cable.a), (FRONT, fronts)) | cord | _made(f"{name} A", fibres[0].a_cord_m)
    for fibre in fibres:
        a, b = [(fibre.a_panel, _rear(fibre.a_port))], [(fibre.z_panel, _rear(fibre.z_port))]
        label = f"{fibre.trunk}.{fibre.plug}"
        yield (
            _line((REAR, a), (REAR, b))
            | {"profile": "single-1c1p", "bundle": fibre.trunk}
            | _made(label, fibre.trunk_m)
        )
    fronts = [(fibre.z_panel, str(fibre.z_port)) for fibre in fibres]
    yield _line((INTERFACE, cable.b), (FRONT, fronts)) | cord | _made(f"{name} Z", fibres[0].z_cord_m)


def _line(a: tuple[str, Sequence[Interface]], b: tuple[str, Sequence[Interface]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for side, (kind, ends) in (("a", a), ("b", b)):
        found |= {f"side_{side}_device": ",".join(device for device, _ in ends), f"side_{side}_type": kind,
                  f"side_{side}_name": ",".join(name for _, name in ends)}  # fmt: skip
    return found


def _made(label: str, length_m: float) -> dict[str, object]:
    return {"label": label, "length": f"{length_m:.12g}", "length_unit": "m"}


#: A cable of a file: its line, what both sides are plugged into, and its network.
Plugged = tuple[int, list[list[Termination]], str]


def over_panels(
    cables: Iterable[Plugged], fronts: Mapping[Interface, str], report: Report
) -> Iterator[tuple[int, list[list[Interface]], str]]:
    """Yield cables from device to device: line, interfaces at both sides, network.

    Parameters
    ----------
    cables : iterable of Plugged
    fronts : mapping of (str, str) to str
        The rear port behind each front port of a panel.
    report : Report
        Gets a finding for each cord that leads nowhere.
    """
    listed, wired = list(cables), _Wired(fronts)
    for _, (a, b), _ in listed:
        wired.add(a, b)
    done: set[Termination] = set()
    for line, sides, network in listed:
        kinds = [{kind for kind, _, _ in side} for side in sides]
        if kinds == [{INTERFACE}, {INTERFACE}]:
            yield line, [[(device, name) for _, device, name in side] for side in sides], network
        elif {INTERFACE} in kinds:
            near = sides[kinds.index({INTERFACE})]
            far = list(dict.fromkeys(end for start in near for end in wired.far(start)))
            if not far:
                what = f"the cord of {near[0][1]} {near[0][2]} ends in {sides[1 - sides.index(near)][0][1]}"
                report.warn(
                    "panel-open", line, f"{what}, behind which no cable leads on", "add the trunk, or remove it"
                )
            elif not done.intersection(near):
                done.update(near, far)
                yield line, [[(device, name) for _, device, name in side] for side in (near, far)], network


class _Wired:
    """The terminations of cables and panels, to follow a fibre from one device to the other."""

    def __init__(self, fronts: Mapping[Interface, str]) -> None:
        """Take the rear port behind each front port."""
        self.across: dict[Termination, Termination] = {}
        for (panel, front), rear in fronts.items():
            self.across[FRONT, panel, front] = (REAR, panel, rear)
            self.across[REAR, panel, rear] = (FRONT, panel, front)
        self.plugged: defaultdict[Termination, list[Termination]] = defaultdict(list)

    def add(self, a: Sequence[Termination], b: Sequence[Termination]) -> None:
        """Take a cable; several terminations of a side follow each other, one alone is joined to all."""
        for place in range(max(len(a), len(b))):
            ends = (a[min(place, len(a) - 1)], b[min(place, len(b) - 1)])
            for end, other in (ends, ends[::-1]):
                self.plugged[end].append(other)

    def far(self, start: Termination) -> list[Termination]:
        """Return the interfaces that the cord of one leads to, each once."""
        ends = [self._followed(end) for end in self.plugged[start]]
        return list(dict.fromkeys(end for end in ends if end[0] == INTERFACE and end != start))

    def _followed(self, at: Termination) -> Termination:
        """Return where a way over panels ends: at an interface, or in a panel behind which nothing leads on."""
        seen = set[Termination]()
        while at in self.across and at not in seen:
            behind = self.across[at]
            seen |= {at, behind}
            at = next((end for end in self.plugged[behind] if end not in seen), at)
        return at
