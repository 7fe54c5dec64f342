"""Variables of the libraries that a step is measured with, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.acceptance.ladder import Step, is_free
from fabrictool.acceptance.subject import Subject

_AMD = ("MI2", "MI3", "MI4")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment, its value and why it is set."""

    name: str
    value: str
    why: str

    def to_dict(self) -> dict[str, str]:
        """Return the keys of the JSON output."""
        return {"name": self.name, "value": self.value, "why": self.why}


def variables(subject: Subject, step: Step) -> list[Variable]:
    """Return what is set for a step; NCCL and RCCL know the same names."""
    found = [Variable("NCCL_DEBUG", "WARN", "what fails says why in its log")]
    if not is_free(step.name):
        why = "a ring is as fast as its slowest link; trees and NVLS mix scale-up links in: two hosts then show 465 to "
        found.insert(0, Variable("NCCL_ALGO", "RING", why + "487 GB/s over 400 GB/s of adapters"))
    if step.name in ("host", "domain"):
        return found
    if len(np.unique(subject.rail[subject.rail >= 0])) > 1:
        found.append(Variable("NCCL_CROSS_NIC", "0", "rings stay on their rails, so that a slow rail can be told"))
    if not all(run.pxn for run in step.runs):
        found.append(Variable("NCCL_PXN_DISABLE", "1", "data crosses rails in the network, not inside hosts"))
    pairs = flows_per_pair(subject)
    if pairs > 1:
        why = f"the layout states {pairs} flows per pair, which ECMP spreads"
        found.append(Variable("NCCL_IB_QPS_PER_CONNECTION", str(pairs), why))
    return found


def flows_per_pair(subject: Subject) -> int:
    """Return the queue pairs that the layout states for each pair of ranks, 1 if it does not."""
    layout = subject.layout
    stated = layout.stated_routing(subject.transport.name) if layout is not None else None
    return int(stated.flows_per_pair or 1) if stated is not None else 1


def visible_devices(subject: Subject) -> str:
    """Return the variable that chooses the GPUs of a process."""
    kinds = subject.layout.host_types() if subject.layout is not None else []
    amd = any((kind.gpu or "").startswith(_AMD) for kind in kinds)
    return "HIP_VISIBLE_DEVICES" if amd else "CUDA_VISIBLE_DEVICES"
