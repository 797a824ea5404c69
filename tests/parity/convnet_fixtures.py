"""The group `convnets` of the parity fixtures: small convolutional networks that Keras trains for three steps.

Only `make_fixtures.py` imports this. A case holds x, y, w0.. (all weights, in kdsl's order) -> output (before
training), step1/w0.. and step3/w0.. (the third batch is smaller), history (the mean loss of each epoch of three steps),
trained (the output after them); its settings hold the model's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from fixture_file import Case

L = keras.layers
BATCH, ROWS = 6, 16
MADE: dict[int, tuple[Any, list[Any]]] = {}  # a model, and its layers in kdsl's order where that is not Keras's


def weights_of(model: Any) -> list[Any]:
    return [variable for layer in MADE.get(id(model), (model, model.layers))[1] for variable in layer.weights]


def set_weights(model: Any, weights: list[np.ndarray]) -> None:
    for variable, weight in zip(weights_of(model), weights, strict=True):
        variable.assign(weight)


HEAD = """\
block ConvBn(x: f32[H, W, C], out: int, kernel: int = 3, stride: int = 1) -> f32[_, _, out] {
  return x -> conv(out, kernel = kernel, stride = stride, pad = same, bias = false) -> batch_norm(momentum = 0.8)
}
"""
CLASSES = "\n  target y: index(4)"
ENTROPY = "cross_entropy(h, y)"

PLAIN = """
  input x: f32[9, 8, 2]
  h = x -> conv(5, kernel = 3, pad = same) -> relu -> max_pool(2) -> conv(6, kernel = [3, 2], stride = [2, 1]) -> relu
    -> flatten -> dense(4)
"""
RESIDUAL = """
  input x: f32[8, 8, 3]
  stem = x -> ConvBn(6) -> relu
  main = stem -> ConvBn(8, stride = 2) -> relu -> ConvBn(8)
  skip = stem -> ConvBn(8, kernel = 1, stride = 2)
  h = (main + skip) -> relu -> global_avg_pool -> dense(4)
"""
MOBILE = """
  input x: f32[7, 7, 3]
  h = x -> conv(8, kernel = 3, stride = 2, pad = same, bias = false) -> batch_norm -> relu6
    -> depthwise_conv(kernel = 3, pad = same, multiplier = 2, bias = false) -> batch_norm(scale = false) -> relu6
    -> separable_conv(6, kernel = 3, pad = same) -> group_norm(3) -> silu -> avg_pool(3, stride = 2, pad = same)
    -> flatten -> dense(4)
"""
PICTURES = """
  input x: f32[8, 6, 2]
  target y: f32[8, 6, 2]
  code = x -> conv(5, kernel = 3, stride = 2, pad = same) -> elu -> conv(7, kernel = 3, pad = same, dilation = 2) -> tanh
  h = code -> conv_transpose(4, kernel = 3, stride = 2, pad = same) -> prelu(shared_axes = [0, 1])
    -> upsample(2, method = bilinear) -> max_pool(2) -> conv(2, kernel = 3, pad = same)
"""
SEQUENCE = """
  input x: f32[12, 3]
  h = x -> conv(8, kernel = 3, dilation = 2, pad = causal) -> batch_norm -> relu -> max_pool(2)
    -> conv(9, kernel = 3, groups = 1) -> batch_norm(center = false) -> relu -> global_max_pool -> dense(4)
