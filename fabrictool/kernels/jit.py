"""Compiles kernels when it pays: small work runs the plain function, large work its Numba twin.

Numba is imported at the first large call only. The compiled code is cached on disk; when a kernel
is compiled for the first time on a machine, one line on stderr says so.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

#: Steps of a kernel's inner loop from which compiled code is used: about 0.1 s of plain Python.
PLAIN_STEPS = 50_000
#: Steps from which calling compiled code that is loaded already takes less time.
CALL_STEPS = 500
_NOTICE_AFTER_S = 1.2
_inner: list[Callable[..., Any]] = []
_said = False


def inner(function: F) -> F:
    """Mark a function that kernels call, so that it is compiled along with them."""
    _inner.append(function)
    return function


class Kernel(Generic[P, R]):
    """A function on arrays with a compiled twin of the same behaviour."""

    def __init__(self, function: Callable[P, R]) -> None:
        self.plain = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self._twin: Callable[P, R] | None = None

    def __call__(self, steps: float) -> Callable[P, R]:
        """Return the function to use for a number of inner steps: less is worth compiled code that is loaded."""
        return self.plain if steps < (PLAIN_STEPS if self._twin is None else CALL_STEPS) else self._timed

    @property
    def compiled(self) -> Callable[P, R]:
        """The compiled twin."""
        if self._twin is None:
            self._twin = _compile(self.plain)
        return self._twin

    def _timed(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._twin is not None:
            return self._twin(*args, **kwargs)
        done = threading.Event()
        threading.Thread(target=self._watch, args=(done,), daemon=True).start()
        try:
            return self.compiled(*args, **kwargs)
        finally:
            done.set()

    def _watch(self, done: threading.Event) -> None:
        """Say that code is compiled, should that take long; loading what is on disk may be slow too."""
        while not done.wait(_NOTICE_AFTER_S):
            if self._twin is not None and self._twin.stats.cache_misses:  # type: ignore[attr-defined]
                _say_compiling()
                return


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a kernel of a plain function: ``kernel_name(steps)(arrays...)``."""
    return Kernel(function)


def _say_compiling() -> None:
    global _said  # noqa: PLW0603 - said once a process
    if not _said:
        _said = True
        print("compiling kernels for this machine, once: takes some seconds", file=sys.stderr, flush=True)


def _compile(function: Callable[P, R]) -> Callable[P, R]:
    import numba
    from numba.extending import register_jitable

    while _inner:
        register_jitable(_inner.pop())
    try:
        twin: Callable[P, R] = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # no place on this machine where compiled code may be kept
        twin = numba.njit(error_model="numpy")(function)
    return twin
