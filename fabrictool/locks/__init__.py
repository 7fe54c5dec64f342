"""Identities that the world has seen, kept beside a layout: names, places, ports, cables, labels."""

from fabrictool.locks.tables import GONE, STATES, Lock, LockedCables, LockedDevices, LockedRacks, NamedGroups

__all__ = ["GONE", "STATES", "Lock", "LockedCables", "LockedDevices", "LockedRacks", "NamedGroups"]
