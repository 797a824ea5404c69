"""The group `light_layers` of the parity fixtures: layers with and without weights, forward and backward, as Keras does them.

Only `make_fixtures.py` imports this. A case holds x0.., w0.. (in Keras's order), upstream -> y, dx0.., dw0..: gradients of
sum(y * upstream). Settings say what Keras calls the weights, their shapes and first values.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from fixture_file import Case

L = keras.layers


def light_layers() -> list[Case]:
    rng = np.random.default_rng(8)

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(0.3, 1.5, (4, *shape))

    vector, other, steps, picture = numbers(6), numbers(6), numbers(5, 6), numbers(3, 4, 5)
    volume, words = numbers(2, 3, 2, 4), rng.integers(0, 9, (4, 7)).astype("int32")
    tied = rng.integers(0, 3, (4, 5, 3)).astype("float64")
    table: list[tuple[str, str, dict[str, Any], Any, list[np.ndarray]]] = [
        ("layer_norm", "layer_norm", {}, L.LayerNormalization(), [vector]),
        ("layer_norm_steps", "layer_norm", {}, L.LayerNormalization(), [steps]),
        ("layer_norm_epsilon", "layer_norm", {"epsilon": 1e-6}, L.LayerNormalization(epsilon=1e-6), [steps]),
        ("layer_norm_first_axis", "layer_norm", {"axis": [0]}, L.LayerNormalization(axis=1), [steps]),
        ("layer_norm_two_axes", "layer_norm", {"axis": [0, 2]}, L.LayerNormalization(axis=[1, 3]), [picture]),
        ("layer_norm_plain", "layer_norm", {"center": False, "scale": False}, _plain_layer_norm(), [steps]),
        ("layer_norm_no_beta", "layer_norm", {"center": False}, L.LayerNormalization(center=False), [vector]),
        ("rms_norm", "rms_norm", {}, L.RMSNormalization(), [steps]),
        ("rms_norm_epsilon", "rms_norm", {"epsilon": 0.01}, L.RMSNormalization(epsilon=0.01), [vector]),
        ("unit_norm", "unit_norm", {}, L.UnitNormalization(), [steps]),
        ("unit_norm_axes", "unit_norm", {"axis": [0, 1]}, L.UnitNormalization(axis=(1, 2)), [picture]),
        ("avg_pool_steps", "global_avg_pool", {}, L.GlobalAveragePooling1D(), [steps]),
        ("avg_pool_picture", "global_avg_pool", {}, L.GlobalAveragePooling2D(), [picture]),
        ("avg_pool_volume", "global_avg_pool", {"keep": True}, L.GlobalAveragePooling3D(keepdims=True), [volume]),
        ("max_pool_steps", "global_max_pool", {"keep": True}, L.GlobalMaxPooling1D(keepdims=True), [steps]),
        ("max_pool_picture", "global_max_pool", {}, L.GlobalMaxPooling2D(), [picture]),
        ("max_pool_volume", "global_max_pool", {}, L.GlobalMaxPooling3D(), [volume]),
        ("max_pool_ties", "global_max_pool", {}, L.GlobalMaxPooling1D(), [tied]),
        ("embed", "embed", {"width": 3}, L.Embedding(9, 3), [words]),
        ("embed_one", "embed", {"width": 4}, L.Embedding(9, 4), [words[:, 0]]),
        ("add", "add", {}, L.Add(), [vector, other, numbers(6)]),
        ("add_ranks", "add", {}, L.Add(), [vector, steps]),
        ("subtract", "subtract", {}, L.Subtract(), [vector, other]),
        ("multiply", "multiply", {}, L.Multiply(), [vector, other, numbers(6)]),
        ("average", "average", {}, L.Average(), [vector, other, numbers(6)]),
        ("maximum", "maximum", {}, L.Maximum(), [vector, other, numbers(6)]),
        ("minimum", "minimum", {}, L.Minimum(), [vector, other]),
        ("concat", "concat", {}, L.Concatenate(), [steps, numbers(5, 2), numbers(5, 1)]),
        ("concat_axis", "concat", {"axis": 0}, L.Concatenate(axis=1), [steps, numbers(2, 6)]),
        ("dot", "dot", {}, L.Dot(-1), [vector, other]),
        ("dot_normalized", "dot", {"normalize": True}, L.Dot(-1, normalize=True), [vector, other]),
        ("dot_matrices", "dot", {"axis": [1, 0]}, L.Dot((2, 1)), [steps, numbers(6, 3)]),
        ("dot_first_axes", "dot", {"axis": [0]}, L.Dot(1), [steps, numbers(5, 2)]),
        ("dot_mixed", "dot", {"axis": [-1], "normalize": True}, L.Dot(-1, normalize=True), [vector, steps]),
        ("permute", "permute", {"axes": [2, 0, 1]}, L.Permute((3, 1, 2)), [picture]),
        ("repeat_vector", "repeat_vector", {"n": 3}, L.RepeatVector(3), [vector]),
        ("identity", "identity", {}, L.Identity(), [steps]),
        ("standardize", "standardize", {}, _adapted(steps), [steps]),
        ("standardize_vector", "standardize", {}, _adapted(100 * vector), [100 * vector]),
    ]
    return [layer_case(case, name, arguments, layer, inputs, rng) for case, name, arguments, layer, inputs in table]


def _plain_layer_norm() -> Any:
    return L.LayerNormalization(center=False, scale=False)


def _adapted(data: np.ndarray) -> Any:
    layer = L.Normalization()
    layer.adapt(data)
    return layer


def _before_adapting(data: np.ndarray) -> list[np.ndarray]:
    layer = L.Normalization()
    layer.build(data.shape)
    return [np.asarray(v.value) for v in layer.weights if v.name != "count"]


def layer_case(
    case: str, name: str, arguments: dict[str, Any], layer: Any, inputs: list[np.ndarray], rng: np.random.Generator
) -> Case:
    given = [keras.ops.convert_to_tensor(x) for x in inputs]
    layer(given if len(given) > 1 else given[0])  # makes the weights
    variables = [v for v in layer.weights if v.name != "count"]
    first = [np.asarray(v.value) for v in variables]
    adapts = name == "standardize"
    settings = {
        "layer": name,
        "arguments": arguments,
        "weights": [[v.name, list(v.shape), bool(v.trainable)] for v in variables],
        "first": [_first_values(array) for array in (_before_adapting(inputs[0]) if adapts else first)],
        "classes": 9 if inputs[0].dtype.kind == "i" else None,
    }
    weights = first if adapts else [rng.normal(0.5, 1.0, v.shape) for v in variables]
    for variable, weight in zip(variables, weights, strict=True):
        variable.assign(weight)
    if adapts:
        layer.finalize_state()
    y = np.asarray(layer(given if len(given) > 1 else given[0]))
    upstream = rng.normal(size=y.shape)
    trained = [] if adapts else variables
    dx, dw = _gradients(layer, inputs, trained, upstream)
    arrays = {f"x{i}": x for i, x in enumerate(inputs)} | {f"w{i}": w for i, w in enumerate(weights)}
    arrays |= {"upstream": upstream, "y": y}
    arrays |= {f"dx{i}": d for i, d in enumerate(dx)} | {f"dw{i}": d for i, d in enumerate(dw)}
    return Case(case, settings, arrays)


def _first_values(array: np.ndarray) -> list[float] | None:
    """[lowest, highest] where all are equal, else how far they reach at most: draws differ between backends."""
    if array.size and (array == array.flat[0]).all():
        return [float(array.flat[0])] * 2
    return [-0.05, 0.05] if np.abs(array).max() <= 0.05 else None


def _gradients(
    layer: Any, inputs: list[np.ndarray], variables: list[Any], upstream: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Of sum(y * upstream), to the inputs that are floats and to the weights."""
    floats = [x for x in inputs if x.dtype.kind == "f"]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        given = [tf.constant(x) for x in inputs]
        with tf.GradientTape() as tape:
            for tensor in given[: len(floats)]:
                tape.watch(tensor)
            value = tf.reduce_sum(layer(given if len(given) > 1 else given[0]) * upstream)
        wanted = [*given[: len(floats)], *(v.value for v in variables)]
        found = [tf.convert_to_tensor(gradient).numpy() for gradient in tape.gradient(value, wanted)]
    else:
        import jax

        fixed = [v.value for v in layer.non_trainable_variables]

        def total(floats: list[Any], weights: list[Any]) -> Any:
            given = floats or [jax.numpy.asarray(x) for x in inputs]
            y, _ = layer.stateless_call(weights, fixed, given if len(given) > 1 else given[0])
            return (y * upstream).sum()

        arrays = ([jax.numpy.asarray(x) for x in floats], [v.value for v in variables])
        found = [np.asarray(g) for group in jax.grad(total, (0, 1))(*arrays) for g in group]
    return found[: len(floats)], found[len(floats) :]
