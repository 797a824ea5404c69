"""Tensor expressions: what each means, held against NumPy; what their trails, targets and records are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from elaborate_corpus import check, codes, elaborated, net, program

from kdsl.graph.interpreter import run

ROWS = 5
HEAD = "model Net {\n  input x: f32[4, 6]\n  input v: f32[6]\n  input n: i32[3]\n  input on: bool[6]\n"

Array = np.ndarray
Formula = Callable[[Array, Array, Array, Array], Array]

# `x` [4, 6], `v` [6], `n` [3], `on` [6]; NumPy sees one sample at a time, so its axes are those of the language.
EXPRESSIONS: dict[str, Formula] = {
    "x + v": lambda x, v, n, on: x + v,
    "v - x * 2": lambda x, v, n, on: v - x * 2,
    "1 - x / 4": lambda x, v, n, on: 1 - x / 4,
    "-x ** 2": lambda x, v, n, on: -(x**2),
    "(-x) ** 2": lambda x, v, n, on: (-x) ** 2,
    "2 ** v": lambda x, v, n, on: 2**v,
    "x * [1, 2, 3, 4, 5, 6]": lambda x, v, n, on: x * np.arange(1, 7),
    "x + 1 / 3": lambda x, v, n, on: x + 1 / 3,
    "n * 2 + 1": lambda x, v, n, on: n * 2 + 1.0,
    "v * on": lambda x, v, n, on: v * on,
    "x > v": lambda x, v, n, on: x > v,
    "v >= 0 and not on": lambda x, v, n, on: (v >= 0) & ~on,
    "v < 0 or on": lambda x, v, n, on: (v < 0) | on,
    "n == 2": lambda x, v, n, on: n == 2,
    "n != [1, 2, 3]": lambda x, v, n, on: n != np.array([1, 2, 3]),
    "x @ transpose(x)": lambda x, v, n, on: x @ x.T,
    "x @ v": lambda x, v, n, on: x @ v,
    "x @ transpose(x, [1, 0]) / sqrt(16)": lambda x, v, n, on: x @ x.T / 4,
    "x[0]": lambda x, v, n, on: x[0],
    "x[-1]": lambda x, v, n, on: x[-1],
    "x[1:3]": lambda x, v, n, on: x[1:3],
    "x[:, -1]": lambda x, v, n, on: x[:, -1],
    "x[1, 2]": lambda x, v, n, on: x[1, 2],
    "x[::2, 1:6:2]": lambda x, v, n, on: x[::2, 1:6:2],
    "x[-3:-1][0][2 * 2]": lambda x, v, n, on: x[-3:-1][0][4],
    "x[floor(7 / 2)]": lambda x, v, n, on: x[3],
    "[1, 2, 3][1] * v": lambda x, v, n, on: 2 * v,
    "mean(x)": lambda x, v, n, on: x.mean(),
    "mean(x, -1)": lambda x, v, n, on: x.mean(-1),
    "sum(x, axis = 0)": lambda x, v, n, on: x.sum(0),
    "sum(x, [0, 1])": lambda x, v, n, on: x.sum((0, 1)),
    "x - mean(x, axis = -1, keep = true)": lambda x, v, n, on: x - x.mean(-1, keepdims=True),
    "max(x)": lambda x, v, n, on: x.max(),
    "min(x, axis = 0)": lambda x, v, n, on: x.min(0),
    "argmax(x, axis = -1)": lambda x, v, n, on: x.argmax(-1),
    "maximum(x, 0)": lambda x, v, n, on: np.maximum(x, 0),
    "minimum(x, v)": lambda x, v, n, on: np.minimum(x, v),
    "maximum([x, v])": lambda x, v, n, on: np.maximum(x, v),
    "maximum(v, [0, 0, 0, 1, 1, 1])": lambda x, v, n, on: np.maximum(v, [0, 0, 0, 1, 1, 1]),
    "clip(x, -0.5, 0.5)": lambda x, v, n, on: np.clip(x, -0.5, 0.5),
    "clip(x, low = -1, high = 0.5)": lambda x, v, n, on: np.clip(x, -1, 0.5),
    "where(x > 0, x, 0)": lambda x, v, n, on: np.where(x > 0, x, 0),
    "where(on, v, -v)": lambda x, v, n, on: np.where(on, v, -v),
    "floor(x) + ceil(v) + round(x)": lambda x, v, n, on: np.floor(x) + np.ceil(v) + np.rint(x),
    "abs(x) + exp(v) + log(abs(x) + 1)": lambda x, v, n, on: np.abs(x) + np.exp(v) + np.log(np.abs(x) + 1),
    "reshape(x, [3, 8])": lambda x, v, n, on: x.reshape(3, 8),
    "reshape(x, [-1])": lambda x, v, n, on: x.reshape(-1),
    "concat([x, x * 2], axis = 0)": lambda x, v, n, on: np.concatenate([x, x * 2], 0),
    "concat([v, x[0]])": lambda x, v, n, on: np.concatenate([v, x[0]]),
    "concat(v, v)": lambda x, v, n, on: np.concatenate([v, v]),
    "stack([v, x[0], x[1]], axis = 0)": lambda x, v, n, on: np.stack([v, x[0], x[1]]),
    'einsum("td,sd->ts", x, x)': lambda x, v, n, on: x @ x.T,
    'einsum("td->d", x)': lambda x, v, n, on: x.sum(0),
    '(x, v) -> einsum("td,d->t")': lambda x, v, n, on: x @ v,
    "x -> clip(0, 1)": lambda x, v, n, on: np.clip(x, 0, 1),
    "(x + v) -> relu": lambda x, v, n, on: np.maximum(x + v, 0),
    "(v, x[0]) -> concat": lambda x, v, n, on: np.concatenate([v, x[0]]),
    "if 2 > 1 then x + 1 else v": lambda x, v, n, on: x + 1,
    "x * sqrt(64) * exp(0) * abs(-2) * round(2.5)": lambda x, v, n, on: x * 8 * 2 * 2,
    "x * max(1, 3) * min([4, 2]) * floor(2.5)": lambda x, v, n, on: x * 3 * 2 * 2,
}


def values(body: str) -> tuple[dict[str, Array], dict[str, Array], str]:
    """(inputs, all values of the graph, name of the output's value) of a model with this output."""
    model = program(f"{HEAD}  output y = {body}\n}}\n")
    rng = np.random.default_rng(3)
    inputs = {
        "x": rng.standard_normal((ROWS, 4, 6)),
        "v": rng.standard_normal((ROWS, 6)),
        "n": rng.integers(0, 4, (ROWS, 3)).astype(np.int32),
        "on": rng.random((ROWS, 6)) < 0.5,
    }
    return inputs, run(model.graph, inputs), model.graph.outputs[0][1]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_means_what_numpy_means(text: str) -> None:
    inputs, found, name = values(text)
    wanted = [EXPRESSIONS[text](*sample) for sample in zip(*inputs.values(), strict=True)]
    assert found[name].shape == np.shape(wanted)
    assert np.allclose(found[name], wanted, rtol=1e-12)
    assert program(f"{HEAD}  output y = {text}\n}}\n").outputs[0][1].shape == np.shape(wanted)[1:]


def test_functions_of_numbers_are_sizes() -> None:
    model = program(f"{HEAD}  output y = v -> dense(sqrt(64)) -> dense(max(2, 3)) -> dense(abs(-5))\n}}\n")
    assert [weight.shape[-1] for weight in model.weights][::2] == [8, 3, 5]
    assert codes(f"{HEAD}  output y = v -> dense(sqrt(65))\n}}\n") == ["E403"]


def test_a_function_in_an_expression_is_no_layer_and_after_an_arrow_one() -> None:
    model = program(f"{HEAD}  a = exp(v) + 1\n  b = v -> exp -> dense(2)\n  output a, b\n}}\n")
    assert [record.text for record in model.layers] == ["exp", "dense(2)"]
    assert program(f"{HEAD}  output y = v -> clip(0, high = 1)\n}}\n").layers[0].text == "clip(low = 0, high = 1)"


def test_every_node_of_an_expression_knows_its_place() -> None:
    model = program(f"{HEAD}  h = exp(v) / sum(exp(v), keep = true)\n  output h\n}}\n")
    made = [node for node in model.graph if node.op != "input"]
    assert [node.origin[0].text for node in made if node.op == "divide"] == ["exp(v) / sum(exp(v), keep = true)"]
    assert all(node.layer.startswith("h") for node in made)


def test_the_trail_goes_on_from_the_longer_way() -> None:
    text = f"{HEAD}  a = v -> dense(6) -> relu\n  b = v + a\n  c = 1 - b\n  output d = c -> reshape([5])\n}}\n"
    (found,) = check(text)
    assert found.notes == ("shapes: v [6] -> dense [6] -> relu [6] -> + v [6] -> 1 - b [6] -> reshape \N{BALLOT X}",)


def test_a_value_made_from_a_target_is_no_output() -> None:
    wrong = net("wrong = image -> flatten -> dense(1)\nerror = abs(wrong[0] - (label == 3))\noutput error")
    assert codes(wrong) == ["E222"]


def test_long_sums_are_no_trouble() -> None:
    model = program(f"{HEAD}  output y = {' + '.join(['v'] * 90)}\n}}\n")
    assert sum(node.op == "add" for node in model.graph) == 89


def test_what_is_unknown_is_reported_once() -> None:
    assert codes(f"{HEAD}  h = w + 1\n  k = -h * v\n  m = k[0] @ v\n  output q = max(m, axis = 0) -> relu\n}}\n") == [
        "E202"
    ]


@pytest.mark.parametrize(
    ("call", "code", "help"),
    [
        ("reduce_mean(v)", "E208", "it is called `mean` here"),
        ("concatenate([v, v])", "E208", "it is called `concat` here"),
        ("cat([v, v])", "E208", "it is called `concat` here"),
        ("mean(x, dim = 0)", "E302", "Keras's `dim` is `axis` here"),
        ("mean(x, keepdims = true)", "E302", "Keras's `keepdims` is `keep` here"),
        ("sum(x, axis = 0, keepdim = true)", "E302", "Keras's `keepdim` is `keep` here"),
        ("max(x, 0)", "E308", "element by element it is `maximum(x, 0)`"),
        ("x -> max(0)", "E308", "element by element `maximum(x, 0)`"),
        ("sum([v, v])", "E313", "`stack([v, ...], axis = 0)` puts tensors side by side"),
        ("clip(x, 0, 1, 2)", "E308", ""),
        ("meen(x)", "E208", "did you mean `mean`"),
        ("maximum(1, 2)", "E316", "of numbers it is `max`"),
        ("exp()", "E316", "its input comes first"),
        ("where(v > 0, v)", "E407", ""),
        ("mse(x, v)", "E208", "it stands in `train`: `loss = mse(...)`"),
        ("cosine(x)", "E208", "it stands in `train`: `schedule = cosine(...)`"),
    ],
)
def test_habits_and_slips(call: str, code: str, help: str) -> None:
    found = check(f"{HEAD}  output y = {call}\n}}\n")
    assert {diagnostic.code for diagnostic in found} == {code}
    assert help in found[0].help


def test_only_numbers_known_when_compiled_where_they_are_wanted() -> None:
    assert codes(f"dim D = exp(2)\n{HEAD}  output y = v -> repeat v[0] relu\n}}\n") == ["E313"]
    assert not elaborated(f"{HEAD}  output y = v -> dropout(1 / sqrt(16))\n}}\n").diagnostics
