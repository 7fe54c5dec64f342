"""What a reader brings back: a fabric, what was wrong with the file, and what it holds in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabrictool.errors import InputError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import counts
from fabrictool.fabric.rules import design_findings
from fabrictool.records import Finding, Severity


@dataclass(frozen=True, slots=True)
class Imported:
    """A fabric from elsewhere.

    Parameters
    ----------
    format : str
        Name of the format, such as ``ibnetdiscover``.
    fabric : Fabric
        Every device and link that the file tells of.
    findings : tuple of Finding
        What the file says wrongly or not at all; ``where`` is ``file:line``.
    set_apart : mapping of str to int
        What is in the fabric, but no host, switch or router, such as aggregation nodes.
    stated : mapping of str to int
        Counts in the words of the format, such as adapters, which several of a host may be.
    cables : mapping of str to int
        Cables by network where the file names them; elsewhere each link is taken for one.
    """

    format: str
    fabric: Fabric
    findings: tuple[Finding, ...] = ()
    set_apart: Mapping[str, int] = field(default_factory=dict)
    stated: Mapping[str, int] = field(default_factory=dict)
    cables: Mapping[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, int | None]:
        """Return what the fabric consists of; GPUs are None where the format tells of none."""
        found: dict[str, int | None] = dict(counts(self.fabric))
        if not found["gpus"] and self.format != "npz":
            found["gpus"] = None
        if self.cables:
            found["cables"] = sum(self.cables.values())
        return found

    def every_finding(self) -> tuple[Finding, ...]:
        """Return what the file states wrongly, then what violates the design rules."""
        return (*self.findings, *design_findings(self.fabric))


class Report:
    """Collects findings about one file, each at its line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.findings: list[Finding] = []

    def place(self, line: int) -> str:
        """Return ``file:line``, or the file alone for line 0."""
        return f"{self.name}:{line}" if line else self.name

    def add(self, identity: str, severity: Severity, line: int, message: str, fix: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(identity, severity, self.place(line), message, fix))

    def warn(self, identity: str, line: int, message: str, fix: str) -> None:
        """Add a finding of severity warning."""
        self.add(identity, "warning", line, message, fix)

    def sorted(self) -> tuple[Finding, ...]:
        """Return the findings in the order of the file's lines."""
        return tuple(sorted(self.findings, key=lambda finding: _line(finding.where)))

    def refusal(self, line: int, what: str, fix: str, column: int = 1) -> InputError:
        """Return the error that says why the whole file cannot be read."""
        return InputError([Problem(f"{self.name}:{max(line, 1)}:{column}", what, fix)])


def _line(where: str) -> int:
    line = where.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0
