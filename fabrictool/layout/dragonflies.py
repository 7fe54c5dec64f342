"""What a user writes of a dragonfly: groups, routers, hosts and global ports."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from fabrictool.catalogue.fields import Count, CountOrNone, Model

Arrangement = Literal["relative", "absolute"]


def _group_list(value: object) -> object:
    """Read a number of groups as that many equal ones, and a number in a list as a group's routers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [{"count": value}]
    if isinstance(value, list):
        return [{"a": each} if isinstance(each, int) and not isinstance(each, bool) else each for each in value]
    return value


class RouterGroup(Model):
    """Equal groups of a dragonfly, where they differ from the others: ``count`` of ``a`` routers."""

    count: Annotated[int, Field(strict=True, ge=1, le=50_000)] = 1
    p: CountOrNone | None = None
    a: Count | None = None
    h: CountOrNone | None = None


class Dragonfly(Model):
    """Host ports, routers of a group and global ports of a router (Kim et al. 2008), and the groups."""

    p: CountOrNone
    a: Count | None = None
    h: CountOrNone
    groups: Annotated[
        list[RouterGroup],
        BeforeValidator(_group_list, json_schema_input_type=int | list[int | RouterGroup]),
        Field(min_length=1, max_length=1000),
    ]
    links_per_pair: Count | None = None
    arrangement: Arrangement = "relative"


def _plus_group_list(value: object) -> object:
    """Read a number of groups as that many equal ones."""
    if isinstance(value, list) and not all(isinstance(each, dict) for each in value):
        raise ValueError("a group in a list is a mapping of what differs from the others, such as {leaves: 8}")
    return _group_list(value)


class PlusGroup(Model):
    """Equal groups of a dragonfly+, where they differ from the others."""

    count: Annotated[int, Field(strict=True, ge=1, le=50_000)] = 1
    leaves: Count | None = None
    spines: Count | None = None
    hosts_per_leaf: Count | None = None
    global_per_spine: CountOrNone | None = None


class DragonflyPlus(Model):
    """Groups of leaves and spines, the spines joined globally (Shpiner et al. 2017)."""

    groups: Annotated[
        list[PlusGroup],
        BeforeValidator(_plus_group_list, json_schema_input_type=int | list[PlusGroup]),
        Field(min_length=1, max_length=1000),
    ]
    leaves: Count
    spines: Count
    hosts_per_leaf: Count
    global_per_spine: CountOrNone
    links_per_pair: Count | None = None
    arrangement: Arrangement = "relative"


def with_global_keys(network: dict[str, Any]) -> dict[str, Any]:
    """Return a network whose links per pair and arrangement stand in its dragonfly, wherever they were stated."""
    for part in ("dragonfly", "dragonfly_plus"):
        shape = network.get(part)
        if isinstance(shape, dict):
            moved = {key: network[key] for key in ("links_per_pair", "arrangement") if key in network.keys() - shape}
            return {key: value for key, value in network.items() if key not in moved} | {part: shape | moved}
    return network
