"""Expressions thrown together: whatever they say, it is a diagnostic or a graph, never an exception."""

from __future__ import annotations

import random

import pytest

from kdsl.elaborate import elaborate
from kdsl.ops.registry import LAYERS
from kdsl.passes.pipeline import make_graphs
from kdsl.source import Source
from kdsl.syntax import parse

HEAD = (
    "model Net(k: int = 2, w: word = relu) {\n  input x: f32[4, 6]\n  input v: f32[6]\n  input n: i32[3]\n  input on: bool[6]\n"
    "  input c: index(5)\n  input cs: index(7)[4]\n  input s: f32\n  target y: f32[6]\n  d = x -> dense(6) as step\n"
)
ATOMS = [
    "x",
    "v",
    "n",
    "on",
    "c",
    "cs",
    "s",
    "y",
    "d",
    "k",
    "w",
    "1",
    "0",
    "-2",
    "0.5",
    "true",
    "[1,2,3,4,5,6]",
    "[x,d]",
    "[]",
    "[[1,2],[3]]",
    "5_epochs",
    "'td->t'",
    "'td,d->t'",
    "step",
    "step.kernel",
    "x[0]",
    "same",
    "axis",
]
OPERATORS = ["+", "-", "*", "/", "**", "@", "==", "<", "<=", ">", ">=", "and", "or"]
CALLED = [*LAYERS, "floor", "sqrt", "mse", "accuracy", "cosine", "l2", "adam", "foo"]
KEYS = ["axis", "keep", "low", "high", "shape", "alpha", "rate", "equation", "depth", "before", "value"]
INDEXES = ("0", "-1", ":", "1:3", "::2", "9", "0, 0", ":, -1", "k", "c", "0:0", "x")


def expression(rng: random.Random, depth: int) -> str:
    kind = rng.random()
    if depth <= 0 or kind < 0.25:
        return rng.choice(ATOMS).replace("'", '"').replace("5_epochs", "5 epochs")
    if kind < 0.5:
        return f"({expression(rng, depth - 1)} {rng.choice(OPERATORS)} {expression(rng, depth - 1)})"
    if kind < 0.6:
        return rng.choice(["(-{})", "(not {})"]).format(expression(rng, depth - 1))
    if kind < 0.67:
        return f"{rng.choice('xdvnc')}[{rng.choice(INDEXES)}]"
    if kind < 0.72:
        return f"(if {expression(rng, 0)} then {expression(rng, depth - 1)} else {expression(rng, depth - 1)})"
    if kind < 0.82:
        arguments = rng.choice(["", "()", f"({expression(rng, 0)})", "(axis = 0)", "(axis = 5)", "(axis = [0, 1])"])
        return f"({expression(rng, depth - 1)} -> {rng.choice(CALLED)}{arguments})"
    inside = [expression(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    inside += [f"{rng.choice(KEYS)} = {expression(rng, 0)}"] if rng.random() < 0.4 else []
    return f"{rng.choice(CALLED)}({', '.join(inside)})"


@pytest.mark.parametrize("seed", range(4))
def test_a_diagnostic_or_a_graph(seed: int) -> None:
    rng = random.Random(seed)
    compiled = refused = 0
    for _ in range(120):
        text = f"{HEAD}  q = {expression(rng, 3)}\n  output d\n}}\n"
        if rng.random() < 0.4:
            loss = f"{expression(rng, 3)} + mse(d[0], y)"
            text += f"train Net {{\n  loss = {loss}\n  metrics = [a = {expression(rng, 2)}]\n}}\n"
        parsed = parse(Source("test.kmodel", text))
        found = elaborate(parsed.tree)
        if parsed.diagnostics or found.diagnostics:
            refused += 1
            continue
        for model in found.models:
            make_graphs(model)
        compiled += 1
    assert compiled >= 5 and refused >= 50, "expressions of both kinds were tried"
