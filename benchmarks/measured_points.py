"""Every published point beside what is predicted for it: the page ``docs/measured.md``.

Run as ``python benchmarks/measured_points.py --write``. Healthy points are predicted by the fit without their cluster
(``tests/data/measured/left-out.csv``, which ``benchmarks/calibration.py --write`` makes), all others by what ships.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))

from calibrated import cluster_setting, points
from calibration import DATA, ROOT, Table

from fabrictool.collectives.expected.constants import calibration
from fabrictool.collectives.expected.times import factor, time_s
from fabrictool.units import format_size

PAGE = ROOT / "docs" / "measured.md"
HEAD = """# Every published point, measured and predicted

Measured over predicted time of each point, in percent: +10 is a run that takes 10 % longer than the [calibrated
model](calibration.md) says. Sources of the points stand beside them in `tests/data/measured`. Healthy points are
predicted by the fit without their cluster, all others by the constants that ship.
`python benchmarks/measured_points.py --write` makes this page anew, and the tests hold it.

Most is known of large messages: from 1 GiB up a point beyond 10 % has a reason in its cluster. Below, protocols
change in steps where the model has a curve, and one constant for start-ups stands for all hosts of a kind, so that
points of a few sizes lie beyond 10 % almost everywhere. *Why* says what is known of a row with points beyond 10 %;
"apparently" marks a guess.
"""


EXPERTS = """
Bandwidths count what stays in the host as well; a GPU's bytes leave over its own adapter to all hosts but its own.
What is predicted is an all-to-all of NCCL with as many bytes; dispatch and combine are kernels of their own. On two
hosts those of V1 reach half of what adapters carry, and those of V2 all of it. Combine reduces what arrives, and
falls short by up to 16 %. Kernels for low latency send without a launch for each collective and to each rank at once:
they take up to half less than a library.
"""


def point_lines() -> Iterator[str]:
    """Yield the rows of the table of points: cluster, hosts, collective, state, points, errors, and why."""
    with (DATA / "left-out.csv").open(newline="") as stream:
        left = {row.pop("cluster"): {name: float(one) for name, one in row.items()} for row in csv.DictReader(stream)}
    why = yaml.safe_load((DATA / "why.yaml").read_text())
    rows = [row for row in points() if row.modelled or "mscclpp" in row.library]
    groups: dict[tuple[str, int, int, str, str, str], list[int]] = {}
    for at, row in enumerate(rows):
        key = (row.cluster, row.hosts, row.per_host, row.collective, row.algorithm, row.state)
        groups.setdefault(key, []).append(at)
    for (cluster, hosts, per_host, collective, held, state), places in groups.items():
        table = Table([rows[at] for at in places])
        constants = left.get(cluster, calibration().constants) if state == "healthy" else calibration().constants
        off = 100 * np.expm1(table.residual(constants))
        cells = ", ".join(f"{format_size(s)} {e:+.0f}" for s, e in zip(table.nbytes, off, strict=True))
        keys = (f"{cluster} {state}", f"{cluster} {hosts}", cluster)
        known = next((why[key] for key in keys if key in why), "") if (np.abs(off) > 10).any() else ""
        name = collective if held == "auto" else f"{collective}, {held}"
        yield f"| {cluster} | {hosts} x {per_host} | {name} | {state} | {cells} | {known} |"


def _published() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DATA / "published.yaml").read_text())
    return found


def _row(what: str, measured: str, predicted: str, off: float, source: str) -> str:
    return f"| {what} | {measured} | {predicted} | {100 * off:+.0f} % | {source} |"


def bandwidth_lines() -> Iterator[str]:
    """Yield the rows of published bandwidths of collectives: measured, predicted, and measured over predicted."""
    for row in _published()["busbw"]:
        gpu, per_host, hosts, nics, gbit, protocol = row["cluster"]
        setting = cluster_setting(gpu, per_host, hosts, nics, float(gbit), protocol)
        took_s = float(
            time_s(setting, row["collective"], row["nbytes"], calibration().constants, row.get("algorithm", "auto"))
        )
        found = float(factor(setting, row["collective"])) * row["nbytes"] / took_s / 1e9
        given = row["gbytes_per_s"]
        low, high = given if isinstance(given, list) else (given, given)
        near = min(max(found, low), high)
        text = f"{low:g} to {high:g}" if low < high else f"{low:g}"
        what = f"{row['what']}, {hosts} x {per_host} {gpu}, {row['collective']} of {format_size(row['nbytes'])}"
        yield _row(what, f"{text} GB/s", f"{found:.3g} GB/s", near / found - 1, row["source"])


def expert_lines() -> Iterator[str]:
    """Yield the rows of dispatch and combine: each token to at most 4 hosts, all-to-all of what a GPU sends."""
    for row in _published()["experts"]:
        combine = "combine" in row["what"]
        for hosts, given in zip(row["hosts"], row["gbytes_per_s"], strict=True):
            setting = cluster_setting(row["gpu"], 8, hosts, 8, 400.0, "infiniband")
            nbytes = 4096 * 7168 * min(4, hosts) * (2 if combine else 1)
            took_s = float(time_s(setting, "all-to-all", nbytes, calibration().constants))
            found = nbytes / took_s / 1e9
            what = f"{row['what']}, {hosts} x 8 {row['gpu']}"
            yield _row(what, f"{given:g} GB/s", f"{found:.3g} GB/s", given / found - 1, row["source"])
    for row in _published()["low_latency"]:
        for hosts, given in zip(row["hosts"], row["time_us"], strict=True):
            setting = cluster_setting("H800", 8, hosts, 8, 400.0, "infiniband")
            nbytes = 128 * 8 * 7168 * row["element_bytes"]
            took_us = 1e6 * float(time_s(setting, "all-to-all", nbytes, calibration().constants))
            what = f"{row['what']}, {hosts} x 8 H800"
            yield _row(what, f"{given:g} us", f"{took_us:.3g} us", given / took_us - 1, row["source"])


def page() -> str:
    """Return the page."""
    head = "| what | measured | predicted | measured over predicted | source |\n| --- | --- | --- | --- | --- |"
    return "\n".join(
        [
            HEAD,
            "## Figures that are no rows\n",
            head,
            *bandwidth_lines(),
            "\n## Mixture of experts\n",
            head,
            *expert_lines(),
            EXPERTS,
            "## Points\n",
            "| cluster | hosts x GPUs | collective | state | size and error in % | why |",
            "| --- | --- | --- | --- | --- | --- |",
            *point_lines(),
            "",
        ]
    )


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page())
