"""Measured collectives as CSV: one point a row, ``collective,ranks,size_bytes`` and a time or a bandwidth."""

from __future__ import annotations

from collections.abc import Mapping

from fabrictool.formats.csv_rows import Row, header, named, rows
from fabrictool.formats.imported import Report
from fabrictool.formats.measurements import COLLECTIVES, FASTEST, Measurements, Point, Run, assembled, busbw_factor

_SYNONYMS = {
    "size": "size_bytes", "bytes": "size_bytes", "nbytes": "size_bytes", "n_ranks": "ranks", "nranks": "ranks",
    "time": "time_us", "latency_us": "time_us", "avg_latency_us": "time_us", "busbw": "busbw_gbps",
    "algbw": "algbw_gbps", "in_place": "place", "nodes": "hosts", "config": "cluster",
}  # fmt: skip
_NEEDED = ("collective", "ranks", "size_bytes")
_FIGURES = ("time_us", "busbw_gbps", "algbw_gbps")
_OTHER_WORDS = {
    "alltoall": "all-to-all",
    "sendrecv": "send-recv",
    "allreduce": "all-reduce",
    "allgather": "all-gather",
    "bcast": "broadcast",
}
_LABELS = ("cluster", "gpu", "library", "algo_forced", "state", "source")


def sniff(head: bytes) -> bool:
    """Tell whether a text is such a file: by its header."""
    words = named(header(head), _SYNONYMS)
    return all(word in words for word in _NEEDED)


def read(name: str, text: str) -> Measurements:
    """Read the points of a file; those of one cluster, collective and number of ranks are a run.

    Raises
    ------
    InputError
        If a column is missing, or naming the first row that makes no sense.
    """
    report = Report(name)
    found: dict[tuple[str, ...], tuple[Run, list[Point]]] = {}
    for line, row in rows(text, _SYNONYMS, _NEEDED, report):
        run, point = _read_row(line, row, report)
        found.setdefault((run.collective, str(run.ranks), run.label), (run, []))[1].append(point)
    if not found:
        raise report.refusal(1, "holds no measured point", "write one point a row below the header")
    return assembled(list(found.values()))


def _read_row(line: int, row: Row, report: Report) -> tuple[Run, Point]:
    word = row["collective"].strip().lower().replace("_", "-").removesuffix("-perf")
    collective = _OTHER_WORDS.get(word, word)
    if collective not in COLLECTIVES:
        raise report.refusal(
            line, f"collective '{row['collective'][:40]}' is unknown", f"known are {', '.join(COLLECTIVES)}"
        )
    ranks, nbytes = int(_number(row, "ranks", line, report, 2)), _number(row, "size_bytes", line, report, 1)
    time_s = _time(row, collective, ranks, nbytes, line, report)
    label = " ".join(row[word] for word in _LABELS if row.get(word))
    busbw = busbw_factor(collective, ranks) * nbytes / time_s
    if busbw > FASTEST:
        what = f"{nbytes:.0f} B in {time_s * 1e6:g} us are {busbw / 1e9:,.0f} GB/s, more than any GPU has"
        raise report.refusal(line, what, "time_us is in us, bandwidths are in 1e9 B/s")
    place = row.get("place", "").lower() in {"ip", "in", "in-place", "inplace", "true", "1"}
    return Run(report.name, line, "csv", collective, ranks, label=label), Point(line, nbytes, time_s, busbw, place)


def _time(row: Row, collective: str, ranks: int, nbytes: float, line: int, report: Report) -> float:
    """Return the time from the first figure that is given: time, bus bandwidth, algorithm bandwidth."""
    word = next((word for word in _FIGURES if row.get(word)), "")
    if not word:
        raise report.refusal(line, "neither time nor bandwidth is given", "fill time_us, or busbw in GB/s")
    value = _number(row, word, line, report, 0)
    if word == "time_us":
        return value * 1e-6
    return nbytes / (value * 1e9) * (busbw_factor(collective, ranks) if word == "busbw_gbps" else 1.0)


def _number(row: Mapping[str, str], word: str, line: int, report: Report, least: float) -> float:
    try:
        value = float(row[word])
    except ValueError:
        value = float("nan")
    whole = word not in ("ranks", "size_bytes") or value.is_integer()
    if not (least <= value < 1e18 and whole) or value == 0:
        limit = f"whole number from {least:g}" if least else "number above 0"
        raise report.refusal(line, f"{word} '{row[word][:40]}' is not a {limit}", "correct the cell")
    return value
