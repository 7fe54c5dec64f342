"""Hashes of flows: keys as switches see them, CRC-32, and a mix of 64 bits."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4

I8 = npt.NDArray[np.int64]
U1 = npt.NDArray[np.uint8]
U4 = npt.NDArray[np.uint32]
U8 = npt.NDArray[np.uint64]

#: UDP port of RoCEv2 and the protocol number of UDP; source ports are chosen from the dynamic range.
ROCE_PORT, UDP = 4791, 17
_FIRST_PORT, _PORTS = 49152, 16384
_ADDRESS = 10 << 24  # 10.0.0.0
_GOLDEN, _MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def mixed(word: U8) -> U8:
    """Return 64-bit words stirred so that every bit depends on all: the finaliser of SplitMix64.

    References
    ----------
    G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
    """
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def five_tuples(source: I4, target: I4, queue_pair: int = 0, seed: int = 0) -> U1:
    """Return made-up keys of RoCEv2 flows, (flows, 13) uint8, big-endian.

    Source and destination address are 10.0.0.0 plus the endpoint, the UDP source port follows from both
    endpoints, the number of the queue pair and a seed; destination port and protocol are RoCEv2's.
    """
    key = np.zeros((len(source), 13), np.uint8)
    pair = source.astype(np.uint64) << np.uint64(32) | target.astype(np.uint64)
    salt = (seed * _GOLDEN + queue_pair + 1) * _GOLDEN & _MASK
    port = _FIRST_PORT + mixed(pair ^ np.uint64(salt)) % np.uint64(_PORTS)
    key[:, :4] = (_ADDRESS + source.astype(np.uint32)).astype(">u4").view(np.uint8).reshape(-1, 4)
    key[:, 4:8] = (_ADDRESS + target.astype(np.uint32)).astype(">u4").view(np.uint8).reshape(-1, 4)
    key[:, 8:10] = port.astype(">u2").view(np.uint8).reshape(-1, 2)
    key[:, 10:12] = np.frombuffer(ROCE_PORT.to_bytes(2, "big"), np.uint8)
    key[:, 12] = UDP
    return key


def stated_keys(keys: Sequence[bytes]) -> list[tuple[U1, I8]]:
    """Return keys as arrays, (flows, bytes) uint8 for each length, with the rows that they belong to."""
    length = np.array([len(key) for key in keys], np.int64)
    found = []
    for size in np.unique(length).tolist():
        rows = np.flatnonzero(length == size)
        text = b"".join([keys[row] for row in rows.tolist()])
        found.append((np.frombuffer(text, np.uint8).reshape(len(rows), size), rows))
    return found


def crc32_words(keys: U1, seeds: Sequence[int]) -> I8:
    """Return the CRC-32 (IEEE 802.3, reflected, as in zlib) of keys, continued from each seed.

    CRC is affine: another seed changes the values of all keys of one length by the same bits. So one pass
    serves all tiers, and a different seed does not keep tiers from choosing alike.

    Parameters
    ----------
    keys : (flows, bytes) uint8
    seeds : sequence of int

    Returns
    -------
    (seeds, flows) int64
    """
    blank = bytes(keys.shape[1])
    crc = np.full(len(keys), 0xFFFFFFFF, np.uint32)
    for column in keys.T:
        crc = _TABLE[(crc ^ column) & np.uint32(255)] ^ (crc >> np.uint32(8))
    turned = [zlib.crc32(blank, seed) ^ zlib.crc32(blank) for seed in seeds]
    return (~crc ^ np.array(turned, np.uint32)[:, None]).astype(np.int64)


def _table() -> U4:
    """Return the table of CRC-32 for one byte."""
    word = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        word = np.where(word & np.uint32(1), word >> np.uint32(1) ^ np.uint32(0xEDB88320), word >> np.uint32(1))
    return word


_TABLE = _table()


def mix_words(keys: U1, seeds: Sequence[int]) -> I8:
    """Return 32 bits of a mix of keys with each seed, (seeds, flows) int64; tiers of equal seeds choose alike."""
    padded = np.zeros((len(keys), -(-keys.shape[1] // 8) * 8), np.uint8)
    padded[:, : keys.shape[1]] = keys
    word = np.zeros(len(keys), np.uint64)
    for column in padded.view("<u8").T:
        word = mixed(word ^ column)
    salt = [np.uint64((seed + 1) * _GOLDEN & _MASK) for seed in seeds]
    return np.array([mixed(word ^ own) >> np.uint64(32) for own in salt]).astype(np.int64)


def expected_largest(balls: int, bins: int) -> float:
    """Return the mean of the fullest bin when balls are thrown into bins at random, exactly.

    P(largest <= k) = B! / n^B [x^B] (sum over j <= k of x^j / j!)^n; the sum is taken with Poisson weights of
    mean B / n, so that nothing overflows. Divided by the queue pairs of a flow this is the load of the
    busiest of n uplinks in line rates.

    References
    ----------
    M. Raab, A. Steger, "Balls into Bins: A Simple and Tight Analysis", RANDOM 1998.
    """
    mean = balls / bins
    count = np.arange(balls + 1)
    log = count * np.log(mean) - mean - _log_factorials(balls)
    whole = balls * np.log(balls) - balls - _log_factorials(balls)[-1]
    total = 0.0
    for most in range(balls):
        below = _power(np.exp(log[: most + 1]), bins, balls)[-1] if most * bins >= balls else 0.0
        missed = 1.0 - below / np.exp(whole)
        total += missed
        if missed < 1e-15:
            break
    return float(total)


def _log_factorials(most: int) -> F8:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, most + 1)))))


def _power(series: F8, exponent: int, degree: int) -> F8:
    """Return a power series to a power, up to a degree."""
    result = np.ones(1)
    while exponent:
        if exponent & 1:
            result = np.convolve(result, series)[: degree + 1]
        series = np.convolve(series, series)[: degree + 1]
        exponent >>= 1
    return np.pad(result, (0, max(0, degree + 1 - len(result))))
