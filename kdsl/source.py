"""A source text, and places in it. Every value the compiler makes carries the spans it came from."""

from __future__ import annotations

import errno
import os
import stat
from bisect import bisect_right
from typing import TYPE_CHECKING

from kdsl.records import dataclass, field

if TYPE_CHECKING:
    from kdsl.diagnostics.diagnostic import Diagnostic

SIZE_LIMIT = 4 * 2**20  # bytes of a file


@dataclass(frozen=True, eq=False)
class Source:
    """The text of one file.

    `name` is how messages call it (the path as the user wrote it), `text` is what was read. Lines end at `\\n` only,
    as in the lexer: `str.splitlines` would also split at form feeds and line separators.
    """

    name: str
    text: str
    _starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0]
        starts += [i + 1 for i, character in enumerate(self.text) if character == "\n"]
        object.__setattr__(self, "_starts", tuple(starts))

    def __repr__(self) -> str:
        return f"Source({self.name!r})"  # every node of a tree prints its source: its text would drown the rest

    @property
    def line_count(self) -> int:
        return len(self._starts)

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset, both from 1; columns count code points."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its end."""
        if not 1 <= number <= self.line_count:
            return ""
        start = self._starts[number - 1]
        stop = self._starts[number] - 1 if number < self.line_count else len(self.text)
        return self.text[start:stop].removesuffix("\r")

    def span(self, start: int, stop: int) -> Span:
        return Span(self, start, stop)


@dataclass(frozen=True, slots=True)
class Span:
    """The part `start:stop` of a source, in code points."""

    source: Source
    start: int
    stop: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.stop]

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of `other` (of the same source)."""
        return Span(self.source, min(self.start, other.start), max(self.stop, other.stop))

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"


def read(path: str | os.PathLike[str], name: str = "", *, follow: bool = True) -> Source | Diagnostic:
    """The source at `path`, or why it cannot be one: only regular files, of at most 4 MiB, in UTF-8.

    `name` is how messages call it, where that is not its path. A link is not opened unless `follow`.
    """
    place = os.fspath(path)
    name = name or place
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe must not wait
    try:
        descriptor = os.open(place, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
    except (OSError, ValueError) as error:
        return _unreadable(name, _reason(error))
    try:
        kind = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(kind):
            os.close(descriptor)
            return _unreadable(name, "it is a folder" if stat.S_ISDIR(kind) else "it is not a regular file")
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        return _unreadable(name, _reason(error))
    return decode(name, data)


def decode(name: str, data: bytes) -> Source | Diagnostic:
    """The source of these bytes, without a byte-order mark."""
    if len(data) > SIZE_LIMIT:
        message = f"this file is larger than {SIZE_LIMIT // 2**20} MiB"
        return _refused("E151", Source(name, "").span(0, 0), message, "split it, and `import` its blocks")
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        bad = error.object[error.start]
        source = Source(name, error.object.decode("utf-8", errors="replace"))
        start = len(error.object[: error.start].decode("utf-8"))
        message = f"the byte 0x{bad:02X} is not UTF-8"
        return _refused("E152", source.span(start, start + 1), message, "save the file as UTF-8")


def _unreadable(name: str, reason: str) -> Diagnostic:
    return _refused("E150", Source(name, "").span(0, 0), f"this file cannot be read: {reason}", "")


def _refused(code: str, span: Span, message: str, help: str) -> Diagnostic:
    from kdsl.diagnostics.diagnostic import Diagnostic, Label  # diagnostics carry spans, which are defined here

    return Diagnostic(code, message, Label(span), help=help)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOENT:
        return "there is no such file"
    return (error.strerror or "it cannot be opened").lower() if isinstance(error, OSError) else "its name is not valid"
