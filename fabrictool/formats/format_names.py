"""Formats by the names that people give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fabrictool.errors import InputError, did_you_mean, nearest

#: Words for a kind of file, to what is a format of that kind.
_MEANT = {
    "excel": "workbook", "xls": "workbook", "xlsm": "workbook", "ods": "workbook", "spreadsheet": "workbook",
    "sheet": "workbook", "bom": "workbook", "elevations": "workbook", "csv": "plan", "cables": "plan",
    "schedule": "plan", "label": "labels", "brady": "labels", "nvidia": "p2p", "ufm": "p2p", "lldp": "dot",
    "visio": "dot", "svg": "dot", "yaml": "containerlab", "docker": "containerlab", "ns3": "simgrid",
    "opensm": "ibnetdiscover", "networkx": "node-link", "d3": "node-link", "gephi": "gexf", "numpy": "npz",
}  # fmt: skip


def format_named(
    word: str, option: str, known: Iterable[str], synonyms: Mapping[str, str], untold: Mapping[str, str] | None = None
) -> str:
    """Return the name of a format for a word, in any case, with underscores or hyphens.

    Parameters
    ----------
    word : str
    option : str
        What the word was given to.
    known : iterable of str
    synonyms : mapping of str to str
    untold : mapping of str to str, optional
        Ways out for formats that have no name there.

    Raises
    ------
    InputError
        If there is no such format.
    """
    lowered = word.strip().lower().replace("_", "-").lstrip(".")
    name, names = synonyms.get(lowered, lowered), list(known)
    if name not in names:
        raise InputError(f"{option}: there is no format '{word}'", _hint(lowered, names, synonyms, untold or {}))
    return name


def _hint(word: str, names: list[str], synonyms: Mapping[str, str], untold: Mapping[str, str]) -> str:
    """Say which format is meant, or list all."""
    if word in untold:
        return untold[word]
    meant = synonyms.get(_MEANT.get(word, ""), _MEANT.get(word, ""))
    if meant in names:
        return f"did you mean '{meant}'?"
    if nearest(word, [*names, *synonyms]):
        return did_you_mean(word, [*names, *synonyms])
    return f"there are {', '.join(names)}"
