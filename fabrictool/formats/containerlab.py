"""containerlab: a topology file that brings up a fabric's devices as containers, joined as the plan says.

Every device is a plain Linux container: what image stands for a switch is for the user to say, in one place
under ``kinds``. Interfaces of Linux have at most 15 characters and no ``/``, and ``eth0`` is for management.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import yaml

from fabrictool.errors import InputError
from fabrictool.fabric import KINDS, Fabric
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.edges_csv import quantity
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.linked import LinkEnd, bare, link_texts, port_words
from fabrictool.formats.yaml_places import child, composed, entries, items, line_of, word, words
from fabrictool.units import SPEED, TIME

FORMAT = "containerlab"
NETWORK = "network"
IMAGE = "debian:12"
#: Longest name of an interface: IFNAMSIZ of Linux is 16, with the zero at its end.
LONGEST_INTERFACE = 15
_SNIFF = re.compile(
    rb"^topology:\s*(?:#.*)?\n(?:\s*(?:#.*)?\n)*\s+(?:nodes|links|kinds|defaults|groups):", re.MULTILINE
)
_NAME = re.compile(r"[a-zA-Z0-9][\w.|-]*", re.ASCII)
_STRANGE = re.compile(r"[^\w.|-]", re.ASCII)
_TOPOLOGY_NAME = re.compile(r"[^\w.-]", re.ASCII)
_INTERFACES = re.compile(r"[^\w.:-]", re.ASCII)


def sniff(head: bytes) -> bool:
    """Return whether the start of a file looks like a topology of containerlab."""
    return bool(_SNIFF.search(head))


def read(name: str, text: str) -> Imported:
    """Read a topology: nodes by their label ``kind``, ``role`` or their group, links with both endpoints.

    Raises
    ------
    InputError
        If the text is no YAML, or has no links.
    """
    report = Report(name)
    tree = composed(text, report)
    topology = child(tree, "topology")
    cabled = Cabled(report)
    known = dict(_nodes(topology, cabled))
    for link in entries(child(topology, "links")):
        _link(link, known, cabled)
    if not cabled.devices:
        raise report.refusal(1, "names no device", "see whether the file is whole")
    facts = words(child(child(topology, "defaults"), "labels"))
    fabric = cabled.fabric(name, facts.get("protocol", "unknown"), facts.get("fabric") or word(child(tree, "name")))
    return Imported(FORMAT, fabric, report.sorted())


def _nodes(topology: yaml.Node | None, cabled: Cabled) -> Iterator[tuple[str, End]]:
    """Yield each node's name with what it is."""
    for node, config in items(child(topology, "nodes")):
        labels = {key.lower(): value for key, value in words(child(config, "labels")).items()}
        kind = labels.get("kind") or labels.get("role") or word(child(config, "group"))
        end = End(labels.get("name", node), _kind(kind), "", labels.get("pod", ""))
        cabled.device(line_of(config), end)
        yield node, end


def _kind(word_: str) -> str:
    """Return a kind, empty where a label says something else, such as what a management server is for."""
    lowered = word_.lower()
    return lowered if Cabled.tier(lowered) >= 0 or lowered.endswith(("leaf", "spine", "core", "switch")) else ""


def _link(link: yaml.Node, known: dict[str, End], cabled: Cabled) -> None:
    line, report = line_of(link), cabled.report
    ends = [_endpoint(part) for part in entries(child(link, "endpoints"))]
    if len(ends) != 2 or not all(device for device, _ in ends):
        what = "a link without two endpoints 'node:interface' is left out"
        report.add("line-unreadable", "error", line, what, 'write endpoints: ["a:eth1", "b:eth1"]')
        return
    unknown = [device for device, _ in ends if device not in known]
    if unknown:
        what = f"node {unknown[0]} of this link is not under nodes; the link is left out"
        report.add("device-unknown", "error", line, what, "add the node, or correct its name")
        return
    facts = words(child(link, "vars"))
    both = []
    for side, (device, interface) in zip("az", ends, strict=True):
        number = facts.get(f"{side}_number", "") or _number(interface)
        port = facts.get(f"{side}_port", "") or _number(interface) or interface
        end = known[device]
        both.append(End(end.device, end.kind, port, end.group, int(number) if number.isdecimal() else 0))
    speed, latency = (quantity(facts, key, unit, line, report) for key, unit in (("speed", SPEED), ("latency", TIME)))
    cabled.add(line, both[0], both[1], speed, latency, facts.get("network") or NETWORK)


def _endpoint(part: yaml.Node) -> tuple[str, str]:
    """Return node and interface of an endpoint in its short or its long form."""
    if isinstance(part, yaml.ScalarNode):
        device, _, interface = part.value.partition(":")
        return device, interface
    facts = words(part)
    return facts.get("node", ""), facts.get("interface", "")


