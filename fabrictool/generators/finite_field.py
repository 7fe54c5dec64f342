"""Arithmetic of finite fields on arrays: elements are numbers 0 to q - 1, their digits base p polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from fabrictool.generators.rows import Ints

Longs = npt.NDArray[np.int64]


def prime_power(q: int) -> tuple[int, int] | None:
    """Return the prime p and the exponent n with q = p^n, or None."""
    if q < 2:
        return None
    p = next((d for d in range(2, int(q**0.5) + 1) if q % d == 0), q)
    n = 0
    while q % p == 0:
        q, n = q // p, n + 1
    return (p, n) if q == 1 else None


@dataclass(frozen=True)
class Field:
    """The field of q = p^n elements.

    Parameters
    ----------
    p, n : int
        Characteristic and degree.
    powers : (q - 1,) int64
        Powers 0, 1, … of a primitive element: every element but 0, once.
    """

    p: int
    n: int
    powers: Longs

    @property
    def q(self) -> int:
        """Number of elements."""
        return len(self.powers) + 1

    def times(self, a: Ints, b: Ints) -> Longs:
        """Return products, by adding logarithms."""
        logarithm = np.zeros(self.q, np.int64)
        logarithm[self.powers] = np.arange(self.q - 1)
        found = self.powers[(logarithm[a] + logarithm[b]) % (self.q - 1)]
        return np.where((np.asarray(a) == 0) | (np.asarray(b) == 0), 0, found)

    def plus(self, a: Ints, b: Ints) -> Longs:
        """Return sums, digit by digit modulo p."""
        return self._digitwise(np.asarray(a), np.asarray(b), 1)

    def minus(self, a: Ints, b: Ints) -> Longs:
        """Return differences, digit by digit modulo p."""
        return self._digitwise(np.asarray(a), np.asarray(b), -1)

    def _digitwise(self, a: Ints, b: Ints, sign: int) -> Longs:
        weights = [self.p**k for k in range(self.n)]
        digits = [(a // weight % self.p + sign * (b // weight % self.p)) % self.p * weight for weight in weights]
        total: Longs = np.stack(digits).sum(axis=0, dtype=np.int64)
        return total


def field(q: int) -> Field:
    """Return the field of q elements, a prime power.

    Raises
    ------
    ValueError
        If q is no prime power.

    References
    ----------
    R. Lidl, H. Niederreiter, "Finite Fields", section 3.1: x generates all non-zero elements modulo a
    primitive polynomial, and one of each degree exists; the first is found by trying.
    """
    found = prime_power(q)
    if found is None:
        raise ValueError(f"{q} is no prime power")
    p, n = found
    for reduction in product(range(p), repeat=n):
        powers = _powers_of_x(p, reduction)
        if len(powers) == q - 1:
            return Field(p, n, np.array(powers))
    raise AssertionError(f"no primitive polynomial for {q}")


def _powers_of_x(p: int, reduction: tuple[int, ...]) -> list[int]:
    """Return 1, x, x^2, … until 1 or 0 comes back, where x^n is ``reduction``, the lowest digit first."""
    n = len(reduction)
    one = (1,) + (0,) * (n - 1)
    here, powers = one, []
    for _ in range(p**n - 1):
        powers.append(sum(digit * p**k for k, digit in enumerate(here)))
        top, shifted = here[-1], (0, *here[:-1])
        here = tuple((digit + top * low) % p for digit, low in zip(shifted, reduction, strict=True))
        if here == one:
            return powers
    return []
