"""One token of a good model is lost, doubled or replaced: nothing crashes, and one mistake stays one message."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from elaborate_corpus import GOOD, HERE, ROOT

from kdsl.elaborate import elaborate
from kdsl.lint import lint
from kdsl.source import Source, Span
from kdsl.syntax import parse, tree

SAMPLE, SEED = 1000, 5
TEXTS = [path.read_text(encoding="utf-8") for path in GOOD]


@pytest.fixture(autouse=True)
def beside_the_good_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports are relative to the file they stand in."""
    monkeypatch.chdir(HERE / "good")


def mutants(rng: random.Random, texts: list[str]) -> Iterator[str]:
    tokens = [[t for t in parse(Source("x", text)).tokens if t.text.strip()] for text in texts]
    words = [token.text for each in tokens for token in each]
    while True:
        number = rng.randrange(len(texts))
        text, token = texts[number], rng.choice(tokens[number])
        before, after = text[: token.start], text[token.stop :]
        change = rng.randrange(4)
        if change == 0:
            yield before + after
        elif change == 1:
            yield f"{before}{token.text} {token.text}{after}"
        elif change == 2:
            yield before + rng.choice(words) + after
        else:
            yield f"{before}{rng.choice(words)} {token.text}{after}"


@pytest.mark.parametrize("with_blocks", [False, True])
def test_one_mistake_is_few_messages(with_blocks: bool) -> None:
    found: Counter[int] = Counter()
    source = mutants(random.Random(SEED), [text for text in TEXTS if ("block " in text) == with_blocks])
    sample = SAMPLE // 2 if with_blocks else SAMPLE
    for _ in range(sample):
        text = next(source)
        parsed = parse(Source("x", text))
        result = elaborate(parsed.tree)
        lint(parsed.tree, result)
        count = len(parsed.diagnostics) + len(result.diagnostics)
        found[count] += 1
        assert count <= 5, text
        for diagnostic in result.diagnostics:
            for label in (diagnostic.primary, *diagnostic.secondary):
                assert 0 <= label.span.start <= label.span.stop <= len(label.span.source.text), diagnostic.message
    assert sum(count for size, count in found.items() if size > 2) <= sample // 50, found
    assert found[1] >= sample * 3 // 4, found


def test_damaged_trees_are_elaborated_in_silence_or_with_words() -> None:
    """Values and steps of all good files, whole language included, put into each other's places."""
    rng = random.Random(SEED)
    everything = [p.read_text(encoding="utf-8") for p in (ROOT / "tests" / "good").rglob("*.kmodel")] + TEXTS
    trees = [parse(Source("x", text)).tree for text in everything]
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
        f.name: swapped(getattr(node, f.name), rng, values, steps) for f in fields(node) if f.init and f.name not in ("path", "pattern")
    }
    return replace(node, **changed)  # type: ignore[type-var]
