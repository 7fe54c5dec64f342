"""Random edits of a site, and what they leave alone, told without looking at locks."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from fabrictool.fabric.tables import KINDS, Fabric

Tree = dict[str, Any]
LEAVES = [
    {"name": name, "ports": ports, "speed": "400G", "latency": "300 ns", "u": units, "cages": ports // 2,
     "cage": "OSFP", "power_max": "1 kW"}
    for name, ports, units in (("small", 32, 1), ("large", 64, 1), ("tall", 64, 2))
]  # fmt: skip
HOST = {"name": "gpu8", "gpus": 4, "u": 4, "power_max": "5 kW",
        "nics": [{"role": "compute", "count": 4, "ports_each": 1, "speed": "400G", "cage": "QSFP112"},
                 {"role": "storage", "count": 1, "ports_each": 2, "speed": "200G"},
                 {"role": "bmc", "count": 1, "ports_each": 1, "speed": "1G"}]}  # fmt: skip
SMALL = {"name": "sw1g", "ports": 48, "speed": "1G", "latency": "300 ns", "u": 1, "power_max": "100 W"}
SERVICE = {"name": "mds", "gpus": 0, "nics": 2, "speed": "200G", "u": 2, "power_max": "800 W"}


def site() -> Tree:
    """Return a site of three networks: rails, a fat-tree for storage, and one that manages everything."""
    return {
        "name": "site",
        "hosts": [{"name": "gpu", "type": copy.deepcopy(HOST), "count": 24},
                  {"name": "mds", "type": copy.deepcopy(SERVICE), "count": 3, "role": "service"}],
        "networks": {
            "compute": {"family": "rail-optimized", "protocol": "infiniband", "speed": "400G", "rails": 4,
                        "scalable_unit": {"hosts": 8}, "leaf": {"type": LEAVES[0]},
                        "spine": {"type": LEAVES[0], "count": 8}, "cables": "per-cage",
                        "attach": [{"hosts": "gpu", "role": "compute"}]},
            "storage": {"family": "fat-tree", "protocol": "ethernet", "speed": "200G", "hosts_per_leaf": 12,
                        "leaf": {"type": LEAVES[1]}, "spine": {"type": LEAVES[1], "count": 2},
                        "attach": [{"hosts": "gpu", "role": "storage"}, {"hosts": "mds", "ports": [0, 1]}]},
            "mgmt": {"family": "fat-tree", "protocol": "ethernet", "speed": "1G", "hosts_per_leaf": 24,
                     "leaf": {"type": SMALL}, "spine": {"type": SMALL, "count": 1},
                     "attach": [{"hosts": "gpu", "role": "bmc"}, {"switches": "compute", "role": "mgmt"}]},
        },
        "racks": {"type": {"name": "r42", "u": 42, "capacity": "1000 kg", "tare": "100 kg"}, "power_limit": "22 kW"},
        "hall": {"rows": {"racks": 5}},
        "cabling": {"panels": {"networks": ["compute"]}},
    }  # fmt: skip


def _hosts(tree: Tree, rng: np.random.Generator) -> None:
    group = tree["hosts"][int(rng.integers(len(tree["hosts"])))]
    least = 9 if group.get("role") != "service" else 1
    group["count"] = int(rng.integers(least, 60 if group.get("role") != "service" else 8))


def _group(tree: Tree, rng: np.random.Generator) -> None:
    """Add a group of hosts, or remove one that was added."""
    extra = [group for group in tree["hosts"] if group["name"].startswith("extra")]
    if extra and rng.random() < 0.5:
        tree["hosts"].remove(extra[0])
        for network in tree["networks"].values():
            network["attach"] = [one for one in network["attach"] if one.get("hosts") != extra[0]["name"]]
        return
    name = f"extra{int(rng.integers(100))}"
    group = {"name": name, "type": {**copy.deepcopy(HOST), "name": f"{name}-host"}, "count": int(rng.integers(1, 9))}
    tree["hosts"].insert(int(rng.integers(len(tree["hosts"]) + 1)), group)
    if "compute" in tree["networks"]:
        tree["networks"]["compute"]["attach"].append({"hosts": name, "role": "compute"})


def _switch(tree: Tree, rng: np.random.Generator) -> None:
    network = tree["networks"][str(rng.choice([name for name in tree["networks"] if name != "mgmt"]))]
    network[str(rng.choice(["leaf", "spine"]))]["type"] = copy.deepcopy(LEAVES[int(rng.integers(3))])


def _spines(tree: Tree, rng: np.random.Generator) -> None:
    network = tree["networks"][str(rng.choice([name for name in tree["networks"] if name != "mgmt"]))]
    network["spine"]["count"] = int(rng.choice([1, 2, 4, 8, 16]))


def _unit(tree: Tree, rng: np.random.Generator) -> None:
    for network in tree["networks"].values():
        if "scalable_unit" in network:
            network["scalable_unit"]["hosts"] = int(rng.choice([4, 8, 12]))


def _racks(tree: Tree, rng: np.random.Generator) -> None:
    racks = tree["racks"] if isinstance(tree["racks"], dict) else tree["racks"][0]
    racks["type"] = {"name": "r", "u": int(rng.choice([42, 48, 52])), "capacity": "1000 kg", "tare": "100 kg"}
    racks["power_limit"] = f"{int(rng.integers(6, 40))} kW"
    racks.pop("hosts_per_rack", None)
    if rng.random() < 0.3:
        racks["hosts_per_rack"] = int(rng.integers(1, 6))


def _hall(tree: Tree, rng: np.random.Generator) -> None:
    tree["hall"]["trays"] = {"cross": int(rng.integers(1, 5)), "above": f"{int(rng.integers(2, 9)) / 10} m",
                             "slack": f"{int(rng.integers(1, 9)) / 10} m"}  # fmt: skip
    tree["hall"]["pitch"] = {"rack": f"{int(rng.integers(6, 9)) / 10} m"}
    tree["hall"]["rows"]["network"] = str(rng.choice(["near", "end"]))


def _network(tree: Tree, rng: np.random.Generator) -> None:
    if "extra" in tree["networks"]:
        del tree["networks"]["extra"]
        return
    taken = {"family": "fat-tree", "protocol": "ethernet", "speed": "200G", "hosts_per_leaf": 4,
             "leaf": {"type": LEAVES[1]}, "spine": {"type": LEAVES[1], "count": 1},
             "attach": [{"hosts": "mds", "ports": [0, 1]}]}  # fmt: skip
    storage = tree["networks"].get("storage")
    if storage is not None:
        storage["attach"] = [one for one in storage["attach"] if one.get("hosts") != "mds"]
    tree["networks"] = {"extra": taken, **tree["networks"]} if rng.random() < 0.5 else {**tree["networks"],
                                                                                        "extra": taken}  # fmt: skip


def _less(tree: Tree, _: np.random.Generator) -> None:
    """Remove a whole network."""
    if "storage" in tree["networks"]:
        del tree["networks"]["storage"]


def _order(tree: Tree, rng: np.random.Generator) -> None:
    names = list(tree["networks"])
    rng.shuffle(names)
    tree["networks"] = {name: tree["networks"][name] for name in names}
    tree["hosts"] = [tree["hosts"][at] for at in rng.permutation(len(tree["hosts"])).tolist()]
    for network in tree["networks"].values():
        network["attach"] = [network["attach"][at] for at in rng.permutation(len(network["attach"])).tolist()]


def _placement(tree: Tree, rng: np.random.Generator) -> None:
    switches = ["in-order", "by-unit", "spread", "by-rail", "dealt", "in-rack"]
    tree["placement"] = {"switches": str(rng.choice(switches)), "hosts": str(rng.choice(["fill", "even"]))}


def _names(tree: Tree, rng: np.random.Generator) -> None:
    tree["naming"] = {"gpu": str(rng.choice(["host{index}", "n{index:05d}", "gpu-{index:04d}"]))}


def _cabling(tree: Tree, rng: np.random.Generator) -> None:
    tree["cabling"] |= {"label": str(rng.choice(["{device}:{port}", "{rack}/{unit} {far_device}"])),
                        "avoid": [str(rng.choice(["dac", "aoc", "mmf"]))],
                        "colours": {"rails": ["pink", "gold"]}}  # fmt: skip
    for network in tree["networks"].values():
        network["cables"] = str(rng.choice(["per-cage", "per-link"]))


def _panels(tree: Tree, rng: np.random.Generator) -> None:
    tree["cabling"]["panels"] |= {"trunk": int(rng.choice([6, 12, 24])), "ports": int(rng.choice([16, 32, 48])),
                                  "mount": str(rng.choice(["rack", "overhead"]))}  # fmt: skip


EDITS: tuple[Callable[[Tree, np.random.Generator], None], ...] = (
    _hosts, _hosts, _group, _switch, _spines, _unit, _racks, _hall, _network, _less, _order, _names, _cabling,
    _placement, _panels,
)  # fmt: skip


def edited(tree: Tree, rng: np.random.Generator) -> tuple[str, Tree]:
    """Return a tree after one random edit, and what it was."""
    new = copy.deepcopy(tree)
    edit = EDITS[int(rng.integers(len(EDITS)))]
    edit(new, rng)
    return edit.__name__, new


def roles(fabric: Fabric) -> list[tuple[Any, ...]]:
    """Return what each device is: a host of its group by its index, a switch by what it serves; and its type."""
    devices, seen = fabric.devices, Counter[tuple[Any, ...]]()
    found: list[tuple[Any, ...]] = [()] * len(devices)
    for row in sorted(range(len(devices)), key=lambda row: (int(devices.index[row]), row)):
        if devices.tier[row] == 0:
            head: tuple[Any, ...] = (fabric.groups[devices.group[row]],)
        else:
            network = fabric.networks[devices.network[row]].name
            head = (network, KINDS[devices.kind[row]], int(devices.plane[row]), int(devices.pod[row]),
                    int(devices.rail[row]))  # fmt: skip
        seen[head] += 1
        found[row] = (*head, seen[head], fabric.types[devices.type[row]])
    return found


def joined(fabric: Fabric) -> Counter[tuple[Any, ...]]:
    """Count the links between any two roles, by network and speed."""
    role, (a, z) = roles(fabric), fabric.ends
    names = [network.name for network in fabric.networks]
    return Counter(
        (names[network], float(bps), *sorted((role[low], role[high]), key=repr))
        for low, high, network, bps in zip(a.tolist(), z.tolist(), fabric.links.network.tolist(),
                                           fabric.links.speed_bps.tolist(), strict=True)
    )  # fmt: skip


def unaffected(before: Fabric, rows: list[Any], after: Fabric) -> dict[str, list[Any]]:
    """Return the rows of whole cables whose links the design after an edit still has, by cable.

    Parameters
    ----------
    before : Fabric
        With the names that stand in the rows.
    rows : list of CableRow
    after : Fabric
        Of the edited layout, as if it had never been locked.
    """
    role = dict(zip(before.names, roles(before), strict=True))
    was, now = joined(before), joined(after)
    cables: defaultdict[str, list[Any]] = defaultdict(list)
    good: defaultdict[str, list[bool]] = defaultdict(list)
    for row in rows:
        pair = sorted((role[row.a.place.device], role[row.z.place.device]), key=repr)
        key = (row.network, row.speed_bps, *pair)
        cables[row.cable_id].append(row)
        good[row.cable_id].append(now[key] >= was[key])
    return {name: found for name, found in cables.items() if all(good[name])}
