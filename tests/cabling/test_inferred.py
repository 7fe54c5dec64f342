"""Without a plan: what most links do is the rule, and the mistakes of the matrix that break it are named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import as_built
import numpy as np
import pytest
from foreign import DATA, SHARED, published

import fabrictool as ft
from fabrictool.cabling.rules import fitted
from fabrictool.errors import InputError

#: Faults that no rule can show: names alone, what is equal on all hosts, whole devices gone, media, lanes.
SHOWN = {
    "A01", "A03", "A04", "A05", "A06", "A07", "A08", "A09", "A10", "A11", "A12", "A13", "A14", "A19", "A20", "A30",
}  # fmt: skip
CASES = [case for case in as_built.cases() if case["id"] in SHOWN]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_fault_without_a_plan(case: as_built.Case, tmp_path: Path) -> None:
    (tmp_path / "built.csv").write_text(as_built.built([case]))
    found = ft.verify(str(tmp_path / "built.csv"), [], infer=True, price=False)
    told = [(row.root_cause, str(list(row.subject))) for row in found.causes]
    (wanted,) = as_built.expected([case])
    assert len(told) == 1
    assert told[0] in wanted


@pytest.mark.parametrize("name", ["ft2_64", "rail_4su", "ft3_k8", "ft2_over3to1"])
def test_regular_subnets_follow_their_rule(name: str) -> None:
    found = ft.verify(str(DATA / f"infiniband/{name}.net.gz"), [], infer=True, price=False)
    assert found.causes == ()
    assert found.summary.as_expected == found.summary.planned


@pytest.mark.parametrize(("name", "cause"), [("swap_isl", "swapped-pair"), ("faillink", "missing-link")])
def test_deviations_of_a_subnet(name: str, cause: str) -> None:
    found = ft.verify(str(DATA / f"infiniband/ft2_64_{name}.net.gz"), [], infer=True, price=False)
    assert [row.root_cause for row in found.causes] == [cause]


def test_a_random_fabric_has_no_rule(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = [f"gpu{h:02d},p{h},leaf{x},{y}" for h, (x, y) in enumerate(rng.permutation(900)[:40, None] // (30, 1) % 30)]
    (tmp_path / "x.csv").write_text("\n".join(["a_device,a_port,z_device,z_port", *rows, ""]))
    with pytest.raises(InputError, match="no rule"):
        ft.verify(str(tmp_path / "x.csv"), [], infer=True)


def test_a_rule_is_found_beside_exceptions() -> None:
    """Port p of host j is on leaf 4 (j div 16) + p, which is a block of 16, step 4, and a constant for each port."""
    place, port = (grid.ravel() for grid in np.meshgrid(np.arange(64), np.arange(4)))
    value = 4 * (place // 16) + port
    value[[3, 77, 200]] += 5
    rule = fitted(place, port, value)
    assert (rule.block, rule.per_block, rule.per_position, rule.exceptions) == (16, 4, 0, 3)
    assert np.array_equal(rule(place, port), 4 * (place // 16) + port)


def test_a_published_subnet_of_206_switches() -> None:
    """Of its 3,366 cables all but 12 follow three rules: port r of host h, uplink u of leaf and of spine.

    What deviates can be checked in the listing: mlx5_1 and mlx5_2 of pg-spd071 are on each other's leaves, four
    ports in regular meshes of uplinks have no line, and ten management hosts hang on spines.
    """
    published("infiniband/real/hdr-206sw-1130hca.ibnetdiscover.txt.gz")
    path = SHARED / "infiniband/real/hdr-206sw-1130hca.ibnetdiscover.txt.gz"
    found = ft.verify(str(path), [], infer=True, price=False)
    kinds = Counter(row.root_cause for row in found.causes)
    assert kinds == {"rails-swapped": 1, "missing-link": 4, "extra-link": 10}
    assert found.summary.as_expected == 3354
    (swapped,) = (row for row in found.causes if row.root_cause == "rails-swapped")
    assert swapped.subject == ("pg-spd071:mlx5_1", "pg-spd071:mlx5_2")


def test_a_published_subnet_is_its_own_plan() -> None:
    published("infiniband/real/hdr-206sw-1130hca.ibnetdiscover.txt.gz")
    path = str(SHARED / "infiniband/real/hdr-206sw-1130hca.ibnetdiscover.txt.gz")
    found = ft.verify(path, path, price=False)
    assert found.causes == ()
    assert (found.summary.planned, found.summary.as_expected) == (3366, 3366)
