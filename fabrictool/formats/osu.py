"""Output of the OSU micro-benchmarks for collectives, plain, CUDA, ROCm or over NCCL.

References
----------
OSU Micro-Benchmarks 7.5, ``c/util/osu_util.c`` (headers) and ``c/mpi/collective``: sizes of all-gather and all-to-all
are what goes to one peer; times are means over ranks in us.
"""

from __future__ import annotations

import re

from fabrictool.errors import InputError
from fabrictool.formats.imported import Report
from fabrictool.formats.measurements import Measurements, Point, Run, assembled, busbw_factor

_TITLE = re.compile(r"^# OSU (.*?)\s*(Latency Test|Bandwidth Test|Test)(.*)$")
_WORDS = (
    ("all-to-all", r"all-?to-?all(?![vw])"),
    ("all-reduce", r"all-?reduce"),
    ("reduce-scatter", r"reduce_?-?scatter"),
    ("all-gather", r"all-?gather(?!v)"),
    ("broadcast", r"broadcast|bcast"),
    ("reduce", r"reduce"),
)
_COMMAND = re.compile(r"(?:\s|^)(?:-np?|--n|--np|--ntasks)[ =]+(\d+)\b")
_STATED = re.compile(r"^# (?:ranks|Number of (?:ranks|processes))\s*:?\s*(\d+)")
_ROW = re.compile(r"^\s*(\d+)\s+([\d.]+(?:e[+-]?\d+)?)(?:\s+[\d.]+)*\s*$")
_PER_PEER = ("all-gather", "all-to-all")


def sniff(head: bytes) -> bool:
    """Tell whether a text is output of an OSU benchmark: by its title line."""
    return bool(re.search(r"^# OSU ", head.decode(errors="replace"), re.MULTILINE))


def read(name: str, text: str, ranks: int = 0) -> Measurements:
    """Read the runs in a text; ``ranks`` where the text does not say how many there were.

    Raises
    ------
    InputError
        If the benchmark is no collective, its unit is not us, a row is cut, or nobody says how many ranks ran.
    """
    report = Report(name)
    parts: list[tuple[Run, list[Point]]] = []
    said = 0
    for number, line in enumerate(text.split("\n"), 1):
        found = _STATED.match(line) or _COMMAND.search(line)
        said = int(found[1]) if found else said
        title = _TITLE.match(line)
        if title:
            parts.append((_run(title, number, said or ranks, report), []))
        elif parts and line.lstrip().startswith("# Size"):
            _check_units(line, number, report)
        elif parts and line[:1].isdecimal():
            parts[-1][1].append(_point(line, number, parts[-1][0], report))
    kept = [part for part in parts if part[1]]
    if not kept:
        raise report.refusal(
            text.count("\n") + 1, "ends before the first measured row", "the output is cut: run it again"
        )
    return assembled(kept)


def _run(title: re.Match[str], line: int, ranks: int, report: Report) -> Run:
    collective = next((word for word, pattern in _WORDS if re.search(pattern, title[1], re.IGNORECASE)), "")
    if not collective or title[2] == "Bandwidth Test":
        what = f"'{title[0].strip('# ')[:60]}' is no latency test of a collective that is modelled"
        raise report.refusal(line, what, f"known are {', '.join(word for word, _ in _WORDS)}")
    if ranks < 2:
        raise _unknown_ranks(line, report)
    return Run(report.name, line, "osu", collective, ranks, label=title[0].strip("# "))


def _unknown_ranks(line: int, report: Report) -> InputError:
    what = "OSU benchmarks do not print how many ranks ran"
    return report.refusal(
        line, what, "keep the command above its output, such as '# mpirun -np 64 osu_allreduce', or give --ranks"
    )


def _check_units(line: str, number: int, report: Report) -> None:
    unit = re.search(r"(?:Latency|Bandwidth)\s*\(([^)]*)\)", line)
    if unit is None or unit[1] != "us":
        what = f"the unit is {unit[1] if unit else 'not stated'}, not us"
        raise report.refusal(number, what, "give the output of a latency test")


def _point(line: str, number: int, run: Run, report: Report) -> Point:
    match = _ROW.match(line)
    if match is None:
        raise report.refusal(
            number, f"'{line.strip()[:40]}' is no row of size and latency", "the output is cut here", 1
        )
    time_s = float(match[2]) * 1e-6
    if time_s <= 0:
        raise report.refusal(number, f"latency {match[2]} is not above 0", "correct the row or take it out")
    nbytes = float(match[1]) * (run.ranks if run.collective in _PER_PEER else 1)
    return Point(number, nbytes, time_s, busbw_factor(run.collective, run.ranks) * nbytes / time_s)
