"""What can be set side by side: evaluations of layouts, and fabrics without a layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fabrictool.evaluation import Evaluation
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import counts
from fabrictool.fabric.rules import design_findings
from fabrictool.formats.imported import Imported
from fabrictool.records import Finding


@dataclass(frozen=True, slots=True)
class Counted:
    """A fabric without a layout, and so without racks, power, cost and collectives.

    Parameters
    ----------
    fabric : Fabric
    counts : mapping of str to int or None
        None where nothing is known.
    findings : tuple of Finding
    """

    fabric: Fabric
    counts: Mapping[str, int | None]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)


Design: TypeAlias = Evaluation | Counted


def design(given: Evaluation | Imported | Fabric | Counted) -> Design:
    """Return a design as it can be compared: what is no evaluation is counted and held against the design rules."""
    if isinstance(given, Imported):
        return Counted(given.fabric, given.counts() | {"racks": None}, given.every_finding())
    if isinstance(given, Fabric):
        return Counted(given, dict(counts(given)) | {"racks": None}, tuple(design_findings(given)))
    return given
