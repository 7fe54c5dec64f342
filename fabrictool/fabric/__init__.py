"""The fabric: a handful of frozen column tables that every later stage reads."""

from fabrictool.fabric.assembly import LinkRows, PortRows, assemble
from fabrictool.fabric.edits import edit
from fabrictool.fabric.tables import KINDS, Devices, Fabric, GpuPorts, Gpus, Links, NetworkFacts, Ports

__all__ = [
    "KINDS",
    "Devices",
    "Fabric",
    "GpuPorts",
    "Gpus",
    "LinkRows",
    "Links",
    "NetworkFacts",
    "PortRows",
    "Ports",
    "assemble",
    "edit",
]
