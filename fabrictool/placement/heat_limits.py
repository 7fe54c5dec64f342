"""What cooling of each kind carries off where a layout gives no limit."""

from __future__ import annotations

#: In W a rack; of ``direct-to-chip`` what air takes beside the cold plates.
LIMITS_W = {"air": 50e3, "rear-door": 80e3, "direct-to-chip": 50e3, "immersion": 150e3}
SOURCES = {
    "air": "in-row cooling with containment, compiled vendor figures",
    "rear-door": "rear-door heat exchangers 20-80 kW, compiled vendor figures",
    "direct-to-chip": "in-row cooling with containment, compiled vendor figures",
    "immersion": "single-phase tanks 50-150 kW; assumed",
}
