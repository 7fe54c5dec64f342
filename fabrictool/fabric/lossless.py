"""Settings of lossless Ethernet (RoCE): headroom for priority flow control, marking thresholds, frame sizes.

Plain functions on numbers or arrays. The headroom is what still arrives at a port after it has decided to
pause its peer; it must find room in the buffer, or frames are dropped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Given = npt.ArrayLike

#: Path MTU of RoCE and InfiniBand in bytes of payload: the largest that PortInfo can state, InfiniBand
#: Architecture Specification 1, release 1.4, chapter 14.2.5.
PATH_MTU = 4096
#: Largest frame that Ethernet switches are set to, in bytes (jumbo frames).
JUMBO_BYTES = 9216
#: Ethernet with VLAN tag 18, IPv6 40, UDP 8, BTH 12, RETH 16, ICRC 4, FCS 4 bytes around a RoCEv2 payload:
#: InfiniBand Architecture Specification 1, annex A17; IEEE 802.3.
ROCE_HEADERS_BYTES = 18 + 40 + 8 + 12 + 16 + 4 + 4
#: Preamble 8 and gap between frames 12 bytes: IEEE 802.3, clause 4.
_GAP_BYTES = 20
_PAUSE_FRAME_BYTES = 64
#: Group delay of single-mode fibre, index 1.468 (ITU-T G.652): 4.9 ns/m.
FIBRE_S_PER_M = 4.9e-9
#: Bit times that a paused sender may take, by its speed in bit/s: 60, 80, 118, 394 and 905 quanta of 512 bit
#: times, IEEE 802.3 clause 31B.3.7.
RESPONSE_BITS = {10e9: 30720.0, 25e9: 40960.0, 40e9: 60416.0, 100e9: 201728.0, 400e9: 463360.0}
#: Where the formula and the response times are published.
SOURCE = "IEEE 802.3 31B.3.7, as in P. Gupta, E. Mazzola, Congestion in Storage Networks (Cisco Press 2023), ch. 7"
#: ECN marking: Kmin 100 KB and Kmax 400 KB at 25 Gbit/s, scaled with the speed, Pmax 0.2.
_ECN_SPEED_BPS, _ECN_KMIN_BYTES, _ECN_KMAX_BYTES, _ECN_PMAX = 25e9, 100e3, 400e3, 0.2
ECN_SOURCE = "Y. Li et al., HPCC, SIGCOMM 2019, section 5.1, DCQCN at 25 Gbit/s, scaled with the speed"


def response_bytes(speed_bps: Given) -> Values:
    """Return what a sender may still send after it has received a pause frame.

    Parameters
    ----------
    speed_bps : array_like of float
        Speed of the port in bit/s.

    Returns
    -------
    ndarray of float
        Bytes. At a speed for which none is published, the time of the next lower one that is.

    References
    ----------
    IEEE 802.3, clause 31B.3.7: 463,360 bit times at 400 Gbit/s are 57,920 bytes, 1.158 us.
    """
    speed = np.asarray(speed_bps, np.float64)
    known = np.array(sorted(RESPONSE_BITS))
    below = known[np.maximum(np.searchsorted(known, speed * (1 + 1e-9), side="right") - 1, 0)]
    bits = np.array([RESPONSE_BITS[value] for value in known])[np.searchsorted(known, below)]
    return np.asarray(bits / 8 * speed / below)


def pfc_headroom(
    speed_bps: Given,
    length_m: Given,
    frame_bytes: Given = JUMBO_BYTES,
    lossless_bytes: Given = PATH_MTU + ROCE_HEADERS_BYTES,
    own_delay_bytes: Given | None = None,
    s_per_m: float = FIBRE_S_PER_M,
) -> Values:
    """Return the buffer that one lossless priority of a port needs beyond its pause threshold.

    Parameters
    ----------
    speed_bps : array_like of float
        Speed of the port in bit/s.
    length_m : array_like of float
        Length of its cable in m.
    frame_bytes : array_like of float
        Largest frame of any priority: one may be leaving when the pause frame is due.
    lossless_bytes : array_like of float
        Largest frame of the lossless priority: the peer may just have begun one.
    own_delay_bytes : array_like of float, optional
        What arrives while a frame passes the port's own layers, out and in. By default as much as in the
        peer's response time, which contains the same layers.
    s_per_m : float
        Delay of the cable in s/m.

    Returns
    -------
    ndarray of float
        Bytes.

    Notes
    -----
    own frame + pause frame + own layers + cable + response of the peer + its frame + cable, each frame with
    20 bytes of preamble and gap. At 400 Gbit/s over 30 m of fibre::

        9,236 + 84 + 57,920 + 7,350 + 57,920 + 4,218 + 7,350 = 144,078 bytes

    Buffers are made of cells: small frames that fill theirs badly take more, up to twice as much.

    References
    ----------
    IEEE 802.1Q-2018, annex N (buffer requirements of priority-based flow control); Cisco white paper
    C11-542809, "Priority Flow Control: Build Reliable Layer 2 Infrastructure".
    """
    speed = np.asarray(speed_bps, np.float64)
    response = response_bytes(speed)
    own = response if own_delay_bytes is None else np.asarray(own_delay_bytes, np.float64)
    cable = speed / 8 * np.asarray(length_m, np.float64) * s_per_m
    frames = np.asarray(frame_bytes, np.float64) + np.asarray(lossless_bytes, np.float64)
    return np.asarray(frames + _PAUSE_FRAME_BYTES + 3 * _GAP_BYTES + own + response + 2 * cable)


def longest_cable(buffer_bytes: float, speeds_bps: Given, priorities: int = 1, s_per_m: float = FIBRE_S_PER_M) -> float:
    """Return the length in m at which the headroom of all ports together fills a buffer.

    Parameters
    ----------
    buffer_bytes : float
        Buffer that the ports share.
    speeds_bps : array_like of float
        Speed of each connected port in bit/s, all with cables of one length.
    priorities : int
        Lossless priorities of each port.

    Returns
    -------
    float
        0 if the buffer is too small for any cable.
    """
    speed = np.asarray(speeds_bps, np.float64)
    without = float(priorities * pfc_headroom(speed, 0.0).sum())
    per_m = float(priorities * 2 * (speed / 8).sum() * s_per_m)
    return max(0.0, (buffer_bytes - without) / per_m)


def ecn_thresholds(speed_bps: Given) -> tuple[Values, Values, float]:
    """Return Kmin and Kmax in bytes and Pmax, to start tuning DCQCN from.

    Queues shorter than Kmin are not marked, longer than Kmax always, in between with a probability that
    rises to Pmax. Both scale with the speed, as the product of bandwidth and delay does.

    References
    ----------
    Y. Li et al., "HPCC: High Precision Congestion Control", SIGCOMM 2019, section 5.1 and its published
    simulator: 100 KB and 400 KB at 25 Gbit/s, 400 KB and 1,600 KB at 100 Gbit/s, Pmax 0.2. Y. Zhu et al.,
    "Congestion Control for Large-Scale RDMA Deployments", SIGCOMM 2015 (DCQCN).
    """
    scale = np.asarray(speed_bps, np.float64) / _ECN_SPEED_BPS
    return np.asarray(_ECN_KMIN_BYTES * scale), np.asarray(_ECN_KMAX_BYTES * scale), _ECN_PMAX


def ecn_start(speed_bps: float) -> dict[str, Any]:
    """Return the marking thresholds of one speed by name."""
    low, high, most = ecn_thresholds(speed_bps)
    return {"kmin_bytes": float(low), "kmax_bytes": float(high), "pmax": most}
