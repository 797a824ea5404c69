"""A model with blocks, fns and copies is the same graph as the model written out by hand."""

from __future__ import annotations

import pytest
from elaborate_corpus import program

from kdsl.elaborate import ModelProgram

BLOCKS = """
block Hidden(x: f32[C], out: int = C, act: layer = relu) -> f32[out] {
  return x -> dense(out) -> act
}
block Residual(x: f32[C]) -> f32[C] {
  main = x -> Hidden -> dense(C)
  return (main + x) -> relu
}
block Scale(x: f32[D]) -> f32[D] {
  weight gain: f32[D] = ones
  return x * gain
}
block Ends(x: f32[C], n: int = 2) -> f32[n], f32[n] {
  return x[0:n], x[C - n:C]
}
fn leaky(x, slope = 0.5) = maximum(x, slope * x)
fn half(n) = n / 2
"""
PAIRS = {
    "a block": ("h = x -> Hidden(3)", "h = x -> dense(3) -> relu"),
    "a layer as argument": ("h = x -> Hidden(3, act = leaky(0.25))", "g = x -> dense(3)\nh = maximum(g, 0.25 * g)"),
    "blocks in blocks": (
        "h = x -> repeat 2 Residual",
        "m = x -> dense(8) -> relu -> dense(8)\nn = (m + x) -> relu\no = n -> dense(8) -> relu -> dense(8)\nh = (o + n) -> relu",
    ),
    "weights of one's own": ("h = x -> Scale", "weight gain: f32[8] = ones\nh = x * gain"),
    "shared weights": ("h = x -> repeat 2 shared Scale", "weight gain: f32[8] = ones\nh = x * gain * gain"),
    "several results": ("a, b = x -> Ends\nh = a + b", "a = x[0:2]\nb = x[6:8]\nh = a + b"),
    "branches": (
        "h = x -> each k in [2, 3] { dense(k) } -> concat",
        "a = x -> dense(2)\nb = x -> dense(3)\nh = concat([a, b])",
    ),
    "a formula": ("h = leaky(x)", "h = maximum(x, 0.5 * x)"),
    "a formula of numbers": ("h = x -> dense(half(8))", "h = x -> dense(4)"),
    "a loop": ("h = x -> for w in [4, 2] Hidden(w)", "h = x -> dense(4) -> relu -> dense(2) -> relu"),
    "a choice": ("h = x -> if half(8) == 4 then Hidden(3) else tanh", "h = x -> dense(3) -> relu"),
    "a named step": (
        "g = x -> Hidden as first\nh = g -> first",
        "g = x -> dense(8) as first -> relu\nh = g -> first -> relu",
    ),
    "a tied weight": (
        "g = x -> Hidden(3) as first\nh = g @ transpose(first.dense.kernel)",
        "g = x -> dense(3) as first -> relu\nh = g @ transpose(first.kernel)",
    ),
}


def skeleton(model: ModelProgram) -> list[object]:
    """The graph without its names."""
    numbers = {node.name: number for number, node in enumerate(model.graph)}
    return [
        (
            node.op,
            tuple(numbers[name] for name in node.inputs),
            tuple(pair for pair in node.attributes if pair[0] != "name"),
            node.type,
        )
        for node in model.graph
    ]


@pytest.mark.parametrize("what", PAIRS)
def test_a_model_is_what_it_is_written_out(what: str) -> None:
    short, long = PAIRS[what]
    first, second = (
        program(
            BLOCKS
            + "model Net {\n  input x: f32[8]\n"
            + "".join(f"  {line}\n" for line in body.split("\n"))
            + "  output h\n}\n"
        )
        for body in (short, long)
    )
    assert skeleton(first) == skeleton(second)
    assert [(w.shape, w.initializer, w.trainable) for w in first.weights] == [
        (w.shape, w.initializer, w.trainable) for w in second.weights
    ]
