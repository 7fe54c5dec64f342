"""Fabrics without a layout file: one function for each family, taking the keys of a network."""

from __future__ import annotations

from typing import Any

from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

GENERIC_HOST = {"name": "host", "gpus": 1, "nics": 1, "speed": "400G"}


def _one_network(family: str, hosts: int, host: str | dict[str, Any] | None, keys: dict[str, Any]) -> Fabric:
    """Build one network of a family for equal hosts.

    Raises
    ------
    InputError
        If another family is asked for.
    """
    if keys.get("family", family) != family:
        what = f"family is '{keys['family']}', but this function builds a {family} network"
        raise InputError(what, f"remove it, or use generators.{str(keys['family']).replace('-', '_')}")
    group = {"name": "host", "type": GENERIC_HOST if host is None else host, "count": hosts}
    return build(layout_from_tree({"name": family, "hosts": group, "networks": {"compute": {"family": family} | keys}}))


def fat_tree(hosts: int, host: str | dict[str, Any] | None = None, **network: Any) -> Fabric:
    """Build a fat-tree.

    Parameters
    ----------
    hosts : int
        Number of hosts; of a rack-scale type number of racks, as ``count`` in a layout.
    host : str or mapping, optional
        A host type of the catalogue, or its keys as in a layout; by default one GPU with a port of 400G.
    **network
        Keys of a network as in a layout, quantities with their unit: ``k``, ``pgft``, or ``leaf`` with
        ``hosts_per_leaf`` and ``oversubscription``.

    Returns
    -------
    Fabric

    Raises
    ------
    FabrictoolError
        If the keys do not fit together.

    Examples
    --------
    >>> len(fat_tree(16, k=4, leaf={"type": {"name": "sw4", "ports": 4, "speed": "400G"}}).links)
    48
    """
    return _one_network("fat-tree", hosts, host, network)


def rail_optimized(hosts: int, host: str | dict[str, Any] | None = None, **network: Any) -> Fabric:
    """Build a rail-optimized fabric; parameters as of ``fat_tree``, with ``scalable_unit`` and ``leaf``."""
    return _one_network("rail-optimized", hosts, host, network)


def rail_only(hosts: int, host: str | dict[str, Any] | None = None, **network: Any) -> Fabric:
    """Build rails that no switch joins; parameters as of ``fat_tree``, with ``leaf``."""
    return _one_network("rail-only", hosts, host, network)


def multi_plane(hosts: int, host: str | dict[str, Any] | None = None, **network: Any) -> Fabric:
    """Build equal planes; parameters as of ``fat_tree``, with ``planes``."""
    return _one_network("multi-plane", hosts, host, network)


def dragonfly(hosts: int, host: str | dict[str, Any] | None = None, **network: Any) -> Fabric:
    """Build a dragonfly; parameters as of ``fat_tree``, with ``dragonfly`` and ``leaf``."""
    return _one_network("dragonfly", hosts, host, network)


def dragonfly_plus(hosts: int, host: str | dict[str, Any] | None = None, **network: Any) -> Fabric:
    """Build a dragonfly+; parameters as of ``fat_tree``, with ``dragonfly_plus`` and ``leaf``."""
    return _one_network("dragonfly-plus", hosts, host, network)


def slim_fly(hosts: int, host: str | dict[str, Any] | None = None, **network: Any) -> Fabric:
    """Build a Slim Fly; parameters as of ``fat_tree``, with ``q`` and ``leaf``."""
    return _one_network("slim-fly", hosts, host, network)


def switch_pair(hosts: int, host: str | dict[str, Any] | None = None, **network: Any) -> Fabric:
    """Build two joined leaves; parameters as of ``fat_tree``, with ``isl`` and ``leaf``."""
    return _one_network("switch-pair", hosts, host, network)
