"""What a workload draws, from devices to the utility."""

from fabrictool.energy.work import Work, work_of

__all__ = ["Work", "work_of"]
