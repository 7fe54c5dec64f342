"""What a director, a modular chassis of switch chips, consists of."""

from __future__ import annotations

from fabrictool.catalogue.fields import Few, Model


class Director(Model):
    """Chips of a director: leaf chips share its ports evenly, and spine chips join all leaf chips.

    ``links_per_pair`` is the number of links inside between each leaf and spine chip, at the speed of the
    ports; by default as many as carry what a leaf chip's ports do. ``chips_per_leaf_board`` matters for names.
    """

    leaf_chips: Few
    spine_chips: Few
    links_per_pair: Few | None = None
    chips_per_leaf_board: Few = 1

    def check_ports(self, ports: int, cages: int) -> None:
        """Refuse ports that the chips do not share evenly.

        Raises
        ------
        ValueError
            Naming the nearest numbers of chips that do.
        """
        leaves, spines, per_board = self.leaf_chips, self.spine_chips, self.chips_per_leaf_board
        for count, things in ((ports, "ports"), (cages, "cages")):
            if count % leaves:
                what = f"{count} {things} do not spread over {leaves} leaf chips evenly"
                raise ValueError(f"{what}; use {_nearest_divisors(count, leaves)} leaf chips")
        if leaves % per_board:
            close = _nearest_divisors(leaves, per_board)
            raise ValueError(f"{leaves} leaf chips do not fill boards of {per_board} evenly; use boards of {close}")
        each = ports // leaves
        if self.links_per_pair is None and each % spines:
            what = f"{each} links of a leaf chip do not spread over {spines} spine chips evenly"
            raise ValueError(f"{what}; give links_per_pair, or use {_nearest_divisors(each, spines)} spine chips")


def _nearest_divisors(total: int, wanted: int) -> str:
    """Return the divisors of a number next to one that is none."""
    divisors = [n for n in range(1, total + 1) if total % n == 0]
    near = [*[n for n in divisors if n < wanted][-1:], *[n for n in divisors if n > wanted][:1]]
    return " or ".join(map(str, near))
