"""One token of a good model is lost, doubled or replaced: nothing crashes, and one mistake stays one message."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from mutants import FILES, MOST, Tally, examine, original, sample, whole_files

from kdsl.elaborate import elaborate
from kdsl.lint import lint
from kdsl.source import Source, Span
from kdsl.syntax import parse, tree

SAMPLE, SEED = 1000, 5


def test_one_mistake_is_few_messages() -> None:
    """All stages together: what follows from a mistake is not reported beside it."""
    result = examine(sample(SAMPLE, SEED, whole_files()), Tally(), whole=True)
    assert not result.wrong, "\n\n".join(result.wrong[:5])
    assert result.few() >= 0.995, "\n\n".join(result.many)
    assert max(result.problems) <= MOST, result.problems
    assert result.problems[1] >= 0.8 * result.count, result.problems
    assert len(result.useless) <= 0.02 * result.edits, "\n\n".join(result.useless[:5])


def test_damaged_trees_are_elaborated_in_silence_or_with_words() -> None:
    """Values and steps of all good files, whole language included, put into each other's places."""
    rng = random.Random(SEED)
    trees = [parse(Source("x", original(path))).tree for path in FILES]
    values = [part for each in trees for part in parts(each) if isinstance(part, VALUES)]
    steps = [part for each in trees for part in parts(each) if isinstance(part, STEPS)]
    for _ in range(300):
        file = swapped(rng.choice(trees), rng, values, steps)
        result = elaborate(file)
        lint(file, result)


VALUES = (tree.Number, tree.Quantity, tree.Text, tree.Bool, tree.Path, tree.Call, tree.ListOf, tree.Parens)
VALUES += (tree.Index, tree.Unary, tree.Binary, tree.Choice, tree.Pipe)
STEPS = (tree.Layer, tree.Repeat, tree.For, tree.Choose, tree.Chain)


def parts(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple):
        for each in node:
            yield from parts(each)
    elif is_dataclass(node) and not isinstance(node, (Span, Source)):
        yield node
        for field in fields(node):
            yield from parts(getattr(node, field.name))


def swapped(node: Any, rng: random.Random, values: list[Any], steps: list[Any]) -> Any:
    """The tree with about one in thirty values and steps replaced by another."""
    if isinstance(node, tuple):
        return tuple(swapped(each, rng, values, steps) for each in node)
    if not is_dataclass(node) or isinstance(node, (Span, Source)):
        return node
    if isinstance(node, VALUES) and rng.random() < 0.03:
        return rng.choice(values)
    if isinstance(node, STEPS) and rng.random() < 0.03:
        return rng.choice(steps)
    changed = {
        f.name: swapped(getattr(node, f.name), rng, values, steps)
        for f in fields(node)
        if f.init and f.name not in ("path", "pattern")
    }
    return replace(node, **changed)  # type: ignore[type-var]