def _number(interface: str) -> str:
    """Return the number of an interface that is called ``eth<number>``, else nothing."""
    match = re.fullmatch(r"eth([1-9]\d{0,4})", interface)
    return match[1] if match else ""


def write(fabric: Fabric, words_: Sequence[str] | None = None) -> str:
    """Return a fabric as a topology file; ports are called by ``words_``, (ports,), by default as ``port_words``.

    Raises
    ------
    InputError
        If two devices or two ports of one device get the same name.
    """
    names = _node_names(fabric)
    interface = _interfaces(fabric, words_)
    lines = [
        f"name: {_scalar(_topology_name(fabric.name))}",
        "topology:",
        "  kinds:  # the image of every device: exchange it for your switches' own, by kind or node",
        f"    linux: {{image: '{IMAGE}'}}",
        *_facts(fabric),
        "  nodes:",
        *(f"    {_scalar(names[row])}: {_node(fabric, row, names[row])}" for row in range(len(names))),
        "  links:",
    ]
    ports = zip(fabric.links.port_a.tolist(), fabric.links.port_z.tolist(), *fabric.ends, strict=True)
    for link, (i, j, a, z) in zip(link_texts(fabric, words_), ports, strict=True):
        facts = {"network": _scalar(link.network), "speed": bare(link.speed_bps), "latency": bare(link.latency_s)}
        facts |= _end_facts("a", link.a, interface[i]) | _end_facts("z", link.z, interface[j])
        said = ", ".join(f"{key}: {value}" for key, value in facts.items() if value)
        ends = f'["{names[a]}:{interface[i]}", "{names[z]}:{interface[j]}"]'
        lines.append(f"    - {{endpoints: {ends}, vars: {{{said}}}}}")
    return "\n".join([*lines, ""])


def _facts(fabric: Fabric) -> list[str]:
    protocols = {facts.protocol for facts in fabric.networks}
    said = {"fabric": _scalar(fabric.name)} if _topology_name(fabric.name) != fabric.name else {}
    said |= {"protocol": _scalar(next(iter(protocols)))} if len(protocols) == 1 else {}
    return [f"  defaults: {{labels: {{{', '.join(f'{k}: {v}' for k, v in said.items())}}}}}"] if said else []


def _node(fabric: Fabric, row: int, name: str) -> str:
    kind, pod = KINDS[fabric.devices.kind[row]], int(fabric.devices.pod[row])
    labels = {"kind": kind} | ({"pod": pod} if pod >= 0 else {})
    labels |= {"name": _scalar(fabric.names[row])} if name != fabric.names[row] else {}
    said = ", ".join(f"{key}: {value}" for key, value in labels.items())
    return f"{{kind: linux, group: {kind}, labels: {{{said}}}}}"


def _end_facts(side: str, end: LinkEnd, interface: str) -> dict[str, str]:
    if interface == f"eth{end.number}" and end.port == str(end.number):
        return {}
    port = {f"{side}_port": _scalar(end.port)} if interface != end.port else {}
    return port | {f"{side}_number": str(end.number)}


def _node_names(fabric: Fabric) -> list[str]:
    names = [_STRANGE.sub(".", name) for name in fabric.names]
    names = [name if _NAME.fullmatch(name) else f"d{name}" for name in names]
    _refuse_twins(names, "devices")
    return names


def _interfaces(fabric: Fabric, words_: Sequence[str] | None) -> list[str]:
    """Return the interface of each port: its number as ``eth<number>``, or its name as far as Linux takes it."""
    found = []
    for text in port_words(fabric) if words_ is None else words_:
        safe = f"eth{text}" if text.isdecimal() else _INTERFACES.sub("_", text)
        safe = re.sub(r"^Ethernet(?=\d)", "eth", safe)
        found.append(f"p{safe}" if safe == "eth0" else safe.replace(":", "_")[-LONGEST_INTERFACE:])
    places = [f"{device}:{name}" for device, name in zip(fabric.ports.device.tolist(), found, strict=True)]
    if len(set(places)) < len(places):
        uses = Counter(places)
        return [
            name if uses[place] == 1 else f"eth{number}"
            for name, place, number in zip(found, places, fabric.ports.number.tolist(), strict=True)
        ]
    return found


def _refuse_twins(names: Sequence[str], what: str) -> None:
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise InputError(f"{len(twins)} {what} share a name in containerlab, such as {twins[0]}", "rename them: naming")


def _topology_name(name: str) -> str:
    safe = _TOPOLOGY_NAME.sub("-", name)
    return safe if safe[:1].isalnum() and safe.isascii() else f"f{safe}"


def _scalar(text: str) -> str:
    """Return text as YAML writes it in one line: bare where that reads back as the same text."""
    plain = re.fullmatch(r"[A-Za-z][\w.-]*", text, re.ASCII) and not isinstance(yaml.safe_load(text), bool | None)
    return text if plain else json.dumps(text, ensure_ascii=False)
