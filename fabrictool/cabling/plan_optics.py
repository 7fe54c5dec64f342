"""Modules that a plan of others names: both ends of a fibre must be of its kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

from fabrictool.cabling.plan_checks import finding, media_kinds
from fabrictool.catalogue import store
from fabrictool.catalogue.parts import TransceiverType
from fabrictool.formats.plan_table import PlanRow
from fabrictool.records import Finding

_FIBRES = {"mmf": "multimode", "smf": "single-mode"}


@cache
def _media() -> dict[str, str]:
    """Return the fibre of each module of the catalogue, by name and by order number in lower case."""
    found = {}
    for name in store.names("transceivers"):
        entry = store.entry("transceivers", name)
        if isinstance(entry, TransceiverType) and entry.media:
            for word in (name, entry.part or name):
                found[word.lower()] = entry.media.lower()
    return found


def fibre_of(module: str) -> str:
    """Return ``mmf`` or ``smf`` of a module by its name or order number; empty if it is not known."""
    return _media().get(module.strip().lower(), "")


def optic_faults(rows: Sequence[PlanRow]) -> Iterator[Finding]:
    """Yield fibres whose modules do not fit each other, or not the fibre, one for each such pair of modules."""
    unlike: defaultdict[tuple[str, str], list[PlanRow]] = defaultdict(list)
    wrong: defaultdict[tuple[str, str], list[PlanRow]] = defaultdict(list)
    for row in rows:
        a, z = row.cable.a.optic, row.cable.z.optic
        fibres = {fibre_of(module) for module in (a, z)} - {""}
        said = set(media_kinds(row.cable.media)) & set(_FIBRES)
        if len(fibres) > 1:
            unlike[a, z].append(row)
        elif fibres and said and not fibres <= said:
            wrong[a or z, next(iter(said))].append(row)
    for (a, z), group in unlike.items():
        kinds = [_FIBRES[fibre_of(module)] for module in (a, z)]
        what = f"{len(group)} links have {a} ({kinds[0]}) at one end, {z} ({kinds[1]}) at the other"
        yield finding(
            "optics-unlike", "error", group, "z_optic", what, "use modules for one kind of fibre at both ends"
        )
    for (module, said_fibre), group in wrong.items():
        what = (
            f"{len(group)} links of {_FIBRES[said_fibre]} fibre have {module}, which is for {_FIBRES[fibre_of(module)]}"
        )
        yield finding("optics-unlike", "error", group, "media", what, "change the module or the fibre")
