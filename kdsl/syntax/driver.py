"""Runs the machine over a file. At a mistake the statement becomes one broken node, and reading goes on behind it.

A damaged first line of a model, block ... becomes a broken header, so that its body is still read.
"""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.records import dataclass
from kdsl.source import Source, Span
from kdsl.syntax import tree
from kdsl.syntax.bracket_problems import nested
from kdsl.syntax.builder import binds
from kdsl.syntax.explain import ends_early, explain, needs_newline
from kdsl.syntax.machine import Machine, TooDeep
from kdsl.syntax.problems import LIMIT
from kdsl.syntax.tokens import BODY_WORDS, BROKEN, END, ITEM_WORDS, NAME_WORDS, Token, starts_item, starts_statement
from kdsl.syntax.where import Where

OF_BODIES = frozenset({"E105", "E115", "E119"})  # said about statements; outside of a body once for all in a row
GOES_ON = frozenset({"EQUAL", "COLON", "COMMA", "DOT", "IN"})  # no statement starts with one


@dataclass(frozen=True, slots=True)
class Header:
    """The damaged first line of an item, in place of its tokens."""

    name: str | None
    span: Span


class Driver:
    def __init__(
        self, source: Source, machine: Machine, tokens: list[Token], depth: list[int], problems: list[Diagnostic]
    ) -> None:
        self.source = source
        self.machine = machine
        self.tokens, self.depth, self.problems = tokens, depth, problems
        self.begin, self.height = 0, 1  # where the present statement starts: token, height of the parser's stack
        self.top = True  # it stands outside every body
        self.strayed = False  # the one before stands outside too, and belongs in a body

    def run(self) -> tree.File | None:
        """The tree; None where there are too many problems to go on."""
        machine, i = self.machine, 0
        stuck = (-1, -1)
        while i < len(self.tokens):
            token = self.tokens[i]
            if machine.can_shift("ERROR_STMT"):
                self.begin, self.height = i, len(machine.states)
                self.top = machine.can_shift("ERROR_HEADER")
                self.strayed = self.strayed and self.top and token.kind not in ITEM_WORDS
            try:
                if token.kind not in BROKEN and machine.feed(token):
                    i += 1
                    continue
                at = (i, len(machine.states))
                i = self.recover(i + (stuck == at))  # a parser that hangs would be worse than one that skips
                stuck = at
            except TooDeep:
                i = self.abandon(i, nested(self.source, self.tokens[self.begin]))
            if len(self.problems) >= LIMIT:
                return None
        result = machine.values[0]
        assert isinstance(result, tree.File)
        return result

    def recover(self, i: int) -> int:
        """Report what is wrong at token `i` and mend the parser's stack; the index to go on at."""
        machine, tokens = self.machine, self.tokens
        i = min(i, len(tokens) - 1)
        token = tokens[i]
        newline_fits = machine.accepts("_NL")
        if newline_fits and i > 0 and starts_statement(tokens, i):
            self.report(needs_newline(self.source, token), self.begin, i)
            machine.feed(token.before("_NL", "\n"))
            return i
        joined = self.join_header(i)
        if joined is not None:
            return joined
        found = explain(Where(machine, tokens, self.begin, i, self.top))
        if len(machine.states) < self.height or (newline_fits and tokens[i - 1].kind == "RBRACE"):
            if newline_fits:
                machine.feed(token.before("_NL", "\n"))
            self.begin = i
            self.height = len(machine.states)
        return self.abandon(i, found)

    def join_header(self, i: int) -> int | None:
        """The first line of an item ended too early, and goes on in the next: leave the newline out."""
        tokens = self.tokens
        begin, newline = tokens[self.begin], tokens[i]
        if newline.kind != "_NL" or begin.kind not in BODY_WORDS or i == self.begin:
            return None
        behind = tokens[i + 1]
        end = next(k for k in range(i + 1, len(tokens)) if tokens[k].kind in END or tokens[k].kind == "LBRACE")
        if tokens[end].kind != "LBRACE" or starts_item(tokens, i + 1) or not self.machine.accepts(behind.kind):
            return None
        self.report(ends_early(self.source, begin, tokens[i - 1], behind), self.begin, i)
        del tokens[i], self.depth[i]
        return i

    def abandon(self, i: int, found: Diagnostic | None) -> int:
        """Make one broken node of the statement that token `i` spoils."""
        machine, begin = self.machine, self.begin
        del machine.states[self.height :]
        del machine.values[self.height - 1 :]
        del machine.depths[self.height - 1 :]
        headed = machine.can_shift("ERROR_HEADER")
        brace = self.header_brace(begin, i) if headed else None
        end = self.statement_end(begin, i) if brace is None else brace
        lead = self.tokens[begin]
        strays = self.top and found is not None and found.code in OF_BODIES and lead.kind not in ITEM_WORDS
        self.report(None if strays and self.strayed else found, begin, end)
        self.strayed = strays
        span = self.span(begin, end)
        if brace is not None or (headed and self.indented_body(begin, end)):
            named = lead.kind in BODY_WORDS and self.tokens[begin + 1].kind in NAME_WORDS
            header = Header(self.tokens[begin + 1].text if named else None, span)
            machine.feed(lead.read_as("ERROR_HEADER"), header)
        else:
            names = binds(self.tokens[begin:end])
            machine.feed(lead.read_as("ERROR_STMT"), tree.Broken(names, span, machine.builder.doc(span)))
        return end

    def span(self, begin: int, end: int) -> Span:
        first, last = self.tokens[begin], self.tokens[max(begin, end - 1)]
        return self.source.span(first.start, max(first.start, last.stop if end > begin else first.start))

    def report(self, found: Diagnostic | None, begin: int, end: int) -> None:
        """One problem for one statement: what follows from an earlier one is not said."""
        if found is None:
            return
        low, high = self.tokens[begin].start, self.tokens[max(begin, end - 1)].stop
        if begin == end or not any(low <= p.span.start <= high for p in self.problems):
            self.problems.append(found)

    def indented_body(self, begin: int, end: int) -> bool:
        """`model X:` and indented lines: put the braces in."""
        tokens, depth = self.tokens, self.depth
        behind = tokens[min(end + 1, len(tokens) - 1)]
        heads = starts_item(tokens, begin) and tokens[begin].kind in BODY_WORDS and tokens[end].kind == "_NL"
        if not heads or behind.column <= tokens[begin].column:
            return False
        stop = self.dedent(begin, end + 1)
        tokens[stop:stop] = [tokens[stop - 1].after("RBRACE", "}")]
        depth[stop:stop] = [depth[begin]]
        tokens[end] = tokens[end].before("LBRACE", "{")
        depth[end + 1 : stop] = [d + 1 for d in depth[end + 1 : stop]]
        return True

    def dedent(self, begin: int, k: int) -> int:
        """The first newline (or the end) from `k` on, behind which no line is deeper than token `begin`."""
        tokens, depth = self.tokens, self.depth
        while tokens[k].kind != "$END":
            left = tokens[k].kind == "_NL" and depth[k] == depth[begin]
            if (left and tokens[k + 1].column <= tokens[begin].column) or depth[k] < depth[begin]:
                break
            k += 1
        return k

    def header_brace(self, begin: int, i: int) -> int | None:
        """The `{` of a damaged `model X {`: the parser goes on inside the body."""
        tokens, depth = self.tokens, self.depth
        for k in range(begin, len(tokens)):
            if depth[k] == depth[begin] and tokens[k].kind in END and not self.header_goes_on(begin, k):
                return None
            if tokens[k].kind == "LBRACE" and depth[k] == depth[begin] and k >= i:
                following = tokens[k + 1]
                headed = tokens[begin].kind in BODY_WORDS
                if following.line > tokens[k].line or headed or starts_statement(tokens, k + 1):
                    return k
        return None

    def header_goes_on(self, begin: int, k: int) -> bool:
        """Behind the newline `k` stands more of the first line of an item, up to its `{`."""
        tokens = self.tokens
        if tokens[k].kind != "_NL" or tokens[begin].kind not in BODY_WORDS or starts_statement(tokens, k + 1):
            return False
        end = next(n for n in range(k + 1, len(tokens)) if tokens[n].kind in END)
        brace = next((n for n in range(k + 1, end) if tokens[n].kind == "LBRACE"), end)
        return brace < end and tokens[brace + 1].line > tokens[brace].line

    def statement_end(self, begin: int, i: int) -> int:
        """The token behind the broken statement; lines indented deeper than it belong to it."""
        tokens, depth = self.tokens, self.depth
        for k in range(i, len(tokens)):
            if depth[k] < depth[begin] or tokens[k].kind == "$END":
                return k
            if tokens[k].kind == "_NL" and depth[k] == depth[begin]:
                if self.heads_foreign_body(begin, k):
                    return self.dedent(begin, k)
                behind = tokens[k + 1]
                goes_on = behind.column > tokens[begin].column or behind.kind in GOES_ON
                if not goes_on or starts_statement(tokens, k + 1):
                    return k
        return len(tokens) - 1

    def heads_foreign_body(self, begin: int, newline: int) -> bool:
        """`for w in (32, 64):`, `def f(x):`: the deeper lines below are of that other language too."""
        lead = self.tokens[begin]
        return self.tokens[newline - 1].kind == "COLON" and lead.kind not in BODY_WORDS and newline - begin > 1
