"""Keeps docs/ true: prints of commands and tables of keys, made anew.

``python tests/documents.py`` writes them into the documents; the tests only compare.
A fenced ``console`` block holds lines ``$ fabrictool …``, each followed by what it prints. A table
after ``<!-- keys of MODEL -->`` lists the keys of a model: the column of meanings is written by hand.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

from fabrictool.catalogue import types
from fabrictool.cli.main import main
from fabrictool.layout import cabling, cooling, dragonflies, facility, floor, network, placing, plant, workload
from fabrictool.layout import model as layout_model

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_KEYS = re.compile(r"^<!-- keys of (\w+) -->\n((?:\|.*\n)*)", re.MULTILINE)
_COMPILING = re.compile(r"^compiling kernels.*\n", re.MULTILINE)


def refreshed(text: str) -> str:
    """Return a document with the prints and tables of this version."""
    with _place_with_topologies():
        text = _CONSOLE.sub(lambda block: _session(block[0]), text)
    return _KEYS.sub(lambda table: f"<!-- keys of {table[1]} -->\n{key_table(table[1], _meanings(table[2]))}", text)


@contextlib.contextmanager
def _place_with_topologies() -> Any:
    """Work in an empty folder where only the shipped layouts are."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "topologies").symlink_to(ROOT / "topologies")
        os.chdir(place)
        try:
            yield
        finally:
            os.chdir(before)


def _session(block: str) -> str:
    commands = [line for line in block.split("\n") if line.startswith("$ ")]
    return "\n".join(f"{line}\n{printed(line[2:])}" for line in commands)


def printed(line: str) -> str:
    """Return what a line of fabrictool commands prints, joined by pipes and perhaps cut by ``head`` or ``grep``.

    ``> FILE`` keeps it in a file, and ``sed -i s/this/that/ FILE`` edits one.
    """
    shown, errors = "", ""
    line, _, target = line.partition(" > ")
    for stage in line.split(" | "):
        words = shlex.split(stage)
        if words[0] == "head":
            shown = "".join(shown.splitlines(keepends=True)[: int(words[-1])])
        elif words[0] == "grep":
            shown = "".join(row for row in shown.splitlines(keepends=True) if re.search(words[-1], row))
        elif words[0] == "sed":
            _, old, new, _ = words[-2].split("/")
            Path(words[-1]).write_text(re.sub(old, new, Path(words[-1]).read_text()))
        else:
            shown, complaints = _run(words[1:], shown)
            errors += complaints
    if target:
        Path(target).write_text(shown)
        return errors
    return _COMPILING.sub("", errors) + shown


def _run(arguments: list[str], typed: str) -> tuple[str, str]:
    out, err, stdin, columns = io.StringIO(), io.StringIO(), sys.stdin, os.environ.get("COLUMNS")
    sys.stdin = io.TextIOWrapper(io.BytesIO(typed.encode()))
    os.environ["COLUMNS"] = "110"
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.suppress(SystemExit):
            main(arguments)
    finally:
        sys.stdin = stdin
        os.environ.pop("COLUMNS") if columns is None else os.environ.update(COLUMNS=columns)
    return out.getvalue(), err.getvalue()


def _meanings(table: str) -> dict[str, str]:
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()[2:]]
    return {row[0].strip("`"): row[-1] for row in rows}


def key_table(name: str, meanings: dict[str, str]) -> str:
    """Return the keys of a model as a markdown table."""
    found = next(
        getattr(place, name)
        for place in (
            layout_model,
            plant,
            cabling,
            cooling,
            facility,
            floor,
            network,
            placing,
            workload,
            dragonflies,
            types,
        )
        if hasattr(place, name)
    )
    schema = found.model_json_schema(by_alias=True)
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for key, kind in schema["properties"].items():
        default = "required" if key in schema.get("required", []) else _default(kind.get("default"))
        rows.append(f"| `{key}` | {_value(kind)} | {default} | {meanings.get(key, '')} |")
    return "\n".join(rows) + "\n"


def _default(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, dict):
        return _default(value.get("name") or value.get("host"))
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _value(kind: dict[str, Any]) -> str:
    """Say what may stand for a key."""
    if "anyOf" in kind:
        words = [_value(other) for other in kind["anyOf"] if other.get("type") != "null"]
        return " or ".join(dict.fromkeys(words))
    if "$ref" in kind:
        return "keys below"
    if "enum" in kind:
        return " ".join(f"`{word}`" for word in kind["enum"])
    if kind.get("examples"):
        return f"such as `{kind['examples'][0]}`"
    if kind.get("type") == "integer":
        return f"whole number from {kind['minimum']}" if "minimum" in kind else "whole number"
    return _collection(kind) or {"number": "number", "string": "text", "boolean": "true or false"}[kind["type"]]


def _collection(kind: dict[str, Any]) -> str:
    """Say what a list or mapping holds; nothing for other values."""
    if kind["type"] == "object":
        inner = [*kind.get("patternProperties", {}).values(), kind.get("additionalProperties")]
        return f"name: {_value(inner[0])}" if isinstance(inner[0], dict) else "mapping"
    return _list(kind) if kind["type"] == "array" else ""


def _list(kind: dict[str, Any]) -> str:
    if "prefixItems" in kind:
        return "pairs"
    items = _value(kind["items"])
    if items.startswith("such as"):
        return f"list, each {items}"
    several = (
        items.replace("list of", "lists of") if items.startswith("list of") else items.replace("number", "numbers")
    )
    return f"list of {several}"


if __name__ == "__main__":
    for document in DOCUMENTS:
        document.write_text(refreshed(document.read_text(encoding="utf-8")), encoding="utf-8")
