"""Checks that need more than one key of a layout at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import get_args

from pydantic import ValidationError

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric.tables import KINDS
from fabrictool.layout.cooling_checks import cooling_problems
from fabrictool.layout.model import HostGroup, Layout
from fabrictool.layout.network import Network, Routing
from fabrictool.layout.supply_checks import supply_problems
from fabrictool.layout.workload import Job, RankOrder, WorkloadItem

#: Ports or GPUs of one host group: thirty times the largest site that stands today.
MOST_PORTS = 4_000_000


def cross_checks(layout: Layout) -> Iterator[Problem]:
    """Yield what is contradictory in a layout, each with the path of its key."""
    yield from _group_names(layout)
    yield from _size(layout)
    yield from _managed(layout)
    yield from _whole_racks(layout)
    yield from supply_problems(layout)
    yield from cooling_problems(layout)
    for name, network in layout.networks.items():
        yield from _attachments(layout, name, network)
        yield from _leaf_entries(layout, name, network)
        if network.routing is not None:
            yield from _routing(network.routing, ("networks", name, "routing"))
    yield from _jobs(layout)
    yield from _prices(layout)
    yield from _cabling(layout)


def _group_names(layout: Layout) -> Iterator[Problem]:
    seen: set[str] = set()
    switches = {*KINDS[2:]} | {f"{network}-{kind}" for network in layout.networks for kind in KINDS[2:]}
    for row, group in enumerate(layout.hosts):
        path = ("hosts", row, "name")
        if group.name in ("pdu", "cdu"):
            what = f"'{group.name}' is what {group.name.upper()}s are called"
            yield Problem("", what, "give the hosts another name", path)
        if group.name in switches:
            yield Problem("", f"'{group.name}' is what switches are called", "give the hosts another name", path)
        if group.name in seen:
            yield Problem("", f"two host groups are called '{group.name}'", "give each a name of its own", path)
        seen.add(group.name)


def _size(layout: Layout) -> Iterator[Problem]:
    """Refuse sites that no machine holds, before anything of them is built."""
    for row, group in enumerate(layout.hosts):
        ports = group.hosts * max(group.type.ports, group.type.gpus_per_host, 1)
        if ports > MOST_PORTS:
            what = f"{group.hosts:,} hosts have {ports:,} ports or GPUs, more than the {MOST_PORTS:,} that are computed"
            yield Problem("", what, "lower count", ("hosts", row, "count"))


def _attachments(layout: Layout, name: str, network: Network) -> Iterator[Problem]:
    groups = {group.name: group for group in layout.hosts}
    for row, attach in enumerate(network.attach or []):
        path = ("networks", name, "attach", row)
        if attach.hosts is None:
            yield from _managed_switches(layout, name, attach.switches, (*path, "switches"))
            continue
        if attach.hosts not in groups:
            hint = did_you_mean(attach.hosts, groups)
            yield Problem("", f"there is no host group '{attach.hosts}'", hint, (*path, "hosts"))
            continue
        yield from _attached_ports(groups[attach.hosts], attach.role, attach.ports, path)


def _leaf_entries(layout: Layout, name: str, network: Network) -> Iterator[Problem]:
    """Yield what is wrong with whom the entries of ``leaf`` serve."""
    entries = network.leaves or []
    if len(entries) < 2 and not any(entry.hosts for entry in entries):
        return
    attached = [attach.owner[1] for attach in network.attach or []] or [group.name for group in layout.hosts]
    path, served = ("networks", name, "leaf"), set[str]()
    for row, entry in enumerate(entries):
        if entry.hosts is None:
            what = f"entry {row + 1} of leaf does not say whom it serves"
            yield Problem("", what, "add 'hosts: [group]'", (*path, row))
        for title in entry.hosts or ():
            here = (*path, row, "hosts")
            if title not in attached:
                yield Problem("", f"'{title}' is not attached to {name}", did_you_mean(title, attached), here)
            if title in served:
                yield Problem("", f"'{title}' is served by two entries of leaf", "keep it in one", here)
            served.add(title)
    left = sorted({*attached} - served)
    if left and all(entry.hosts for entry in entries):
        yield Problem("", f"no entry of leaf serves '{left[0]}'", "add it to the hosts of one", path)


def _managed_switches(layout: Layout, name: str, managed: str | None, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if managed is not None and managed not in layout.networks:
        yield Problem("", f"there is no network '{managed}'", did_you_mean(managed, layout.networks), path)
    if managed == name:
        yield Problem("", f"network {name} manages its own switches", "give them to a network apart from it", path)


def _managed(layout: Layout) -> Iterator[Problem]:
    """Yield what stands for PDUs and CDUs and no network attaches, or the other way round."""
    entries = [attach for network in layout.networks.values() for attach in network.attach or []]
    for kind, place in (("racks", "pdu"), ("loops", "cdu")):
        takers = [attach for attach in entries if getattr(attach, kind) is not None]
        if len(takers) > 1:
            what = f"{len(takers)} networks take the management ports of {place.upper()}s, which have one each"
            yield Problem("", what, "keep one of them", ("networks",))
        stated = list(_stated_facilities(layout, place))
        loops = (layout.hall.loops if layout.hall else None) or []
        cooled = {("hall", "loops", row, "count") for row, loop in enumerate(loops) if loop.cdu}
        for path in [path for path in stated if path not in cooled] if not takers else ():
            fix = f"attach them by '{{{kind}: {place}}}' in a network, or remove it"
            yield Problem("", f"no network attaches the {place.upper()}s that are stated", fix, path)
        if takers and place == "cdu" and not stated:
            yield Problem("", "CDUs are attached, but no loop says how many it has", "add 'count' to hall.loops",
                          ("hall",))  # fmt: skip
        if takers and place == "pdu" and not layout.racks:
            yield Problem("", "PDUs are attached, but there are no racks", "add 'racks'", ("networks",))


def _stated_facilities(layout: Layout, place: str) -> Iterator[tuple[str | int, ...]]:
    """Yield the keys that say how many PDUs or CDUs there are."""
    if place == "pdu":
        yield from (("racks", i, "pdus") for i, group in enumerate(layout.racks or []) if group.pdus is not None)
        return
    loops = (layout.hall.loops if layout.hall else None) or []
    yield from (("hall", "loops", i, "count") for i, loop in enumerate(loops) if loop.count is not None)


def _whole_racks(layout: Layout) -> Iterator[Problem]:
    """Yield a number of hosts per rack where all hosts are trays of racks that are one machine each."""
    kinds = [group.type for group in layout.hosts if group.role == "compute"]
    for row, group in enumerate(layout.racks or []):
        if group.hosts_per_rack is not None and kinds and all(kind.trays for kind in kinds):
            what = f"hosts_per_rack is {group.hosts_per_rack}, but a {kinds[0].name} is a rack of {kinds[0].trays}"
            yield Problem("", what, "remove it", ("racks", row, "hosts_per_rack"))


def _attached_ports(
    group: HostGroup, role: str | None, ports: list[int] | None, path: tuple[str | int, ...]
) -> Iterator[Problem]:
    have = group.type.ports
    roles = {word for nic in group.type.nics for word in nic.role.split("+")}
    if role is not None and role not in roles:
        what = f"{group.type.name} has no ports of role '{role}'"
        yield Problem("", what, did_you_mean(role, roles), (*path, "role"))
    if role is not None and ports is not None:
        yield Problem("", "role and ports are both given", "give one of them", path)
    beyond = [port for port in ports or [] if port >= have]
    if beyond:
        what = f"{group.type.name} has ports 0 to {have - 1}, but {beyond[0]} is asked for"
        yield Problem("", what, "name ports that exist", (*path, "ports"))
    if ports and len(set(ports)) < len(ports):
        yield Problem("", "a port is named twice", "name each port once", (*path, "ports"))


def _cabling(layout: Layout) -> Iterator[Problem]:
    """Refuse networks that a decision about cables names, but the layout has not."""
    stated = layout.cabling
    patched = (stated.panels.networks if stated.panels else None) or ()
    named: list[tuple[str, tuple[str | int, ...]]] = [
        *(
            (name, ("cabling", "colours", "networks", name))
            for name in (stated.colours.networks if stated.colours else ())
        ),
        *((name, ("cabling", "panels", "networks", row)) for row, name in enumerate(patched)),
    ]
    for name, path in named:
        if name not in layout.networks:
            yield Problem("", f"there is no network '{name}'", did_you_mean(name, layout.networks), path)


def _prices(layout: Layout) -> Iterator[Problem]:
    used = {kind.name for kind in (*layout.host_types(), *layout.switch_types())}
    used |= {group.type.name for group in layout.racks or []} | {"cable", "transceiver", "pdu", "cdu"}
    for name in layout.cost.prices:
        if name not in used:
            hint = did_you_mean(name, used)
            yield Problem(
                "", f"a price is given for '{name}', which the layout does not use", hint, ("cost", "prices", name)
            )


def routing_named(routing: str | Mapping[str, object] | Routing | None) -> Routing | None:
    """Return a routing by its name or mapping, as a command or a program states it.

    Raises
    ------
    InputError
        If there is no such routing, or it does not take a key.
    """
    if routing is None or isinstance(routing, Routing):
        return routing
    try:
        stated = Routing.model_validate({"name": routing} if isinstance(routing, str) else routing)
    except ValidationError as error:
        first = error.errors()[0]
        known = get_args(Routing.model_fields["name"].annotation)
        if first["loc"] == ("name",):
            raise InputError(
                [Problem("routing", f"there is no '{first['input']}'", did_you_mean(str(first["input"]), known))]
            ) from None
        place = ".".join(str(part) for part in first["loc"])
        raise InputError([Problem("routing", f"{place}: {first['msg']}", "see 'fabrictool schema'")]) from None
    problems = list(_routing(stated, ()))
    if problems:
        raise InputError([Problem("routing", problem.what, problem.fix) for problem in problems])
    return stated


def place_of_routing(layout: Layout | None, network: str) -> Callable[[Problem], Problem]:
    """Return what gives a routing's problems a place: the routing of a layout's network, else the option."""
    if layout is None or layout.source is None:
        return lambda problem: replace(problem, where="--routing")
    source = layout.source
    return lambda problem: source.locate(replace(problem, path=("networks", network, "routing")))


def _routing(routing: Routing, path: tuple[str | int, ...]) -> Iterator[Problem]:
    for key in sorted(routing.model_fields_set - {"name", *_PARAMETERS.get(routing.name, ())}):
        yield Problem("", f"routing {routing.name} takes no '{key}'", "remove it", (*path, key))


#: What a routing takes beside its name.
_PARAMETERS = {
    "ecmp": ("hash", "seeds", "flows_per_pair", "planes"),
    "weighted-ecmp": ("efficiency", "pxn"),
    "spray": ("split", "efficiency", "pxn"),
    "minimal": ("split", "efficiency"),
    "lft": ("paths",),
    "explicit": ("paths",),
}


def _jobs(layout: Layout) -> Iterator[Problem]:
    scenario, workload = layout.scenario, layout.workload
    for row, job in enumerate(scenario.jobs or [] if scenario else []):
        path = ("scenario", "jobs", row)
        if job.pairs is not None and job.collective not in ("permutation", "send-recv", "incast"):
            what = f"pairs are stated, but {job.collective} is between all ranks"
            yield Problem("", what, "remove them, or use 'collective: permutation'", (*path, "pairs"))
        yield from _item(job, "size", path)
    stated = (workload.collectives if workload else None) or []
    if workload and workload.step and not stated and not (scenario and scenario.jobs):
        what = "a step is stated, but not the collectives that it runs"
        yield Problem("", what, "add 'collectives: [{collective: all-reduce, sizes: [1GiB]}]'", ("workload", "step"))
    if workload and not stated and workload.step is None:
        yield Problem("", "the workload states nothing", "add 'collectives', or remove it", ("workload",))
    for row, item in enumerate(stated):
        yield from _item(item, "sizes", ("workload", "collectives", row))


def _split(item: Job | WorkloadItem, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """Yield what is contradictory in how a job's ranks are split into groups."""
    if item.groups is not None and (item.parallel is not None or item.over is not None):
        what = "groups are stated one by one, and by the sizes of 'parallel'"
        yield Problem("", what, "remove one of them", (*path, "groups"))
    elif item.over is not None and item.parallel is None:
        what = f"over {' and '.join(item.over)}, but no sizes are stated"
        yield Problem("", what, "add 'parallel: {tensor: 8, pipeline: 4}' or the like", (*path, "over"))
    elif item.parallel is not None and item.over is None:
        what = "sizes of groups are stated, but not what the collective runs over"
        yield Problem("", what, "add 'over: data' or the like", (*path, "parallel"))


