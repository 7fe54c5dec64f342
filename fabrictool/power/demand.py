"""What IT draws at a utilisation, how many machines add up, and how far a synchronous job swings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabrictool.fabric.tables import F8, Reals

#: Exponent that Fan et al. fitted to servers.
FAN_EXPONENT = 1.4


def linear_power_w(idle_w: Reals, max_w: Reals, utilisation: Reals) -> F8:
    """Return power that rises linearly with utilisation (0 to 1), in W.

    References
    ----------
    Fan, Weber, Barroso, ISCA 2007.
    """
    return np.asarray(np.asarray(idle_w) + np.subtract(max_w, idle_w) * np.asarray(utilisation, dtype=np.float64))


def empirical_power_w(idle_w: Reals, max_w: Reals, utilisation: Reals, exponent: float = FAN_EXPONENT) -> F8:
    """Return power by the fitted curve idle + (max - idle)(2 u - u^r), in W.

    References
    ----------
    Fan, Weber, Barroso, ISCA 2007: r = 1.4 for their servers.
    """
    used = np.asarray(utilisation, dtype=np.float64)
    return np.asarray(np.asarray(idle_w) + np.subtract(max_w, idle_w) * (2 * used - used**exponent))


def switch_power_w(base_w: Reals, ports: Reals, port_w: Reals, optics: Reals, optic_w: Reals) -> F8:
    """Return a switch's power from its base, active ports and optics, in W: P = base + ports port + optics optic."""
    return np.asarray(base_w + np.multiply(ports, port_w) + np.multiply(optics, optic_w), dtype=np.float64)


def energy_per_bit_j(power_w: Reals, speed_bps: Reals, utilisation: Reals = 1.0) -> F8:
    """Return the energy that a bit takes of an element whose power is flat, in J: P / (R y)."""
    return np.asarray(np.divide(power_w, speed_bps) / np.asarray(utilisation, dtype=np.float64))


class TransferEnergy(NamedTuple):
    """A ring all-reduce: bytes that each rank sends, time in s, energy of network and of all in J, J per bit sent."""

    sent_bytes: F8
    time_s: F8
    network_j: F8
    total_j: F8
    network_j_per_bit: F8


def all_reduce_energy(
    ranks: Reals, nbytes: Reals, speed_bps: Reals, network_w: Reals,
    waiting_w: Reals = 0.0,
) -> TransferEnergy:  # fmt: skip
    """Return the energy of a ring all-reduce that bandwidth alone limits.

    Parameters
    ----------
    ranks, nbytes, speed_bps : float or ndarray
        GPUs, message size in bytes, speed of each GPU's port in bit/s.
    network_w : float or ndarray
        Power of all adapters, switch shares and optics concerned, in W.
    waiting_w : float or ndarray
        Power of one GPU that waits for the result, in W.

    Notes
    -----
    Each rank sends 2 (n - 1) / n S; t = 8 bytes / B; E = (P_network + n P_wait) t.
    """
    count = np.asarray(ranks, dtype=np.float64)
    sent = 2 * (count - 1) / count * np.asarray(nbytes, dtype=np.float64)
    time = np.asarray(sent * 8 / np.asarray(speed_bps, dtype=np.float64))
    network = np.asarray(network_w * time)
    total = np.asarray(network + count * waiting_w * time)
    return TransferEnergy(sent, time, network, total, np.asarray(network / (sent * 8 * count)))


def correlated_sigma_w(count: Reals, sigma_w: Reals, correlation: Reals) -> F8:
    """Return the standard deviation of the sum of equal loads, in W: sigma sqrt(n (1 + (n - 1) rho))."""
    number = np.asarray(count, dtype=np.float64)
    return np.asarray(sigma_w * np.sqrt(number * (1 + (number - 1) * np.asarray(correlation))))


def correlated_peak_w(count: Reals, mean_w: Reals, sigma_w: Reals, correlation: Reals, z: Reals) -> F8:
    """Return the power that the sum of equal, correlated loads stays below at a normal quantile ``z``, in W."""
    return np.asarray(np.multiply(count, mean_w) + z * correlated_sigma_w(count, sigma_w, correlation))


class Swing(NamedTuple):
    """A load between two levels: mean and root mean square in W, and the J that make it flat."""

    mean_w: F8
    rms_w: F8
    buffer_j: F8


def two_level_swing(high_w: Reals, low_w: Reals, duty: Reals, period_s: Reals) -> Swing:
    """Return what a load that is high for a share ``duty`` of each period comes to.

    Notes
    -----
    mean = d H + (1 - d) L; rms = sqrt(d H^2 + (1 - d) L^2); storage that makes it flat: (H - mean) d T.
    """
    high, low, share = (np.asarray(value, dtype=np.float64) for value in (high_w, low_w, duty))
    mean = share * high + (1 - share) * low
    rms = np.sqrt(share * high**2 + (1 - share) * low**2)
    return Swing(np.asarray(mean), np.asarray(rms), np.asarray((high - mean) * share * period_s))


def capped_speed(power_w: Reals, max_w: Reals, exponent: Reals = 0.4) -> F8:
    """Return the relative speed of an accelerator held below its maximum power, at most 1: (P / P_max)^a.

    Notes
    -----
    a is 0.3 to 0.5 where computing limits and about 0 where the network does; assumed.
    """
    return np.asarray(np.minimum(np.divide(power_w, max_w), 1.0) ** np.asarray(exponent, dtype=np.float64))


def ramp_w_per_s(count: Reals, high_w: Reals, low_w: Reals, ramp_s: Reals) -> F8:
    """Return how fast the load of equal, synchronous accelerators changes, in W/s."""
    return np.asarray(np.multiply(count, np.subtract(high_w, low_w)) / np.asarray(ramp_s, dtype=np.float64))
