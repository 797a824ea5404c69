"""The whole networks of the parity fixtures, as data: layers and settings in kdsl's names, and how their data is drawn.

163 rows make nineteen batches of 8 and one of 3, so an epoch is twenty steps and its last batch is partial.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BATCH = 8
ROWS = 19 * BATCH + 3


def labelled(features: tuple[int, ...], classes: int) -> Any:
    """Float features and integer labels that depend on them."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(0, 1, (ROWS, *features))
        scores = x.reshape(ROWS, -1) @ rng.normal(0, 1, (int(np.prod(features)), classes))
        return x, np.argmax(scores, axis=1).astype("int32")

    return draw


def one_hot(features: tuple[int, ...], classes: int) -> Any:
    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x, y = labelled(features, classes)(rng)
        return x, np.eye(classes)[y]

    return draw


def pictures(shape: tuple[int, ...], classes: int) -> Any:
    """Bytes, as a picture file holds them, with integer labels."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.integers(0, 256, (ROWS, *shape)).astype("uint8")
        return x, (x.reshape(ROWS, -1).sum(axis=1) % classes).astype("int32")

    return draw


def bits(features: int, count: int) -> Any:
    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(0, 1, (ROWS, features))
        return x, (x @ rng.normal(0, 1, (features, count)) > 0.2).astype("float64")

    return draw


def regression(features: int, outputs: int) -> Any:
    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(0, 1, (ROWS, features))
        return x, np.sin(x @ rng.normal(0, 0.7, (features, outputs))) + rng.normal(0, 0.05, (ROWS, outputs))

    return draw


NETWORKS: dict[str, dict[str, Any]] = {
    # The first network of every book, smaller: one hidden layer, integer labels.
    "classifier": {
        "shape": [12],
        "input": "f32[12]",
        "target": "index(5)",
        "layers": [["dense", {"units": 7}], ["relu", {}], ["dense", {"units": 5}]],
        "loss": ["cross_entropy", {}],
        "metric": "accuracy",
        "batch": BATCH,
        "data": labelled((12,), 5),
        "optimizers": {
            "sgd": ["sgd", {"lr": 1.0}],
            "nesterov": ["sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True}],
            "adam": ["adam", {"lr": 0.01}],
            "adam_global_clip": ["adam", {"lr": 0.01, "global_clip_norm": 0.5}],
            "adamw": ["adamw", {"lr": 0.01, "weight_decay": 0.05}],
            "rmsprop": ["rmsprop", {"lr": 0.005, "momentum": 0.5}],
        },
    },
    # Bytes in, rescaled; wider than a register of 16 floats and not a multiple of one.
    "pictures": {
        "shape": [5, 4],
        "input": "u8[5, 4]",
        "target": "index(3)",
        "layers": [
            ["rescale", {"scale": 1 / 255}],
            ["flatten", {}],
            ["dense", {"units": 33}],
            ["sigmoid", {}],
            ["dense", {"units": 17, "bias": False}],
            ["elu", {}],
            ["dense", {"units": 3}],
        ],
        "loss": ["cross_entropy", {"smoothing": 0.1}],
        "metric": "accuracy",
        "batch": BATCH,
        "data": pictures((5, 4), 3),
        "optimizers": {
            "sgd": ["sgd", {"lr": 0.5}],
            "adam": ["adam", {"lr": 0.003}],
            "adam_clip": ["adam", {"lr": 0.003, "clip_norm": 0.2}],
        },
    },
    # Two hidden layers with smooth activations, one-hot labels.
    "deep": {
        "shape": [2, 3, 2],
        "input": "f32[2, 3, 2]",
        "target": "f32[4]",
        "layers": [
            ["normalize", {"mean": [0.1, -0.2], "std": [0.8, 1.25]}],
            ["reshape", {"shape": [12]}],
            ["dense", {"units": 9}],
            ["tanh", {}],
            ["dense", {"units": 6}],
            ["gelu", {}],
            ["dense", {"units": 4}],
        ],
        "loss": ["cross_entropy", {}],
        "metric": "accuracy",
        "batch": BATCH,
        "data": one_hot((2, 3, 2), 4),
        "optimizers": {
            "momentum": ["sgd", {"lr": 0.1, "momentum": 0.9}],
            "adamw": ["adamw", {"lr": 0.01}],
            "rmsprop_centered": ["rmsprop", {"lr": 0.003, "centered": True}],
        },
    },
    # Every other activation in one stack.
    "activations": {
        "shape": [10],
        "input": "f32[10]",
        "target": "index(4)",
        "layers": [
            ["dense", {"units": 11}],
            ["silu", {}],
            ["dense", {"units": 10}],
            ["mish", {}],
            ["dense", {"units": 12}],
            ["selu", {}],
            ["dense", {"units": 9}],
            ["softplus", {}],
            ["dense", {"units": 10}],
            ["leaky_relu", {}],
            ["dense", {"units": 8}],
            ["softsign", {}],
            ["dense", {"units": 4}],
        ],
        "loss": ["cross_entropy", {}],
        "metric": "accuracy",
        "batch": BATCH,
        "data": labelled((10,), 4),
        "optimizers": {"adam": ["adam", {"lr": 0.005}]},
    },
    # Several yes-or-no answers at once.
    "tags": {
        "shape": [8],
        "input": "f32[8]",
        "target": "bool[3]",
        "layers": [["dense", {"units": 10}], ["hard_silu", {}], ["dense", {"units": 3}]],
        "loss": ["binary_cross_entropy", {"smoothing": 0.1}],
        "metric": "binary_accuracy",
        "batch": BATCH,
        "data": bits(8, 3),
        "optimizers": {"sgd": ["sgd", {"lr": 0.2}], "adam": ["adam", {"lr": 0.01, "clip_value": 0.02}]},
    },
    "regression": {
        "shape": [6],
        "input": "f32[6]",
        "target": "f32[2]",
        "layers": [["dense", {"units": 8}], ["selu", {}], ["dense", {"units": 2}]],
        "loss": ["mse", {}],
        "metric": "mae",
        "batch": BATCH,
        "data": regression(6, 2),
        "optimizers": {
            "sgd": ["sgd", {"lr": 0.05, "weight_decay": 0.01}],
            "adam": ["adam", {"lr": 0.01}],
            "rmsprop": ["rmsprop", {"lr": 0.002}],
        },
    },
    "robust": {
        "shape": [6],
        "input": "f32[6]",
        "target": "f32[1]",
        "layers": [["dense", {"units": 20}], ["hard_sigmoid", {}], ["dense", {"units": 1}]],
        "loss": ["huber", {"delta": 0.7}],
        "metric": "mse",
        "batch": BATCH,
        "data": regression(6, 1),
        "optimizers": {"adam": ["adam", {"lr": 0.01}], "momentum": ["sgd", {"lr": 0.05, "momentum": 0.8}]},
    },
    # What is rarely seen inside of a network.
    "unusual": {
        "shape": [5],
        "input": "f32[5]",
        "target": "f32[2]",
        "layers": [
            ["dense", {"units": 18}],
            ["relu6", {}],
            ["dense", {"units": 9}],
            ["softmax", {}],
            ["dense", {"units": 7}],
            ["exponential", {}],
            ["dense", {"units": 17}],
            ["log_softmax", {}],
            ["dense", {"units": 2}],
            ["linear", {}],
        ],
        "loss": ["mae", {}],
        "metric": "mse",
        "batch": BATCH,
        "data": regression(5, 2),
        "optimizers": {"adam": ["adam", {"lr": 0.005, "amsgrad": True}]},
    },
}
