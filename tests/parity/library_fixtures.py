"""The group `library` of the parity fixtures: networks of blocks and formulas written in the language, beside Keras's own.

Only `make_fixtures.py` imports this. A case holds x, y.. and w/NAME by kdsl's names -> output, loss and grad/NAME of one
batch; its settings hold the model's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from fixture_file import Case

L = keras.layers
HEAD = "model M {{\n  input  x: f32[{x}]\n  target t: f32[{x}]\n  y = x -> {step}\n  output y\n}}\n"
STEP = "\ntrain M {\n  loss      = mse(y, t)\n  optimizer = sgd(lr = 1)\n}\n"
ATTENTION = [f"{part}.{kind}" for part in ("query", "key", "value", "output") for kind in ("kernel", "bias")]
NORM = ["layer_norm.gamma", "layer_norm.beta"]
TWO_DENSE = ["dense.kernel", "dense.bias", "dense_2.kernel", "dense_2.bias"]

FOCAL = """\
fn focal(logit, target, gamma = 2, alpha = 0.25) {
  miss = (1 - 2 * target) * logit
  share = target * alpha + (1 - target) * (1 - alpha)
  return mean(share * sigmoid(miss) ** gamma * softplus(miss))
}

model M {
  input  x: f32[7]
  target t: bool[1]
  y = x -> dense(1)
  output y
}

train M {
  loss      = focal(y, t)
  optimizer = sgd(lr = 1)
}
"""
TWO_LOSSES = """\
model M {
  input  x: f32[7]
  target kind: index(4)
  target price: f32[1]
  h = x -> dense(6) -> tanh
  y = h -> dense(4)
  guess = h -> dense(1)
  output y
}

train M {
  loss      = cross_entropy(y, kind) + 0.3 * mse(guess, price)
  optimizer = sgd(lr = 1)
}
"""


def imported(name: str, file: str, shape: str, step: str) -> str:
    return f'import {name} from "kdsl:{file}"\n\n{HEAD.format(x=shape, step=step)}{STEP}'


def attended(x: Any, heads: int, causal: bool) -> Any:
    """Asked for its scores too, Keras computes them in the precision of its layers; else JAX does in single precision."""
    return L.MultiHeadAttention(heads, 8 // heads)(x, x, use_causal_mask=causal, return_attention_scores=True)[0]


def attention(causal: bool) -> Any:
    x = keras.Input((5, 8))
    return keras.Model(x, attended(x, 2, causal))


def transformer() -> Any:
    x = keras.Input((5, 8))
    first = x + attended(L.LayerNormalization()(x), 4, causal=True)
    h = L.Dense(12, keras.activations.gelu)(L.LayerNormalization()(first))
    return keras.Model(x, first + L.Dense(8)(h))


def squeeze_excite() -> Any:
    x = keras.Input((4, 3, 8))
    gate = L.Dense(8, "sigmoid")(L.Dense(2, "relu")(L.GlobalAveragePooling2D()(x)))
    return keras.Model(x, x * L.Reshape((1, 1, 8))(gate))


def rms_norm() -> Any:
    x = keras.Input((3, 6))
    return keras.Model(x, L.RMSNormalization()(x))


def one_answer() -> Any:
    x = keras.Input((7,))
    return keras.Model(x, L.Dense(1)(x))


def two_answers() -> Any:
    x = keras.Input((7,))
    h = L.Dense(6, "tanh")(x)
    return keras.Model(x, [L.Dense(4)(h), L.Dense(1)(h)])


def within(path: str, names: list[str]) -> list[str]:
    return [f"{path}.{name}" for name in names]


def make(first_gradient: Callable[..., Any]) -> list[Case]:
    rng = np.random.default_rng(9)
    mse, focal = keras.losses.MeanSquaredError(), keras.losses.BinaryFocalCrossentropy
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    block = "y.Transformer"
    table: list[tuple[str, str, Any, Any, list[str], list[np.ndarray]]] = [
        (
            "attention",
            imported("SelfAttention", "attention", "5, 8", "SelfAttention(2)"),
            attention(False),
            mse,
            within("y.SelfAttention", ATTENTION),
            [rng.normal(size=(6, 5, 8))],
        ),
        (
            "attention_causal",
            imported("SelfAttention", "attention", "5, 8", "SelfAttention(2, causal = true)"),
            attention(True),
            mse,
            within("y.SelfAttention", ATTENTION),
            [rng.normal(size=(6, 5, 8))],
        ),
        (
            "transformer",
            imported("Transformer", "attention", "5, 8", "Transformer(4, hidden = 12, causal = true)"),
            transformer(),
            mse,
            [
                *within(f"{block}.attended", NORM),
                *within(f"{block}.attended.SelfAttention", ATTENTION),
                *within(block, NORM),
                *within(f"{block}.FeedForward", TWO_DENSE),
            ],
            [rng.normal(size=(6, 5, 8))],
        ),
        (
            "squeeze_excite",
            imported("SqueezeExcite", "blocks", "4, 3, 8", "SqueezeExcite"),
            squeeze_excite(),
            mse,
            within("y.SqueezeExcite.gate", TWO_DENSE),
            [rng.normal(size=(6, 4, 3, 8))],
        ),
        (
            "rms_norm",
            imported("RmsNorm", "blocks", "3, 6", "RmsNorm"),
            rms_norm(),
            mse,
            ["y.RmsNorm.gain"],
            [rng.normal(size=(6, 3, 6))],
        ),
        (
            "focal",
            FOCAL,
            one_answer(),
            focal(apply_class_balancing=True, from_logits=True),
            within("y", TWO_DENSE[:2]),
            [rng.integers(0, 2, (6, 1)).astype("float64")],
        ),
        (
            "two_losses",
            TWO_LOSSES,
            two_answers(),
            lambda t, y: entropy(t[0], y[0]) + 0.3 * mse(t[1], y[1]),
            [
                *within("h", TWO_DENSE[:2]),
                *within("y", TWO_DENSE[:2]),
                *within("guess", TWO_DENSE[:2]),
            ],
            [rng.integers(0, 4, 6).astype("int32"), rng.normal(size=(6, 1))],
        ),
    ]
    return [_case(*row, first_gradient, rng) for row in table]


def _case(
    case: str,
    text: str,
    model: Any,
    loss: Any,
    names: list[str],
    targets: list[np.ndarray],
    first_gradient: Callable[..., Any],
    rng: np.random.Generator,
) -> Case:
    x = rng.normal(size=(6, *model.input_shape[1:]))
    weights = [rng.normal(0, 0.5, weight.shape) for weight in model.get_weights()]
    model.set_weights(weights)
    output = model(x)
    value, gradients = first_gradient(model, loss, x, targets if len(targets) > 1 else targets[0])
    arrays = {"x": x, "output": np.asarray(output[0] if isinstance(output, list) else output), "loss": value}
    arrays |= {f"t{number}": target for number, target in enumerate(targets)}
    for name, weight, gradient in zip(names, weights, gradients, strict=True):
        # Keras keeps an axis for the heads: [width, heads, head width], and the other way round for the output.
        shape = weight.shape if weight.ndim < 3 else (8, 8)
        shape = (8,) if name.endswith("bias") and weight.ndim == 2 else shape
        arrays |= {f"w/{name}": weight.reshape(shape), f"grad/{name}": gradient.reshape(shape)}
    return Case(case, {"text": text}, arrays)
