"""Bus bandwidth that a collective comes to with large messages, from what a layout states and measured efficiencies.

A ring enters and leaves each domain once, on all of its ports together; inside it uses (G-1)/G of what the scale-up
links carry, so that with several domains G/(G-1) of it counts. With NVLink SHARP a GPU sends and receives S (G+1)/G
bytes. Between two domains a tree sends each byte once each way, a ring twice (N-1)/N times, so a tree may show almost
twice the ports' rate; with more domains an inner domain of a tree has a parent and two children, and the gain is gone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fabrictool.collectives.expected.setting import Number, Setting, Word, by_word

#: How the library is told to run: by itself, or held to rings, or to reduction in the network.
ALGORITHMS = ("auto", "ring", "sharp")


def busbw_bytes_per_s(setting: Setting, collective: Word, constants: Mapping[str, float], algorithm: Word) -> Number:
    """Return the bus bandwidth of large messages in B/s."""
    name = np.asarray(collective)
    reduced = _all_reduce(setting, constants, np.asarray(algorithm))
    exchanged = _all_to_all(setting, constants)
    return np.where(
        name == "all-reduce", reduced, np.where(name == "all-to-all", exchanged, _gather(setting, constants))
    )


def _network(setting: Setting, constants: Mapping[str, float]) -> Number:
    """Return what the ports of a domain carry together."""
    efficiency = {
        name.removeprefix("network_"): value for name, value in constants.items() if name.startswith("network_")
    }
    return setting.network_bytes_per_s * setting.per_domain * by_word(setting.transport, efficiency)


def _ring_inside(setting: Setting, constants: Mapping[str, float]) -> Number:
    size = np.asarray(setting.per_domain, np.float64)
    share = np.where(setting.joined, size / np.maximum(size - 1, 1.0), 1.0)
    return np.where(setting.scaled, constants["ring"] * setting.scale_up_bytes_per_s * share, np.inf)


def _switch_reduced(setting: Setting, constants: Mapping[str, float]) -> Number:
    """Return the bus bandwidth inside a domain whose switches reduce; 0 where they don't."""
    efficiency = by_word(setting.gpu, {"hopper": constants["nvls_hopper"], "blackwell": constants["nvls_blackwell"]})
    size = setting.per_domain
    return np.where(setting.scaled, efficiency * setting.scale_up_bytes_per_s * 2 * (size - 1) / (size + 1), 0.0)


def _all_reduce(setting: Setting, constants: Mapping[str, float], algorithm: Word) -> Number:
    network = _network(setting, constants)
    inside = _switch_reduced(setting, constants)
    ring = np.where(
        setting.joined, np.minimum(_ring_inside(setting, constants), network), _ring_inside(setting, constants)
    )
    trees = np.maximum(constants["tree"] * setting.scale_up_bytes_per_s, inside)
    trees = np.where(setting.scaled, trees, np.inf)
    share = (setting.ranks - 1) / setting.ranks
    turns = np.where(np.asarray(setting.domains) == 2, 2.0, 1.0)
    tree = np.where(setting.joined, np.minimum(trees, constants["tree_network"] * turns * share * network), inside)
    reduced = np.minimum(trees, constants["sharp"] * share * network)
    return np.where(algorithm == "ring", ring, np.where(algorithm == "sharp", reduced, np.maximum(ring, tree)))


def _gather(setting: Setting, constants: Mapping[str, float]) -> Number:
    """Return the bus bandwidth of all-gather, reduce-scatter, broadcast and reduce: rings without a tree's help."""
    inside = constants["one_way"] * _ring_inside(setting, constants)
    network = _network(setting, constants) * np.where(setting.scaled, constants["one_way_network"], 1.0)
    return np.where(setting.joined, np.minimum(inside, network), inside)


def _all_to_all(setting: Setting, constants: Mapping[str, float]) -> Number:
    ranks, size = np.asarray(setting.ranks, np.float64), np.asarray(setting.per_domain, np.float64)
    inside = np.where(setting.scaled, constants["exchange"] * setting.scale_up_bytes_per_s, np.inf)
    peers = np.where(setting.joined, (ranks - 1) / np.maximum(size - 1, 0.5), 1.0)
    crossing = _network(setting, constants) / size * (ranks - 1) / np.maximum(ranks - size, 1e-9)
    return np.where(setting.joined, np.minimum(inside * peers, crossing), inside)
