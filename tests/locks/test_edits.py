"""Random edits of a locked site: what they leave alone stays as it is, byte for byte."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import site_edits as edits

from fabrictool.cable_plan import planned_cables
from fabrictool.cabling.report import PlanReport
from fabrictool.errors import FabrictoolError
from fabrictool.formats.plan_csv import write
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree
from fabrictool.locks import GONE, Lock
from fabrictool.locks.reading import lock_from_text
from fabrictool.locks.text import lock_text
from fabrictool.records import CableRow


def _planned(tree: edits.Tree, lock: Lock | None) -> PlanReport:
    layout = layout_from_tree(tree)
    layout.remember_lock(lock)
    return planned_cables(layout, build(layout))


def _relocked(report: PlanReport) -> Lock:
    """Return the lock of a plan as it comes back from its file."""
    text = lock_text(report.lock)
    lock = lock_from_text("site.lock", text)
    assert lock_text(lock) == text
    return lock


def _by_cable(rows: list[CableRow]) -> dict[str, list[CableRow]]:
    found = defaultdict(list)
    for row in rows:
        found[row.cable_id].append(row)
    return found


def _printed(rows: list[CableRow]) -> str:
    """Return the lines of a plan, but for power and price: a link's share of a module that others may plug into too."""
    return write(replace(row, optics_w=None, price=None) for row in rows)


@pytest.mark.parametrize("seed", range(50))
def test_what_an_edit_leaves_alone_stays(seed: int) -> None:
    """Four edits after one another, each locked: 200 in all. What is left alone is told by layouts without locks."""
    rng = np.random.default_rng(seed)
    tree = edits.site()
    report = _planned(tree, None)
    lock, done = _relocked(report), 0
    while done < 4:
        what, new = edits.edited(tree, rng)
        try:
            design = build(layout_from_tree(new))
        except FabrictoolError:
            continue  # no layout
        before = edits.unaffected(report.plan.fabric, report.rows(), design)
        report = _planned(new, lock)
        after = _by_cable(report.rows())
        for name, rows in before.items():
            assert _printed(after[name]) == _printed(rows), (what, name)
        _names_given_once(lock, report.lock)
        lock, tree, done = _relocked(report), new, done + 1


def _names_given_once(before: Lock, after: Lock) -> None:
    """Check that nothing takes the name of what is gone, and that nothing is forgotten."""
    for old, new in ((before.devices, after.devices), (before.racks, after.racks)):
        gone = {old.name[row] for row in np.flatnonzero(old.state == GONE).tolist()}
        alive = {new.name[row] for row in np.flatnonzero(new.state != GONE).tolist()}
        assert not gone & alive
        assert set(old.name) <= set(new.name)
    gone = {before.cables.id[row] for row in np.flatnonzero(before.cables.state == GONE).tolist()}
    alive = {after.cables.id[row] for row in np.flatnonzero(after.cables.state != GONE).tolist()}
    assert not gone & alive
    assert set(before.cables.id) <= set(after.cables.id)


def test_without_a_lock_edits_do_change_rows() -> None:
    """The same edits, unlocked, change rows that they leave alone: so the test above can fail."""
    changed = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        tree = edits.site()
        report = _planned(tree, None)
        _, new = edits.edited(tree, rng)
        try:
            design = build(layout_from_tree(new))
        except FabrictoolError:
            continue
        before = edits.unaffected(report.plan.fabric, report.rows(), design)
        after = _by_cable(_planned(new, None).rows())
        changed += sum(_printed(after[name]) != _printed(rows) for name, rows in before.items())
    assert changed > 100
