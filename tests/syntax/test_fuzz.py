"""Texts nobody would write: always a tree, never an exception, every place inside the text."""

from __future__ import annotations

import random

import pytest
from syntax_corpus import GOOD, nodes, parse_text, shape

from kdsl.diagnostics.concise import render_concise
from kdsl.diagnostics.edits import apply
from kdsl.diagnostics.json import render_json
from kdsl.diagnostics.text import render_text
from kdsl.syntax import tree
from kdsl.syntax.table import load

TEXTS = [path.read_text(encoding="utf-8") for path in GOOD]
WORDS = [*load().words, "x", "Net", "f32", "index", "7", "0.5", "1e-3", "5 epochs", '"text"', "relu", "dense(3)"]
MARKS = [
    *"()[]{}=,:.+-*/@",
    "->",
    "**",
    "==",
    "<",
    ":=",
    "//",
    ";",
    "'x'",
    "->",
    "=",
    "\n",
    "\n  ",
    "# note\n",
    "$",
    '"',
]


def check(text: str) -> None:
    parsed = parse_text(text)
    broken = any(isinstance(node, (tree.Broken, tree.BrokenItem)) for node in nodes(parsed.tree))
    assert parsed.diagnostics or not broken, text
    for node in nodes(parsed.tree):
        assert 0 <= node.span.start <= node.span.stop <= len(text), text
    for diagnostic in parsed.diagnostics:
        assert 0 <= diagnostic.span.start <= diagnostic.span.stop <= len(text), text
        parse_text(apply(text, diagnostic.edits))
    render_text(parsed.diagnostics, colour=True)
    render_concise(parsed.diagnostics)
    render_json(parsed.diagnostics)


@pytest.mark.parametrize("seed", range(4))
def test_random_tokens(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(150):
        pool = WORDS + MARKS * rng.choice([1, 3])
        check(" ".join(rng.choice(pool) for _ in range(rng.randrange(1, 60))))


@pytest.mark.parametrize("seed", range(2))
def test_random_characters(seed: int) -> None:
    rng = random.Random(seed)
    alphabet = "abx_19.()[]{}=,:->+*/\"'# \n\t\r\\\x00é\u202e\u00a0大🙂"
    for _ in range(150):
        check("".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 80))))


def test_truncated_files() -> None:
    rng = random.Random(7)
    for text in TEXTS:
        for _ in range(10):
            check(text[: rng.randrange(len(text) + 1)])
            check(text[rng.randrange(len(text) + 1) :])


def test_several_mistakes_at_once() -> None:
    rng = random.Random(8)
    for text in TEXTS:
        for _ in range(8):
            mutant = text
            for _ in range(rng.randrange(2, 6)):
                at = rng.randrange(len(mutant) + 1)
                mutant = mutant[:at] + f" {rng.choice(WORDS + MARKS)} " + mutant[at + rng.randrange(4) :]
            check(mutant)


def test_lines_in_any_order() -> None:
    rng = random.Random(9)
    for text in TEXTS:
        lines = text.split("\n")
        rng.shuffle(lines)
        check("\n".join(lines))


def test_items_stand_in_any_order() -> None:
    for text in TEXTS:
        items = parse_text(text).tree.items
        turned = parse_text("\n".join(item.span.text for item in reversed(items)))
        assert turned.diagnostics == ()
        assert [shape(item) for item in turned.tree.items] == [shape(item) for item in reversed(items)]
