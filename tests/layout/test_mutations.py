"""Shipped layouts, changed at random: scored, or refused at a place; never a traceback, never for long."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabrictool.cli.main import main

LAYOUTS = sorted((Path(__file__).parents[2] / "topologies").glob("*.yaml"))
SMALL = [path.read_bytes() for path in LAYOUTS if "1024" not in path.name and "2048" not in path.name][:4]
WORDS = [
    *b"0 -1 1.5 1e30 9999999 .nan .inf true null '' [] {} *x 400G 2 3 fat-tree rail-optimized dgx-h100 qm9700".split(),
    *(b"[1, 2]", b"{a: b}", b"400 GB", b"1 kW", b"&x y", b"!t z", b"- ", b"? ", b"\xff", b"\x00", b"a" * 70),
    *b'" % @ ` | > # \xf0\x9f\x9a\x80'.split(),
]
PLACE = re.compile(r"^[^\n]*layout\.yaml:\d+:\d+: .+")


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    content = draw(st.sampled_from(SMALL))
    for _ in range(draw(st.integers(1, 3))):
        how = draw(st.sampled_from(["cut", "drop line", "double line", "value", "swap lines", "bytes"]))
        content = _CHANGES[how](draw, content)
    return content


def _cut(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def _lines(draw: st.DrawFn, content: bytes) -> tuple[list[bytes], int]:
    lines = content.split(b"\n")
    return lines, draw(st.integers(0, len(lines) - 1))


def _drop(draw: st.DrawFn, content: bytes) -> bytes:
    lines, at = _lines(draw, content)
    return b"\n".join(lines[:at] + lines[at + 1 :])


def _double(draw: st.DrawFn, content: bytes) -> bytes:
    lines, at = _lines(draw, content)
    return b"\n".join([*lines[:at], lines[at], *lines[at:]])


def _swap(draw: st.DrawFn, content: bytes) -> bytes:
    lines, at = _lines(draw, content)
    other = draw(st.integers(0, len(lines) - 1))
    lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)


def _value(draw: st.DrawFn, content: bytes) -> bytes:
    values = list(re.finditer(rb": *([^\s,{}\[\]#][^,{}\[\]\n]*)", content))
    if not values:
        return content
    start, end = values[draw(st.integers(0, len(values) - 1))].span(1)
    return content[:start] + draw(st.sampled_from(WORDS)) + content[end:]


def _bytes(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, len(content)))
    return content[:at] + draw(st.binary(min_size=1, max_size=3)) + content[at + draw(st.integers(0, 2)) :]


_CHANGES = {
    "cut": _cut,
    "drop line": _drop,
    "double line": _double,
    "swap lines": _swap,
    "value": _value,
    "bytes": _bytes,
}


def _said(err: io.StringIO) -> list[str]:
    """Return the lines on stderr, without the notice of a machine that compiles for the first time."""
    return [line for line in err.getvalue().splitlines() if not line.startswith("compiling kernels")]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changed())
def test_a_changed_layout_is_scored_or_refused_at_a_place(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layout.yaml"
        path.write_bytes(content)
        out, err = io.StringIO(), io.StringIO()
        started = time.monotonic()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stop:
            main(["score", str(path), "--json", "--collective", "all-reduce", "--size", "1MiB"])
        assert time.monotonic() - started < 20
        if stop.value.code == 2:
            assert out.getvalue() == ""
            assert all(PLACE.match(line) for line in _said(err)), err.getvalue()
        else:
            assert stop.value.code in (0, 1)
            assert _said(err) == [], err.getvalue()
