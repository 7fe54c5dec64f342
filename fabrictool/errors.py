"""What can go wrong with a user's input, as data: where, what and the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input.

    Parameters
    ----------
    where : str
        ``file:line:column``, or the device, port or option concerned.
    what : str
        What is wrong, with the value and the limit.
    fix : str
        What to do about it.
    path : tuple of str or int
        Keys that lead to the place in a layout; a reader turns them into ``file:line:column``.
    """

    where: str
    what: str
    fix: str = ""
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        head = f"{self.where}: " if self.where else ""
        return f"{head}{self.what}; {self.fix}" if self.fix else f"{head}{self.what}"


class FabrictoolError(Exception):
    """Any error that a user can mend; commands print it and exit with status 2."""

    def __init__(self, problems: Iterable[Problem] | str, fix: str = "") -> None:
        self.problems = (Problem("", problems, fix),) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InputError(FabrictoolError):
    """A file or option that cannot be used as it is."""


class FabricError(FabrictoolError):
    """Rows that do not make a fabric: a port used twice, a link to nowhere."""


class NotSupportedError(FabrictoolError):
    """Something the layout grammar knows and this version does not do."""


@contextmanager
def placed(place: Callable[[Problem], Problem]) -> Iterator[None]:
    """Give problems that have no place yet the one that a function finds for them."""
    try:
        yield
    except FabrictoolError as error:
        rows = [row if row.where or row.path else place(row) for row in error.problems]
        raise type(error)(rows) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like ``word``, or an empty string."""
    from difflib import get_close_matches

    candidates = list(known)
    lowered = {candidate.lower(): candidate for candidate in candidates}
    close = get_close_matches(word.lower(), lowered, n=1, cutoff=0.5)
    return lowered[close[0]] if close else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, else list the known ones."""
    candidates = sorted(known)
    guess = nearest(word, candidates)
    if guess:
        return f"did you mean '{guess}'?"
    shown = ", ".join(candidates[:12]) + (", …" if len(candidates) > 12 else "")
    return f"known are {shown}"


def one_of(word: str, known: Iterable[str]) -> str:
    """Say which words may be used, in their order, first the one that was probably meant."""
    listed = list(known)
    guess = nearest(word, listed)
    meant = f"did you mean '{guess}'? " if guess else ""
    return f"{meant}use one of {', '.join(listed)}"
