"""Fits the calibrated model to published measurements, and evaluates it on clusters that it was not fitted to.

Run as ``python benchmarks/calibration.py`` to print the tables of docs/models.md, and with ``--write`` to write the
constants (``fabrictool/collectives/expected/calibration.yaml``) and those of each fit without one cluster
(``tests/data/measured/left-out.csv``). Needs about two minutes.

Each constant has a start and a width (of its logarithm) outside of which the data must be strong to move it, so that
a cluster that is the only one of its kind can be left out. Errors count by Cauchy's loss: a few published points
are far from all others (a first iteration at 6 ms, 220 us on one cluster of AMD accelerators), and draw nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from scipy.optimize import least_squares

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from calibrated import DATA, Measured, points, setting  # noqa: E402

from fabrictool.collectives.expected.constants import calibration  # noqa: E402
from fabrictool.collectives.expected.setting import stacked  # noqa: E402
from fabrictool.collectives.expected.times import factor, time_s  # noqa: E402

#: Start and width of the logarithm of each constant; latencies in s.
PRIORS: dict[str, tuple[float, float]] = {
    "launch_s": (12e-6, 0.3),
    "launch_ampere": (2.0, 0.3),
    "launch_blackwell": (0.8, 0.3),
    "chain_step_s": (1.0e-6, 0.5),
    "ring_step_s": (1.2e-6, 0.4),
    "message_s": (0.8e-6, 0.4),
    "switch_hop_s": (2.0e-6, 0.6),
    "hop_infiniband_s": (6e-6, 0.5),
    "hop_ethernet_s": (7e-6, 0.5),
    "hop_efa_s": (25e-6, 0.6),
    "hop_tcp_s": (45e-6, 0.6),
    "first_efa": (2.0, 0.3),
    "port_s": (0.3e-6, 1.0),
    "slower_ll128": (1.9, 0.25),
    "slower_simple": (3.0, 0.4),
    "ll": (0.2, 0.6),
    "ll_network": (0.15, 0.6),
    "ll128": (0.85, 0.15),
    "fill": (0.5, 0.6),
    "fill_one_way": (0.5, 0.6),
    "launch_piped": (0.5, 0.5),
    "largest_pieces": (20.0, 1.0),
    "ring": (0.82, 0.1),
    "tree": (0.65, 0.15),
    "one_way": (0.93, 0.1),
    "exchange": (0.74, 0.1),
    "nvls_hopper": (0.684, 0.1),
    "nvls_blackwell": (0.56, 0.1),
    "network_infiniband": (0.94, 0.06),
    "network_ethernet": (0.94, 0.06),
    "network_efa": (0.9, 0.1),
    "network_tcp": (0.9, 0.1),
    "one_way_network": (0.85, 0.15),
    "tree_network": (0.92, 0.1),
    "sharp": (1.0, 0.1),
}
NAMES = tuple(PRIORS)
_START = np.log([start for start, _ in PRIORS.values()])
_WIDTH = np.array([width for _, width in PRIORS.values()])
_SCALE = 0.12
MIB = 2.0**20
BANDS = (("256 MiB and up", 256 * MIB, np.inf), ("16 to 256 MiB", 16 * MIB, 256 * MIB), ("below 16 MiB", 0.0, 16 * MIB))
#: Sizes between which the spread is interpolated, and the sizes that each is taken from.
KNOTS = ((2.0**17, 0.0, 2.0**20), (2.0**22, 2.0**20, 2.0**24), (2.0**26, 2.0**24, 2.0**28), (2.0**30, 2.0**28, np.inf))
#: Over a network 64 ranks are the most that were measured, but for one run of 1,440 on 20 racks.
BEYOND = {
    "ranks": 64,
    "nbytes": [2.0**30, 2.0**32, 2.0**34],
    "per_doubling": [0.15, 0.06, 0.01],
    "source": "size ratios of SimAI, inputs/ratio, 8 to 128 hosts, beyond what the model has; "
    "a run of 1,440 ranks lies outside",
}
Floats = np.ndarray


class Table:
    """Points as arrays: settings, sizes, times, clusters."""

    def __init__(self, rows: list[Measured]) -> None:
        self.rows = rows
        self.settings = stacked([setting(row) for row in rows])
        self.collective = np.array([row.collective for row in rows])
        self.algorithm = np.array([row.algorithm for row in rows])
        self.nbytes = np.array([row.nbytes for row in rows])
        self.time_s = np.array([row.time_s for row in rows])
        self.cluster = np.array([row.cluster for row in rows])
        self.several = np.array([row.hosts > 1 for row in rows])

    def without(self, cluster: str) -> Table:
        """Return the points of all other clusters."""
        return Table([row for row in self.rows if row.cluster != cluster])

    def of(self, cluster: str) -> Table:
        """Return the points of one cluster."""
        return Table([row for row in self.rows if row.cluster == cluster])

    def residual(self, constants: Mapping[str, float]) -> Floats:
        """Return ln(measured time / predicted)."""
        predicted = time_s(self.settings, self.collective, self.nbytes, constants, self.algorithm)
        return np.log(self.time_s / predicted)

    def weights(self) -> Floats:
        """Return weights that keep clusters with many points from drowning the others."""
        _, place, count = np.unique(self.cluster, return_inverse=True, return_counts=True)
        return count[place] ** -0.25


def fitted(table: Table, start: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return the constants that fit a table best."""
    weights = table.weights()

    def cost(values: Floats) -> Floats:
        off = table.residual(dict(zip(NAMES, np.exp(values), strict=True))) / _SCALE
        return np.concatenate([weights * np.sign(off) * np.sqrt(np.log1p(off**2)), (values - _START) / _WIDTH])

    first = _START if start is None else np.log([start[name] for name in NAMES])
    best = least_squares(cost, first, max_nfev=60)
    return dict(zip(NAMES, np.exp(best.x).tolist(), strict=True))


