"""YAML text to plain Python values, with the place of every key; hostile files are refused early."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fabrictool.errors import InputError, Problem

Path_ = tuple[str | int, ...]
MAX_BYTES = 4 * 2**20
MAX_DEPTH = 32
STDIN = "<stdin>"
MAX_VALUES = 200_000
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map")}


@dataclass(frozen=True)
class Source:
    """Where each key of a layout stands.

    Parameters
    ----------
    name : str
        File name as the user gave it.
    marks : dict
        Path of keys to 1-based (line, column): of the key for mappings, of the item for lists.
    """

    name: str
    marks: dict[Path_, tuple[int, int]] = field(default_factory=dict)

    def place(self, path: Path_) -> str:
        """Return ``file:line:column`` of a path, or of its nearest parent that stands in the file."""
        here: Path_ = ()
        for part in path:
            if (*here, part) in self.marks:
                here = (*here, part)
            elif isinstance(part, str):  # one mapping stands for a list of one: its index is skipped
                break
        line, column = self.marks.get(here, (1, 1))
        return f"{self.name}:{line}:{column}"

    def locate(self, problem: Problem) -> Problem:
        """Return the problem with ``where`` filled in from its path."""
        if not problem.path and problem.where:
            return problem
        where = self.place(problem.path)
        return Problem(where, f"{problem.where}: {problem.what}" if problem.where else problem.what, problem.fix)


def read_bytes(path: str) -> tuple[str, bytes]:
    """Read a file, or standard input for ``-``.

    Returns
    -------
    tuple of str and bytes
        The name for messages and the content.

    Raises
    ------
    InputError
        If there is no such file, it is a folder, may not be read, or is too large.
    """
    name = STDIN if path == "-" else path
    try:
        if path == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(path).open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise InputError([Problem(f"{name}:1:1", "is a folder", "name a layout file in it")]) from None
    except FileNotFoundError:
        raise InputError([Problem(f"{name}:1:1", "no such file", _neighbours(path))]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError([Problem(f"{name}:1:1", f"cannot be read: {reason}", "check the file's rights")]) from None
    return name, checked_size(name, content)


def checked_size(name: str, content: bytes) -> bytes:
    """Return the content of a layout, refusing what is too large to be one.

    Raises
    ------
    InputError
        If it is larger than ``MAX_BYTES``.
    """
    if len(content) > MAX_BYTES:
        what = f"is larger than {MAX_BYTES // 2**20} MiB, too large for a layout"
        raise InputError([Problem(f"{name}:1:1", what, "a layout states counts and types, not single devices")])
    return content


def _neighbours(path: str) -> str:
    from fabrictool.errors import nearest

    try:
        here = [str(other) for other in Path(path).parent.iterdir() if other.suffix in {".yaml", ".yml"}]
    except OSError:
        here = []
    guess = nearest(path, here)
    return f"did you mean '{guess}'?" if guess else "'fabrictool new fat-tree' writes a layout to start from"


def parse(name: str, content: bytes) -> tuple[Any, Source]:
    """Turn the bytes of a layout into plain values and their places.

    Raises
    ------
    InputError
        If it is not one small YAML document of plain values in UTF-8.
    """
    text = _decode(name, content)
    try:
        _check_shape(name, text)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = min((mark.line + 1, mark.column + 1), _end(text)) if mark else (1, 1)
        what = f"is not valid YAML: {error.problem or error.context}"
        raise InputError([Problem(f"{name}:{line}:{column}", what, "check quotes, brackets and indentation")]) from None
    except yaml.YAMLError:
        raise InputError([_control_character(name, text)]) from None
    if node is None:
        fix = "'fabrictool new fat-tree' writes a layout to start from"
        raise InputError([Problem(f"{name}:1:1", "is empty", fix)])
    reader = _Reader(name)
    value = reader.value(node, ())
    if reader.problems:
        raise InputError(reader.problems)
    return value, Source(name, reader.marks)


def _decode(name: str, content: bytes) -> str:
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not wide and b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise InputError([Problem(f"{name}:{line}:1", "is a binary file, not a layout", "name a YAML layout file")])
    encoding, title = ("utf-16", "UTF-16") if wide else ("utf-8-sig", "UTF-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line, column = _end(content[: error.start].decode(encoding, errors="ignore"))
        what = f"byte {content[error.start]:#04x} is not {title} text"
        raise InputError([Problem(f"{name}:{line}:{column}", what, "save the file as UTF-8")]) from None


def _end(text: str) -> tuple[int, int]:
    """Return the line and column that follow a text."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _control_character(name: str, text: str) -> Problem:
    """Say where the character stands that YAML does not take."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    line, column = _end(text[: found.start()]) if found else (1, 1)
    shown = f"character {ord(found[0]):#04x}" if found else "a character"
    return Problem(f"{name}:{line}:{column}", f"{shown} is not text", "remove it, and save the file as plain UTF-8")


def _check_shape(name: str, text: str) -> None:
    """Refuse deep nesting and alias bombs from the event stream, before anything is built."""
    depth, count = 0, 0
    open_anchors: list[tuple[str | None, int]] = []
    sizes: dict[str, int] = {}
    for event in yaml.parse(text, Loader=_LOADER):
        line, column = (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (1, 1)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            open_anchors.append((event.anchor, count))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            anchor, before = open_anchors.pop()
            if anchor:
                sizes[anchor] = count - before
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_anchors):
                what = f"'*{event.anchor}' stands inside what it names"
                raise InputError([Problem(f"{name}:{line}:{column}", what, "write the values out")])
            count += sizes.get(str(event.anchor), 1)
        count += 1
        place = f"{name}:{line}:{column}"
        if depth > MAX_DEPTH:
            what = f"is nested more than {MAX_DEPTH} levels deep"
            raise InputError([Problem(place, what, "a layout needs about six levels")])
        if count > MAX_VALUES:
            what = f"holds more than {MAX_VALUES} values once aliases are expanded"
            raise InputError([Problem(place, what, "a layout states counts and types, not single devices")])


class _Reader:
    """Turns YAML nodes into values, collecting marks and problems."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.marks: dict[Path_, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self._scalars = _LOADER("")

    def value(self, node: yaml.Node, path: Path_) -> Any:
        self.marks.setdefault(path, _line_column(node))
        if node.tag not in _PLAIN_TAGS and node.tag != "tag:yaml.org,2002:timestamp":
            self._problem(node, f"has the tag '{node.tag}'", "write plain values, without tags")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        own: set[str] = set()
        for key_node, value_node in sorted(node.value, key=lambda pair: not _merges(pair[0])):
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, "a key is not a plain word", "write 'key: value'")
                continue
            key = key_node.value
            if _merges(key_node):
                result = self._merged(value_node, path) | result
                continue
            if key in own:
                self._problem(key_node, f"key '{key}' stands twice", "remove one of them")
            own.add(key)
            self.marks[(*path, key)] = _line_column(key_node)
            result[key] = self.value(value_node, (*path, key))
        return result

    def _merged(self, node: yaml.Node, path: Path_) -> dict[str, Any]:
        """Return the keys of the mappings that ``<<`` names, the first of a list winning."""
        result: dict[str, Any] = {}
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if isinstance(part, yaml.MappingNode):
                result = self._mapping(part, path) | result
            else:
                self._problem(part, "'<<' takes mappings", "write '<<: *name' of a mapping")
        return result

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag == "tag:yaml.org,2002:timestamp" or (node.tag in _NUMBERS and ":" in node.value):
            return node.value  # 1:30 is no number to anybody but YAML 1.1
        try:
            return self._scalars.construct_object(node)
        except (ValueError, yaml.YAMLError):
            self._problem(node, f"'{node.value[:40]}' cannot be read as a value", "put it in quotes")
            return None

    def _problem(self, node: yaml.Node, what: str, fix: str) -> None:
        line, column = _line_column(node)
        self.problems.append(Problem(f"{self.name}:{line}:{column}", what, fix))


def _merges(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == "<<" and not key.style


def _line_column(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
