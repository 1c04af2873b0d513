"""Records out of XML that somebody else wrote, as a stream: no document type, so no entities and no bombs.

Only a document type can define entities or fetch anything; it is refused where it begins. Expat is asked directly:
docs/decisions/0047 has the figures beside defusedxml's reader, which builds elements that nobody wants to keep.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any
from xml.parsers import expat

DEPTH_MAX = 32
TEXT_LENGTH_MAX = 2_000
_PIECE = 1 << 16

#: Texts of leaves by their way from the record down, such as `Rsn/Cd`; an attribute of a leaf as `Amt@Ccy`.
Record = dict[str, str]


class NotReadable(Exception):
    """Not well-formed, too deep, a text too long, or it has a document type. `line`: where, from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


def root_namespace(data: bytes) -> str:
    """The namespace of the outermost element; "" where there is none, or no XML."""
    found: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def seen(name: str, _: Any) -> None:
        found.append(name.rpartition(" ")[0])
        parser.StartElementHandler = None

    parser.StartElementHandler = seen
    parser.StartDoctypeDeclHandler = _no_document_type
    with suppress(expat.ExpatError, _DocumentType):  # who reads it says so
        parser.Parse(data[:_PIECE], False)
    return found[0] if found else ""


def records(data: bytes, names: Collection[str]) -> Iterator[tuple[str, Record]]:
    """Each element whose name is among `names`, when it ends (inner ones first), and at last the document, as "".

    Names are local, in the namespace of the document. What stands in an inner record is not in the outer one. A leaf
    that repeats has its texts joined by a space. NotReadable.
    """
    reader = _Reader(root_namespace(data), frozenset(names))
    for start in range(0, len(data), _PIECE):
        yield from reader.feed(data[start : start + _PIECE], last=start + _PIECE >= len(data))
    yield "", reader.document


class _DocumentType(Exception):
    pass


def _no_document_type(*_: Any) -> None:
    raise _DocumentType


class _Reader:
    def __init__(self, namespace: str, names: frozenset[str]) -> None:
        self._prefix, self._names = f"{namespace} " if namespace else "", names
        self.document: Record = {}
        #: Ways to the open elements, each from its record down; records that are open.
        self._ways: list[str] = []
        self._open: list[tuple[str, Record]] = [("", self.document)]
        self._texts: list[str] = []
        self._attributes: dict[str, str] = {}
        self._is_leaf = False
        self._done: list[tuple[str, Record]] = []
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._texts.append
        parser.StartDoctypeDeclHandler = _no_document_type
        self._parser = parser

    def feed(self, piece: bytes, *, last: bool) -> list[tuple[str, Record]]:
        self._done = []
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as broken:
            raise NotReadable("form", broken.lineno) from None
        except _DocumentType:
            raise NotReadable("document_type", self._parser.CurrentLineNumber) from None
        return self._done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.removeprefix(self._prefix)
        ways = self._ways
        if len(ways) == DEPTH_MAX:
            raise NotReadable("depth", self._parser.CurrentLineNumber)
        if local in self._names:
            self._open.append((local, {}))
            ways.append("")
        else:
            above = ways[-1] if ways else ""
            ways.append(f"{above}/{local}" if above else local)
        self._texts.clear()
        self._attributes = attributes
        self._is_leaf = True

    def _end(self, name: str) -> None:
        way = self._ways.pop()
        if not way:
            self._done.append(self._open.pop())
        elif self._is_leaf:
            text = "".join(self._texts).strip()
            if len(text) > TEXT_LENGTH_MAX:
                raise NotReadable("length", self._parser.CurrentLineNumber)
            record = self._open[-1][1]
            record[way] = f"{record[way]} {text}" if way in record else text
            for attribute, value in self._attributes.items():
                record[f"{way}@{attribute}"] = value
        self._is_leaf = False
