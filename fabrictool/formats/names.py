"""Name maps: what devices are called by their dumps, to what the plan calls them."""

from __future__ import annotations

import re

from fabrictool.formats.csv_rows import header, named, rows
from fabrictool.formats.imported import Report
from fabrictool.formats.opening import read_all, text_of

_MAPPED = re.compile(r'^\s*(?:0x)?([0-9a-fA-F]{1,16})\s+"([^"]*)"\s*(?:#.*)?$')
_SYNONYMS = {"from": "seen", "alias": "seen", "mac": "seen", "guid": "seen", "to": "planned", "name": "planned"}


def read_names(path: str) -> dict[str, str]:
    """Return planned name by seen name.

    The file is CSV with the columns ``seen,planned``, or a node name map of the InfiniBand tools: a GUID and a
    name in quotes a line.

    Raises
    ------
    InputError
        If it is neither.
    """
    name, content = read_all(path)
    text, report = text_of(content), Report(name)
    if {"seen", "planned"} <= set(named(header(content), _SYNONYMS)):
        return {
            row["seen"]: row["planned"]
            for _, row in rows(text, _SYNONYMS, ("seen", "planned"), report)
            if row["seen"] and row["planned"]
        }
    found: dict[str, str] = {}
    for line, row in enumerate(text.split("\n"), 1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        match = _MAPPED.match(row)
        if match is None:
            raise report.refusal(line, f"'{row.strip()[:60]}' maps no name", 'write rows seen,planned or 0xGUID "name"')
        for stem in ("", "0x", "S-", "H-"):
            found[f"{stem}{int(match[1], 16):016x}"] = match[2]
    return found
