"""How devices are put into racks, and racks on feeds."""

from __future__ import annotations

from typing import Literal

from fabrictool.catalogue.fields import Model


class Placing(Model):
    """Strategies of placement, each on its own.

    ``switches`` says how they are put into racks, ``hosts`` whether each rack is filled or all are used alike, and
    ``feeds`` how racks take theirs where they have some of them only.
    """

    switches: Literal["in-order", "by-unit", "spread", "by-rail", "dealt", "in-rack"] = "in-order"
    hosts: Literal["fill", "even"] = "fill"
    feeds: Literal["in-turn", "balanced"] = "in-turn"
