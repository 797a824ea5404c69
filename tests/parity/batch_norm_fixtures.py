"""The group `batch_norm` of the parity fixtures: one layer in training, frozen, and at inference, by Keras.

Only `make_fixtures.py` imports this. A case holds x0.. (one batch for each step), w/NAME, upstream -> for the first batch
y, dx, d/NAME (gradients of sum(y * upstream)); moved1/NAME and moved3/NAME, the moving statistics after one and after all
steps; inference/y and inference/dx of the first batch with the first weights.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from fixture_file import Case

L = keras.layers
STEPS = 3


def batch_norm() -> list[Case]:
    rng = np.random.default_rng(12)
    table: list[tuple[str, dict[str, Any], tuple[int, ...], bool]] = [
        ("vector", {}, (5,), False),
        ("steps", {"momentum": 0.9, "epsilon": 1e-5}, (4, 3), False),
        ("picture", {}, (3, 4, 5), False),
        ("volume", {"momentum": 0.5}, (2, 2, 3, 2), False),
        ("no_gamma", {"scale": False}, (3, 2, 4), False),
        ("no_beta", {"center": False, "epsilon": 0.1}, (3, 2, 4), False),
        ("plain", {"center": False, "scale": False}, (6,), False),
        ("no_momentum", {"momentum": 0.0}, (6,), False),
        ("frozen", {}, (3, 4, 5), True),
    ]
    return [_case(*row, rng) for row in table]


def _layer(arguments: dict[str, Any], shape: tuple[int, ...], weights: dict[str, np.ndarray]) -> Any:
    layer = L.BatchNormalization(**arguments)
    layer.build((None, *shape))
    for variable in layer.weights:
        if variable.name in weights:
            variable.assign(weights[variable.name])
    return layer


def _case(name: str, arguments: dict[str, Any], shape: tuple[int, ...], frozen: bool, rng: np.random.Generator) -> Case:
    batches = [rng.normal(0.5 + step, 1.0 + step, (6, *shape)) for step in range(STEPS)]
    upstream = rng.normal(size=batches[0].shape)
    empty = _layer(arguments, shape, {})
    specs = [[v.name, list(v.shape), bool(v.trainable)] for v in empty.weights]
    weights = {v.name: rng.normal(0.3, 0.7, v.shape) for v in empty.weights}
    weights["moving_variance"] = rng.uniform(0.5, 2.0, shape[-1:])
    arrays = {f"x{i}": x for i, x in enumerate(batches)} | {f"w/{key}": value for key, value in weights.items()}
    arrays["upstream"] = upstream

    for prefix, training in (("", True), ("inference/", False)):
        layer = _layer(arguments, shape, weights)
        layer.trainable = not frozen
        names = [v.name for v in layer.weights if v.name in ("gamma", "beta")]
        y, gradients = _backward(layer, names, batches[0], upstream, training)
        arrays |= {f"{prefix}y": y, f"{prefix}dx": gradients[0]}
        if training:
            arrays |= {f"d/{key}": gradient for key, gradient in zip(names, gradients[1:], strict=True)}

    layer = _layer(arguments, shape, weights)
    layer.trainable = not frozen
    for step, x in enumerate(batches, 1):
        layer(keras.ops.convert_to_tensor(x), training=True)
        if step in (1, STEPS):
            moving = {v.name: np.asarray(v.value) for v in layer.weights if v.name.startswith("moving")}
            arrays |= {f"moved{step}/{key}": value for key, value in moving.items()}
    settings = {"layer": "batch_norm", "arguments": arguments, "weights": specs, "frozen": frozen}
    return Case(name, settings, arrays)


def _backward(
    layer: Any, names: list[str], x: np.ndarray, upstream: np.ndarray, training: bool
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Value, and the gradients of sum(y * upstream) to x and to the weights of these names."""
    chosen = [v for name in names for v in layer.weights if v.name == name]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        given = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(given)
            y = layer(given, training=training)
            value = tf.reduce_sum(y * upstream)
        return y.numpy(), [
            tf.convert_to_tensor(g).numpy() for g in tape.gradient(value, [given, *(v.value for v in chosen)])
        ]
    import jax

    trained, fixed = layer.trainable_variables, layer.non_trainable_variables

    def total(x: Any, weights: list[Any]) -> Any:
        at = {id(v): w for v, w in zip(chosen, weights, strict=True)}
        values = [[at.get(id(v), v.value) for v in variables] for variables in (trained, fixed)]
        y, _ = layer.stateless_call(*values, x, training=training)
        return (y * upstream).sum(), y

    arrays = (jax.numpy.asarray(x), [v.value for v in chosen])
    (dx, dw), y = jax.grad(total, (0, 1), has_aux=True)(*arrays)
    return np.asarray(y), [np.asarray(dx), *(np.asarray(d) for d in dw)]
