"""What is said while kernels are compiled."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from fabrictool.kernels import jit


class Slow:
    """Compiled code that takes its time, and knows how often nothing was on disk for it."""

    def __init__(self, misses: int) -> None:
        self.stats = SimpleNamespace(cache_misses={"(i4)": 1} if misses else {})

    def __call__(self) -> str:
        time.sleep(0.2)
        return "done"


@pytest.mark.parametrize(("misses", "said"), [(1, "compiling kernels for this machine, once"), (0, "")])
def test_compiling_is_said_and_loading_is_not(
    misses: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jit, "_NOTICE_AFTER_S", 0.02)
    monkeypatch.setattr(jit, "_said", False)
    monkeypatch.setattr(jit, "_compile", lambda _: Slow(misses))
    slow = jit.kernel(lambda: "plain")
    assert slow(1e9)() == "done"
    err = capsys.readouterr().err
    assert err.startswith(said)
    assert bool(err) == bool(said)
