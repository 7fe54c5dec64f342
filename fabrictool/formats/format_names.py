"""Formats by the names that people give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fabrictool.errors import InputError, did_you_mean


def format_named(word: str, option: str, known: Iterable[str], synonyms: Mapping[str, str]) -> str:
    """Return the name of a format for a word, in any case, with underscores or hyphens.

    Raises
    ------
    InputError
        If there is no such format; ``option`` is what the word was given to.
    """
    lowered = word.lower().replace("_", "-")
    name, names = synonyms.get(lowered, lowered), set(known)
    if name not in names:
        raise InputError(f"{option}: there is no format '{word}'", did_you_mean(name, [*names, *synonyms]))
    return name
