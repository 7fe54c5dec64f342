"""Subjects and plans of shipped layouts, for tests of their acceptance."""

from __future__ import annotations

from pathlib import Path

import fabrictool as ft
from fabrictool.acceptance.ladder import Ladder, ladder_of
from fabrictool.acceptance.plan import Plan, plan_of
from fabrictool.acceptance.subject import Subject, subject_of
from fabrictool.scenario import asked_for

TOPOLOGIES = Path(__file__).parents[1] / "topologies"


def subject(name: str, **faults: str) -> Subject:
    """Return what is accepted of a shipped layout."""
    return subject_of(ft.read_layout(str(TOPOLOGIES / f"{name}.yaml")), asked_for(**faults))


def ladder(name: str, **faults: str) -> Ladder:
    """Return the ladder of a shipped layout."""
    return ladder_of(subject(name, **faults))


def plan(name: str, **faults: str) -> Plan:
    """Return the plan of a shipped layout."""
    return plan_of(subject(name, **faults))
