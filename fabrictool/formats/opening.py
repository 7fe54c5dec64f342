"""Bytes of a file or of standard input, unpacked, and as text."""

from __future__ import annotations

import gzip
import lzma
import sys
import zlib
from pathlib import Path
from typing import BinaryIO

from fabrictool.errors import InputError, Problem, nearest
from fabrictool.fabric.store import MAGIC
from fabrictool.layout.source import MAX_BYTES as LAYOUT_BYTES
from fabrictool.layout.source import STDIN, read_bytes

#: Most bytes of a file, packed or not, that are read: a listing of 100,000 hosts has about 60 MiB.
MAX_BYTES = 512 * 2**20
_LOOK = 65536
_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"


def read_all(path: str, layout: bool = False) -> tuple[str, bytes]:
    """Return the name for messages, and the content of a file with ``.gz`` and ``.xz`` unpacked.

    Parameters
    ----------
    path : str
        A file, or ``-`` for standard input.
    layout : bool
        Whether a layout may be meant, so that the way out of a wrong name is that of a layout.

    Raises
    ------
    InputError
        If the file is missing, too large, or its compression is broken.
    """
    name = STDIN if path == "-" else path
    try:
        if path == "-":
            content = _read(sys.stdin.buffer)
        else:
            with Path(path).open("rb") as stream:
                content = _read(stream)
    except (FileNotFoundError, IsADirectoryError) as error:
        if layout:
            return read_bytes(path)
        missing = isinstance(error, FileNotFoundError)
        fix = _meant(path) if missing else f"name files in it, such as {path.rstrip('/')}/*"
        raise _refusal(name, "no such file" if missing else "is a folder", fix) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refusal(name, f"cannot be read: {reason}", "check the file's name and rights") from None
    return name, _checked(name, unpacked(name, content))


def _meant(path: str) -> str:
    """Return a way out of the name of a file that is not there: one of nearly that name, or where to look."""
    place = Path(path)
    if not place.parent.is_dir():
        return f"there is no folder '{place.parent}' either: check the path"
    guess = nearest(place.name, [other.name for other in place.parent.iterdir() if other.is_file()])
    return f"did you mean '{place.with_name(guess)}'?" if guess else "check its name, and the folder you are in"


def _read(stream: BinaryIO) -> bytes:
    """Read what may be a fabric to its end, and no more of anything else than shows that it is none."""
    head = stream.read(LAYOUT_BYTES + 1)
    text = b"\0" not in head[:_LOOK] or head[:2] in {b"\xff\xfe", b"\xfe\xff"}
    if len(head) <= LAYOUT_BYTES or not (text or head.startswith((_GZIP, _XZ, MAGIC))):
        return head
    return head + stream.read(MAX_BYTES + 1 - len(head))


def unpacked(name: str, content: bytes) -> bytes:
    """Return content without its compression; a second layer is left as it is.

    Raises
    ------
    InputError
        If the compression is cut or broken.
    """
    try:
        if content.startswith(_GZIP):
            return _bounded(name, zlib.decompressobj(16 + zlib.MAX_WBITS), content)
        if content.startswith(_XZ):
            return _bounded(name, lzma.LZMADecompressor(), content)
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise _refusal(name, f"its compression is broken: {error}", "copy the file again") from None
    return content


def _bounded(name: str, machine: zlib._Decompress | lzma.LZMADecompressor, content: bytes) -> bytes:
    result = machine.decompress(content, MAX_BYTES + 1)
    if len(result) <= MAX_BYTES and not machine.eof:
        raise _refusal(name, "its compression ends early: the file is cut", "copy the file again")
    return result


def _checked(name: str, content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise _refusal(name, f"is larger than {MAX_BYTES // 2**20} MiB", "give a part of the fabric")
    return content


def _refusal(name: str, what: str, fix: str) -> InputError:
    return InputError([Problem(f"{name}:1:1", what, fix)])


def text_of(content: bytes) -> str:
    """Return content as text with plain line ends; descriptions in other encodings keep their place."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return content.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
