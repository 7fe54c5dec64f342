"""Faults put into a fabric, measured with noise, and found again."""

from __future__ import annotations

import pytest
from accepted import plan, subject

from fabrictool.acceptance.probes import probe_named
from fabrictool.acceptance.readings import Reading
from fabrictool.acceptance.rehearsal import Rehearsal, World, rehearse
from fabrictool.acceptance.verdict import verdict_of


def find(name: str, inside: dict[str, float] | None = None, seed: int = 4, **faults: str) -> Rehearsal:
    """Climb the ladder of a layout with faults that its plan does not know."""
    return rehearse(World(plan(name), subject(name, **faults), inside or {}, seed=seed))


def suspects(found: Rehearsal) -> list[list[str]]:
    """Return the names of suspects, fault by fault."""
    return [[each.name for each in one.suspects] for one in found.verdict.suspicions]


@pytest.mark.parametrize("factor", [0.5, 0.25])
def test_a_slow_host_link_is_found_by_its_two_pairs(factor: float) -> None:
    found = find("ft64", slow=f"leaf-02:3={factor}")
    assert suspects(found) == [["h1-11:1 - leaf-02:3"]]
    assert found.verdict.suspicions[0].speed_left == pytest.approx(factor, rel=0.15)
    assert found.located_after == 2


def test_a_slow_uplink_is_found_by_pairs_between_leaves() -> None:
    found = find("ft64", slow="leaf-02:10=0.5")
    assert suspects(found) == [["leaf-02:10 - spine-02:2"]]
    assert found.located_after is not None
    assert found.located_after <= 7
    assert not found.verdict.steps[0].failed, "pairs under leaves do not use it"


def test_a_slow_rail_of_a_host_is_found_gpu_by_gpu() -> None:
    found = find("dgx-superpod-h100-1su", slow="leaf-03:7=0.5")
    assert suspects(found) == [["dgx-07:3 - leaf-03:7"]]
    assert found.located_after == 5, "host, three rounds of pairs, one of probes"


def test_a_slow_spine_link_across_rails_is_found_by_halves() -> None:
    """Eight leaves use alike links; halves of the GPUs, by binary digits, tell which: three rounds."""
    found = find("dgx-superpod-h100-1su", slow="leaf-03:40=0.5")
    assert suspects(found) == [["leaf-03:40 - spine-04:18"]]
    assert found.verdict.steps[1].status == "pass"


def test_slow_scale_up_links_are_found_alone() -> None:
    found = find("dgx-superpod-h100-1su", inside={"dgx-05": 0.5})
    assert suspects(found) == [["dgx-05: GPUs and scale-up"]]
    assert found.located_after == 1


def test_a_host_with_all_adapters_slow_is_one_fault() -> None:
    found = find("dgx-superpod-h100-1su", slow=",".join(f"dgx-09:{port}=0.5" for port in range(1, 9)))
    assert suspects(found) == [["dgx-09: all its adapters"]]


def test_a_slow_leaf_is_one_fault_though_all_pairs_are_slow() -> None:
    found = find("dgx-superpod-h100-1su", slow=",".join(f"leaf-03:{port}=0.5" for port in range(1, 32)))
    assert suspects(found) == [["leaf-03: the whole switch"]]
    assert len(found.verdict.steps[1].failed) == 45


def test_two_faults_are_two() -> None:
    found = find("ft64", slow="leaf-02:10=0.25,leaf-05:1=0.5")
    assert sorted(suspects(found)) == [["h1-33:1 - leaf-05:1"], ["leaf-02:10 - spine-02:2"]]


def test_a_dead_host_link_leaves_runs_without_results() -> None:
    found = find("ft64", links="leaf-02:3")
    assert suspects(found) == [["h1-11:1 - leaf-02:3"]]
    assert found.verdict.steps[0].failed[0].why == "the run failed, without results"


