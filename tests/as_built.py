"""The reference fabric of 16 hosts as built with known mistakes: plan - removed + added, as the fault matrix says."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from fabrictool.cabling.planned import planned
from fabrictool.cabling.verdict import Verdict, verdict
from fabrictool.formats import as_built_table
from fabrictool.formats.dumps import dump_from
from fabrictool.formats.recognise import imported

DATA = Path(__file__).parent / "data"
PLAN = DATA / "plans" / "plan-ref16.csv"
FAULTS = DATA / "asbuilt" / "faults.yaml"
COLUMNS = (
    "a_node", "a_port", "z_node", "z_port", "speed_gbps", "lanes", "media", "length_m", "module", "rx_power_dbm",
    "tx_power_dbm", "seen",
)  # fmt: skip
Case = dict[str, Any]


@cache
def cases() -> tuple[Case, ...]:
    found: dict[str, list[Case]] = yaml.load(FAULTS.read_text(), yaml.CSafeLoader)
    return tuple(found["cases"])


@cache
def _rows() -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(PLAN.read_text()))
    return {f"{row['a_node']}:{row['a_port']} -- {row['z_node']}:{row['z_port']}": row for row in rows}


def _ends(link: str) -> dict[str, str]:
    (a, i), (z, j) = (end.split(":") for end in link.split(" -- "))
    return {"a_node": a, "a_port": i, "z_node": z, "z_port": j}


def _dark(evidence: Case) -> list[Case]:
    """A dark port for each leg of a cage that the matrix gives evidence of."""
    if "port" not in evidence:
        return []
    device, cage = evidence["port"].split(":")
    read = {key: value for key, value in evidence.items() if key != "port"}
    return [{"a_node": device, "a_port": f"{cage}s{leg}", "seen": "no"} | read for leg in (0, 1)]


def built(chosen: Iterable[Case]) -> str:
    """As-built table of the fabric with some faults."""
    rows: dict[str, Case] = {link: dict(row) for link, row in _rows().items()}
    dark: list[Case] = []
    for case in chosen:
        for link in case["removed"]:
            del rows[link]
        rows |= {link: _ends(link) for link in case["added"]}
        for change in case.get("attrs", ()):
            rows[change["link"]][change["field"]] = change["observed"]
        dark += [row for evidence in case.get("evidence", ()) for row in _dark(evidence)]
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows([{"seen": "yes"} | row for row in (*rows.values(), *dark)])
    return out.getvalue()


def judged(chosen: Iterable[Case]) -> Verdict:
    """Verdict over the fabric with some faults, priceless and so quick."""
    found = imported(str(PLAN))
    assert found is not None
    rows = as_built_table.read("plan", PLAN.read_text()).sightings
    return verdict(planned(found.fabric, rows), [dump_from("built.csv", built(chosen).encode())], {})


def word(kind: str) -> str:
    """The matrix's word for a cause in ours."""
    return kind.replace("_", "-").replace("node", "host")


def expected(chosen: Iterable[Case]) -> list[set[tuple[str, str]]]:
    """For each cause of some faults, all exact answers."""
    return [
        {(word(one["kind"]), str(one["subject"])) for one in (cause, *cause.get("equivalent", ()))}
        for case in chosen
        for cause in case["expected"]["causes"]
    ]


def told(found: Verdict) -> list[tuple[str, str]]:
    return [(row.root_cause, str(list(row.subject))) for row in found.findings if row.root_cause]


def unmatched(chosen: Sequence[Case]) -> list[object]:
    """What was told that is no cause, and causes that were not told."""
    left: list[object] = []
    answers = told(judged(chosen))
    for wanted in expected(chosen):
        hit = next((answer for answer in answers if answer in wanted), None)
        if hit is None:
            left.append(wanted)
        else:
            answers.remove(hit)
    return left + list(answers)


def ends(case: Case) -> set[str]:
    """Ports that a fault touches."""
    links = [*case["removed"], *case["added"], *(change["link"] for change in case.get("attrs", ()))]
    return {end for link in links for end in link.split(" -- ")}
