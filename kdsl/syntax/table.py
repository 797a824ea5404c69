"""The parser's table: what Lark makes of `grammar/kmodel.lark`, reduced to what running it needs.

Lark reads the grammar and works out the LALR(1) table; kdsl runs the table itself, because an editor's parser has to
stop, look at its stack and go on. Compiling the grammar takes a third of a second, so the table is kept in the user's
cache folder, in the form of Python's own .pyc files, which is read four times as fast as JSON, and under a name that
changes with the grammar and with Python. Without such a folder it is compiled each time.
"""

from __future__ import annotations

import marshal
import os
import re
import sys
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kdsl._resources import read_text
from kdsl.records import dataclass

FORMAT = 2  # of the cached file


@dataclass(frozen=True, slots=True)
class Rule:
    """One alternative: reducing it takes `size` values. `action` names what the tree builder makes of them.

    `inline`: the values are handed on to the rule around it. `transparent`: a single value is handed on as it is.
    """

    origin: str
    action: str
    size: int
    inline: bool
    transparent: bool


@dataclass(frozen=True, slots=True)
class Table:
    """`states[s]` maps a symbol to the next state (shift, or go to after reducing), or to `~r`: reduce rule `r`.

    `inside[s]` is the rule that a parser in state `s` is certainly in, or "" where several are still possible.
    """

    states: tuple[Mapping[str, int], ...]
    inside: tuple[str, ...]
    rules: tuple[Rule, ...]
    start: int
    end: int
    pattern: re.Pattern[str]
    words: Mapping[str, str]


@cache
def load() -> Table:
    """The table of the shipped grammar; one per process."""
    grammar = read_text("grammar", "kmodel.lark")
    path = _cache_path(grammar)
    data = _read(path)
    if data is None:
        from kdsl.syntax.grammar import compile_grammar

        data = compile_grammar(grammar)
        _write(path, data)
    return from_data(data)


def from_data(data: Mapping[str, Any]) -> Table:
    """The table from the values it is kept as."""
    return Table(
        states=tuple(data["states"]),
        inside=tuple(data["inside"]),
        rules=tuple(Rule(*row) for row in data["rules"]),
        start=data["start"],
        end=data["end"],
        pattern=re.compile(data["pattern"]),
        words=data["words"],
    )


def _cache_path(grammar: str) -> Path | None:
    """Where the table of this grammar is kept; None where there is no home."""
    try:
        home = os.environ.get("KDSL_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    stamp = f"{FORMAT} {sys.version_info[:2]} {grammar}"
    return Path(home) / "kdsl" / f"grammar-{_checksum(stamp.encode())}.table"


def _checksum(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}-{len(data)}"  # against accidents, and quicker to import than hashlib


def _read(path: Path | None) -> dict[str, Any] | None:
    """The cached table, or None where it is missing or damaged."""
    if path is None:
        return None
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        if head != _checksum(body).encode():
            return None
        loaded: dict[str, Any] = marshal.loads(body)
        return loaded
    except (OSError, ValueError, EOFError, TypeError):
        return None


def _write(path: Path | None, data: Mapping[str, Any]) -> None:
    """Keep the table; whole or not at all, and quietly not where the folder cannot be written."""
    if path is None:
        return
    import tempfile

    body = marshal.dumps(dict(data))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "wb") as file:
            file.write(_checksum(body).encode() + b"\n" + body)
        os.replace(partial, path)
    except OSError:
        return