def test_a_cluster_that_is_slow_everywhere_has_no_single_suspect() -> None:
    slow = World(plan("dgx-superpod-h100-1su"), subject("dgx-superpod-h100-1su"), share=0.5, seed=2)
    verdict = rehearse(slow, probing=False).verdict
    assert [one.suspects[0].kind for one in verdict.suspicions if len(one.runs) > 10] == ["everything"]
    assert any("half" in text for text in verdict.signatures)


@pytest.mark.parametrize("name", ["ft64", "dgx-superpod-h100-1su", "k-ary-8"])
def test_healthy_fabrics_pass(name: str) -> None:
    """False alarms are meant to be 1 in 100 healthy steps; 20 ladders have about 80."""
    alarms = sum(
        len(step.failed) > 0
        for seed in range(20)
        for step in rehearse(World(plan(name), subject(name), seed=seed), probing=False).verdict.steps
    )
    assert alarms <= 4


def test_what_is_a_little_slow_once_is_measured_again() -> None:
    """Seed 80 draws a pair 7 % below its peers on a healthy fabric: measured again it passes."""
    world = World(plan("ft64"), subject("ft64"), seed=80)
    before = rehearse(world, probing=False).verdict
    assert [one.run.name for step in before.steps for one in step.failed] == ["pair.1.h1-52+h1-56"]
    assert [run.name for run in before.next] == ["probe.all-reduce.g0.h1-52+h1-56"]
    after = rehearse(World(plan("ft64"), subject("ft64"), seed=80))
    assert after.verdict.ok
    assert (after.rounds, after.runs) == (8, 139)


def test_links_that_no_run_fills_are_named() -> None:
    """A scalable unit with 31 hosts: four links of its service host, and one uplink of 32 on each of 8 leaves."""
    found = plan("dgx-superpod-h100-1su")
    names = [found.subject.fabric.link_name(link) for link in found.not_filled.tolist()]
    assert len(names) == 12
    assert sum(name.startswith("ufm") for name in names) == 4
    assert plan("ft64").to_dict()["links_not_filled"] == []


def test_nothing_measured_is_no_pass() -> None:
    verdict = verdict_of(plan("ft64"), {})
    assert {step.status for step in verdict.steps} == {"not measured"}
    assert not verdict.done
    assert verdict.to_dict()["next_step"] == "pair"


def test_wrong_results_fail_at_any_speed() -> None:
    found = plan("ft64")
    run = found.ladder.step("hall").runs[0]
    busbw = {each.nbytes: each.busbw_bytes_per_s for each in found.of(run)}
    verdict = verdict_of(found, {run.name: Reading(run, "x.log", busbw, wrong=1)})
    assert [one.why for one in verdict.steps[-1].failed] == ["wrong results at 1 size"]


def test_a_cliff_at_one_size_fails() -> None:
    found = plan("ft64")
    run = found.ladder.step("hall").runs[0]
    busbw = {each.nbytes: each.busbw_bytes_per_s for each in found.of(run)}
    busbw[2.0**29] /= 5
    verdict = verdict_of(found, {run.name: Reading(run, "x.log", busbw)})
    assert [one.why for one in verdict.steps[-1].failed] == ["less than half as fast at 512 MiB as at its other sizes"]


@pytest.mark.parametrize(
    "name",
    [
        "probe.all-reduce.g0.h1-01+nobody",
        "probe.all-reduce.g9.h1-01+h1-02",
        "probe.broadcast.g0.h1-01+h1-02",
        "probe.all-reduce.g0.hall.none@0-3",
        "pair.9.h1-01+h1-02",
    ],
)
def test_names_of_no_run_are_none(name: str) -> None:
    assert probe_named(plan("ft64").ladder, name) is None


def test_probes_are_known_by_their_names() -> None:
    ladder = plan("ft64").ladder
    pair = probe_named(ladder, "probe.all-reduce.g0.h1-01+h1-40")
    half = probe_named(ladder, "probe.all-to-all.g0.hall.all-to-all@32-63")
    assert pair is not None
    assert half is not None
    assert (pair.hosts, pair.gpus) == ((0, 39), (0,))
    assert half.hosts == tuple(range(32, 64))
