"""Where files from elsewhere lie: own ones in the repository, others' beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fabrictool.fabric import KINDS, Fabric
from fabrictool.formats.imported import Imported
from fabrictool.formats.recognise import imported

DATA = Path(__file__).parent / "data"
SHARED = Path(__file__).parents[2] / "shared" / "samples"


def own(name: str) -> Imported:
    found = imported(str(DATA / name))
    assert found is not None
    return found


def published(name: str) -> Imported:
    """Read what others published, which lies beside the repository and not in it."""
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"{path} is not here: published files are not part of the repository")
    found = imported(str(path))
    assert found is not None
    return found


def kinds(fabric: Fabric) -> dict[str, int]:
    counts = np.bincount(fabric.devices.kind, minlength=len(KINDS))
    return {kind: int(count) for kind, count in zip(KINDS, counts, strict=True) if count}


def pairs(fabric: Fabric) -> dict[tuple[str, str], int]:
    """Count links by kinds of their ends."""
    a, z = fabric.ends
    found: dict[tuple[str, str], int] = {}
    for i, j in zip(fabric.devices.kind[a].tolist(), fabric.devices.kind[z].tolist(), strict=True):
        found[KINDS[i], KINDS[j]] = found.get((KINDS[i], KINDS[j]), 0) + 1
    return found


def ids(found: Imported) -> list[tuple[str, str]]:
    return [(finding.id, finding.where.rpartition(":")[2]) for finding in found.findings]
