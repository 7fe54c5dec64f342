"""The range of bus bandwidth that eight of ten healthy runs meet, for the results of a layout's jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.expected.constants import Calibration, calibration
from fabrictool.collectives.expected.from_fabric import UnmeasuredError, setting_of
from fabrictool.collectives.expected.setting import COLLECTIVES, Setting
from fabrictool.collectives.expected.times import factor, time_s
from fabrictool.collectives.workloads import CollectiveResult, Job, rank_list
from fabrictool.fabric import Fabric
from fabrictool.records import Assumption


def expected_time_s(
    setting: Setting,
    collective: str,
    nbytes: float,
    least_s: float = 0.0,
    known: Calibration | None = None,
    algorithm: str = "auto",
) -> float:
    """Return the time that half of healthy runs stay below, in s.

    Parameters
    ----------
    setting : Setting
    collective : str
        One of ``COLLECTIVES``.
    nbytes : float
    least_s : float
        A lower bound over the fabric's links: where they carry less than the hosts' ports, it rules.
    known : Calibration, optional
        The one that ships, unless given.
    algorithm : {"auto", "ring", "sharp"}
        What the library is held to.
    """
    constants = (known or calibration()).constants
    share = constants[f"network_{setting.transport}"]
    return max(float(time_s(setting, collective, nbytes, constants, algorithm)), least_s / share)


def expected_range(
    setting: Setting,
    collective: str,
    nbytes: float,
    least_s: float = 0.0,
    known: Calibration | None = None,
    algorithm: str = "auto",
) -> tuple[float, float]:
    """Return the bus bandwidths in B/s between which eight of ten healthy runs lie, the slower first.

    Neither is above what the lower bound over the fabric's links allows.
    """
    found = known or calibration()
    middle_s = expected_time_s(setting, collective, nbytes, least_s, found, algorithm)
    fast, slow = (found.several if float(setting.hosts) > 1 else found.one).at(nbytes)
    if setting.joined:
        slow += found.beyond.slow(float(setting.ranks), nbytes)
    moved = float(factor(setting, collective)) * nbytes
    most = moved / least_s if least_s else np.inf
    return min(moved / (middle_s * float(np.exp(slow))), most), min(moved / (middle_s * float(np.exp(fast))), most)


def with_ranges(
    results: Sequence[CollectiveResult],
    jobs: Sequence[Job],
    fabric: Fabric,
    types: Mapping[str, HostType],
    own: Callable[[str, Setting], Calibration] | None = None,
) -> tuple[tuple[CollectiveResult, ...], list[str], list[Assumption]]:
    """Return results with their expected ranges, why some have none, and what the others rest on.

    Parameters
    ----------
    results : sequence of CollectiveResult
    jobs : sequence of Job
        That the results are of.
    fabric : Fabric
        As it is used, without what is down.
    types : mapping of str to HostType
        The host types of the layout by name.
    own : callable, optional
        Gives the calibration of the machine at hand for a collective on a setting; by default the one that ships.
    """
    kinds = {name: kind.gpu for name, kind in types.items()}
    if not results:
        return (), [], []
    settings = {job.number: _setting(job, results, fabric, kinds) for job in jobs}
    reasons = dict.fromkeys(found for found in settings.values() if isinstance(found, str))
    most = max((float(row.ranks) for row in settings.values() if not isinstance(row, str) and row.joined), default=0.0)
    ranged = tuple(_with_range(row, settings[row.job], own) for row in results)
    return ranged, list(reasons), list(_beyond(most, calibration()))


def _beyond(ranks: float, known: Calibration) -> Iterator[Assumption]:
    """Say that ranges are carried on beyond what was measured."""
    if ranks > known.beyond.ranks:
        value = f"up to {known.beyond.ranks} ranks over a network as measured; for {ranks:,.0f} carried on and widened"
        yield Assumption("range of healthy runs", value, known.beyond.source)


def _setting(
    job: Job, results: Sequence[CollectiveResult], fabric: Fabric, kinds: Mapping[str, str | None]
) -> Setting | str:
    """Return the setting of a job, or why there is none."""
    network = next((row.network for row in results if row.job == job.number), None)
    if network is None or not len(fabric.gpus):
        return "no ranks that are GPUs"
    if job.split is not None:
        return "groups that run at once were measured nowhere"
    if job.collective not in COLLECTIVES:
        return f"{job.collective} was measured nowhere"
    try:
        return setting_of(fabric, fabric.network_row(network), rank_list(job.ranks, len(fabric.gpus)), kinds)
    except UnmeasuredError as error:
        return str(error)


def _with_range(
    row: CollectiveResult, setting: Setting | str, own: Callable[[str, Setting], Calibration] | None
) -> CollectiveResult:
    if isinstance(setting, str) or row.time_s is None:
        return row
    known = own(row.collective, setting) if own else None
    found = expected_range(setting, row.collective, row.nbytes, row.bound_s or 0.0, known)
    return replace(row, expected_busbw_range=found)
