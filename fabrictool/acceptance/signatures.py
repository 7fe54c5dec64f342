"""What a whole step looks like when its runs are slow alike: published cases and their causes."""

from __future__ import annotations

import numpy as np

from fabrictool.acceptance.judging import StepResult

#: Runs that are this close together are slow alike.
_ALIKE = float(np.log(1.25))
_NEAR = 0.12
_LOW = 0.86


def signature(step: StepResult) -> str:
    """Return in words what a step's runs have in common, empty where they are as fast as expected, or differ.

    Published cases: one adapter listed of several stops all at one adapter's rate; default channels gave 320 of 391
    GB/s on 8 hosts of 8 H100; a fall with the number of hosts is typical of hash collisions and oversubscription; a
    fall at one size of lost frames and retransmission.
    """
    measured = np.array([one.deviation for one in step.judged])
    if len(measured) < 2 or np.ptp(measured) > _ALIKE:
        return ""
    share = float(np.exp(np.median(measured)))
    if share > _LOW:
        return ""
    head = f"step {step.step.name}: all runs alike reach {100 * share:.0f} % of what is expected"
    gpus = len(step.judged[0].run.gpus)
    if step.step.name in ("host", "domain"):
        return f"{head}: look at clocks, power caps, NVLink and the library's version"
    if gpus > 1 and abs(np.log(share * gpus)) < _NEAR:
        return f"{head}, the rate of one adapter of {gpus}: look at NCCL_IB_HCA, which may list one"
    if abs(np.log(share * 2)) < _NEAR:
        return f"{head}, half: an older transport plugin, half of the adapters, or a part of every path at half speed"
    return (
        f"{head}: too few channels (NCCL_MIN_CTAS, queue pairs), PCIe settings (ACS, relaxed ordering), or the plugin"
    )
