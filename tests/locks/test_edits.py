"""Random edits of a locked site: what they leave alone stays as it is, byte for byte."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import site_edits as edits

from fabrictool.cable_plan import planned_cables
from fabrictool.cabling.panel_table import patches_of
from fabrictool.cabling.report import PlanReport
from fabrictool.errors import FabrictoolError
from fabrictool.formats.plan_csv import write
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree
from fabrictool.locks import GONE, Lock
from fabrictool.locks.reading import lock_from_text
from fabrictool.locks.text import lock_text
from fabrictool.records import CableRow, Patch


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


def _patches(report: PlanReport) -> dict[str, list[Patch]]:
    """Return where each cable is patched, by its identity; check that nothing is used twice."""
    found: defaultdict[str, list[Patch]] = defaultdict(list)
    patches = patches_of(report.plan)
    for patch in patches:
        found[patch.cable_id].append(patch)
    ports = [end for one in patches for end in ((one.a_panel, one.a_port), (one.z_panel, one.z_port))]
    plugs = [(one.trunk, one.plug) for one in patches]
    assert len({*ports}) == len(ports)
    assert len({*plugs}) == len(plugs)
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
        patched = _patches(report)
        report = _planned(new, lock)
        after, now = _by_cable(report.rows()), _patches(report)
        for name, rows in before.items():
            assert _printed(after[name]) == _printed(rows), (what, name)
            assert now.get(name) == patched.get(name), (what, name)
        _names_given_once(lock, report.lock)
        lock, tree, done = _relocked(report), new, done + 1


def _names_given_once(before: Lock, after: Lock) -> None:
    """Check that nothing takes the name of what is gone, and that nothing is forgotten."""
    pairs = [(getattr(before, word), getattr(after, word)) for word in ("devices", "racks", "panels", "trunks")]
    for old, new in pairs:
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
    changed = repatched = 0
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
        unlocked = _planned(new, None)
        after, patched, now = _by_cable(unlocked.rows()), _patches(report), _patches(unlocked)
        changed += sum(_printed(after[name]) != _printed(rows) for name, rows in before.items())
        repatched += sum(name in patched and now.get(name) != patched[name] for name in before)
    assert changed > 100
    assert repatched > 100
