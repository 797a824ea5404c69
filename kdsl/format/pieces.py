"""The tokens of a statement as pieces: words with the comments that belong to them, and brackets with what is inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Union

from kdsl.format.document import Behind, Doc, Line, Own
from kdsl.syntax.tokens import CLOSER, OPENER, Token

STARTS_LINE = Line(hard=True)


@dataclass(slots=True)
class Word:
    """A token. `above` are comments in lines of their own before it, `behind` one that ends its line.

    `first`: it begins a line of the source. `blank`: a blank line stands before it or the comments above it.
    """

    kind: str
    text: str
    token: Token
    first: bool = False
    blank: bool = False
    above: tuple[str, ...] = ()
    behind: str = ""

    def doc(self) -> Doc:
        if not self.above and not self.behind:
            return self.text
        behind: tuple[Doc, ...] = (Behind(self.behind),) if self.behind else ()
        return (*map(Own, self.above), self.text, *behind)


@dataclass(slots=True)
class Bracket:
    """`( ... )`, `[ ... ]` or `{ ... }`; the inside is not divided at commas."""

    opener: Word
    inside: list[Piece]
    closer: Word

    @property
    def kind(self) -> str:
        return self.opener.kind

    @property
    def first(self) -> bool:
        return self.opener.first

    @property
    def blank(self) -> bool:
        return self.opener.blank


Piece = Union[Word, Bracket]


@dataclass
class Comments:
    """The comments of a file, each with the token it belongs to: the one before it in its line, or the one below it."""

    behind: dict[int, str] = field(default_factory=dict)  # by the start of the token
    own: list[Token] = field(default_factory=list)

    @classmethod
    def of(cls, tokens: Iterable[Token], comments: Iterable[Token]) -> Comments:
        last = {token.line: token.start for token in tokens if token.kind != "_NL"}
        found = cls()
        for comment in comments:
            if comment.line in last:
                found.behind[last[comment.line]] = comment.text.rstrip()
            else:
                found.own.append(comment)
        return found

    def between(self, low: int, high: int) -> list[Token]:
        """Those in lines of their own that stand in this part of the text."""
        return [comment for comment in self.own if low <= comment.start < high]


def words(tokens: Sequence[Token], comments: Comments) -> list[Word]:
    """The tokens of one statement, newlines left out."""
    found: list[Word] = []
    own = comments.between(tokens[0].start, tokens[-1].stop)
    line, place = tokens[0].line, 0
    for token in tokens:
        if token.kind == "_NL":
            continue
        above: list[str] = []
        top = token.line
        while place < len(own) and own[place].start < token.start:
            top = min(top, own[place].line)
            above.append(own[place].text.rstrip())
            place += 1
        text = " ".join(token.text.split()) if token.kind == "QUANTITY" else token.text
        behind = comments.behind.get(token.start, "")
        found.append(Word(token.kind, text, token, token.line > line, top > line + 1, tuple(above), behind))
        line = token.line
    return found


def nested(flat: Sequence[Word]) -> list[Piece]:
    """Words with their brackets matched; a `{` at the end, the first line of a body, stays a word."""
    outer: list[tuple[Word | None, list[Piece]]] = [(None, [])]
    for word in flat:
        if word.kind in OPENER:
            outer.append((word, []))
        elif word.kind in CLOSER:
            opener, inside = outer.pop()
            assert opener is not None
            outer[-1][1].append(Bracket(opener, inside, word))
        else:
            outer[-1][1].append(word)
    brace, _ = outer[-1]
    return outer[0][1] + ([brace] if brace is not None else [])


def divided(pieces: Sequence[Piece], kind: str) -> tuple[list[list[Piece]], list[Word]]:
    """The parts between words of this kind, and those words."""
    parts: list[list[Piece]] = [[]]
    marks: list[Word] = []
    for piece in pieces:
        if isinstance(piece, Word) and piece.kind == kind:
            marks.append(piece)
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts, marks


def last_word(pieces: Sequence[Piece]) -> Word:
    end = pieces[-1]
    return end.closer if isinstance(end, Bracket) else end


def first_word(pieces: Sequence[Piece]) -> Word:
    start = pieces[0]
    return start.opener if isinstance(start, Bracket) else start
