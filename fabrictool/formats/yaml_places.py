"""YAML of others, with the line of everything that is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from fabrictool.errors import InputError
from fabrictool.formats.imported import Report

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def composed(text: str, report: Report) -> yaml.Node:
    """Return the tree of a YAML text, in which every part knows its line.

    Raises
    ------
    InputError
        If it is no YAML, or empty.
    """
    if "&" in text and any(word.startswith("*") for word in text.split()):
        raise report.refusal(1, "uses YAML aliases, which are not followed", "write every part out")
    try:
        tree = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise _refusal(error, report) from None
    except RecursionError:
        raise report.refusal(1, "is nested too deep", "see whether the file is what you meant") from None
    if tree is None:
        raise report.refusal(1, "is empty", "name a whole file")
    return tree


def _refusal(error: yaml.YAMLError, report: Report) -> InputError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = f"is no YAML: {getattr(error, 'problem', None) or 'unreadable'}"
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return report.refusal(line, what, "correct the line, or see whether the file is cut", column)


def line_of(node: yaml.Node) -> int:
    """Return the line where a part starts."""
    return int(node.start_mark.line) + 1


def items(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """Yield keys and values of a mapping; nothing of anything else."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, value


def entries(node: yaml.Node | None) -> list[yaml.Node]:
    """Return the parts of a list; none of anything else."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def word(node: yaml.Node | None) -> str:
    """Return what a plain value says; an empty string for anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return the value of a key, None if it is not there."""
    return next((value for name, value in items(node) if name == key), None)


def words(node: yaml.Node | None) -> dict[str, str]:
    """Return the plain values of a mapping."""
    return {key: value.value for key, value in items(node) if isinstance(value, yaml.ScalarNode)}
