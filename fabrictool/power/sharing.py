"""Systems that share a load: how much each may carry, and what the others take over."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import F8, Reals


def normal_share(systems: Reals) -> F8:
    """Return the share of its rating that each of ``m`` equal systems may carry so that one may be lost: (m - 1)/m.

    A single system has no other to take over, and may carry all of its rating.
    """
    count = np.asarray(systems, dtype=np.float64)
    return np.where(count > 1, (count - 1) / count, 1.0)


def usable_systems(systems: Reals) -> F8:
    """Return the load that ``m`` equal systems may share so that one may be lost, in ratings of one."""
    return np.asarray(normal_share(systems) * np.asarray(systems, dtype=np.float64))


def pair_loads_w(pair_w: Reals) -> F8:
    """Return the load of each system, (systems,), from loads on pairs of them, (systems, systems) and symmetric.

    Notes
    -----
    L_i = sum_j p_ij / 2: both cords of a load share it.
    """
    return np.asarray(np.asarray(pair_w, dtype=np.float64).sum(axis=1) / 2)


def loads_after_loss_w(pair_w: Reals) -> F8:
    """Return the load of each system when one is lost, (lost, systems) in W; 0 for the lost one.

    Notes
    -----
    L_i' = L_i + p_if / 2 for every lost system f.
    """
    pairs = np.asarray(pair_w, dtype=np.float64)
    after = pair_loads_w(pairs)[None, :] + pairs / 2
    np.fill_diagonal(after, 0)
    return np.asarray(after)
