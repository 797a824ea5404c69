"""Lines: which newlines end a statement, and which comments document one."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.syntax.tokens import CLOSER, CONTINUES, OPENER, Token


def layout(tokens: Sequence[Token]) -> tuple[list[Token], list[int]]:
    """Only the newlines that end statements, with an `$END` token behind; and the bracket depth of each token."""
    out: list[Token] = []
    depth: list[int] = []
    stack: list[str] = []
    held: Token | None = None
    for token in tokens:
        kind = token.kind
        if kind == "_NL":
            held = held or token
            continue
        if held is not None:
            inside = bool(stack) and stack[-1] != "LBRACE"
            if out and not inside and out[-1].kind != "LBRACE" and kind not in CONTINUES and kind != "RBRACE":
                out.append(held)
                depth.append(len(stack))
            held = None
        if kind in CLOSER and stack:
            stack.pop()
        out.append(token)
        depth.append(len(stack))
        if kind in OPENER:
            stack.append(kind)
    end = out[-1] if out else Token("_NL", "", 0, 0, 1, 1)
    out.append(end.after("$END", ""))
    depth.append(0)
    return out, depth


def docs(tokens: Sequence[Token], comments: Sequence[Token]) -> dict[int, str]:
    """`##` lines directly above a statement belong to it: where it starts -> its text.

    A `##` behind something on its line documents nothing.
    """
    busy = {token.line for token in tokens if token.kind != "_NL"}
    lines = {c.line: c.text[2:].strip() for c in comments if c.text.startswith("##") and c.line not in busy}
    found: dict[int, str] = {}
    if not lines:
        return found
    fresh = True
    for token in tokens:
        if token.kind != "_NL" and fresh:
            above, line = [], token.line - 1
            while line in lines:
                above.append(lines[line])
                line -= 1
            if above:
                found[token.start] = "\n".join(reversed(above))
        fresh = token.kind == "_NL"  # what begins its line
    return found
