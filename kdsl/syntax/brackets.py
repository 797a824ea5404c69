"""Brackets that do not balance: the culprit is found, reported and mended before the parser runs.

Every model, block, train ... is mended for itself, by its layout where that blames fewer brackets than their order
alone. Layout counts only here: where the brackets of an item balance, its lines may be laid out in any way.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.source import Source
from kdsl.syntax.bracket_problems import nested, stray, unclosed
from kdsl.syntax.mender import Mender
from kdsl.syntax.problems import DEPTH, LIMIT
from kdsl.syntax.tokens import CLOSER, CLOSER_TEXT, OPENER, Token, balanced, starts_item


def balance(source: Source, tokens: Sequence[Token], problems: list[Diagnostic]) -> list[Token]:
    """The tokens with brackets put in or left out until they balance; adds to `problems`, one for a line."""
    out: list[Token] = []
    for item in items(tokens):
        mended: Sequence[Token] = item
        if not balanced(item):
            mended, found = Mender(source, item).mend()
            in_order, others = by_order(source, item)
            if len(others) < len(found) or not balanced(mended):
                mended, found = in_order, others
            if not balanced(mended):  # beyond mending
                mended = [token for token in item if token.kind not in OPENER and token.kind not in CLOSER]
            spoken = {p.span.line for p in problems}
            for diagnostic in sorted(found[:LIMIT], key=lambda p: p.span.start):
                if diagnostic.span.line not in spoken:
                    problems.append(diagnostic)
                    spoken.add(diagnostic.span.line)
        out += mended
    return out


def items(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """Split before lines that start `model X`, `block X` ... at the left."""
    starts = [i for i in range(len(tokens)) if starts_item(tokens, i) and (i == 0 or tokens[i - 1].kind == "_NL")]
    left = tokens[starts[0]].column if starts else 1
    cuts = [0, *(i for i in starts if tokens[i].column <= left and i > 0), len(tokens)]
    return [tokens[a:b] for a, b in itertools.pairwise(cuts)]


def by_order(source: Source, tokens: Sequence[Token]) -> tuple[list[Token], list[Diagnostic]]:
    """By the order of the brackets alone: stray closers go, what is open closes where something else does."""
    stack: list[Token] = []
    out: list[Token] = []
    found: list[Diagnostic] = []
    for token in tokens:
        if len(found) > LIMIT:
            return list(tokens), found
        if token.kind in CLOSER:
            if token.kind not in (OPENER[opened.kind] for opened in stack):
                found.append(stray(source, token))
                continue
            while OPENER[stack[-1].kind] != token.kind:
                opened = stack.pop()
                found.append(unclosed(source, opened, last_on_line(out)))
                out.append(token.before(OPENER[opened.kind], CLOSER_TEXT[OPENER[opened.kind]]))
            stack.pop()
        elif token.kind in OPENER:
            stack.append(token)
        out.append(token)
    while stack:
        opened = stack.pop()
        found.append(unclosed(source, opened, last_on_line(out)))
        out.append(out[-1].after(OPENER[opened.kind], CLOSER_TEXT[OPENER[opened.kind]]))
    return out, found


def last_on_line(tokens: Sequence[Token]) -> Token:
    """The last token that is no newline."""
    return next(token for token in reversed(tokens) if token.kind != "_NL")


def too_deep(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """Brackets inside brackets beyond reason: nothing of such a file is read."""
    depth = 0
    for token in tokens:
        depth = max(0, depth + (token.kind in OPENER) - (token.kind in CLOSER))
        if depth > DEPTH:
            return nested(source, token)
    return None
