"""Statements and the first lines of items as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from kdsl.format.document import BEHIND, INDENT, WIDTH, Doc, Printer
from kdsl.format.pieces import Comments, Piece, divided, last_word, nested, words
from kdsl.format.values import flow, glue, is_word
from kdsl.syntax.tokens import Token

ALIGNED = 10  # letters of the longest setting whose `=` is lined up with its neighbours'


@dataclass(frozen=True, slots=True)
class Written:
    """A statement's lines; `comment` belongs behind the last one."""

    lines: tuple[str, ...]
    comment: str = ""


def statement(tokens: Sequence[Token], comments: Comments, indent: int, pad: int = 0, word: str = "") -> Written:
    """`pad`: letters up to the `=` of a setting; `word`: how its first word is written, blanks included."""
    pieces = nested(words(tokens, comments))
    last = last_word(pieces)
    comment, last.behind = last.behind, ""
    return Written(tuple(Printer(indent).print(layout(pieces, indent, pad, word))), comment)


def layout(pieces: Sequence[Piece], indent: int, pad: int, word: str) -> Doc:
    if is_word(pieces[0], "RETURN"):
        return returned(pieces)
    sides, marks = divided(pieces, "EQUAL")
    lead: Doc = (word, glue(sides[0][1:])) if word else glue(sides[0])
    if not marks:
        return lead
    value = flow(sides[1], kept=True, hang=pad + 1 if pad else INDENT)
    first, *more = Printer(indent).print(lead)
    if not more and len(first) + 2 <= WIDTH and not is_commented(pieces[: len(sides[0])]):
        lead = first.strip().ljust(pad)  # the left side is not broken for the sake of the right
    return lead, " ", marks[0].doc(), " ", value


def is_commented(pieces: Sequence[Piece]) -> bool:
    return last_word(pieces).behind != ""


def returned(pieces: Sequence[Piece]) -> Doc:
    """`return a, b`: a line cannot end behind a comma."""
    parts, commas = divided(pieces[1:], "COMMA")
    out: list[Doc] = [glue(pieces[:1]), " ", flow(parts[0], kept=not commas)]
    for comma, part in zip(commas, parts[1:], strict=True):
        out += [comma.doc(), " ", flow(part)]
    return tuple(out)


def aligned_comments(run: Sequence[Written]) -> list[str]:
    """The lines of neighbours; comments behind lines that follow each other, equally deep, stand below each other."""
    lines: list[str] = []
    for written in run:
        lines += written.lines
        if written.comment:
            lines[-1] += BEHIND + written.comment
    out: list[str] = []
    for commented, group in groupby(lines, lambda line: (BEHIND in line, len(line) - len(line.lstrip()))):
        found = list(group)
        out += settled([line.split(BEHIND, 1) for line in found]) if commented[0] else found
    return out


def settled(pairs: Sequence[Sequence[str]]) -> list[str]:
    """Lines and their comments, in a common column where that fits."""
    column = max(len(line) for line, _ in pairs)
    fits = all(column + 2 + len(comment) <= WIDTH for _, comment in pairs)
    return [f"{line:{column if fits else 0}}  {comment}" for line, comment in pairs]