"""


def plain() -> Any:
    x = keras.Input((9, 8, 2))
    h = L.MaxPooling2D(2)(L.Conv2D(5, 3, padding="same", activation="relu")(x))
    h = L.Conv2D(6, (3, 2), strides=(2, 1), activation="relu")(h)
    return keras.Model(x, L.Dense(4)(L.Flatten()(h)))


def residual() -> Any:
    x = keras.Input((8, 8, 3))
    made: list[Any] = []

    def conv_bn(x: Any, out: int, kernel: int = 3, stride: int = 1) -> Any:
        made.append(L.Conv2D(out, kernel, strides=stride, padding="same", use_bias=False))
        made.append(L.BatchNormalization(momentum=0.8))
        return made[-1](made[-2](x))

    stem = L.ReLU()(conv_bn(x, 6))
    main = conv_bn(L.ReLU()(conv_bn(stem, 8, stride=2)), 8)
    skip = conv_bn(stem, 8, 1, 2)
    made.append(L.Dense(4))
    model = keras.Model(x, made[-1](L.GlobalAveragePooling2D()(L.ReLU()(main + skip))))
    # Keras lists the layers of branches in turn, kdsl one branch after the other.
    MADE[id(model)] = model, made
    return model


def mobile() -> Any:
    relu6 = keras.activations.relu6
    return keras.Sequential(
        [
            keras.Input((7, 7, 3)),
            L.Conv2D(8, 3, strides=2, padding="same", use_bias=False),
            L.BatchNormalization(),
            L.Activation(relu6),
            L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, use_bias=False),
            L.BatchNormalization(scale=False),
            L.Activation(relu6),
            L.SeparableConv2D(6, 3, padding="same"),
            L.GroupNormalization(3),
            L.Activation("silu"),
            L.AveragePooling2D(3, 2, "same"),
            L.Flatten(),
            L.Dense(4),
        ]
    )


def pictures() -> Any:
    return keras.Sequential(
        [
            keras.Input((8, 6, 2)),
            L.Conv2D(5, 3, strides=2, padding="same", activation="elu"),
            L.Conv2D(7, 3, padding="same", dilation_rate=2, activation="tanh"),
            L.Conv2DTranspose(4, 3, strides=2, padding="same"),
            L.PReLU(shared_axes=[1, 2]),
            L.UpSampling2D(2, interpolation="bilinear"),
            L.MaxPooling2D(2),
            L.Conv2D(2, 3, padding="same"),
        ]
    )


def sequence() -> Any:
    return keras.Sequential(
        [
            keras.Input((12, 3)),
            L.Conv1D(8, 3, dilation_rate=2, padding="causal"),
            L.BatchNormalization(),
            L.ReLU(),
            L.MaxPooling1D(2),
            L.Conv1D(9, 3),
            L.BatchNormalization(center=False),
            L.ReLU(),
            L.GlobalMaxPooling1D(),
            L.Dense(4),
        ]
    )


def convnets() -> list[Case]:
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made = keras.optimizers
    table: list[tuple[str, str, Callable[[], Any], Any, str, str, Callable[[], Any]]] = [
        ("plain", PLAIN + CLASSES, plain, entropy, ENTROPY, "adam(lr = 0.01)", lambda: made.Adam(0.01)),
        (
            *("residual", RESIDUAL + CLASSES, residual, entropy, ENTROPY, "sgd(lr = 0.1, momentum = 0.9)"),
            lambda: made.SGD(0.1, momentum=0.9),
        ),
        ("mobile", MOBILE + CLASSES, mobile, entropy, ENTROPY, "rmsprop(lr = 0.003)", lambda: made.RMSprop(0.003)),
        (
            *("pictures", PICTURES, pictures, keras.losses.MeanSquaredError(), "mse(h, y)", "adam(lr = 0.01)"),
            lambda: made.Adam(0.01),
        ),
        (
            *("sequence", SEQUENCE + CLASSES, sequence, entropy, ENTROPY, "adamw(lr = 0.01, weight_decay = 0.1)"),
            lambda: made.AdamW(0.01, weight_decay=0.1),
        ),
    ]
    return [_case(number, *row) for number, row in enumerate(table)]


def _case(
    number: int,
    case: str,
    body: str,
    make: Callable[[], Any],
    loss: Any,
    loss_text: str,
    optimizer_text: str,
    optimizer: Callable[[], Any],
) -> Case:
    rng = np.random.default_rng([13, number])
    model = make()
    x = rng.normal(size=(ROWS, *model.input_shape[1:]))
    y = rng.normal(size=x.shape) if case == "pictures" else rng.integers(0, 4, ROWS).astype("int32")
    weights = [_first(variable, rng) for variable in weights_of(model)]
    name = case.capitalize()
    body = "\n  ".join(line for line in body.strip("\n").split("\n") if line.strip())
    text = HEAD if "ConvBn" in body else ""
    text += f"model {name} {{\n{_inputs_first(body)}\n  output h\n}}\n"
    text += f"\ntrain {name} {{\n  loss = {loss_text}\n  optimizer = {optimizer_text}\n  batch = {BATCH}\n}}\n"
    arrays = {"x": x, "y": y} | {f"w{i}": w for i, w in enumerate(weights)}
    set_weights(model, weights)
    arrays["output"] = model.predict(x, verbose=0)
    for steps in (1, 3):
        model = make()
        set_weights(model, weights)
        model.compile(optimizer(), loss)
        rows = BATCH if steps == 1 else ROWS
        history = model.fit(x[:rows], y[:rows], BATCH, shuffle=False, verbose=0).history
        arrays |= {f"step{steps}/w{i}": np.asarray(v.value) for i, v in enumerate(weights_of(model))}
        arrays[f"step{steps}/history"] = np.array(history["loss"])
    arrays["trained"] = model.predict(x, verbose=0)
    return Case(case, {"text": text}, arrays)


def _first(variable: Any, rng: np.random.Generator) -> np.ndarray:
    if variable.name == "moving_variance":
        return rng.uniform(0.5, 1.5, variable.shape)
    return rng.normal(0, 0.4, variable.shape)


def _inputs_first(body: str) -> str:
    """The `target` line behind the `input` line; every line as far in as the others."""
    lines = [f"  {line.strip()}" for line in body.split("\n")]
    targets = [line for line in lines if line.startswith("  target")]
    rest = [line for line in lines if line not in targets]
    return "\n".join([rest[0], *targets, *rest[1:]])
