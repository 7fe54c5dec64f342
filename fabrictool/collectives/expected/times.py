"""Time of a collective as NCCL and RCCL are measured to take it: start-up, hops, protocol, pipeline and bandwidth.

For each protocol p the time is

    t_p = T_p + D / e_p + 2 k C_p sqrt(x / (1 + x / x_s)),   x = D / C_p

with the start-up T_p (kernel launch and hops, longer for the protocols that carry more of a link's rate), the time D
that the bytes take at the bandwidth of large messages, and the share e_p that a protocol reaches of it: LL sends a flag
with every 8 bytes, LL128 with every 120, Simple none. The last term is the fill of a pipeline: cut in pieces
of the best size, a message of D over a chain of latency C takes (sqrt(C) + sqrt(D))^2; from x_s on pieces are
as large as the library's buffers let them be, and the term stays. Of T_p the chain C_p has the hops, and of the launch
the part that every piece waits for: the kernel is launched once. The library takes the fastest protocol.

References
----------
NVIDIA NCCL, src/graph/tuning.cc (protocols, hops); R. van de Geijn's pipelined chain: J. L. Traff, SPAA 2009.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.expected.bandwidth import busbw_bytes_per_s
from fabrictool.collectives.expected.setting import Number, Setting, Word, by_word

F8 = npt.NDArray[np.float64]


def time_s(
    setting: Setting, collective: Word, nbytes: Number, constants: Mapping[str, float], algorithm: Word = "auto"
) -> F8:
    """Return the time of a collective in s.

    Parameters
    ----------
    setting : Setting
    collective : str
        One of ``COLLECTIVES``; or, as the others, an array with a place for each setting.
    nbytes : float
        In the sense of nccl-tests; for one setting also an array of sizes.
    constants : mapping of str to float
    algorithm : str
        One of ``ALGORITHMS``.
    """
    name = np.asarray(collective)
    moved_s = np.asarray(factor(setting, name) * nbytes / busbw_bytes_per_s(setting, name, constants, algorithm))
    base_s, hops_s = _launch_s(setting, constants), _hops_s(setting, name, constants)
    reduces = name == "all-reduce"
    piped_s, after_s = np.where(reduces, hops_s, 0.0), np.where(reduces, 0.0, hops_s)
    start_s, chain_s = base_s + piped_s, constants["launch_piped"] * base_s + piped_s
    fill = np.where(reduces, constants["fill"], constants["fill_one_way"])
    protocols = (
        (1.0, np.where(setting.joined, constants["ll_network"], constants["ll"])),
        (constants["slower_ll128"], constants["ll128"]),
        (constants["slower_simple"], 1.0),
    )
    times = [
        after_s + slower * start_s + moved_s / reached + _filling_s(slower * chain_s, moved_s, fill, constants)
        for slower, reached in protocols
    ]
    return np.asarray(np.minimum.reduce(times), np.float64)


def factor(setting: Setting, collective: Word) -> F8:
    """Return bus bandwidth over algorithm bandwidth."""
    share = (setting.ranks - 1) / np.asarray(setting.ranks, np.float64)
    name = np.asarray(collective)
    rooted = (name == "broadcast") | (name == "reduce")
    return np.asarray(np.where(name == "all-reduce", 2 * share, np.where(rooted, 1.0, share)), np.float64)


def _filling_s(chain_s: Number, moved_s: F8, fill: Number, constants: Mapping[str, float]) -> F8:
    """Return what it takes to fill a pipeline of so much latency."""
    x = moved_s / chain_s
    return np.asarray(2 * fill * chain_s * np.sqrt(x / (1 + x / constants["largest_pieces"])), np.float64)


def _launch_s(setting: Setting, constants: Mapping[str, float]) -> F8:
    slower = {"ampere": constants["launch_ampere"], "blackwell": constants["launch_blackwell"]}
    return constants["launch_s"] * by_word(setting.gpu, slower, 1.0)


def _hops_s(setting: Setting, name: Word, constants: Mapping[str, float]) -> F8:
    """Return what a collective waits for on its way through ranks, hosts and the network."""
    hop_s = _network_hop_s(setting, constants)
    steps = np.asarray(setting.ranks, np.float64) - 1
    across_s = np.where(setting.joined, setting.hosts * hop_s, 0.0)
    per_step_s, per_message_s = constants["ring_step_s"], constants["message_s"]
    ring_s = 2 * (steps * per_step_s + across_s)
    messages_s = np.maximum(steps * per_message_s - _launch_s(setting, constants), 0.0) + np.where(
        setting.joined, hop_s, 0.0
    )
    gather_s = steps * per_step_s + across_s
    tree_s = _tree_s(setting, hop_s, constants)
    waited_s = np.where(
        name == "all-reduce", np.minimum(tree_s, ring_s), np.where(name == "all-to-all", messages_s, gather_s)
    )
    return np.asarray(waited_s + np.where(setting.joined, 2 * setting.ports * constants["port_s"], 0.0), np.float64)


def _tree_s(setting: Setting, hop_s: Number, constants: Mapping[str, float]) -> F8:
    """Return the way up and down a tree: a chain in each host, between hosts their logarithm."""
    chain = np.minimum(setting.per_host, setting.per_domain) - 1
    between_s = np.where(setting.joined, hop_s, constants["switch_hop_s"])
    levels = np.log2(np.asarray(setting.hosts, np.float64))
    return np.asarray(2 * (chain * constants["chain_step_s"] + levels * between_s), np.float64)


def _network_hop_s(setting: Setting, constants: Mapping[str, float]) -> F8:
    hops = {
        name.removeprefix("hop_").removesuffix("_s"): value
        for name, value in constants.items()
        if name.startswith("hop_")
    }
    first = (np.asarray(setting.transport) == "efa") & (np.asarray(setting.gpu) == "ampere")
    return by_word(setting.transport, hops) * np.where(first, constants["first_efa"], 1.0)
