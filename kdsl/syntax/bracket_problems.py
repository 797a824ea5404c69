"""What is said about brackets that do not balance."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.source import Source
from kdsl.syntax.problems import DEPTH, indentation, problem, shown
from kdsl.syntax.tokens import CLOSER_TEXT, OPENER, Token


def nested(source: Source, token: Token) -> Diagnostic:
    return problem(source, "E120", f"this is nested more than {DEPTH} deep", token, "give its parts names")


def unclosed(source: Source, opener: Token, near: Token) -> Diagnostic:
    """`near` is what the missing closer belongs behind."""
    right = CLOSER_TEXT[OPENER[opener.kind]]
    lone = opener.kind == "LBRACE" and near.line != opener.line
    text = "\n" + indentation(source, opener.start) + right if lone else right
    help = f"write `{right}` after {shown(near)} in line {near.line}"
    return problem(
        source, "E103", f"this `{opener.text}` is never closed", opener, help, [(near.stop, near.stop, text)]
    )


def mismatched(source: Source, opener: Token, closer: Token) -> Diagnostic:
    right = CLOSER_TEXT[OPENER[opener.kind]]
    message = f"`{opener.text}` in line {opener.line} is closed by `{closer.text}`"
    secondary = [] if opener.line == closer.line else [Label(opener.span(source), "opened here")]
    change = [(closer.start, closer.stop, right)]
    return problem(source, "E103", message, closer, f"write `{right}` for `{closer.text}`", change, secondary)


def stray(source: Source, closer: Token) -> Diagnostic:
    change = [(closer.start, closer.stop, "")]
    return problem(
        source, "E104", f"this `{closer.text}` closes nothing", closer, f"remove the `{closer.text}`", change
    )


def surplus(source: Source, opener: Token) -> Diagnostic:
    change = [(opener.start, opener.stop, "")]
    return problem(source, "E104", f"this `{opener.text}` is one too many", opener, "remove it", change)


def brace_for_equals(source: Source, name: Token, opener: Token) -> Diagnostic:
    """`h { x -> relu`."""
    help = f"a value is bound with `=`: `{name.text} = ...`"
    change = [(opener.start, opener.stop, "=")]
    return problem(source, "E103", f"this `{opener.text}` is never closed", opener, help, change)


def no_brace(source: Source, header: Token, near: Token, missing: str) -> Diagnostic:
    """The first line of an item lacks its `{`, and perhaps closers before it."""
    message = f"the body of this `{header.text}` does not start with `{{`"
    change = [(near.stop, near.stop, missing + " {")]
    return problem(source, "E118", message, header, f"write `{missing}{{` after {shown(near)}", change)