def trivial_residual(table: Table, left_out: Table) -> Floats:
    """Return residuals on points left out of the fit latency + b log2 N + c bound, fitted by least absolute error."""

    def predicted(rows: Table, values: Floats) -> Floats:
        a, b, c = np.exp(values)
        each = rows.settings
        network = np.where(each.joined, each.network_bytes_per_s * each.per_domain, np.inf)
        busbw = np.minimum(network, np.where(each.scaled, each.scale_up_bytes_per_s, np.inf))
        return a + b * np.log2(each.ranks) + c * factor(each, rows.collective) * rows.nbytes / busbw

    def cost(values: Floats) -> Floats:
        off = np.log(table.time_s / predicted(table, values))
        return table.weights() * np.sign(off) * np.sqrt(np.abs(off))

    best = least_squares(cost, np.log([5e-6, 31e-6, 1.075])).x
    return np.log(left_out.time_s / predicted(left_out, best))


@dataclass(frozen=True)
class Errors:
    """exp|residual| - 1 in percent: number of points, median, 80th percentile."""

    points: int
    median: float
    p80: float

    def __str__(self) -> str:
        return f"{self.median:.1f} / {self.p80:.1f} %"


def errors(residual: Floats) -> Errors:
    """Return the errors that residuals are."""
    if not len(residual):
        return Errors(0, float("nan"), float("nan"))
    off = 100 * np.expm1(np.abs(residual))
    return Errors(len(off), float(np.median(off)), float(np.percentile(off, 80)))


def in_band(table: Table, least: float, most: float) -> Floats:
    """Return which points lie in a range of sizes."""
    return (table.nbytes >= least) & (table.nbytes < most)


def spread(residual: Floats, table: Table, chosen: Floats) -> dict[str, list[float]]:
    """Return the 10 % and 90 % quantiles of residuals by size; clusters weigh as the root of their points."""
    _, place, count = np.unique(table.cluster, return_inverse=True, return_counts=True)
    weight = count[place] ** -0.5
    found: dict[str, list[float]] = {"nbytes": [], "fast": [], "slow": []}
    for nbytes, least, most in KNOTS:
        rows = chosen & in_band(table, least, most)
        low, high = _quantiles(residual[rows], weight[rows])
        found["nbytes"].append(nbytes)
        found["fast"].append(round(low, 4))
        found["slow"].append(round(high, 4))
    return found


