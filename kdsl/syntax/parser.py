"""Any text into a tree and the problems found on the way.

lex        one token stream, total
foreign    marks of other languages are read as what they mean, each with a problem
balance    brackets are mended, so that the parser sees none that do not match
layout     newlines that end no statement go
drive      the LALR machine; a mistake spoils its own statement only
place      which statement belongs where
"""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.records import dataclass, replace
from kdsl.source import Source
from kdsl.syntax.brackets import balance, too_deep
from kdsl.syntax.builder import Builder
from kdsl.syntax.driver import Driver
from kdsl.syntax.foreign import Reader, forbidden
from kdsl.syntax.layout import docs, layout
from kdsl.syntax.machine import Machine
from kdsl.syntax.placement import place
from kdsl.syntax.problems import LIMIT, problem
from kdsl.syntax.prototxt import in_their_place
from kdsl.syntax.table import load
from kdsl.syntax.tokens import Token, lex
from kdsl.syntax.tree import File

GUESSED = frozenset({"E103", "E104", "E106", "E131"})  # brackets put in or left out, lines cut in two, parameters


@dataclass(frozen=True)
class Parsed:
    """There is always a tree. `tokens` are those of the text as written, newlines included, blanks and comments not."""

    tree: File
    diagnostics: tuple[Diagnostic, ...]
    tokens: tuple[Token, ...]


def parse(source: Source) -> Parsed:
    """Read one file."""
    written, comments = lex(source)
    empty = File(source, (), source.span(0, len(source.text)))
    deep = too_deep(source, written)
    if deep is not None:
        return Parsed(empty, (deep,), tuple(written))
    problems = forbidden(source)
    tokens = Reader(source, written, problems).read()
    if len(problems) >= LIMIT:
        return Parsed(empty, tuple(limited(source, problems)), tuple(written))
    tokens = balance(source, tokens, problems)
    tokens, depth = layout(tokens)
    machine = Machine(load(), Builder(source, docs(written, comments)), source)
    tree = Driver(source, machine, tokens, depth, problems).run()
    if tree is not None:
        spoken = {p.span.line for p in problems}
        guessed = [p.span for p in problems if p.code in GUESSED]
        tree, misplaced = place(tree, problems)
        guessed += [p.span for p in misplaced if p.code in GUESSED]
        tree = replace(tree, doubtful=tuple(guessed))
        problems += [p for p in misplaced if p.span.line not in spoken]
    problems = in_their_place(source, written, problems) if problems else problems
    return Parsed(tree or empty, tuple(limited(source, problems)), tuple(written))


def limited(source: Source, problems: list[Diagnostic]) -> list[Diagnostic]:
    """In the order of the text, and not endlessly many."""
    ordered = sorted(problems, key=lambda p: p.span.start)
    if len(ordered) < LIMIT:
        return ordered
    last = ordered[LIMIT - 1].span
    at = Token("NAME", last.text, last.start, last.stop, 0, 0)
    message = f"there are {LIMIT} problems or more; the rest of the file was not read"
    return [*ordered[: LIMIT - 1], problem(source, "E143", message, at, "mend the first ones and look again")]
