"""Messages about what is missing between two things that stand side by side."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.syntax.problems import quoted, shown
from kdsl.syntax.tokens import CONTINUES, END, INFIX, LITERALS, NAME_WORDS, VALUE_STARTS
from kdsl.syntax.where import Where

COMMA_RULES = frozenset(
    {"args", "list", "shape", "params", "param", "tuple", "index", "slice", "keyword", "parens", "layer"}
    | {"pipe", "call", "type"}
)
FLOW_RULES = frozenset({"let", "return_", "output", "pipe", "layer", "chain", "choose", "repeat", "for_", "each"})
STEP_STARTS = NAME_WORDS | {"REPEAT", "FOR", "IF"}


def equal_sign(w: Where) -> Diagnostic | None:
    """`adam(lr 3e-4)`."""
    found, previous = w.found, w.previous
    named = found.kind in LITERALS and previous is not None and previous.kind in NAME_WORDS
    if not named or previous is None or "args" not in w.enclosing[:3] or not w.accepts("EQUAL"):
        return None
    change = [(previous.stop, found.start, " = ")]
    help = f"write {quoted(f'{previous.text} = {found.text}')}"
    return w.say("E121", f"a `=` is missing after {shown(previous)}", found, help, change)


def arrow(w: Where) -> Diagnostic | None:
    """`x -> conv(3) relu`, `x dense(10)`, and a line among steps in braces that starts with a layer."""
    behind = w.found
    if w.found.kind in END and w.i + 1 < len(w.tokens) and w.tokens[w.i].kind == "_NL" and "chain" in w.enclosing:
        behind = w.tokens[w.i + 1]
    if behind.kind not in STEP_STARTS or not w.accepts("ARROW") or w.rule not in FLOW_RULES:
        return None
    called = w.following.kind == "LPAR" and behind.kind in NAME_WORDS
    plain = not any(token.kind in INFIX for token in w.tokens[w.flow_start(w.i) : w.i])
    if not w.after_step and not (called and plain):
        return None
    change = [(behind.start, behind.start, "-> ")]
    return w.say("E128", f"the arrow before {shown(behind)} is missing", behind, f"write `-> {behind.text}`", change)


def comma(w: Where) -> Diagnostic | None:
    found = w.found
    if found.kind not in VALUE_STARTS or not w.accepts("COMMA") or w.rule not in COMMA_RULES or w.previous is None:
        return None
    if not any(rule in ("args", "list", "shape", "params", "tuple", "index") for rule in w.enclosing):
        return None
    change = [(w.previous.stop, w.previous.stop, ",")]
    return w.say("E114", f"a comma is missing before {shown(found)}", found, f"write `, {found.text}`", change)


def continued_line(w: Where) -> Diagnostic | None:
    """A line that starts with an operator, below one that is complete."""
    found, previous = w.found, w.previous
    if found.kind not in CONTINUES or previous is None or previous.line >= found.line:
        return None
    help = f"a line that starts with {shown(found)} goes on from the line above, which is complete"
    return w.say("E112", f"{shown(found)} does not fit here", found, help)
