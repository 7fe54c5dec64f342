"""Slurm's topology: ``topology.conf`` of topology/tree and topology/block, and ``topology.yaml``.

Slurm knows a tree of switches with every node in it once, and no ports, rails or planes. So what is written is
how near hosts are, and what is read is a fabric of virtual switches with one link a node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.found import SWITCH
from fabrictool.formats.hostlists import compressed, expanded
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.neighbourhoods import Neighbourhood, blocks, neighbourhoods
from fabrictool.formats.yaml_places import child, composed, entries, line_of, word

FORMAT = "slurm"
NETWORK = "slurm"
_SNIFF = re.compile(rb"^\s*(?:SwitchName|BlockName)\s*=", re.MULTILINE | re.IGNORECASE)
_SNIFF_YAML = re.compile(rb"^-\s+topology:", re.MULTILINE)
_PAIR = re.compile(r"(\w+)\s*=\s*(\S+)")
_ALIAS = re.compile(r"#\s*(\S+)\s*=\s*(\S+)\s*$")
_NODE_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
#: Names of switches that a comment lists.
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A switch or block of a topology: its nodes, or the switches below it."""

    name: str
    nodes: tuple[str, ...]
    switches: tuple[str, ...]
    line: int


def sniff(head: bytes) -> bool:
    """Return whether the start of a file looks like a topology of Slurm."""
    return bool(_SNIFF.search(head) or _SNIFF_YAML.search(head))


def read(name: str, text: str) -> Imported:
    """Read a topology: each node has a link to its switch, each switch one to the switch above.

    Raises
    ------
    InputError
        If it holds no switch and no block.
    """
    report = Report(name)
    found = list(_yaml_entries(text, report) if _SNIFF_YAML.search(text.encode()) else _conf_entries(text, report))
    if not found:
        raise report.refusal(1, "holds no switch and no block", "name a whole topology.conf or topology.yaml")
    called = {match[1]: match[2] for line in text.split("\n") if (match := _ALIAS.match(line.strip()))}
    cabled = Cabled(report)
    known = {entry.name: called.get(entry.name, entry.name) for entry in found}
    above: dict[str, str] = {}
    for entry in found:
        for node in entry.nodes:
            _join(cabled, entry, End(node, "host", ""), known[entry.name], above)
        for switch in entry.switches:
            if switch not in known:
                what = f"switch {entry.name} has the child {switch}, which is not defined: Slurm refuses the file"
                report.add("switch-unknown", "error", entry.line, what, "add its line, or correct the name")
                continue
            _join(cabled, entry, End(known[switch], SWITCH, ""), known[entry.name], above)
    if not cabled.devices:
        raise report.refusal(1, "names no node", "see whether the file is whole")
    fabric = cabled.fabric(name, "unknown")
    stated = {"switches": len(found), "nodes": int((fabric.devices.tier == 0).sum())}
    return Imported(FORMAT, fabric, report.sorted(), stated=stated)


def _join(cabled: Cabled, entry: Entry, below: End, switch: str, above: dict[str, str]) -> None:
    before = above.setdefault(below.device, switch)
    if before != switch:
        what = f"{below.device} is under {before} and under {entry.name}: Slurm takes it, but a tree has one way up"
        cabled.report.warn("two-parents", entry.line, what, "keep one of them")
    cabled.add(entry.line, below, End(switch, SWITCH, ""), 0.0, 0.0, NETWORK)


def _conf_entries(text: str, report: Report) -> Iterator[Entry]:
    for line, raw in enumerate(text.split("\n"), 1):
        row = raw.partition("#")[0].strip()
        if not row:
            continue
        facts = {key.lower(): value for key, value in _PAIR.findall(row)}
        name = facts.get("switchname") or facts.get("blockname")
        if name is None:
            if "blocksizes" not in facts:
                what = f"'{row[:60]}' is no line of a topology; it is left out"
                report.add("line-unreadable", "error", line, what, "write SwitchName=… or BlockName=…")
            continue
        nodes, switches = (_names(facts.get(key, ""), line, report) for key in ("nodes", "switches"))
        yield Entry(name, nodes, switches, line)


def _names(text: str, line: int, report: Report) -> tuple[str, ...]:
    try:
        return tuple(expanded(text))
    except ValueError as error:
        report.add("cell-unreadable", "error", line, f"hostlist: {error}", "write such as gpu[001-008]")
        return ()


