"""The grammar of DOT as far as undirected graphs of devices need it: nodes, edges with ports, attributes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from fabrictool.errors import InputError
from fabrictool.formats.imported import Report

#: Nested groups of statements that are followed.
DEEPEST = 50
_TOKEN = re.compile(
    r'(?P<space>\s+|//[^\n]*|/\*.*?\*/|\#[^\n]*)|(?P<quoted>"(?:[^"\\]|\\.)*")'
    r"|(?P<word>[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*|-?(?:\.\d+|\d+(?:\.\d*)?))"
    r"|(?P<markup><(?:[^<>]|<[^<>]*>)*>)|(?P<mark>--|->|[{}\[\];,=:+])",
    re.DOTALL | re.MULTILINE,
)
_COMPASS = {"n", "ne", "e", "se", "s", "sw", "w", "nw", "c", "_"}
_WORDS = {"graph", "digraph", "strict", "subgraph", "node", "edge"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word or mark; ``quoted`` words are never keywords."""

    text: str
    at: int
    quoted: bool = False


@dataclass(slots=True)
class Statement:
    """A node, or an edge between neighbours in ``ends``, each device and port; attributes in lower case."""

    line: int
    ends: list[tuple[str, str]]
    attributes: dict[str, str] = field(default_factory=dict)


class Dot:
    """Yields the statements of a text; groups only bundle them, and what they say of themselves is passed over."""

    def __init__(self, text: str, report: Report) -> None:
        self.report = report
        self.text = text
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._tokens = self._scan()
        self._next = self._advance()
        self.depth = 0
        self.graph: dict[str, str] = {}

    def statements(self) -> Iterator[Statement]:
        """Yield nodes and edges in the order of the file.

        Raises
        ------
        InputError
            Where the text is no DOT, or ends early.
        """
        self._head()
        self.depth = 1
        while self.depth:
            found = self._statement()
            if found is not None:
                yield found

    def _head(self) -> None:
        if self._keyword("strict"):
            self._take()
            self.report.warn("graph-strict", 1, "a strict graph merges parallel links", "write 'graph'")
        if not (self._keyword("graph") or self._keyword("digraph")):
            raise self._refusal("is no graph", "begin with 'graph G {'")
        self._take()
        if not self._is("{"):
            self._word("a name or '{'")
        self._mark("{")

    def _statement(self) -> Statement | None:
        token = self._next
        if token is None:
            raise self._refusal("the graph is not closed: the file is cut", "copy it again")
        if not token.quoted and token.text in {";", ","}:
            self._take()
            return None
        if not token.quoted and token.text in {"{", "}", "subgraph"}:
            self._group(token)
            return None
        if not token.quoted and token.text.lower() in {"graph", "node", "edge"}:
            self._defaults(token)
            return None
        line = self.line(token.at)
        first = self._word("a name")
        if self._is("="):
            self._take()
            self.graph[first.lower()] = self._word("a value")
            return None
        return self._chain(first, line)

    def _group(self, token: Token) -> None:
        self._take()
        if token.text == "subgraph" and not self._is("{"):
            self._word("a name or '{'")
        if token.text == "subgraph":
            self._mark("{")
        self.depth += -1 if token.text == "}" else 1
        if self.depth > DEEPEST:
            raise self._refusal("groups are nested too deep", "write one list of links")
        if token.text == "}" and (self._is("--") or self._is("->")):
            raise self._refusal("links a whole group, which names no ports", "write one edge a link")

    def _defaults(self, token: Token) -> None:
        self._take()
        found = self._attributes()
        if token.text.lower() == "graph":
            self.graph |= found

    def _chain(self, first: str, line: int) -> Statement:
        ends = [(first, self._port())]
        while self._is("--") or self._is("->"):
            self._take()
            if self._is("{"):
                raise self._refusal("links a whole group, which names no ports", "write one edge a link")
            device = self._word("a device")
            ends.append((device, self._port()))
        return Statement(line, ends, self._attributes())

    def _port(self) -> str:
        words = []
        while self._is(":"):
            self._take()
            words.append(self._word("a port"))
        if len(words) > 1 and words[-1] in _COMPASS:
            words.pop()
        return ":".join(words)

    def _attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while self._is("["):
            self._take()
            while not self._is("]"):
                if self._is(",") or self._is(";"):
                    self._take()
                    continue
                key = self._word("an attribute or ']'").lower()
                found[key] = "true"
                if self._is("="):
                    self._take()
                    found[key] = self._word("a value")
            self._take()
        return found

    def _word(self, wanted: str) -> str:
        token = self._next
        if token is None:
            raise self._refusal("the graph is not closed: the file is cut", "copy it again")
        if not token.quoted and not re.match(r"[\w.<\-\x80-\U0010ffff]", token.text):
            raise self._refusal(f"'{token.text}' stands where {wanted} is due", "correct the line")
        text = self._take().text
        while self._is("+"):  # quoted words may be joined
            self._take()
            text += self._word("a quoted word")
        return text

    def _mark(self, mark: str) -> None:
        if not self._is(mark):
            raise self._refusal(f"'{mark}' is missing", "correct the line")
        self._take()

    def _is(self, mark: str) -> bool:
        return self._next is not None and not self._next.quoted and self._next.text == mark

    def _keyword(self, word: str) -> bool:
        return self._next is not None and not self._next.quoted and self._next.text.lower() == word

    def _take(self) -> Token:
        token = self._next
        assert token is not None
        self._next = self._advance()
        return token

    def _advance(self) -> Token | None:
        return next(self._tokens, None)

    def _scan(self) -> Iterator[Token]:
        at = 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                shown = self.text[at : at + 20].split("\n")[0]
                raise self._at(at, f"'{shown}' is no DOT", "put names that are no plain words in double quotes")
            at = match.end()
            if match.lastgroup == "quoted":
                text = re.sub(r"\\\n", "", match[0][1:-1])
                yield Token(text.replace('\\"', '"').replace("\\\\", "\\"), match.start(), quoted=True)
            elif match.lastgroup != "space":
                yield Token(match[0], match.start())

    def line(self, at: int) -> int:
        """Return the line of a place in the text."""
        return bisect_right(self._breaks, at - 1) + 1

    def _refusal(self, what: str, fix: str) -> InputError:
        return self._at(self._next.at if self._next else len(self.text), what, fix)

    def _at(self, at: int, what: str, fix: str) -> InputError:
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        return self.report.refusal(self.line(at), what, fix, column)
