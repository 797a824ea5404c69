"""The place where the parser stopped, and what a message needs to know about it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import cached_property

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.syntax.machine import Machine
from kdsl.syntax.problems import Change, problem
from kdsl.syntax.tokens import CLOSER, END, INFIX, OPENER, Token

FLOW_STARTS = frozenset({"EQUAL", "RETURN", "COMMA", "THEN", "ELSE", "IF", "ARROW", "_NL"})
FLOW_ENDS = frozenset({"COMMA", "THEN", "ELSE", "COLON"})


class Where:
    """`found` is the token that does not fit; `rule` the innermost rule the parser is certainly in, `enclosing` all
    of them from there outwards; `begin` and `i` are the indices of the statement's first token and of `found`."""

    def __init__(self, machine: Machine, tokens: Sequence[Token], begin: int, i: int, top: bool) -> None:
        self.machine = machine
        self.accepts = machine.accepts
        self.source = machine.source
        self.tokens, self.low, self.i, self.top = tokens, begin, i, top
        self.begin = tokens[begin]
        self.previous = tokens[i - 1] if i > begin else None
        self.following = tokens[i + 1] if i + 1 < len(tokens) else tokens[i]
        self.found = tokens[i]
        before = self.previous
        ended = self.found.kind in END or (
            self.found.kind == "RBRACE" and before is not None and self.found.line > before.line
        )  # the layout pass takes the newline before `}` away
        if ended and before is not None:
            self.found = before.after("_NL", "\n")  # the line ends here, whatever comment stands behind
        inside = machine.table.inside
        self.enclosing = [inside[state] for state in reversed(machine.states) if inside[state]] + ["start"]
        self.rule = self.enclosing[0]

    @cached_property
    def wants_value(self) -> bool:
        return self.accepts("INT") and self.accepts("NAME")

    @cached_property
    def after_value(self) -> bool:
        return self.accepts("PLUS") or self.accepts("STAR")

    @cached_property
    def after_step(self) -> bool:
        """A complete step lies behind: only `->`, `as` or the end may follow."""
        return self.accepts("ARROW") and not self.accepts("STAR") and self.previous is not None

    @property
    def line_ended(self) -> bool:
        return self.found.kind in END or self.found.kind == "RBRACE"

    def say(
        self,
        code: str,
        message: str,
        at: Token,
        help: str = "",
        changes: Iterable[Change] = (),
        secondary: Iterable[Label] = (),
    ) -> Diagnostic:
        return problem(self.source, code, message, at, help, changes, secondary)

    # -- the text around

    def read(self) -> Sequence[Token]:
        """The statement's tokens before the one that does not fit."""
        return self.tokens[self.low : self.i]

    def text(self, first: int, behind: int) -> str:
        """The source from token `first` to the one before `behind`."""
        return self.source.text[self.tokens[first].start : self.tokens[behind - 1].stop] if first < behind else ""

    def flow_start(self, i: int, stops: frozenset[str] = FLOW_STARTS) -> int:
        """Index of the first token of the value that ends before token `i`, operators included."""
        depth = 0
        for k in range(i - 1, self.low - 1, -1):
            kind = self.tokens[k].kind
            depth += (kind in CLOSER) - (kind in OPENER)
            if depth < 0 or (depth == 0 and kind in stops and kind not in OPENER):
                return k + 1
        return self.low

    def pipe_start(self, i: int) -> int:
        """The same for a whole flow: arrows belong to it."""
        return self.flow_start(i, FLOW_STARTS - {"ARROW"})

    def operand_start(self, i: int) -> int:
        """Index of the first token of the last operand before token `i`."""
        return self.flow_start(i, FLOW_STARTS | INFIX)

    def flow_end(self, i: int, stops: frozenset[str] = frozenset()) -> int:
        """Index behind the value that token `i` starts or stands in: at a comma, a closer, `else`, or the line's end;
        and at what is in `stops`."""
        depth = 0
        for k in range(i, len(self.tokens)):
            kind = self.tokens[k].kind
            if depth == 0 and (kind in CLOSER or kind in END or kind in FLOW_ENDS or kind in stops):
                return k
            depth += (kind in OPENER) - (kind in CLOSER)
        return len(self.tokens) - 1

    def line_end(self) -> int:
        """Index of the token that ends the line of `found`."""
        return next(k for k in range(self.i, len(self.tokens)) if self.tokens[k].kind in END)

    def closing(self, i: int) -> int:
        """The bracket that closes the one at `i`."""
        depth = 0
        for k in range(i, len(self.tokens)):
            depth += (self.tokens[k].kind in OPENER) - (self.tokens[k].kind in CLOSER)
            if depth == 0:
                return k
        return len(self.tokens) - 1

    def opening(self, i: int) -> int:
        """The bracket that the one at `i` closes."""
        depth = 0
        for k in range(i, -1, -1):
            depth += (self.tokens[k].kind in CLOSER) - (self.tokens[k].kind in OPENER)
            if depth == 0:
                return k
        return 0

    def bound(self) -> set[str]:
        """The names that `name = ...` and `word name: ...` bind above this statement."""
        before = self.tokens[: self.low]
        pairs = itertools.pairwise(before)
        return {a.text for a, b in pairs if b.kind in ("EQUAL", "COLON", "COMMA")}

    def free_name(self) -> str:
        """A name for a value that has none."""
        taken = {token.text for token in self.tokens if token.kind == "NAME"}
        names = itertools.chain(["h"], (f"h{n}" for n in itertools.count(2)))
        return next(name for name in names if name not in taken)