def _quantiles(values: Floats, weights: Floats) -> tuple[float, float]:
    order = np.argsort(values)
    reached = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    return float(np.interp(0.1, reached, values[order])), float(np.interp(0.9, reached, values[order]))


def covered(table: Table, residual: Floats) -> Floats:
    """Return which points the 80 % range of the other clusters holds."""
    inside = np.zeros(len(residual), bool)
    for cluster in np.unique(table.cluster):
        for several in (False, True):
            mine = (table.cluster == cluster) & (table.several == several)
            others = (table.cluster != cluster) & (table.several == several)
            if mine.any() and others.any():
                found = spread(residual, table, others)
                x, knots = np.log(table.nbytes[mine]), np.log(found["nbytes"])
                fast, slow = np.interp(x, knots, found["fast"]), np.interp(x, knots, found["slow"])
                inside[mine] = (residual[mine] >= fast) & (residual[mine] <= slow)
    return inside


def healthy() -> Table:
    """Return the points that the model is fitted to."""
    return Table([row for row in points() if row.modelled and row.state == "healthy"])


def left_out_constants(table: Table, start: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return the constants of a fit without each cluster."""
    return {cluster: fitted(table.without(cluster), start) for cluster in np.unique(table.cluster).tolist()}


def left_out_residual(table: Table, by_cluster: Mapping[str, Mapping[str, float]]) -> Floats:
    """Return the residuals of each cluster under the fit without it."""
    residual = np.zeros(len(table.nbytes))
    for cluster, constants in by_cluster.items():
        residual[table.cluster == cluster] = table.of(cluster).residual(constants)
    return residual


def error_lines(table: Table, residual: Floats, trivial: Floats) -> Iterator[str]:
    """Yield the rows of the table of errors: points, the model left out, a trivial fit left out, coverage."""
    inside = covered(table, residual)
    for title, chosen in (
        ("all", np.ones(len(residual), bool)),
        ("several hosts", table.several),
        ("one host", ~table.several),
    ):
        for band, least, most in BANDS:
            rows = chosen & in_band(table, least, most)
            cells = (title, band, rows.sum(), errors(residual[rows]), errors(trivial[rows]))
            yield f"| {' | '.join(map(str, cells))} | {100 * inside[rows].mean():.0f} % |"


def cluster_lines(table: Table, residual: Floats) -> Iterator[str]:
    """Yield for each cluster its median ratio of measured to predicted time by size, left out of the fit."""
    for cluster in np.unique(table.cluster).tolist():
        mine = table.cluster == cluster
        cells = []
        for _, least, most in BANDS:
            rows = mine & in_band(table, least, most)
            cells.append(f"{100 * np.expm1(np.median(residual[rows])):+.0f} %" if rows.any() else "")
        yield f"| {cluster} | {mine.sum()} | {' | '.join(cells)} |"


def _groups(rows: list[Measured]) -> dict[tuple[str, int, str, str, str], list[int]]:
    """Return the places of points by cluster, hosts, collective, how the library was held, and state."""
    found: dict[tuple[str, int, str, str, str], list[int]] = {}
    for at, row in enumerate(rows):
        found.setdefault((row.cluster, row.hosts, row.collective, row.algorithm, row.state), []).append(at)
    return found


def far_lines(table: Table, residual: Floats) -> Iterator[str]:
    """Yield the starts of rows for what lies beyond 10 % from 1 GiB up, left out of the fit."""
    for (cluster, hosts, collective, held, _), places in _groups(table.rows).items():
        large = [at for at in places if table.nbytes[at] >= 2.0**30]
        off = 100 * np.expm1(np.median(residual[large])) if large else 0.0
        if abs(off) > 10:
            yield f"| {cluster} | {hosts} | {collective}{'' if held == 'auto' else f', {held}'} | {off:+.0f} % |"


def odd_lines(constants: Mapping[str, float] | None = None) -> Iterator[str]:
    """Yield the starts of rows for points that are not healthy, or of other kernels, by default by what ships."""
    rows = [row for row in points() if (row.modelled and row.state != "healthy") or "mscclpp" in row.library]
    table = Table(rows)
    residual = table.residual(constants or calibration().constants)
    for (cluster, hosts, collective, _, state), places in _groups(rows).items():
        cells = []
        for _, least, most in BANDS:
            mine = [at for at in places if least <= table.nbytes[at] < most]
            cells.append(f"{100 * np.expm1(np.median(residual[mine])):+.0f} %" if mine else "")
        yield f"| {cluster} | {hosts} | {collective} | {state} | {' | '.join(cells)} |"


def trivial_left_out(table: Table) -> Floats:
    """Return the residuals of the trivial fit, each cluster left out in turn."""
    residual = np.zeros(len(table.nbytes))
    for cluster in np.unique(table.cluster).tolist():
        residual[table.cluster == cluster] = trivial_residual(table.without(cluster), table.of(cluster))
    return residual


def rounded(constants: Mapping[str, float]) -> dict[str, float]:
    """Return constants as they ship."""
    return {name: float(f"{value:.4g}") for name, value in constants.items()}


def write(table: Table, constants: Mapping[str, float], by_cluster: Mapping[str, Mapping[str, float]]) -> None:
    """Write the constants that ship, and those of the fits without each cluster."""
    residual = left_out_residual(table, by_cluster)
    clusters = len(np.unique(table.cluster))
    shipped = {
        "as_of": "2026-11",
        "tuned_on": f"{len(table.nbytes):,} healthy points of {clusters} clusters (tests/data/measured), NCCL and RCCL",
        "source": "python benchmarks/calibration.py --write",
        "constants": rounded(constants),
        "spread": {
            "one": spread(residual, table, ~table.several),
            "several": spread(residual, table, table.several),
        },
    }
    shipped["beyond"] = BEYOND
    path = ROOT / "fabrictool" / "collectives" / "expected" / "calibration.yaml"
    path.write_text(yaml.safe_dump(shipped, sort_keys=False, default_flow_style=None, width=110))
    lines = [",".join(["cluster", *NAMES])]
    lines += [
        ",".join([f'"{cluster}"', *(f"{row[name]:.5g}" for name in NAMES)]) for cluster, row in by_cluster.items()
    ]
    (DATA / "left-out.csv").write_text("\n".join(lines) + "\n")


def main() -> None:
    table = healthy()
    constants = fitted(table)
    by_cluster = left_out_constants(table, constants)
    residual, trivial = left_out_residual(table, by_cluster), trivial_left_out(table)
    print("| points | size | number | model: median / p80 | trivial fit: median / p80 | in the 80 % range |")
    print("| --- | --- | --- | --- | --- | --- |")
    print("\n".join(error_lines(table, residual, trivial)))
    print("\n| cluster | points | 256 MiB and up | 16 to 256 MiB | below 16 MiB |\n| --- | --- | --- | --- | --- |")
    print("\n".join(cluster_lines(table, residual)))
    inside = covered(table, residual)
    by = [inside[table.cluster == cluster].mean() for cluster in np.unique(table.cluster)]
    print(f"\ncovered: {100 * inside.mean():.0f} % of points, {100 * np.mean(by):.0f} % in the mean over clusters")
    print("\n" + "\n".join(far_lines(table, residual)))
    print("\n" + "\n".join(odd_lines(rounded(constants))))
    shipped = table.residual(constants)
    for band, least, most in BANDS:
        print(f"fitted to all, {band}: {errors(shipped[in_band(table, least, most)])}")
    if "--write" in sys.argv:
        write(table, constants, by_cluster)


if __name__ == "__main__":
    main()
