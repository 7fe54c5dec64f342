"""The fabric: a handful of frozen column tables that every later stage reads."""

from fabrictool.fabric.assemble import assemble
from fabrictool.fabric.edit import edit
from fabrictool.fabric.tables import KINDS, Devices, Fabric, GpuPorts, Gpus, Links, NetworkFacts, Ports

__all__ = ["KINDS", "Devices", "Fabric", "GpuPorts", "Gpus", "Links", "NetworkFacts", "Ports", "assemble", "edit"]
