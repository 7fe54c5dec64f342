"""What flows get under hash ECMP, against published and prototype figures, all within 3 %."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest

from fabrictool.explore.routed import route
from fabrictool.fabric import Fabric

LINE_BPS = 400e9
#: Random permutations, one flow a host, radix-64 trees: mean max-min rate by an independent prototype.
PERMUTATIONS = {
    1_024: (((32, 8, 4), (1, 8, 2), (1, 4, 16)), 0.469),
    16_384: (((32, 32, 16), (1, 32, 8), (1, 1, 4)), 0.411),
    65_536: (((32, 32, 64), (1, 32, 32), (1, 1, 1)), 0.398),
}
#: Host i to i + N/2, a packet simulator's mean rate of 5 seeds, of which the protocol takes 1 - 0.966.
PACKETS = {64: (((8, 8), (1, 8), (1, 1)), 0.640), 256: (((16, 16), (1, 16), (1, 1)), 0.616)}
EFFICIENCY = 0.966


def _mean(fabric: Fabric, pattern: str, seed: int) -> float:
    routing = {"name": "ecmp", "seeds": [4 * seed + tier for tier in range(4)]}
    rates = route(fabric, routing, pattern).rates_bps
    assert rates is not None
    return float(np.mean(rates)) / LINE_BPS


@pytest.mark.parametrize("hosts", PERMUTATIONS)
def test_random_permutations(hosts: int) -> None:
    shape, listed = PERMUTATIONS[hosts]
    fabric = fabrics.pgft(*shape)
    seeds = range(8 if hosts < 10_000 else 1)
    mean = np.mean([_mean(fabric, f"random:{seed}", seed) for seed in seeds])
    assert mean == pytest.approx(listed, rel=0.03)


@pytest.mark.parametrize("hosts", PACKETS)
def test_opposite_halves_against_a_packet_simulator(hosts: int) -> None:
    shape, listed = PACKETS[hosts]
    fabric = fabrics.pgft(*shape)
    mean = np.mean([_mean(fabric, f"shift:{hosts // 2}", seed) for seed in range(20)])
    assert EFFICIENCY * mean == pytest.approx(listed, rel=0.03)


def test_spray_gives_every_permutation_the_line_rate() -> None:
    fabric = fabrics.pgft((8, 8), (1, 8), (1, 1))
    rates = route(fabric, {"name": "spray", "efficiency": 0.9}, "random:3").rates_bps
    assert rates == pytest.approx(np.full(len(rates), 0.9 * LINE_BPS))


def test_queue_pairs_compete_one_by_one() -> None:
    """Reference: 0.898 with 8 queue pairs at 1,024 hosts, the sum over a flow's queue pairs."""
    fabric = fabrics.pgft(*PERMUTATIONS[1_024][0])
    means = []
    for seed in range(3):
        routing = {"name": "ecmp", "flows_per_pair": 8, "seeds": [4 * seed + tier for tier in range(4)]}
        rates = route(fabric, routing, f"random:{seed}").rates_bps
        assert rates is not None
        means.append(float(np.mean(rates)) / LINE_BPS)
    assert np.mean(means) == pytest.approx(0.898, rel=0.03)
