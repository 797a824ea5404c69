"""What is checked of every text the formatter makes, before anyone sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from kdsl.source import Source
from kdsl.syntax import Parsed, parse, tree
from kdsl.syntax.tokens import lex

PLACES = frozenset({"span", "head", "source"})


def problem(before: Parsed, text: str, lay_out: Callable[[Source, Parsed], str]) -> str:
    """Why the new text may not stand for the old one; empty where it may.

    It must be read as the same tree, hold the same comments in the same order, and stay as it is when formatted again.
    """
    old = before.tree.source
    new = Source(old.name, text)
    after = parse(new)
    if codes(before) != codes(after) or not same(before.tree.items, after.tree.items):
        return "is not read as the same"
    if comments(old) != comments(new):
        return "lost a comment"
    if lay_out(new, after) != text:
        return "changes when it is formatted again"
    return ""


def codes(parsed: Parsed) -> Counter[str]:
    return Counter(found.code for found in parsed.diagnostics)


def comments(source: Source) -> list[str]:
    return [comment.text.rstrip() for comment in lex(source)[1]]


def same(left: Any, right: Any) -> bool:
    """Two trees say the same, wherever it stands. What could not be read is compared as text."""
    stack = [(left, right)]
    while stack:
        a, b = stack.pop()
        if type(a) is not type(b):
            return False
        if isinstance(a, tuple):
            if len(a) != len(b):
                return False
            stack.extend(zip(a, b, strict=True))
        elif is_dataclass(a):
            if isinstance(a, tree.Broken) and a.span.text != b.span.text:
                return False
            stack.extend((getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.name not in PLACES)
        elif a != b:
            return False
    return True
