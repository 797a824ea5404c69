"""Keras's twins of models in ../models: the same layers, initial weights, optimizers, schedules and batches.

Layers are made in the order of the kdsl model, so both list their weights in the same order. `keras` is handed in, because only
some interpreters have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CLASSES = 10


@dataclass(frozen=True)
class Twin:
    """network(keras) -> a Model from bytes to logits; optimizer(keras)."""

    network: Callable[[Any], Any]
    optimizer: Callable[[Any], Any]
    batch: int

    def compiled(self, keras: Any) -> Any:
        model = self.network(keras)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # jit_compile changes nothing but the time: XLA is slow at convolutions on processors
        plain = {"jit_compile": False} if keras.backend.backend() != "jax" else {}
        model.compile(optimizer=self.optimizer(keras), loss=loss, metrics=["accuracy"], **plain)
        return model


def fashion_mlp(keras: Any) -> Any:
    layers = keras.layers
    first = keras.Input((28, 28), dtype="uint8")
    x = layers.Flatten()(layers.Rescaling(1 / 255)(first))
    x = layers.Dense(28, activation="relu")(x)
    return keras.Model(first, layers.Dense(CLASSES)(x))


def cifar_cnn(keras: Any) -> Any:
    layers = keras.layers
    first = keras.Input((32, 32, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255)(first)
    for width in (32, 64):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.Conv2D(width, 3, activation="relu")(x)
        x = layers.Dropout(0.25)(layers.MaxPooling2D(2)(x))
    x = layers.Dense(512, activation="relu")(layers.Flatten()(x))
    x = layers.Dropout(0.5)(x)
    return keras.Model(first, layers.Dense(CLASSES)(x))


def resnet20(keras: Any) -> Any:
    layers = keras.layers
    first = keras.Input((32, 32, 3), dtype="uint8")
    deviations = [63.0, 62.1, 66.7]
    x = layers.Normalization(mean=[125.3, 123.0, 113.9], variance=[value**2 for value in deviations])(first)
    x = layers.ReLU()(conv_bn(keras, x, 16, 1))
    for width in (16, 32, 64):
        for number in range(3):
            x = residual(keras, x, width, 2 if width > 16 and number == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(first, layers.Dense(CLASSES, kernel_regularizer=decay(keras))(x))


def conv_bn(keras: Any, x: Any, filters: int, stride: int) -> Any:
    x = keras.layers.Conv2D(
        filters,
        kernel_size=3,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=decay(keras),
    )(x)
    return keras.layers.BatchNormalization()(x)


def residual(keras: Any, x: Any, filters: int, stride: int) -> Any:
    """Option A of the paper: the shortcut takes every `stride`-th place and is filled up with channels of zeros."""
    layers = keras.layers
    main = conv_bn(keras, layers.ReLU()(conv_bn(keras, x, filters, stride)), filters, 1)
    skip = x if stride == 1 else x[:, ::stride, ::stride, :]
    missing = filters - x.shape[-1]
    if missing:
        skip = keras.ops.pad(skip, [[0, 0], [0, 0], [0, 0], [missing // 2, missing - missing // 2]])
    return layers.ReLU()(layers.Add()([main, skip]))


def decay(keras: Any) -> Any:
    return keras.regularizers.L2(0.5e-4)


def adam(keras: Any) -> Any:
    return keras.optimizers.Adam(1e-3)


def falling_sgd(keras: Any) -> Any:
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([32_000, 48_000], [0.1, 0.01, 0.001])
    return keras.optimizers.SGD(rate, momentum=0.9)


TWINS = {
    "fashion_mlp": Twin(fashion_mlp, adam, batch=32),
    "cifar_cnn": Twin(cifar_cnn, adam, batch=32),
    "resnet20": Twin(resnet20, falling_sgd, batch=128),
}
