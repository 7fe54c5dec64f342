"""A layout for a fabric from elsewhere: what is known of its devices, and the file that its links stand in."""

from __future__ import annotations

import json

import numpy as np

from fabrictool.errors import InputError
from fabrictool.fabric import KINDS, Fabric
from fabrictool.units import format_speed

_HEAD = """\
# A fabric that was read from elsewhere. Its links stand in {path}; what that file does not say stands here.
name: {name}
hosts:
  # gpus: assumed to be one for each linked port; correct it, or name a type of the catalogue (fabrictool catalogue)
  - {{name: host, type: {{name: imported-host, gpus: {ports}, nics: {ports}, speed: {speed}}}, count: {count}}}
networks:
  {network}:
    family: file
    path: {path}
    protocol: {protocol}
"""
_PROTOCOLS = ("infiniband", "ethernet", "efa", "tcp")


def layout_of(fabric: Fabric, path: str) -> str:
    """Return the text of a layout whose network is read from a file.

    Raises
    ------
    InputError
        If the fabric has no hosts, several networks, or links of unknown speed at hosts.
    """
    if len(fabric.networks) != 1:
        names = ", ".join(facts.name for facts in fabric.networks)
        raise InputError(f"the file holds {len(fabric.networks)} networks ({names}), a layout takes one from a file",
                         "export one of them with --network first")  # fmt: skip
    hosts = np.flatnonzero(fabric.devices.kind == KINDS.index("host"))
    linked = (fabric.ports.peer >= 0) & np.isin(fabric.ports.device, hosts)
    if not linked.any():
        raise InputError("the file has no hosts with links", "a layout needs hosts; import it as edges or graphml")
    ports = int(np.bincount(fabric.ports.device[linked]).max())
    speed = float(fabric.ports.speed_bps[linked].max())
    if not speed:
        raise InputError("the speed of the hosts' links is not known", "add it to the file: a layout needs it")
    protocol = fabric.networks[0].protocol
    text = _HEAD.format(
        path=json.dumps(path), name=json.dumps(fabric.name), ports=ports, speed=format_speed(speed), count=len(hosts),
        network=_key(fabric.networks[0].name), protocol=protocol if protocol in _PROTOCOLS else "ethernet",
    )  # fmt: skip
    assumed = "" if protocol in _PROTOCOLS else "  # not known: assumed"
    return text.rstrip("\n") + assumed + "\n"


def _key(name: str) -> str:
    return name if name.replace("-", "").isalnum() and name[:1].isalpha() else "network"
