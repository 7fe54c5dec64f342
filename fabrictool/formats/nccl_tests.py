"""Logs of nccl-tests and rccl-tests, of any version and with several runs in a file.

Columns are taken from each run's own header, since versions differ: 1.0 has ``bytes N type op``, 2.0 leaves out what
a collective does not have, later ones add per-iteration times and timestamps.

References
----------
NVIDIA nccl-tests, ``src/util.cu`` and ``src/common.cu``, versions 1.0.0 to 2.19.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from fabrictool.errors import InputError
from fabrictool.formats.imported import Report
from fabrictool.formats.measurements import COLLECTIVES, Measurements, Point, Run, assembled, busbw_factor

_PROGRAMS = {
    "all_reduce": "all-reduce", "all_gather": "all-gather", "reduce_scatter": "reduce-scatter",
    "alltoall": "all-to-all", "broadcast": "broadcast", "reduce": "reduce", "sendrecv": "send-recv",
}  # fmt: skip
#: What launchers put before each line: mpirun --tag-output, srun --label, kubectl and journal timestamps.
_PREFIX = re.compile(
    r"^(?:\[\d+,\d+\]<std(?:out|err)>:|\s*\d+: (?=\s*[#\d])|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)\s)"
)
_RANK = re.compile(r"^#\s+Rank\s+(\d+)(?:\s+Group\s+(\d+))?\s+Pid\s+\d+ on\s+(\S+)\s+device\s+\d+\s+\[[^\]]*\]\s*(.*)$")
_PROGRAM = re.compile(r"\b(all_reduce|all_gather|reduce_scatter|alltoallv|alltoall|broadcast|reduce|sendrecv)_perf")
_OTHER = re.compile(r"\b(scatter|gather|hypercube)_perf")
_HEADER = re.compile(r"^#\s*(?:size|bytes)\s+(?:count|N)\s+type\b")
_WRONG = re.compile(r"^#\s*Out of bounds values\s*:\s*(\d+)")
_SUMMARY = re.compile(r"^#\s*Avg bus bandwidth\s*:")
_ROW = re.compile(r"^\s*\d+\s+\d+\s+(?:u?int\d*|u?char|half|float\w*|double|bfloat16|bf16|fp8\w*|f\d\w*)\b")
_FAILED = re.compile(r"(Test NCCL failure|NCCL failure|Test failure|Test CUDA failure).*")
_UNITS = {"time": "(us)", "cputime": "(us)", "algbw": "(GB/s)", "busbw": "(GB/s)"}
#: Most that a printed figure may lie from what follows from the others; two decimals are printed.
_TOLERANCE, _ROUNDED = 0.03, 0.011


@dataclass
class _Open:
    """A run while its lines are read."""

    line: int
    ranks: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    program: str = ""
    version: str = ""
    columns: tuple[str, ...] = ()
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    wrong: int = -1
    complete: bool = False
    failed: str = ""


def sniff(head: bytes) -> bool:
    """Tell whether a text is a log of these tests: by its header line, or the list of devices before it."""
    text = head.decode(errors="replace")
    return bool(re.search(r"#\s*(?:size|bytes)\s+(?:count|N)\s+type\b", text) or re.search(r"#\s+Using devices", text)
                or re.search(r"#\s+nThread \d+ nGpus \d+", text))  # fmt: skip


def read(name: str, text: str) -> Measurements:
    """Read the runs in a log; ``name`` stands for the file in messages."""
    report = Report(name)
    runs = [_closed(run, report) for run in _runs(text, report) if run.rows]
    if not runs:
        raise _nothing(text, report)
    return assembled(runs)


def _nothing(text: str, report: Report) -> InputError:
    for number, line in enumerate(text.split("\n"), 1):
        failed = _FAILED.search(line)
        if failed:
            return report.refusal(number, f"the run failed before its first row: {failed[0][:120]}", "run it again")
    return report.refusal(text.count("\n") + 1, "ends before the first measured row", "the log is cut: run it again")


def _runs(text: str, report: Report) -> list[_Open]:
    found = [_Open(1)]
    for number, raw in enumerate(text.split("\n"), 1):
        line = _PREFIX.sub("", raw, count=1).strip()
        if _starts(line, found[-1]):
            found.append(_Open(number))
        run = found[-1]
        _note(line, number, run, report)
    return found


def _starts(line: str, run: _Open) -> bool:
    """Tell whether a line belongs to the run after this one."""
    if not run.rows:
        return False
    telling = ("# nThread", "# Using devices", "# Collective test starting", "# nccl-tests version")
    return (
        line.lstrip().startswith(telling)
        or bool(_HEADER.match(line))
        or (run.complete and "_perf" in line and "concluded" not in line)
    )


def _note(line: str, number: int, run: _Open, report: Report) -> None:
    """Take from a line what it says about a run; lines of NCCL's own log and of launchers say nothing."""
    if _ROW.match(line):
        run.rows.append((number, _cells(line, number, run, report)))
        return
    for pattern, take in _TAKERS:
        match = pattern.search(line)
        if match:
            take(run, match, line, number, report)
            return


