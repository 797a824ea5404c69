"""Mends the brackets of one item by its layout.

A body's `}` stands under the start of the line that opened it; a `(` or `[` ends with its line or its indentation.
"""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.records import dataclass
from kdsl.source import Source
from kdsl.syntax import bracket_problems as say
from kdsl.syntax.problems import LIMIT
from kdsl.syntax.tokens import (
    BODY_WORDS,
    CHAINS,
    CLOSER,
    CLOSER_TEXT,
    CONTINUES,
    OPENER,
    Token,
    outside_brackets,
    starts_item,
    starts_statement,
)


@dataclass(frozen=True, slots=True)
class Open:
    """A bracket that is open: where, and how its line and statement are laid out."""

    index: int
    token: Token
    statement: int  # column of the first token of its statement
    indent: int  # column of the first token of its line
    body: bool  # `{` of a model, block, train, fn or settings group
    last: bool  # nothing follows it on its line


class Mender:
    def __init__(self, source: Source, tokens: Sequence[Token]) -> None:
        self.source = source
        self.tokens = tokens
        self.problems: list[Diagnostic] = []
        self.stack: list[Open] = []
        self.drop: set[int] = set()
        self.insert: dict[int, list[Token]] = {}
        self.header: int | None = None  # the line `model X ...`, until it has been given its `{`
        self.group: int | None = None  # the line `tune "stem.*"` without its `{`
        self.closed: list[tuple[int, int]] = []  # where a closer was put in, for which opener
        self.late: dict[int, tuple[int, Diagnostic]] = {}  # a body's `{` -> a `}` on its own line that did not fit it
        self.statement = self.first = 0  # where the present statement, the present line starts
        self.fresh = True  # nothing of this line has been kept yet
        self.ends = self.line_ends()

    def line_ends(self) -> list[int]:
        """For each token the index of the newline that ends its line."""
        ends, end = [0] * (len(self.tokens) + 1), len(self.tokens)
        for i in reversed(range(len(self.tokens))):
            end = i if self.tokens[i].kind == "_NL" else end
            ends[i] = end
        ends[-1] = len(self.tokens)
        return ends

    def mend(self) -> tuple[list[Token], list[Diagnostic]]:
        """The tokens and what was wrong; the tokens as they were where too much is."""
        for i, token in enumerate(self.tokens):
            if len(self.problems) > LIMIT:
                return list(self.tokens), self.problems
            if token.kind == "_NL":
                self.fresh = True
                continue
            starts_line, self.fresh = self.fresh, False
            if starts_line:
                self.first = i
                if token.kind not in CLOSER and token.kind not in CONTINUES:
                    self.line(i, token)
            if token.kind in OPENER:
                self.open(i, token)
            elif token.kind == "RBRACE":
                self.brace(i, token, starts_line)
            elif token.kind in CLOSER:
                self.close(i, token, starts_line)
        while self.stack:
            self.unclosed(self.stack.pop(), len(self.tokens))
        out: list[Token] = []
        for i in range(len(self.tokens) + 1):
            out += self.insert.get(i, ())
            out += [self.tokens[i]] if i < len(self.tokens) and i not in self.drop else []
        return out, self.problems

    def line(self, i: int, token: Token) -> None:
        """A line starts that does not go on from the one above: what it cannot be inside of ends."""
        if starts_item(self.tokens, i) and token.column <= self.tokens[0].column:
            self.header = i
        while self.stack and not self.stack[-1].body and token.column <= self.stack[-1].statement:
            self.unclosed(self.stack.pop(), i)
        if not self.stack or self.stack[-1].body:
            self.statement = i
        if self.group is None or token.column <= self.tokens[self.group].column:
            kinds = [each.kind for each in self.tokens[i : self.ends[i]]]
            self.group = i if kinds[:2] == ["NAME", "STRING"] and "LBRACE" not in kinds else None

    def open(self, i: int, token: Token) -> None:
        last = self.ends[i] == i + 1
        heads = token.kind == "LBRACE" and not any(t.kind in CHAINS for t in self.tokens[self.statement : i])
        if heads and last:
            while self.stack and not self.stack[-1].body:  # `model X(a: int {`
                self.unclosed(self.stack.pop(), i, mismatch=True)
        elif heads and self.header == self.statement and self.tokens[self.ends[i] - 1].kind == "LBRACE":
            self.drop.add(i)  # `model X { (a: int) {`
            self.problems.append(say.surplus(self.source, token))
            return
        outside = not self.stack or self.stack[-1].body
        body = outside and heads and (last or opens_body(self.tokens, self.statement, i))
        if body and self.header == self.statement:
            self.header = None
        statement, indent = self.tokens[self.statement].column, self.tokens[self.first].column
        self.stack.append(Open(i, token, statement, indent, body, last))

    def close(self, i: int, token: Token, starts_line: bool) -> None:
        """A `)` or `]`."""
        depth = next((k for k, opened in enumerate(reversed(self.stack)) if opened.body), len(self.stack))
        run = [OPENER[opened.token.kind] for opened in self.stack[len(self.stack) - depth :]]
        if token.kind in run:
            while OPENER[self.stack[-1].token.kind] != token.kind:
                self.unclosed(self.stack.pop(), i, mismatch=True)
            self.stack.pop()
        elif run and not self.follows(i, run[-1]):
            opened = self.stack.pop()  # `(` closed by `]`
            self.problems.append(say.mismatched(self.source, opened.token, token))
            self.drop.add(i)
            self.insert.setdefault(i, []).append(token.before(run[-1], CLOSER_TEXT[run[-1]]))
        else:
            self.stray(i, token, starts_line)

    def brace(self, i: int, token: Token, starts_line: bool) -> None:
        """A `}`."""
        match = self.brace_for(i, starts_line)
        if match is not None and any(self.follows(i, OPENER[o.token.kind]) for o in self.stack[match + 1 :]):
            match = None  # `( } )`: the brace is the odd one
        if match is not None:
            while len(self.stack) > match + 1:
                self.unclosed(self.stack.pop(), i)
            self.stack.pop()
        elif self.header is not None and not any(o.token.kind == "LBRACE" for o in self.stack):
            first = self.first_statement(self.header, i) if not starts_line else self.ends[self.header]
            if first is None:
                self.stray(i, token, starts_line)
            else:
                self.give_brace(self.header, first)
        elif starts_line and self.group is not None and self.tokens[self.group].column == token.column:
            near = self.tokens[self.group + 1]
            self.insert.setdefault(self.group + 2, []).append(near.after("LBRACE", "{"))
            self.problems.append(say.no_brace(self.source, self.tokens[self.group], near, ""))
            self.group = None
        else:
            self.stray(i, token, starts_line)
            if starts_line and self.stack and self.stack[-1].body:
                self.late[self.stack[-1].index] = (i, self.problems[-1])

    def first_statement(self, header: int, brace: int) -> int | None:
        """Where the body of `model X input x: f32[3] }` starts."""
        return next((k for k in range(header + 2, brace) if starts_statement(self.tokens, k)), None)

    def give_brace(self, header: int, end: int) -> None:
        """Put the `{` before token `end`, behind what is still open there."""
        near = self.tokens[end - 1]
        right = [OPENER[opened.token.kind] for opened in reversed(self.stack)]
        self.insert.setdefault(end, []).extend(near.after(kind, CLOSER_TEXT[kind]) for kind in right)
        self.insert[end].append(near.after("LBRACE", "{"))
        missing = "".join(CLOSER_TEXT[kind] for kind in right)
        self.problems.append(say.no_brace(self.source, self.tokens[header], near, missing))
        self.header = None
        self.stack.clear()

    def brace_for(self, i: int, starts_line: bool) -> int | None:
        """Which open `{` this `}` closes, going by the layout."""
        column, stack = self.tokens[i].column, self.stack
        braces = [k for k in reversed(range(len(stack))) if stack[k].token.kind == "LBRACE"]
        if not starts_line:
            fits = [k for k in braces[:1] if stack[k].index >= self.first or not stack[k].body]
        else:
            fits = [k for k in braces if (stack[k].indent == column if stack[k].body else stack[k].indent <= column)]
            fits += [k for k in braces if stack[k].body and stack[k].indent > column]
        return fits[0] if fits else None

    def stray(self, i: int, token: Token, starts_line: bool) -> None:
        self.drop.add(i)
        self.fresh = starts_line
        self.problems.append(say.stray(self.source, token))

    def unclosed(self, opened: Open, before: int, mismatch: bool = False) -> None:
        """Close what stays open, at the latest before token `before`."""
        if opened.index in self.late:  # a `}` further in than its model: take it after all
            i, diagnostic = self.late.pop(opened.index)
            self.drop.discard(i)
            self.problems.remove(diagnostic)
            return
        if opened.body and not opened.last and self.binds(opened.index):
            self.drop.add(opened.index)
            self.insert.setdefault(opened.index, []).append(opened.token.before("EQUAL", "="))
            self.problems.append(say.brace_for_equals(self.source, self.tokens[opened.index - 1], opened.token))
            return
        place = before
        if not mismatch and not opened.last and not opened.body:
            place = self.ends[opened.index]
        place = max([place, *(p for p, index in self.closed if index > opened.index)])
        self.closed.append((place, opened.index))
        while place == before and not mismatch and self.tokens[place - 1].kind == "_NL":
            place = before = place - 1
        kind, near = OPENER[opened.token.kind], self.tokens[place - 1]
        self.insert.setdefault(place, []).append(near.after(kind, CLOSER_TEXT[kind]))
        self.problems.append(say.unclosed(self.source, opened.token, near))

    def binds(self, brace: int) -> bool:
        """`name {` starts a line, where `name =` could."""
        start = brace - 1
        return self.tokens[start].kind == "NAME" and (start == 0 or self.tokens[start - 1].kind == "_NL")

    def follows(self, i: int, kind: str) -> bool:
        """This kind of token follows in this line."""
        return any(token.kind == kind for token in self.tokens[i + 1 : self.ends[i]])


def opens_body(tokens: Sequence[Token], statement: int, brace: int) -> bool:
    """The `{` at `brace` opens a body of statements, not a group of steps."""
    kind = tokens[statement].kind
    if kind in BODY_WORDS and starts_item(tokens, statement):
        formula = any(token.kind == "EQUAL" for token in outside_brackets(tokens[statement:brace]))
        return kind != "FN" or not formula
    between = [token.kind for token in tokens[statement:brace]]
    return between in (["NAME"], ["NAME", "STRING"])
