"""What a user decides about cables: labels, colours, spares, and media that are not to be used."""

from __future__ import annotations

import re
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fabrictool.catalogue.fields import Length, Model, Name, Ratio

Media = Literal["copper", "dac", "acc", "aec", "aoc", "mmf", "smf"]
Word = Annotated[str, Field(strict=True, min_length=1, max_length=32)]
Number = Annotated[int, Field(strict=True, ge=0, le=10_000)]

#: What a label may say of the end that it is fixed to, and with ``far_`` of the other one.
END_WORDS = (
    "site",
    "room",
    "row",
    "rack",
    "unit",
    "device",
    "kind",
    "port",
    "name",
    "cage",
    "leg",
    "side",
    "optic",
    "connector",
)
#: What it may say of the cable.
CABLE_WORDS = ("cable", "network", "media", "sku", "length", "bundle", "phase", "rail")
#: Longest text that is made; more is no label.
LONGEST = 200


def checked_label(template: str) -> str:
    """Return a template of label texts if it can be filled in.

    Raises
    ------
    ValueError
        If it names what no label knows, or its format does not fit.
    """
    known = {*END_WORDS, *(f"far_{word}" for word in END_WORDS), *CABLE_WORDS}
    sample: dict[str, object] = dict.fromkeys(known, "x")
    sample |= dict.fromkeys(("unit", "far_unit", "cage", "far_cage", "leg", "far_leg", "rail"), 1) | {"length": 1.5}
    try:
        fields = [(word, spec or "") for _, word, spec, _ in Formatter().parse(template) if word is not None]
        named = [word for word, _ in fields]
        if any(re.search(r"\d{3}", spec) for _, spec in fields):
            raise ValueError(f"a label has {LONGEST} characters at most; give a smaller width")
        strange = [word for word in named if word not in known]
        if strange:
            raise ValueError(f"a label does not know '{strange[0]}'; use {', '.join(sorted(known))}")
        text = template.format_map(sample)
    except (IndexError, KeyError, AttributeError, ValueError) as error:
        such = "such as {rack}-{unit:02d}:{port}/{far_rack}-{far_unit:02d}:{far_port}"
        what = error if "a label" in str(error) else f"cannot be filled in: {error}; {such}"
        raise ValueError(str(what)) from None
    if len(text) > LONGEST:
        raise ValueError(f"makes labels of {len(text)} characters; {LONGEST} are the most")
    return template


Label = Annotated[str, Field(strict=True, min_length=1, max_length=300), AfterValidator(checked_label)]


class SpareRule(Model):
    """Parts kept beside those used: a share of them, and at least so many."""

    share: Ratio | None = None
    least: Number | None = None


class Spares(Model):
    """Spares of cables, of each kind and length, and of transceivers, of each kind."""

    cables: SpareRule | None = None
    transceivers: SpareRule | None = None


class Colours(Model):
    """Colours of cables: of rails in turn, and of networks by name, which go before rails."""

    rails: Annotated[list[Word], Field(min_length=1, max_length=64)] | None = None
    networks: dict[Name, Word] = {}


class Panels(Model):
    """Structured cabling: fibres of some networks go over patch panels and trunks between racks.

    ``beyond`` is the length from which they do, ``trunk`` the fibre cables that a trunk takes the place of, ``ports``
    those that a panel of one rack unit has. ``mount`` says whether panels take units of their racks or hang over them.
    """

    networks: list[Name] | None = None
    beyond_m: Length | None = Field(None, alias="beyond")
    trunk: Annotated[int, Field(strict=True, ge=1, le=144)] | None = None
    ports: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    mount: Literal["rack", "overhead"] = "rack"


class Cabling(Model):
    """Labels, colours, spares, patch panels, cables of a bundle at most, and media that are not used."""

    label: Label | None = None
    colours: Colours | None = None
    spares: Spares | None = None
    panels: Panels | None = None
    bundle: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None
    avoid: list[Media] = []
