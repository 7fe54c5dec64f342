"""Design, score and check the network, power and cooling of AI and HPC data centres.

The public names are imported when first used, so that ``import fabrictool`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "read_layout": "fabrictool.layout.reading",
    "layout_from_tree": "fabrictool.layout.reading",
    "build": "fabrictool.generators.building",
    "cables": "fabrictool.cable_plan",
    "compare": "fabrictool.explore.comparing",
    "density": "fabrictool.explore.density",
    "placements": "fabrictool.explore.placements",
    "evaluate": "fabrictool.evaluation",
    "impact": "fabrictool.changes.report",
    "score": "fabrictool.evaluation",
    "route": "fabrictool.explore.routed",
    "verify": "fabrictool.verification",
    "Evaluation": "fabrictool.evaluation",
    "Fabric": "fabrictool.fabric",
    "edit": "fabrictool.fabric",
    "read_fabric": "fabrictool.formats.recognise",
    "FabrictoolError": "fabrictool.errors",
    "InputError": "fabrictool.errors",
}

__all__ = [
    "Evaluation",
    "Fabric",
    "FabrictoolError",
    "InputError",
    "build",
    "cables",
    "compare",
    "density",
    "edit",
    "evaluate",
    "impact",
    "layout_from_tree",
    "placements",
    "read_fabric",
    "read_layout",
    "route",
    "score",
    "verify",
]

if TYPE_CHECKING:
    from fabrictool.cable_plan import cables
    from fabrictool.changes.report import impact
    from fabrictool.errors import FabrictoolError, InputError
    from fabrictool.evaluation import Evaluation, evaluate, score
    from fabrictool.explore.comparing import compare
    from fabrictool.explore.density import density
    from fabrictool.explore.placements import placements
    from fabrictool.explore.routed import route
    from fabrictool.fabric import Fabric, edit
    from fabrictool.formats.recognise import read_fabric
    from fabrictool.generators.building import build
    from fabrictool.layout.reading import layout_from_tree, read_layout
    from fabrictool.verification import verify


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    if name == "generators":
        return import_module("fabrictool.generators")
    raise AttributeError(f"module 'fabrictool' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*_PUBLIC, "generators", "__version__"])
