"""Links that are up but dim or failing, from a table of the reference fabric."""

from __future__ import annotations

import csv
import io

import as_built

from fabrictool.cabling.planned import planned
from fabrictool.cabling.verdict import Verdict, verdict
from fabrictool.formats import as_built_table
from fabrictool.formats.dumps import dump_from
from fabrictool.formats.recognise import imported
from fabrictool.verification import verify


def table(changed: dict[int, dict[str, str]], usual: dict[str, str]) -> str:
    """Everything as planned, with what is usual in each row and what is changed in some."""
    rows = list(csv.DictReader(io.StringIO(as_built.built([]))))
    out = io.StringIO()
    writer = csv.DictWriter(out, [*rows[0], "symbol_errors", "LinkDownedCounter", "ber"], lineterminator="\n")
    writer.writeheader()
    writer.writerows([row | usual | changed.get(place, {}) for place, row in enumerate(rows)])
    return out.getvalue()


def judged(changed: dict[int, dict[str, str]], usual: dict[str, str]) -> Verdict:
    found = imported(str(as_built.PLAN))
    assert found is not None
    rows = as_built_table.read("plan", as_built.PLAN.read_text()).sightings
    return verdict(planned(found.fabric, rows), [dump_from("built.csv", table(changed, usual).encode())], {})


def test_less_than_half_the_light_of_links_like_it() -> None:
    """Row 3 is gpu01's rail 3; the median of its medium is -1 dBm; 2.9 dB below that is no half of the light."""
    found = judged({3: {"rx_power_dbm": "-4.5"}, 5: {"rx_power_dbm": "-3.9"}}, {"rx_power_dbm": "-1"}).findings
    (dim,) = found
    assert (dim.finding.id, dim.finding.severity, dim.root_cause) == ("dim-link", "warning", None)
    assert dim.finding.message == (
        "1 link has less than half the light of links like them: gpu01:rail3 - leaf3:swp1s0 -4.5 dBm, 3.5 dB below the "
        "median"
    )
    assert dim.links == ("gpu01:rail3 - leaf3:swp1s0",)


def test_errors_the_worst_first() -> None:
    """Losses of the link before bit errors, these before symbol errors; 1e-13 is within the specification."""
    changed = {
        0: {"symbol_errors": "12"}, 1: {"ber": "1e-13"}, 2: {"ber": "3e-9"}, 4: {"LinkDownedCounter": "2"},
    }  # fmt: skip
    (failing,) = judged(changed, {}).findings
    assert failing.finding.id == "link-errors"
    assert failing.finding.message == (
        "3 links have errors: gpu01:rail4 - leaf4:swp1s0 2 times down; gpu01:rail2 - leaf2:swp1s0 bit error rate "
        "3.0e-09, 1e-12 is the limit; gpu01:rail0 - leaf0:swp1s0 12 symbol errors"
    )


def test_nothing_is_said_of_healthy_links_or_of_few() -> None:
    assert judged({}, {"rx_power_dbm": "-1", "symbol_errors": "0", "ber": "0"}).findings == ()
    alone = {0: {"rx_power_dbm": "-9"}, 1: {"rx_power_dbm": "-1"}, 2: {"rx_power_dbm": "-1"}}
    assert judged(alone, {"rx_power_dbm": ""}).findings == ()


def test_mistakes_are_priced_where_nobody_tells_a_speed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Shares of what is lost are those of the same fabric with its speeds."""
    (case,) = [case for case in as_built.cases() if case["kind"] == "missing_link"]
    costs = []
    for keep in (True, False):
        plan, seen = as_built.PLAN.read_text(), as_built.built([case])
        for name, text in (("plan.csv", plan), ("seen.csv", seen)):
            rows = list(csv.DictReader(io.StringIO(text)))
            out = io.StringIO()
            writer = csv.DictWriter(out, [key for key in rows[0] if keep or key != "speed_gbps"], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
            (tmp_path / name).write_text(out.getvalue())
        found = verify(str(tmp_path / "plan.csv"), str(tmp_path / "seen.csv"))
        (cause,) = found.causes
        assert cause.impact is not None
        costs.append((cause.impact.all_reduce_lost, cause.impact.all_to_all_lost))
        assert "not-priced" not in {row.finding.id for row in found.findings}
    assert costs[0] == costs[1]
    assert costs[0][1] > 0
