"""Acceptance at turn-up: what to measure, what to expect, and where to look when it is missed."""

from fabrictool.acceptance.plan import Plan, plan_of
from fabrictool.acceptance.subject import Subject, subject_of
from fabrictool.acceptance.verdict import Verdict, verdict_of
from fabrictool.acceptance.writing import write_plan

__all__ = ["Plan", "Subject", "Verdict", "plan_of", "subject_of", "verdict_of", "write_plan"]
