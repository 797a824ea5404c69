"""The library that comes with kdsl: every block and formula against NumPy, trained, and documented."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kdsl.compiler import load
from kdsl.elaborate import elaborate, library
from kdsl.source import Source
from kdsl.syntax import parse, tree

Arrays = dict[str, np.ndarray]
ROWS = 16
erf = np.vectorize(__import__("math").erf)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


def dense(x: np.ndarray, w: Arrays, name: str) -> np.ndarray:
    y = x @ w[f"{name}.kernel"]
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def normed(x: np.ndarray, w: Arrays, name: str) -> np.ndarray:
    centered = x - x.mean(-1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-3) * w[f"{name}.gamma"] + w[f"{name}.beta"]


def squeeze_excite(w: Arrays, x: np.ndarray) -> np.ndarray:
    gate = sigmoid(dense(relu(dense(x.mean((1, 2)), w, "gate.dense")), w, "gate.dense_2"))
    return x * gate[:, None, None]


def gated_linear(w: Arrays, x: np.ndarray) -> np.ndarray:
    value, gate = np.split(dense(x, w, "value.dense"), 2, -1)
    return value * sigmoid(gate)


def swiglu(w: Arrays, x: np.ndarray) -> np.ndarray:
    value, gate = np.split(dense(x, w, "value.dense"), 2, -1)
    return value * gate * sigmoid(gate)


def highway(w: Arrays, x: np.ndarray) -> np.ndarray:
    share = sigmoid(dense(x, w, "gate"))
    return share * relu(dense(x, w, "hidden")) + (1 - share) * x


def modulate(w: Arrays, x: np.ndarray, condition: np.ndarray) -> np.ndarray:
    scale, shift = np.split(dense(condition, w, "scale.dense"), 2, -1)
    return x * (1 + scale) + shift


def modulate_picture(w: Arrays, x: np.ndarray, condition: np.ndarray) -> np.ndarray:
    scale, shift = np.split(dense(condition, w, "scale.dense"), 2, -1)
    return x * (1 + scale[:, None, None]) + shift[:, None, None]


def residual_mlp(w: Arrays, x: np.ndarray) -> np.ndarray:
    return x + dense(relu(dense(normed(x, w, "layer_norm"), w, "dense")), w, "dense_2")


def cross(w: Arrays, first: np.ndarray, x: np.ndarray) -> np.ndarray:
    return first * dense(x, w, "dense") + x


def rms_norm(w: Arrays, x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * w["gain"]


def mixture(w: Arrays, x: np.ndarray) -> np.ndarray:
    """Each expert by itself."""
    shares, inner, y = softmax(dense(x, w, "gate")), relu(dense(x, w, "up")), 0.0
    hidden = w["down"].shape[1]
    for expert in range(3):
        own = inner[:, expert * hidden : (expert + 1) * hidden]
        y = y + shares[:, expert, None] * (own @ w["down"][expert] + w["shift"][expert])
    return y


def maxout(w: Arrays, x: np.ndarray) -> np.ndarray:
    return dense(x, w, "dense").reshape(len(x), 4, 2).max(-1)


def factorization(w: Arrays, x: np.ndarray) -> np.ndarray:
    """All pairs, one after the other."""
    fields = x.shape[1]
    pairs = [(x[:, i] * x[:, j]).sum(-1) for i in range(fields) for j in range(i)]
    return np.sum(pairs, axis=0)[:, None]


def attention(w: Arrays, x: np.ndarray, other: np.ndarray, heads: int, causal: bool = False) -> np.ndarray:
    """Sample by sample, head by head, step by step."""
    q, k, v = dense(x, w, "query"), dense(other, w, "key"), dense(other, w, "value")
    width = q.shape[-1] // heads
    mixed = np.zeros_like(q)
    for row in range(len(x)):
        for head in range(heads):
            own = slice(head * width, (head + 1) * width)
            for step in range(q.shape[1]):
                last = step + 1 if causal else k.shape[1]
                scores = k[row, :last, own] @ q[row, step, own] / np.sqrt(width)
                mixed[row, step, own] = softmax(scores) @ v[row, :last, own]
    return dense(mixed, w, "output")


def inside(w: Arrays, block: str) -> Arrays:
    return {name.removeprefix(f"{block}."): array for name, array in w.items() if name.startswith(f"{block}.")}


def feed_forward(w: Arrays, x: np.ndarray) -> np.ndarray:
    return dense(gelu(dense(x, w, "dense")), w, "dense_2")


def transformer(w: Arrays, x: np.ndarray) -> np.ndarray:
    first = inside(w, "attended")
    h = normed(x, first, "layer_norm")
    x = x + attention(inside(first, "SelfAttention"), h, h, 2, causal=True)
    return x + feed_forward(inside(w, "FeedForward"), normed(x, w, "layer_norm"))


def mixer(w: Arrays, x: np.ndarray) -> np.ndarray:
    first = inside(w, "mixed")
    turned = normed(x, first, "layer_norm").swapaxes(1, 2)
    x = x + dense(gelu(dense(turned, first, "dense")), first, "dense_2").swapaxes(1, 2)
    return x + dense(gelu(dense(normed(x, w, "layer_norm"), w, "dense")), w, "dense_2")


def sinusoids(w: Arrays, x: np.ndarray) -> np.ndarray:
    y = x.copy()
    steps, width = x.shape[1:]
    for t in range(steps):
        for i in range(width // 2):
            y[:, t, i] += np.sin(t / 10000 ** (2 * i / width))
            y[:, t, width // 2 + i] += np.cos(t / 10000 ** (2 * i / width))
    return y


def pooled(w: Arrays, x: np.ndarray) -> np.ndarray:
    scores = softmax(dense(np.tanh(dense(x, w, "weights.dense")), w, "weights.dense_2")[..., 0])
    return (scores[..., None] * x).sum(1)


BLOCKS: list[tuple[str, list[str], str, Callable[..., np.ndarray]]] = [
    ("SqueezeExcite", ["4, 3, 8"], "SqueezeExcite", squeeze_excite),
    ("GatedLinear", ["6"], "GatedLinear(4)", gated_linear),
    ("GatedLinear", ["6"], "GatedLinear(act = silu)", swiglu),
    ("Highway", ["6"], "Highway", highway),
    ("Modulate", ["6", "3"], "Modulate", modulate),
    ("ModulatePicture", ["2, 3, 4", "3"], "ModulatePicture", modulate_picture),
    ("ResidualMlp", ["6"], "ResidualMlp(dropout = 0.2)", residual_mlp),
    ("Cross", ["6", "6"], "Cross", cross),
    ("LayerScale", ["3, 4"], "LayerScale", lambda w, x: x * w["gain"]),
    ("RmsNorm", ["3, 4"], "RmsNorm", rms_norm),
    ("MixtureOfExperts", ["6"], "MixtureOfExperts(4, experts = 3, hidden = 5)", mixture),
    ("Maxout", ["6"], "Maxout(4)", maxout),
    ("FactorizationMachine", ["4, 3"], "FactorizationMachine", factorization),
    ("SelfAttention", ["5, 8"], "SelfAttention(2)", lambda w, x: attention(w, x, x, 2)),
    ("SelfAttention", ["5, 8"], "SelfAttention(heads = 4, causal = true)", lambda w, x: attention(w, x, x, 4, True)),
    ("CrossAttention", ["5, 8", "3, 6"], "CrossAttention(2)", lambda w, x, other: attention(w, x, other, 2)),
    ("FeedForward", ["3, 4"], "FeedForward", feed_forward),
    ("Transformer", ["5, 8"], "Transformer(2, hidden = 12, causal = true, dropout = 0.1)", transformer),
    ("Mixer", ["5, 4"], "Mixer", mixer),
    ("SinusoidalPositions", ["5, 6"], "SinusoidalPositions", sinusoids),
    ("AttentionPool", ["5, 6"], "AttentionPool", pooled),
]


def file_of(name: str) -> str:
    return next(file for file in library.files() if name in library.defined_in(file))


def model_text(name: str, shapes: list[str], step: str) -> str:
    """The block behind a dense layer, so that it has something to learn from, and in front of another."""
    inputs = "".join(f"  input x{i}: f32[{shape}]\n" for i, shape in enumerate(shapes))
    given = "x0" if len(shapes) == 1 else f"({', '.join(f'x{i}' for i in range(len(shapes)))})"
    return (
        f'import {name} from "{file_of(name)}"\n\nmodel M {{\n{inputs}  target t: f32\n  y = {given} -> {step}\n'
        "  guess = y -> flatten -> dense(1) -> squeeze\n  output y, guess\n}\n\n"
        "train M {\n  loss = mse(guess, t)\n  optimizer = adam(lr = 0.02)\n  batch = 8\n}\n"
    )


@pytest.mark.parametrize(("name", "shapes", "step", "formula"), BLOCKS, ids=lambda p: p if isinstance(p, str) else "")
def test_block(name: str, shapes: list[str], step: str, formula: Callable[..., np.ndarray]) -> None:
    made: Any = load(Source("m.kmodel", model_text(name, shapes, step)), target="numpy", dtype="f64")
    model, rng = made.M(seed=1), np.random.default_rng(4)
    model.set_weights({key: rng.normal(0, 0.5, array.shape) for key, array in model.get_weights().items()})
    inputs = [rng.normal(0, 1, (ROWS, *map(int, shape.split(", ")))) for shape in shapes]
    weights = inside(model.get_weights(), f"y.{name}")
    x = tuple(inputs) if len(inputs) > 1 else inputs[0]
    np.testing.assert_allclose(model.predict(x)["y"], formula(weights, *inputs), rtol=1e-10, atol=1e-12)

    losses = made.M(seed=1).fit(x, rng.normal(size=ROWS), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < (0.9 if weights else 1.0) * losses[0]
    trained = made.M(seed=1)
    trained.fit(x, rng.normal(size=ROWS), epochs=2, verbose=0)
    started = inside(made.M(seed=1).get_weights(), f"y.{name}")
    changed = inside(trained.get_weights(), f"y.{name}")
    assert all(not np.array_equal(started[key], changed[key]) for key in weights if key not in UNMOVED.get(name, ()))


UNMOVED = {  # a bias of the keys shifts all scores of a query alike, which softmax does not see
    "SelfAttention": ("key.bias",),
    "CrossAttention": ("key.bias",),
    "Transformer": ("attended.SelfAttention.key.bias",),
}


def focal(z: np.ndarray, t: np.ndarray) -> Any:
    p = sigmoid(z)
    return -np.mean(0.25 * t * (1 - p) ** 2 * np.log(p) + 0.75 * (1 - t) * p**2 * np.log(1 - p))


FORMULAS: list[tuple[str, str, str, Callable[..., Any]]] = [
    ("focal", "bool", "focal(guess, t)", focal),
    ("log_cosh", "f32", "log_cosh(guess, t)", lambda y, t: np.mean(np.log(np.cosh(y - t)))),
    (
        "quantile",
        "f32",
        "quantile(guess, t, q = 0.9)",
        lambda y, t: np.mean(np.where(t > y, 0.9 * (t - y), 0.1 * (y - t))),
    ),
]


@pytest.mark.parametrize(("name", "target", "loss", "formula"), FORMULAS, ids=[row[0] for row in FORMULAS])
def test_loss(name: str, target: str, loss: str, formula: Callable[..., Any]) -> None:
    text = (
        f'import {name} from "kdsl:formulas"\n\nmodel M {{\n  input x: f32[5]\n  target t: {target}\n'
        f"  guess = x -> dense(1) -> squeeze\n  output guess\n}}\n\ntrain M {{\n  loss = {loss}\n}}\n"
    )
    model = load(Source("m.kmodel", text), target="numpy", dtype="f64").M(seed=1)
    rng = np.random.default_rng(2)
    x = rng.normal(0, 2, (ROWS, 5))
    t = rng.normal(size=ROWS) if target == "f32" else rng.integers(0, 2, ROWS)
    assert model.evaluate(x, t)["loss"] == pytest.approx(float(formula(model.predict(x), t)), rel=1e-10)
    losses = model.fit(x, t, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


FUNCTIONS: list[tuple[str, str, Callable[..., Any]]] = [
    ("squareplus", "squareplus(a)", lambda a, b: (a + np.sqrt(a**2 + 4)) / 2),
    ("relu_squared", "a -> relu_squared", lambda a, b: np.where(a > 0, a * a, 0)),
    ("quick_gelu", "quick_gelu(a)", lambda a, b: a / (1 + np.exp(-1.702 * a))),
    ("cosine", "cosine(a, b)", lambda a, b: (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)),
    (
        "normal_divergence",
        "normal_divergence(a, b)",
        lambda a, b: 0.5 * (np.exp(b) + a**2 - 1 - b).sum(-1),
    ),
]


@pytest.mark.parametrize(("name", "call", "formula"), FUNCTIONS, ids=[row[0] for row in FUNCTIONS])
def test_formula(name: str, call: str, formula: Callable[..., Any]) -> None:
    text = (
        f'import {name} from "kdsl:formulas"\n\nmodel M {{\n  input a: f32[5]\n  input b: f32[5]\n'
        f"  y = {call}\n  output y\n}}\n"
    )
    model = load(Source("m.kmodel", text), target="numpy", dtype="f64").M(seed=1)
    a, b = np.random.default_rng(2).normal(0, 1.5, (2, ROWS, 5))
    np.testing.assert_allclose(model.predict((a, b)), formula(a, b), rtol=1e-10)


def test_everything_is_compared() -> None:
    there = {name for file in library.files() for name in library.defined_in(file)}
    assert there == {row[0] for row in (*BLOCKS, *FORMULAS, *FUNCTIONS)}


@pytest.mark.parametrize("file", library.files())
def test_files_are_without_mistakes_and_documented(file: str) -> None:
    source = library.source_of(file)
    assert source is not None
    parsed = parse(source)
    assert not parsed.diagnostics and not elaborate(parsed.tree).diagnostics
    items = [item for item in parsed.tree.items if isinstance(item, (tree.Block, tree.Fn))]
    assert [item.name.text for item in items] == library.defined_in(file)
    for item in items:
        assert re.search(r"\b(19|20)\d\d\b|keras/src", item.doc), f"{item.name.text} does not say where it comes from"


def test_an_import_of_what_is_not_there() -> None:
    def said(line: str) -> list[tuple[str, str, str]]:
        parsed = parse(Source("m.kmodel", f"{line}\n\nmodel M {{\n  input x: f32[3]\n  output x\n}}\n"))
        return [(d.code, d.message, d.help) for d in elaborate(parsed.tree).diagnostics]

    assert said('import Highway from "kdsl:block"') == [
        ("E230", 'there is no file "kdsl:block" in the library of kdsl', 'did you mean `"kdsl:blocks"`?')
    ]
    assert said('import Highway from "kdsl:../blocks"')[0][:2] == (
        "E230",
        'there is no file "kdsl:../blocks" in the library of kdsl',
    )
    assert said('import Maxut from "kdsl:blocks"') == [
        ("E233", '"kdsl:blocks" has no block, fn or dim called `Maxut`', "did you mean `Maxout`?")
    ]
    assert said('import Highway from "kdsl:blocks"') == []


def test_a_name_of_the_library_that_is_not_imported_says_where_it_is() -> None:
    parsed = parse(
        Source("m.kmodel", "model M {\n  input x: f32[3]\n  h = x -> Highway\n  output y = squareplus(x)\n}\n")
    )
    assert [(d.code, d.help) for d in elaborate(parsed.tree).diagnostics] == [
        ("E201", 'it is in the library: `import Highway from "kdsl:blocks"`'),
        ("E208", 'it is in the library: `import squareplus from "kdsl:formulas"`'),
    ]


def test_the_library_is_read_wherever_kdsl_runs(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is none of a file system: the folder one stands in does not matter."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kdsl:blocks.kmodel").write_text("block Highway(x: f32[D]) -> f32[D] {\n  return x\n}\n")
    parsed = parse(Source(str(tmp_path / "m.kmodel"), model_text("Highway", ["6"], "Highway")))
    elaborated = elaborate(parsed.tree)
    assert not elaborated.diagnostics
    assert any(weight.name == "y.Highway.gate.kernel" for weight in elaborated.models[0].weights)
