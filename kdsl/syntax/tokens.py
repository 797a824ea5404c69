"""Tokens, and what a run of them means at a glance. Lexing is total: any text becomes tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kdsl.source import Source, Span
from kdsl.syntax.table import load

OPENER = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
CLOSER = frozenset(OPENER.values())
CLOSER_TEXT = {"RPAR": ")", "RSQB": "]", "RBRACE": "}"}
ITEM_WORDS = frozenset({"IMPORT", "DIM", "FN", "BLOCK", "MODEL", "TRAIN"})
BODY_WORDS = frozenset({"FN", "BLOCK", "MODEL", "TRAIN"})
DECLARING = frozenset({"INPUT", "TARGET", "OUTPUT", "WEIGHT"})
NAME_WORDS = ITEM_WORDS | DECLARING | {"FROM", "FROZEN", "SHARED", "EACH", "NAME"}
RESERVED = frozenset(["AND", "AS", "ELSE", "FALSE", "FOR", "IF", "IN", "NOT", "OR", "REPEAT", "RETURN", "THEN", "TRUE"])
ARITHMETIC = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "AT", "POWER"})
INFIX = ARITHMETIC | {"COMPARE", "AND", "OR"}
CONTINUES = INFIX | {"ARROW", "AS", "THEN", "ELSE"}  # a line that starts with one goes on from the line above
CHAINS = frozenset({"REPEAT", "IN", "THEN", "ELSE"})  # a `{` after one of these holds steps, not statements
LITERALS = frozenset({"INT", "FLOAT", "STRING", "QUANTITY", "TRUE", "FALSE"})
VALUE_ENDS = NAME_WORDS | LITERALS | {"RPAR", "RSQB"}
VALUE_STARTS = NAME_WORDS | LITERALS | {"LPAR", "LSQB", "NOT"}
BROKEN = frozenset({"BAD_CHAR", "BAD_NUMBER", "UNTERMINATED", "REFUSED"})
END = frozenset({"_NL", "$END"})


class Token(NamedTuple):
    """A piece of the text: `source.text[start:stop]`, or of no width where the parser put it in."""

    kind: str
    text: str
    start: int
    stop: int
    line: int
    column: int

    @property
    def end_column(self) -> int:
        """The column after it; a token does not cross lines."""
        return self.column + self.stop - self.start

    def before(self, kind: str, text: str) -> Token:
        """A token of no width in front of this one."""
        return Token(kind, text, self.start, self.start, self.line, self.column)

    def after(self, kind: str, text: str) -> Token:
        """A token of no width behind this one."""
        return Token(kind, text, self.stop, self.stop, self.line, self.end_column)

    def read_as(self, kind: str, text: str | None = None) -> Token:
        """The same place, taken for something else."""
        return self._replace(kind=kind, text=self.text if text is None else text)

    def span(self, source: Source) -> Span:
        return source.span(self.start, self.stop)


def lex(source: Source) -> tuple[list[Token], list[Token]]:
    """(tokens, comments), in order; blanks are dropped, newlines are tokens."""
    table = load()
    words, text = table.words, source.text
    tokens: list[Token] = []
    comments: list[Token] = []
    line, left = 1, 1 if text.startswith("\ufeff") else 0
    for match in table.pattern.finditer(text, left):
        kind = match.lastgroup or ""
        if kind == "WS":
            continue
        written = match.group()
        if kind == "NAME":
            kind = words.get(written, kind)
        start, stop = match.span()
        token = Token(kind, written, start, stop, line, start - left + 1)
        if kind == "COMMENT":
            comments.append(token)
            continue
        tokens.append(token)
        if kind == "_NL":
            line, left = line + 1, stop
    return tokens, comments


def starts_item(tokens: Sequence[Token], i: int) -> bool:
    """`model X`, `dim T` ...: the words are ordinary names elsewhere."""
    return tokens[i].kind in ITEM_WORDS and i + 1 < len(tokens) and tokens[i + 1].kind in NAME_WORDS


def starts_statement(tokens: Sequence[Token], i: int) -> bool:
    """The tokens from `i` can only be the start of a statement or item."""
    if i >= len(tokens):
        return False
    kind = tokens[i].kind
    following = tokens[i + 1].kind if i + 1 < len(tokens) else "$END"
    if kind == "RETURN":
        return following != "EQUAL"
    if kind == "FROZEN":
        return following == "WEIGHT"
    if kind in DECLARING or kind in ITEM_WORDS:
        return following in NAME_WORDS
    return kind == "NAME" and following == "EQUAL"


def outside_brackets(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens at the outermost level, brackets included."""
    depth = 0
    for token in tokens:
        depth -= token.kind in CLOSER
        if depth == 0:
            yield token
        depth += token.kind in OPENER


def line_end(tokens: Sequence[Token], i: int) -> int:
    """The index of the newline that ends the line of token `i`, or of the end."""
    while i < len(tokens) and tokens[i].kind not in END:
        i += 1
    return i


def balanced(tokens: Sequence[Token]) -> bool:
    stack: list[str] = []
    for token in tokens:
        if token.kind in OPENER:
            stack.append(OPENER[token.kind])
        elif token.kind in CLOSER and (not stack or stack.pop() != token.kind):
            return False
    return not stack
