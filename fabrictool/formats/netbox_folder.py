"""A folder of CSV files for NetBox's bulk import, as a fabric."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from fabrictool.fabric import KINDS
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.csv_rows import Row, rows
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.netbox_cables import Interface
from fabrictool.formats.netbox_panels import INTERFACE, Termination, over_panels
from fabrictool.formats.opening import read_all, text_of
from fabrictool.formats.plan_csv import kind_by_name

FORMAT = "netbox"
NETWORK = "network"
_FILE = re.compile(r"(?:\d+-)?(devices|interfaces|front-ports|cables)\.csv$")


def read_folder(path: str) -> Imported:
    """Read the devices, interfaces and cables of a folder of import files.

    Raises
    ------
    InputError
        If there is no file of cables, or one cannot be read.
    """
    report, found = Report(path), files_of(path)
    cabled, fronts = Cabled(report), _fronts(found, report)
    kinds, speeds, numbers, channels = _described(found, cabled, report, {panel for panel, _ in fronts})
    cables: Counter[str] = Counter()
    for line, sides, network in over_panels(_plugged(found["cables"], channels, report), fronts, report):
        cables[network] += 1
        for leg in range(max(len(side) for side in sides)):
            names = [_chosen(side, leg) for side in sides]
            a, z = (End(name, kinds.get(name, kind_by_name(name)), port, number=numbers.get((name, port), 0))
                    for name, port in names)  # fmt: skip
            known = [speeds[end] for end in names if speeds.get(end)]
            cabled.add(line, a, z, min(known, default=0.0), 0.0, network)
    if not cabled.devices:
        raise report.refusal(1, "names no cable", "see whether the files are whole")
    fabric = cabled.fabric(Path(path).resolve().name, "unknown")
    return Imported(FORMAT, fabric, report.sorted(), cables=cables)


def files_of(path: str) -> dict[str, Path]:
    """Return the files of devices, interfaces and cables in a folder, by these words.

    Raises
    ------
    InputError
        If there is no file of cables.
    """
    found = {match[1]: place for place in sorted(Path(path).iterdir()) if (match := _FILE.match(place.name))}
    if "cables" not in found:
        fix = "name a layout, a fabric, or a folder of NetBox CSV"
        raise Report(path).refusal(1, "is a folder without cables.csv", fix)
    return found


def _plugged(
    path: Path, channels: Mapping[Interface, Mapping[int, str]], report: Report
) -> Iterator[tuple[int, list[list[Termination]], str]]:
    """Yield the cables of a file: line, what each side is plugged into, network."""
    for line, row in _rows(path, ("side_a_device", "side_a_name", "side_b_device", "side_b_name"), report):
        sides = []
        for side in "ab":
            kind = row.get(f"side_{side}_type") or INTERFACE
            ends = _ports([row[f"side_{side}_{part}"].split(",") for part in ("device", "name")], channels)
            sides.append([(kind, device, name) for device, name in ends])
        yield line, sides, row.get("description") or NETWORK


def _fronts(found: Mapping[str, Path], report: Report) -> dict[Interface, str]:
    """Return the rear port behind each front port of the panels."""
    if "front-ports" not in found:
        return {}
    rows_ = _rows(found["front-ports"], ("device", "name", "rear_port"), report)
    return {(row["device"], row["name"]): row["rear_port"] for _, row in rows_}


def _ports(words: Sequence[Sequence[str]], channels: Mapping[Interface, Mapping[int, str]]) -> list[Interface]:
    """Return the ports at one side of a cable; of a cage its channels, of one device or port for all of them."""
    devices, names = ([word.strip() for word in part] for part in words)
    found: list[Interface] = []
    for place in range(max(len(devices), len(names))):
        end = devices[min(place, len(devices) - 1)], names[min(place, len(names) - 1)]
        of_cage = channels.get(end)
        found += [(end[0], of_cage[channel]) for channel in sorted(of_cage)] if of_cage else [end]
    return found


def _chosen(side: Sequence[Interface], leg: int) -> Interface:
    """Return the port of a link of a cable; one that is named once counts for all of them."""
    return side[min(leg, len(side) - 1)]


def _described(
    found: Mapping[str, Path], cabled: Cabled, report: Report, panels: Container[str] = ()
) -> tuple[dict[str, str], dict[Interface, float], dict[Interface, int], dict[Interface, dict[int, str]]]:
    """Return kinds of devices other than panels, speeds in bit/s and numbers of interfaces, and channels of cages."""
    kinds: dict[str, str] = {}
    if "devices" in found:
        for line, row in _rows(found["devices"], ("name", "role"), report):
            if row["name"] in panels:
                continue
            role = row["role"].lower()
            kinds[row["name"]] = role if role in KINDS else kind_by_name(role)
            cabled.device(line, End(row["name"], kinds[row["name"]], ""))
    speeds, numbers = {}, {}
    channels: defaultdict[Interface, dict[int, str]] = defaultdict(dict)
    if "interfaces" in found:
        for _, row in _rows(found["interfaces"], ("device", "name"), report):
            end = (row["device"], row["name"])
            if row.get("speed", "").isdecimal():
                speeds[end] = int(row["speed"]) * 1e3
            if row.get("label", "").isdecimal() and len(row["label"]) < 6:
                numbers[end] = int(row["label"])
            if row.get("parent") and row.get("channel_id", "").isdecimal():
                channels[row["device"], row["parent"]][int(row["channel_id"])] = row["name"]
    return kinds, speeds, numbers, channels


def _rows(path: Path, needed: Sequence[str], report: Report) -> Iterable[tuple[int, Row]]:
    inner = Report(str(path))
    content = read_all(str(path))[1]
    yield from rows(text_of(content), {}, needed, inner)
    report.findings += inner.findings
