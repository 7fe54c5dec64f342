"""What the calibrated model takes from a layout: the machine that ranks stand on, in a few figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Number = float | npt.NDArray[np.float64]
Word = str | npt.NDArray[np.str_]
#: Collectives that measured points exist for.
COLLECTIVES = ("all-reduce", "all-gather", "reduce-scatter", "broadcast", "reduce", "all-to-all")
TRANSPORTS = ("infiniband", "ethernet", "efa", "tcp")
#: Generations of accelerators, and how their names read.
_GENERATIONS = (
    ("volta", r"V100"),
    ("ampere", r"A100|A800"),
    ("hopper", r"H100|H200|H800|H20|GH200"),
    ("blackwell", r"G?B200|G?B300|GB10"),
    ("cdna", r"MI2\d\d|MI3\d\d"),
)


def generation(gpu: str | None) -> str | None:
    """Return the generation of an accelerator by its name, None if it is of none that was measured."""
    for name, pattern in _GENERATIONS:
        if gpu and re.search(rf"(?<![A-Za-z0-9])(?:{pattern})(?![0-9])", gpu):
            return name
    return None


@dataclass(frozen=True, slots=True)
class Setting:
    """Ranks on a machine. Fields are numbers and words, or arrays of them of one length for as many settings.

    Parameters
    ----------
    gpu : str
        volta, ampere, hopper, blackwell or cdna.
    ranks, hosts, domains : float
        GPUs, the hosts they are in, and the scale-up domains; a GPU without scale-up is its own domain.
    scale_up_bytes_per_s : float
        Of a GPU, each direction; 0 without.
    network_bytes_per_s, ports : float
        Of a GPU's share of its host's ports into the network, and how many these are.
    transport : str
        infiniband, ethernet (RoCE), efa or tcp.
    """

    gpu: Word
    ranks: Number
    hosts: Number
    domains: Number
    scale_up_bytes_per_s: Number
    network_bytes_per_s: Number
    ports: Number
    transport: Word

    @property
    def per_host(self) -> Number:
        """Ranks of a host."""
        return self.ranks / self.hosts

    @property
    def per_domain(self) -> Number:
        """Ranks of a scale-up domain."""
        return self.ranks / self.domains

    @property
    def joined(self) -> npt.NDArray[np.bool_]:
        """Whether several domains take part, so that a network joins them."""
        return np.asarray(self.domains) > 1

    @property
    def scaled(self) -> npt.NDArray[np.bool_]:
        """Whether ranks share domains."""
        return np.asarray(self.per_domain) > 1


def stacked(settings: Sequence[Setting]) -> Setting:
    """Return one setting whose fields are arrays, a place for each of several."""
    return Setting(*(np.array([getattr(row, field.name) for row in settings]) for field in fields(Setting)))


def by_word(word: Word, values: Mapping[str, float], otherwise: float = 0.0) -> npt.NDArray[np.float64]:
    """Return the value that belongs to a word, or to each of an array of words."""
    words = np.asarray(word)
    return np.asarray(np.select([words == key for key in values], list(values.values()), otherwise), np.float64)
