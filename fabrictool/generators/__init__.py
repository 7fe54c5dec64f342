"""Fabrics from parameters: one module for each family, one shared way to wire tiers.

``fabrictool.generators.fat_tree(...)`` and its like build a fabric without a layout file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fabrictool.generators.by_family import (
        dragonfly,
        dragonfly_plus,
        fat_tree,
        multi_plane,
        rail_only,
        rail_optimized,
        slim_fly,
        switch_pair,
    )

__all__ = [
    "dragonfly",
    "dragonfly_plus",
    "fat_tree",
    "multi_plane",
    "rail_only",
    "rail_optimized",
    "slim_fly",
    "switch_pair",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("fabrictool.generators.by_family"), name)
    raise AttributeError(f"module 'fabrictool.generators' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
