"""What flows through a hall's supply in a state: with everything running, or with one element lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.fabric.tables import F8, Bool
from fabrictool.power.hanging import Hanging, gathered
from fabrictool.power.phasors import C16, lines_power_w


@dataclass(frozen=True)
class Flow:
    """Power in a state of the supply: what elements deliver and draw by part, in W, and which rows are dark.

    ``lines_w`` is what the lines of each element carry, (elements, 3) by part; see :mod:`fabrictool.power.phasors`.
    """

    lines_w: tuple[C16, ...]
    output_w: tuple[F8, ...]
    input_w: tuple[F8, ...]
    dark: Bool
    utility_w: float

    @property
    def loss_w(self) -> float:
        """What all elements lose, in W."""
        return float(sum((i - o).sum() for i, o in zip(self.input_w, self.output_w, strict=True)))


def flow(hung: Hanging, drawn: tuple[C16, ...], failed: tuple[int, int] | None = None) -> Flow:
    """Return what each element carries when one of them, or none, has failed.

    Parameters
    ----------
    drawn : tuple of ndarray
        What each class of rows would draw at each entry, of :meth:`Hanging.drawn`.
    failed : (part, element), optional
    """
    parts, bundles = hung.parts, hung.bundles
    alive: list[Bool] = [np.zeros(0, bool)] * len(parts)
    taken = [np.zeros((0, 0))] * len(parts)
    for row in reversed(range(len(parts))):
        found, sources = bundles[row], parts[row].sources
        alive[row] = np.ones(len(found), dtype=bool)
        if sources:
            ways = [alive[source][at] for source, at in zip(sources, found.sources, strict=True)]
            taken[row] = _shares(np.array(ways), parts[row].stated.parallel)
            alive[row] = np.asarray(taken[row].sum(axis=0) > 0, dtype=bool)
        if failed is not None and failed[0] == row:
            alive[row] &= found.element != failed[1]
    share = _entered(hung, alive)
    through = _entering(hung, drawn, share)
    dark = np.asarray(share.sum(axis=0) == 0, dtype=bool)
    return _carried(hung, through, taken, dark[hung.classes[1]])


def _shares(alive: Bool, parallel: Bool | bool) -> F8:
    """Return the share that each source gives, (sources, bundles): all of the first alive one, or even ones."""
    given = alive & (parallel | (np.cumsum(alive, axis=0) == 1))
    return np.asarray(given / np.maximum(given.sum(axis=0), 1))


def _entered(hung: Hanging, alive: list[Bool]) -> F8:
    """Return the share of its power that each class draws at each entry, (entries, classes)."""
    first = hung.classes[0]
    live = [
        entry.has[first] & (alive[entry.part][hung.bundles[entry.part].of_row[first]] if entry.part >= 0 else True)
        for entry in hung.entries
    ]
    return _shares(np.array(live).reshape(len(live), len(first)), ~hung.first[first])


def _entering(hung: Hanging, drawn: tuple[C16, ...], share: F8) -> list[C16]:
    """Return what enters the bundles of each part from racks and cooling, (bundles, 3) each."""
    first = hung.classes[0]
    through = [np.zeros((len(found), 3), complex) for found in hung.bundles]
    for entry, lines_w, part_of in zip(hung.entries, drawn, share, strict=True):
        if entry.part >= 0:
            found = hung.bundles[entry.part]
            through[entry.part] += gathered(lines_w * part_of[:, None], found.of_row[first], len(found))
    return through


def _carried(hung: Hanging, through: list[C16], taken: list[F8], dark: Bool) -> Flow:
    """Add up from the racks to the utility; the draw of an element goes to its sources by their share."""
    lines, outputs, inputs, utility = [], [], [], 0.0
    for row, (part, found) in enumerate(zip(hung.parts, hung.bundles, strict=True)):
        lines_w = gathered(through[row], found.element, part.count)
        output = lines_power_w(lines_w)
        drawn = part.input_w(output)
        factor = np.divide(drawn, output, out=np.ones_like(drawn), where=output > 0)
        up_w = part.drawn_lines_w(through[row]) * factor[found.element][:, None]
        for source, at, share in zip(part.sources, found.sources, taken[row], strict=True):
            through[source] += gathered(share[:, None] * up_w, at, len(hung.bundles[source]))
        utility += 0.0 if part.sources else float(drawn.sum())
        lines.append(lines_w)
        outputs.append(output)
        inputs.append(drawn)
    return Flow(tuple(lines), tuple(outputs), tuple(inputs), dark, utility)


def single_failures(hung: Hanging) -> list[tuple[int, int]]:
    """Return every element whose loss is one failure: those of one module; of several, one module may go."""
    return [(row, one) for row, part in enumerate(hung.parts) for one in range(part.count) if part.stated.count == 1]
