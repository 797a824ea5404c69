"""Any text into a tree and the problems found on the way."""

from __future__ import annotations

from dataclasses import dataclass

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.source import Source
from kdsl.syntax.builder import Builder
from kdsl.syntax.layout import docs, layout
from kdsl.syntax.machine import Machine
from kdsl.syntax.table import load
from kdsl.syntax.tokens import Token, lex
from kdsl.syntax.tree import File


@dataclass(frozen=True)
class Parsed:
    """There is always a tree. `tokens` are those of the text as written, newlines included, blanks and comments not."""

    tree: File
    diagnostics: tuple[Diagnostic, ...]
    tokens: tuple[Token, ...]


def parse(source: Source) -> Parsed:
    """Read one file."""
    written, comments = lex(source)
    tokens, _ = layout(written)
    machine = Machine(load(), Builder(source, docs(written, comments)), source)
    for token in tokens:
        if not machine.feed(token):
            problem = Diagnostic("E199", f"`{token.text}` does not fit here", Label(token.span(source)))
            return Parsed(File(source, (), source.span(0, len(source.text))), (problem,), tuple(written))
    return Parsed(machine.values[0], (), tuple(written))
