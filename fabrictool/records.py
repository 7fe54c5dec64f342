"""Rows that several rooms share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a design that its owner should know.

    Parameters
    ----------
    id : str
        Kind of finding, such as ``rack-over-power``.
    severity : {"error", "warning", "note"}
        An ``error`` makes a command exit with status 1.
    where : str
        Rack, device, link or network concerned.
    message : str
        What is the case, with value and limit.
    fix : str
        What would mend it.
    """

    id: str
    severity: Severity
    where: str
    message: str
    fix: str

    def to_dict(self) -> dict[str, str]:
        """Return the five keys of the JSON output."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value that the layout did not give and a stated default replaced."""

    what: str
    value: str
    source: str

    def to_dict(self) -> dict[str, str]:
        """Return the three keys of the JSON output."""
        return asdict(self)
