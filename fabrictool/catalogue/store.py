"""The catalogue that ships: YAML files, one for each kind of type, read once and on demand."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from fabrictool.catalogue.kinds import KINDS
from fabrictool.catalogue.types import Type
from fabrictool.errors import did_you_mean

EDITION = "2026-11"

T = TypeVar("T", bound=Type)


@cache
def _rows(kind: str) -> dict[str, dict[str, Any]]:
    """Return the entries of one kind as they stand in the file, by name."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.files("fabrictool.catalogue").joinpath("data", f"{kind}.yaml").read_text(encoding="utf-8")
    document = yaml.load(text, Loader=loader)
    shared = document.get("shared", {})
    return {row["name"]: shared | row for row in document["entries"]}


@cache
def entry(kind: str, name: str) -> Type:
    """Return one entry, validated.

    Raises
    ------
    KeyError
        If the kind has no entry of that name.
    """
    return KINDS[kind].model_validate(_rows(kind)[name])


def as_written(kind: str, name: str) -> dict[str, Any]:
    """Return one entry as it stands in the file, quantities with their units.

    Raises
    ------
    KeyError
        If the kind has no entry of that name.
    """
    return dict(_rows(kind)[name])


def names(kind: str) -> list[str]:
    """Return the names of all entries of a kind, in file order."""
    return list(_rows(kind))


def find(kind: str, name: str, title: str) -> Type:
    """Return one entry, or say which one was probably meant.

    Raises
    ------
    ValueError
        If there is no such entry.
    """
    if name not in _rows(kind):
        hint = did_you_mean(name, _rows(kind))
        raise ValueError(f"the catalogue has no {title} '{name}'; {hint} A type may also be described inline")
    return entry(kind, name)


def check() -> list[str]:
    """Validate the whole catalogue; return what is wrong, one line each."""
    wrong = []
    for kind in KINDS:
        for name in names(kind):
            try:
                row = entry(kind, name)
            except ValidationError as error:
                wrong.append(f"{kind}/{name}: {error}")
                continue
            if not row.source or not row.as_of:
                wrong.append(f"{kind}/{name}: no source or date")
    return wrong