def _take_header(run: _Open, _: re.Match[str], line: str, number: int, report: Report) -> None:
    run.columns = tuple(line.replace("#wrong", "wrong").lstrip("# ").split())
    if run.columns.count("time") + run.columns.count("cputime") not in {1, 2} or "busbw" not in run.columns:
        raise report.refusal(number, "the header has no columns time and busbw: it is cut", "copy the whole line")


def _take_units(run: _Open, match: re.Match[str], _: str, number: int, report: Report) -> None:
    said = re.findall(r"\(([^)]*)\)", match[0])
    odd = [unit for unit in said if unit not in {"B", "elements", "us", "GB/s", "%"} and "%" not in unit]
    if odd:
        raise report.refusal(
            number, f"unit ({odd[0]}) is not one that nccl-tests prints", "known are (B), (us), (GB/s)"
        )


def _take_rank(run: _Open, match: re.Match[str], *_: object) -> None:
    run.ranks[int(match[2] or 0), int(match[1])] = (match[3], match[4].strip())


def _take_program(run: _Open, match: re.Match[str], line: str, number: int, report: Report) -> None:
    if match[1] == "alltoallv" or _OTHER.search(line):
        raise report.refusal(number, f"{match[0]} has no size that compares with a model's", "use alltoall_perf")
    run.program = _PROGRAMS[match[1]]


def _take_other(run: _Open, match: re.Match[str], line: str, number: int, report: Report) -> None:
    raise report.refusal(
        number, f"{match[0]} measures no collective that is modelled", f"known are {', '.join(_PROGRAMS)}"
    )


def _take_wrong(run: _Open, match: re.Match[str], *_: object) -> None:
    run.wrong = int(match[1])


def _take_summary(run: _Open, *_: object) -> None:
    run.complete = True


def _take_version(run: _Open, match: re.Match[str], *_: object) -> None:
    run.version = match[0].strip("# ")


_TAKERS: tuple[tuple[re.Pattern[str], Callable[..., None]], ...] = (
    (_HEADER, _take_header),
    (re.compile(r"^#\s*\(B\)\s+\(elements\).*"), _take_units),
    (_RANK, _take_rank),
    (_PROGRAM, _take_program),
    (_OTHER, _take_other),
    (_WRONG, _take_wrong),
    (_SUMMARY, _take_summary),
    (re.compile(r"NCCL version \S+|rccl-tests: Version \S+|# nccl-tests version .*"), _take_version),
)


def _cells(line: str, number: int, run: _Open, report: Report) -> list[str]:
    if not run.columns:
        raise report.refusal(number, "a measured row stands before any header", "keep the line '# size count type …'")
    cells = line.split()
    wanted = len(run.columns) - run.columns.count("timestamp")
    if len(cells) < wanted:
        what = f"the row has {len(cells)} of {wanted} columns: the log is cut here"
        raise report.refusal(number, what, "take the line out, or run it again", len(line) + 1)
    return cells


def _closed(run: _Open, report: Report) -> tuple[Run, list[Point]]:
    """Make a run's rows points, once its ranks and its collective are known."""
    times = [at for at, word in enumerate(run.columns) if word in {"time", "cputime"}]
    rows = [(line, cells, at, place) for line, cells in run.rows for place, at in enumerate(times)]
    points = [point for row in rows if (point := _point(run, *row, report)) is not None]
    if not points:
        raise report.refusal(run.rows[0][0], "no row has a time", "measure out of place or in place")
    collective, ranks = _kind(run, points, report)
    groups = {group for group, _ in run.ranks}
    members = [run.ranks[key] for key in sorted(run.ranks) if key[0] == min(groups, default=0)]
    hosts, devices = tuple(host for host, _ in members), tuple(device for _, device in members)
    found = Run(
        report.name, run.line, "nccl-tests", collective, ranks, hosts, devices, run.version, run.wrong, run.complete
    )
    return found, [_checked(point, collective, ranks, report) for point in points]