def _yaml_entries(text: str, report: Report) -> Iterator[Entry]:
    """Yield the switches of the first tree, or the blocks where there is none."""
    topologies = entries(composed(text, report))
    for kind, parts, name in (("tree", "switches", "switch"), ("block", "blocks", "block")):
        chosen = next((node for node in topologies if child(node, kind) is not None), None)
        if chosen is None:
            continue
        for entry in entries(child(child(chosen, kind), parts)):
            line = line_of(entry)
            nodes, below = (_names(_listed(child(entry, key)), line, report) for key in ("nodes", "children"))
            yield Entry(word(child(entry, name)), nodes, below, line)
        return


def _listed(node: yaml.Node | None) -> str:
    return ",".join(word(part) for part in entries(node)) or word(node)


def write(fabric: Fabric, network: int = 0, plugin: str = "tree") -> str:
    """Return the topology of a network's hosts.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Row of the network.
    plugin : {"tree", "block", "yaml"}
        ``topology.conf`` of topology/tree (any Slurm), of topology/block (23.11 or newer), or
        ``topology.yaml`` (25.05 or newer) with the tree as default and the blocks beside it.

    Raises
    ------
    InputError
        If the network has no hosts, or Slurm cannot have nodes of such names.
    """
    tree, groups = neighbourhoods(fabric, network), blocks(fabric, network)
    _check(groups, fabric.networks[network].name)
    if plugin == "yaml":
        return _yaml(tree, groups, fabric.name)
    head = f"# topology/{plugin} of {fabric.name}, network {fabric.networks[network].name}"
    lines = _tree_lines(tree) if plugin == "tree" else _block_lines(groups)
    return "\n".join([head, *lines, ""])


def _check(groups: Sequence[Neighbourhood], network: str) -> None:
    names = [host for group in groups for host in group.hosts]
    if not names:
        raise InputError(f"network {network} has no hosts to schedule", "name another one with --network")
    strange = [name for name in names if not _NODE_NAME.fullmatch(name)]
    if strange:
        what = f"{len(strange)} hosts have names that Slurm cannot have, such as '{strange[0]}'"
        raise InputError(what, "use letters, digits, - and .: rename them in the source, or by naming in a layout")


def _tree_lines(tree: Sequence[Neighbourhood]) -> Iterator[str]:
    if len(tree) > 1:
        yield f"# {len(tree)} parts without a way between them: no job spans two of them"
    for part in _downward(tree):
        if part.switches:
            yield f"# {part.name}: {_some(part.switches)}"
        yield f"SwitchName={part.name} {_members(part)}"


def _members(part: Neighbourhood) -> str:
    return f"Switches={compressed(p.name for p in part.parts)}" if part.parts else f"Nodes={compressed(part.hosts)}"


def _some(switches: Sequence[str]) -> str:
    more = f" and {len(switches) - _LISTED} more" if len(switches) > _LISTED else ""
    return ", ".join(switches[:_LISTED]) + more


def _downward(tree: Sequence[Neighbourhood]) -> list[Neighbourhood]:
    """Return all groups, those that hold hosts first, then level by level."""
    found = list(tree)
    for part in found:
        found += part.parts
    return sorted(dict.fromkeys(found), key=lambda part: part.level)


def _block_lines(groups: Sequence[Neighbourhood]) -> Iterator[str]:
    for part in groups:
        yield f"BlockName={part.name} Nodes={compressed(part.hosts)}"
    yield f"BlockSizes={','.join(str(size) for size in block_sizes(groups))}"


def block_sizes(groups: Sequence[Neighbourhood]) -> list[int]:
    """Return the smallest block's nodes times 1, 2, 4, … up to the most blocks that are a power of two."""
    least = min(len(group.hosts) for group in groups)
    return [least << power for power in range(len(groups).bit_length())]


def _yaml(tree: Sequence[Neighbourhood], groups: Sequence[Neighbourhood], name: str) -> str:
    lines = [f"# topology.yaml of {name}", "- topology: fabric", "  cluster_default: true", "  tree:", "    switches:"]
    for part in _downward(tree):
        members = compressed(inner.name for inner in part.parts) if part.parts else compressed(part.hosts)
        lines += [f"      - switch: {part.name}", f"        {'children' if part.parts else 'nodes'}: {members}"]
    sizes = ", ".join(str(size) for size in block_sizes(groups))
    lines += [
        "- topology: blocks",
        "  cluster_default: false",
        "  block:",
        f"    block_sizes: [{sizes}]",
        "    blocks:",
    ]
    for group in groups:
        lines += [f"      - block: {group.name}", f"        nodes: {compressed(group.hosts)}"]
    return "\n".join([*lines, ""])
