"""What the tests of the parser share: the corpora, and the statements of a tree without their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from kdsl.source import Source, Span
from kdsl.syntax import Parsed, parse, tree

TESTS = Path(__file__).resolve().parent.parent
GOOD = sorted((TESTS / "good").rglob("*.kmodel"))
BAD = sorted((TESTS / "bad").glob("1*.kmodel"))
STATEMENTS = (tree.Import, tree.Dim, tree.Input, tree.Target, tree.Weight, tree.Output, tree.Return, tree.Let)
HEADED = (tree.Fn, tree.Block, tree.Model, tree.Train, tree.Group)


def parse_text(text: str, name: str = "test.kmodel") -> Parsed:
    return parse(Source(name, text))


def shape(node: Any, skip: tuple[str, ...] = ()) -> Any:
    """A node without its places: equal for trees that mean the same."""
    if isinstance(node, tuple):
        return tuple(shape(child) for child in node)
    if is_dataclass(node):
        kept = (f.name for f in fields(node) if f.name not in ("span", "head", "source", "doc", *skip))
        return (type(node).__name__, *(shape(getattr(node, name)) for name in kept))
    return node


def nodes(node: Any) -> Iterator[Any]:
    """The node and all inside it."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(reversed(current))
        elif is_dataclass(current) and not isinstance(current, (Span, Source)):
            yield current
            stack.extend(reversed([getattr(current, field.name) for field in fields(current)]))


def statements(file: tree.File) -> list[tuple[Any, int, int]]:
    """(contents, start, stop) of every statement, and of every first line of a model, block, train, group or fn."""
    found: list[tuple[Any, int, int]] = []
    for node in nodes(file):
        if isinstance(node, STATEMENTS):
            found.append((shape(node), node.span.start, node.span.stop))
        elif isinstance(node, HEADED):
            stop = node.span.start + (node.span.text + "{").index("{")
            found.append((shape(node, ("body",)), node.span.start, stop))
    return found