def _point(run: _Open, line: int, cells: Sequence[str], at: int, place: int, report: Report) -> Point | None:
    time_us, algbw, busbw = (_number(cells[at + step], line, report) for step in range(3))
    if time_us is None or busbw is None or algbw is None:
        return None
    nbytes = float(cells[0])
    if nbytes and time_us <= 0:
        raise report.refusal(line, f"time {cells[at]} is not above 0", "correct the row or take it out")
    expected = nbytes / time_us / 1e3 if time_us else 0.0
    if abs(algbw - expected) > _TOLERANCE * expected + _ROUNDED and _factor_is_plain(run):
        what = f"{cells[0]} B in {cells[at]} us are {expected:.2f} GB/s, but algbw says {cells[at + 1]}"
        raise report.refusal(line, what, "time is in us and algbw in 1e9 B/s: correct the row")
    bad = len(cells) > at + 3 and run.columns[at + 3] == "wrong" and cells[at + 3] not in {"0", "N/A"}
    return Point(line, nbytes, time_us * 1e-6, busbw * 1e9, place == 1, bad)


def _factor_is_plain(run: _Open) -> bool:
    """Tell whether algbw is size over time: before version 2.10 it was not for all-gather and reduce-scatter."""
    return run.program not in {"all-gather", "reduce-scatter"} or {"redop", "root"} <= set(run.columns)


def _number(cell: str, line: int, report: Report) -> float | None:
    if cell == "N/A":
        return None
    try:
        return float(cell)
    except ValueError:
        what = f"'{cell[:40]}' stands where a time or a bandwidth should"
        raise report.refusal(line, what, "correct the row or take it out") from None


def _kind(run: _Open, points: Sequence[Point], report: Report) -> tuple[str, int]:
    """Return collective and ranks, from what the log says or else from what its figures imply."""
    ratio = _ratio(points)
    collective = run.program or _implied(run, ratio)
    if not collective:
        fix = "keep the command (such as all_reduce_perf) in the log"
        raise report.refusal(run.line, f"nothing says which collective ran; known are {', '.join(COLLECTIVES)}", fix)
    groups = {group for group, _ in run.ranks}
    return collective, len(run.ranks) // max(1, len(groups)) or _implied_ranks(collective, ratio, points)


def _ratio(points: Sequence[Point]) -> float:
    """Return busbw over algbw at the fastest point, where rounding matters least."""
    best = max(points, key=lambda point: point.busbw_bytes_per_s)
    return best.busbw_bytes_per_s * best.time_s / best.nbytes if best.nbytes else 0.0


def _implied(run: _Open, ratio: float) -> str:
    columns = dict(zip(run.columns, run.rows[-1][1], strict=False))
    reduces = columns.get("redop", columns.get("op", "none")) not in {"none", "N/A"}
    rooted = columns.get("root", "").isdecimal()
    if reduces and ratio > 1.02:
        return "all-reduce"
    if reduces and ratio < 0.98:
        return "reduce-scatter"
    if rooted and ratio > 0.98:
        return "reduce" if reduces else "broadcast"
    return ""


def _implied_ranks(collective: str, ratio: float, points: Sequence[Point]) -> int:
    """Return the number of ranks that a factor implies, or 0 if rounding leaves several."""
    best = max(point.busbw_bytes_per_s for point in points) / 1e9
    if collective not in {"all-reduce", "all-gather", "reduce-scatter", "all-to-all"} or best <= 0:
        return 0
    scale = 2.0 if collective == "all-reduce" else 1.0
    spread = ratio * 0.006 / best + 1e-4
    fewest, most = (
        scale / (scale - ratio + sign * spread) if scale - ratio + sign * spread > 0 else 1e9 for sign in (1, -1)
    )
    fitting = range(max(2, int(fewest) + (int(fewest) < fewest)), int(min(most, 1e6)) + 1)
    return fitting[0] if len(fitting) == 1 else 0


def _checked(point: Point, collective: str, ranks: int, report: Report) -> Point:
    """Return a point with its bus bandwidth to full precision, once it agrees with its ranks."""
    if not ranks or not point.nbytes:
        return point
    busbw = busbw_factor(collective, ranks) * point.nbytes / point.time_s
    if (
        point.busbw_bytes_per_s > 1e9
        and abs(point.busbw_bytes_per_s / busbw - 1) > _TOLERANCE
        and collective != "send-recv"
    ):
        said = f"busbw {point.busbw_bytes_per_s / 1e9:g} GB/s does not follow from the time"
        what = f"{said} for {collective} of {ranks} ranks, which gives {busbw / 1e9:.2f}"
        raise report.refusal(point.line, what, "is the list of ranks or the name of the test another run's?")
    return replace(point, busbw_bytes_per_s=busbw)