def _item(item: Job | WorkloadItem, size: str, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """Yield what is contradictory in a collective whose bytes stand under ``size``."""
    yield from _rank_order(item.ranks, (*path, "ranks"))
    sizes = item.sizes or [] if isinstance(item, WorkloadItem) else [item.nbytes] if item.nbytes else []
    yield from _split(item, path)
    if item.volumes is None and not sizes:
        yield Problem("", f"{item.collective} has no {size}", f"add '{size}: 1GiB' or the like", path)
    if item.volumes is not None and len(sizes) > 1:
        yield Problem("", "volumes state the bytes, but there are several sizes", "leave out 'sizes'", (*path, size))
    if item.volumes is not None and item.collective != "all-to-all-v":
        what = f"volumes are stated, but {item.collective} sends equal shares"
        yield Problem("", what, "remove them, or use 'collective: all-to-all-v'", (*path, "volumes"))
    if item.overlap and item.model != "fluid":
        what = f"rounds overlap in the model fluid only, not in {item.model}"
        yield Problem("", what, "add 'model: fluid', or remove 'overlap'", (*path, "overlap"))


def _rank_order(ranks: RankOrder, path: tuple[str | int, ...]) -> Iterator[Problem]:
    given = ranks.model_fields_set
    if ranks.ranks is not None and len(given) > 1:
        yield Problem("", "ranks are listed and ordered", "keep 'list' alone, or leave it out", path)
    for key, order in (("step", "stride"), ("seed", "random")):
        if key in given and ranks.order != order and ranks.ranks is None:
            what = f"'{key}' belongs to 'order: {order}', but the order is {ranks.order}"
            yield Problem("", what, f"remove it, or use 'order: {order}'", (*path, key))
