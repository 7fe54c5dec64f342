"""Every fault of the matrix gives exactly its root cause: alone, and beside others that touch no port of its own."""

from __future__ import annotations

from itertools import combinations

import as_built
import numpy as np
import pytest

CASES = as_built.cases()
FAULTY = [case for case in CASES if case["expected"]["causes"]]


def _apart(count: int) -> list[tuple[as_built.Case, ...]]:
    touched = {case["id"]: as_built.ends(case) for case in FAULTY}
    return [
        chosen
        for chosen in combinations(FAULTY, count)
        if all(not touched[a["id"]] & touched[z["id"]] for a, z in combinations(chosen, 2))
    ]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_fault_alone(case: as_built.Case) -> None:
    assert as_built.unmatched([case]) == []


@pytest.mark.parametrize("case", FAULTY, ids=[case["id"] for case in FAULTY])
def test_no_more_moves_than_needed(case: as_built.Case) -> None:
    found = [row for row in as_built.judged([case]).findings if row.root_cause]
    assert sum(len(row.moves) for row in found) == case["expected"]["min_moves"]


@pytest.mark.parametrize("case", FAULTY, ids=[case["id"] for case in FAULTY])
def test_links_add_up(case: as_built.Case) -> None:
    summary = as_built.judged([case]).summary
    assert summary.planned == 256 == summary.as_expected + summary.missing + summary.moved + summary.not_seen
    renamed = case["kind"] == "hostname_mismatch"
    assert summary.missing + summary.moved == (0 if renamed else case["raw"]["missing_links"])


@pytest.mark.parametrize("case", FAULTY, ids=[case["id"] for case in FAULTY])
def test_other_readings_are_named(case: as_built.Case) -> None:
    (found,) = (row for row in as_built.judged([case]).findings if row.root_cause)
    told = {word for word, _ in found.alternatives}
    assert {text.partition(":")[0].replace("_", "-") for text in case["expected"].get("equivalent", ())} <= told


def test_all_pairs() -> None:
    pairs = _apart(2)
    assert len(pairs) == 317
    assert [[case["id"] for case in chosen] for chosen in pairs if as_built.unmatched(chosen)] == []


def test_triples() -> None:
    triples = _apart(3)
    assert len(triples) == 2047
    rows = np.random.default_rng(7).choice(len(triples), 250, replace=False)
    chosen = [triples[row] for row in rows]
    assert [[case["id"] for case in some] for some in chosen if as_built.unmatched(some)] == []
