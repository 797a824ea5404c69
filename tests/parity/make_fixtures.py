"""Make the parity fixtures with Keras itself: inputs, weights and settings in; outputs, gradients and new weights out.

    python tests/parity/make_fixtures.py                 # writes fixtures/*.npz (Keras on JAX, float64)
    python tests/parity/make_fixtures.py --check         # computes all of it anew and compares with the files
    KERAS_BACKEND=tensorflow python tests/parity/make_fixtures.py --check     # the same with another backend, less exactly

The tests only read the files, so Keras is needed here and nowhere else (`pip install keras jax`, or tensorflow).
Everything is computed in float64, which lets the tests ask for nearly exact equality. Keras's TensorFlow backend rounds
constants such as a learning rate or a slope to float32 on their way, so the files are made with JAX and only compared,
at single precision, with TensorFlow.

Groups, one file each (`fixture_file.py` describes the format; settings use kdsl's names, KERAS_NAMES translates them):

    activations   x, upstream -> y, dx (the gradient of sum(y * upstream))
    functions     x0.., upstream -> y, dx0.. (functions of tensors and operators, `function_cases.py`)
    layers        x -> y, for layers without weights (rescale, normalize, flatten, reshape)
    light_layers  x0.., w0.., upstream -> y, dx0.., dw0.. (`light_fixtures.py`)
    windows       x0, w0.., upstream -> y, dx0, dw0.. (`window_fixtures.py`)
    batch_norm    x0.., w/NAME, upstream -> y, dx, d/NAME, moved1/NAME, moved3/NAME (`batch_norm_fixtures.py`)
    losses        prediction, target -> loss (reduced as training does), dprediction
    optimizers    w0.., gradients (20, ...) -> step1/w0.., step20/w0..
    metrics       prediction, target -> value
    initializers  shape, settings -> quantiles, mean and deviation of what Keras draws
    networks      layers, w0.., x, y -> output, loss, grad0.., and for each optimizer the weights after 1 and 20 steps
                  (rows in order, 8 to a batch; the twentieth batch has 3 rows), the epoch's loss and metric
    convnets      x, y, w0.. -> output, step1/w0.., step3/w0.. (`convnet_fixtures.py`)
    library       x, t0.., w/NAME -> output, loss, grad/NAME (`library_fixtures.py`)
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import function_cases
import keras
import library_fixtures
import numpy as np
from batch_norm_fixtures import batch_norm
from convnet_fixtures import convnets
from fixture_file import Case, read, write
from keras.src.backend.common import dtypes
from light_fixtures import light_layers
from network_cases import NETWORKS
from window_fixtures import windows

keras.config.set_floatx("float64")
# Keras narrows float64 results to float32 on every backend but TensorFlow; the fixtures are to be exact.
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"

KERAS_NAMES = {
    "lr": "learning_rate",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "clip_norm": "clipnorm",
    "global_clip_norm": "global_clipnorm",
    "clip_value": "clipvalue",
}
STEPS = 20


# -- what differs between the backends -------------------------------------------------------------


def value_and_gradients(function: Any, arguments: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """A scalar function's value and its gradient to each argument."""
    if keras.backend.backend() == "jax":
        import jax

        value, gradients = jax.value_and_grad(lambda given: function(*given))([jax.numpy.asarray(a) for a in arguments])
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        given = [tf.constant(a) for a in arguments]
        with tf.GradientTape() as tape:
            for tensor in given:
                tape.watch(tensor)
            value = function(*given)
        gradients = tape.gradient(value, given)
    else:
        raise SystemExit(f"no gradients for the backend {keras.backend.backend()!r}: use jax or tensorflow")
    return np.asarray(value), [np.asarray(gradient) for gradient in gradients]


# -- activations and layers ------------------------------------------------------------------------

# Keras's function of that name, except where the language's default is the layer's and not the function's.
ACTIVATIONS: dict[str, tuple[str, dict[str, Any], Any]] = {
    name: (name, {}, keras.activations.get(name))
    for name in (
        *("linear", "relu", "elu", "selu", "silu", "softplus", "softsign", "tanh", "sigmoid", "hard_sigmoid"),
        *("hard_silu", "mish", "exponential", "relu6", "softmax", "log_softmax"),
    )
} | {
    "gelu": ("gelu", {}, lambda x: keras.activations.gelu(x, approximate=False)),
    "leaky_relu": ("leaky_relu", {}, keras.layers.LeakyReLU()),
    "leaky_relu_slope": ("leaky_relu", {"slope": 0.05}, keras.layers.LeakyReLU(negative_slope=0.05)),
    "elu_alpha": ("elu", {"alpha": 0.4}, lambda x: keras.activations.elu(x, alpha=0.4)),
}


def activations() -> list[Case]:
    rng = np.random.default_rng(1)
    x = np.concatenate(
        [rng.normal(0, 1.5, 40), rng.normal(0, 8, 16), [-30.25, -3.5, -1e-3, 1e-3, 2.75, 3.5, 6.5, 30.25]]
    )
    x = rng.permutation(x).reshape(8, 8)
    upstream = rng.normal(size=x.shape)
    cases = []
    for case, (name, arguments, function) in ACTIVATIONS.items():
        y = np.asarray(function(keras.ops.convert_to_tensor(x)))
        _, (dx,) = value_and_gradients(lambda x, f=function: keras.ops.sum(f(x) * upstream), [x])
        settings = {"layer": name, "arguments": arguments}
        cases.append(Case(case, settings, {"x": x, "upstream": upstream, "y": y, "dx": dx}))
    return cases


def functions() -> list[Case]:
    return function_cases.make(keras.ops, value_and_gradients)


def layers() -> list[Case]:
    rng = np.random.default_rng(2)
    mean, deviation = [125.3, 123.0, 113.9], [63.0, 62.1, 66.7]
    picture = rng.integers(0, 256, (3, 4, 5, 3)).astype("float64")
    table = [
        ("rescale", "rescale", {"scale": 1 / 255}, keras.layers.Rescaling(1 / 255), picture),
        (
            "rescale_offset",
            "rescale",
            {"scale": 1 / 127.5, "offset": -1.0},
            keras.layers.Rescaling(1 / 127.5, -1.0),
            picture,
        ),
        (
            "normalize",
            "normalize",
            {"mean": mean, "std": deviation},
            keras.layers.Normalization(mean=mean, variance=[s**2 for s in deviation]),
            picture,
        ),
        ("flatten", "flatten", {}, keras.layers.Flatten(), picture),
        ("reshape", "reshape", {"shape": [10, 6]}, keras.layers.Reshape((10, 6)), picture),
    ]
    return [
        Case(
            case,
            {"layer": name, "arguments": arguments},
            {"x": x, "y": np.asarray(layer(keras.ops.convert_to_tensor(x)))},
        )
        for case, name, arguments, layer, x in table
    ]


# -- losses and metrics ----------------------------------------------------------------------------


def keras_loss(name: str, settings: dict[str, Any], sparse: bool) -> Any:
    smoothing = settings.get("smoothing", 0.0)
    if name == "cross_entropy" and sparse and smoothing:
        # Keras smooths only one-hot labels: the same labels, written as one-hot.
        smooth = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
        return lambda y, p: smooth(keras.ops.one_hot(keras.ops.cast(y, "int32"), p.shape[-1], dtype="float64"), p)
    if name == "cross_entropy" and sparse:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if name == "cross_entropy":
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    if name == "binary_cross_entropy":
        return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)
    if name == "huber":
        return keras.losses.Huber(delta=settings.get("delta", 1.0))
    return {"mse": keras.losses.MeanSquaredError, "mae": keras.losses.MeanAbsoluteError}[name]()


def losses() -> list[Case]:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 4, (7, 6))
    labels = rng.integers(0, 6, 7)
    one_hot = np.eye(6)[labels]
    soft = rng.dirichlet(np.ones(6), 7)
    bits = rng.integers(0, 2, (7, 6)).astype("float64")
    values = rng.normal(0, 2, (7, 6))
    table = [
        ("cross_entropy_index", "cross_entropy", {}, logits, labels),
        ("cross_entropy_index_smoothing", "cross_entropy", {"smoothing": 0.1}, logits, labels),
        ("cross_entropy_one_hot", "cross_entropy", {}, logits, one_hot),
        ("cross_entropy_one_hot_smoothing", "cross_entropy", {"smoothing": 0.1}, logits, one_hot),
        ("cross_entropy_soft_labels", "cross_entropy", {}, logits, soft),
        ("cross_entropy_steps", "cross_entropy", {}, rng.normal(0, 3, (3, 4, 5)), rng.integers(0, 5, (3, 4))),
        ("cross_entropy_large", "cross_entropy", {}, logits * 100, labels),
        ("binary_cross_entropy", "binary_cross_entropy", {}, logits, bits),
        ("binary_cross_entropy_one", "binary_cross_entropy", {}, logits[:, :1], bits[:, :1]),
        ("binary_cross_entropy_smoothing", "binary_cross_entropy", {"smoothing": 0.2}, logits, bits),
        ("binary_cross_entropy_large", "binary_cross_entropy", {}, logits * 100, bits),
        ("mse", "mse", {}, values, logits),
        ("mae", "mae", {}, values, logits),
        ("huber", "huber", {}, values, logits),
        ("huber_delta", "huber", {"delta": 2.5}, values, logits),
    ]
    cases = []
    for case, name, settings, prediction, target in table:
        loss = keras_loss(name, settings, target.ndim < prediction.ndim)
        given = keras.ops.convert_to_tensor(target)
        value, (gradient,) = value_and_gradients(lambda p, f=loss, y=given: f(y, p), [prediction])
        arrays = {"prediction": prediction, "target": target, "loss": value, "dprediction": gradient}
        cases.append(Case(case, {"loss": name, "arguments": settings}, arrays))
    return cases


def keras_metric(name: str, settings: dict[str, Any], prediction: Any, target: Any) -> Any:
    """Keras's metric, and the prediction as Keras wants it: its binary accuracy compares probabilities."""
    if name == "accuracy" and target.ndim < prediction.ndim:
        return keras.metrics.SparseCategoricalAccuracy(), prediction
    if name == "accuracy" and settings.get("binary"):
        return keras.metrics.BinaryAccuracy(), np.asarray(keras.ops.sigmoid(prediction))
    if name == "accuracy":
        return keras.metrics.CategoricalAccuracy(), prediction
    if name == "top_k" and target.ndim < prediction.ndim:
        return keras.metrics.SparseTopKCategoricalAccuracy(k=settings.get("k", 5)), prediction
    if name == "top_k":
        return keras.metrics.TopKCategoricalAccuracy(k=settings.get("k", 5)), prediction
    return {"mse": keras.metrics.MeanSquaredError, "mae": keras.metrics.MeanAbsoluteError}[name](), prediction


def metrics() -> list[Case]:
    rng = np.random.default_rng(4)
    logits = rng.normal(0, 2, (60, 9))
    labels = rng.integers(0, 9, 60)
    bits = rng.integers(0, 2, (60, 1)).astype("float64")
    half = np.where(rng.random((60, 1)) < 0.4, 0.0, rng.normal(0, 1, (60, 1)))
    tied = rng.integers(0, 4, (60, 9)).astype("float64")
    table = [
        ("accuracy_index", "accuracy", {}, logits, labels),
        ("accuracy_one_hot", "accuracy", {}, logits, np.eye(9)[labels]),
        ("accuracy_index_ties", "accuracy", {}, tied, labels),
        ("accuracy_binary", "accuracy", {"binary": True}, logits[:, :1], bits),
        ("accuracy_binary_at_threshold", "accuracy", {"binary": True}, half, bits),
        ("accuracy_binary_many", "accuracy", {"binary": True}, logits, (rng.random((60, 9)) < 0.5).astype("float64")),
        ("top_k_default", "top_k", {}, logits, labels),
        ("top_k_ties", "top_k", {"k": 3}, tied, labels),
        ("top_k_3", "top_k", {"k": 3}, logits, labels),
        ("top_k_one_hot", "top_k", {"k": 2}, logits, np.eye(9)[labels]),
        ("mse", "mse", {}, logits, rng.normal(0, 1, (60, 9))),
        ("mae", "mae", {}, logits, rng.normal(0, 1, (60, 9))),
    ]
    cases = []
    for case, name, settings, prediction, target in table:
        metric, given = keras_metric(name, settings, prediction, target)
        # TensorFlow ranks float32 only; these numbers rank alike in both.
        metric.update_state(target, given.astype("float32") if name == "top_k" else given)
        arrays = {"prediction": prediction, "target": target, "value": np.asarray(metric.result(), "float64")}
        cases.append(Case(case, {"metric": name, "arguments": settings}, arrays))
    return cases


# -- optimizers ------------------------------------------------------------------------------------

OPTIMIZERS = {"sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam}
OPTIMIZERS["adamw"] = keras.optimizers.AdamW
OPTIMIZER_CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("sgd", "sgd", {}),
    ("sgd_lr", "sgd", {"lr": 0.3}),
    ("sgd_momentum", "sgd", {"lr": 0.05, "momentum": 0.9}),
    ("sgd_nesterov", "sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("sgd_weight_decay", "sgd", {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.02}),
    ("sgd_clip_norm", "sgd", {"lr": 0.1, "clip_norm": 1.5}),
    ("sgd_global_clip_norm", "sgd", {"lr": 0.1, "global_clip_norm": 1.5}),
    ("sgd_clip_value", "sgd", {"lr": 0.1, "clip_value": 0.4}),
    ("rmsprop", "rmsprop", {}),
    ("rmsprop_momentum", "rmsprop", {"lr": 0.01, "rho": 0.8, "momentum": 0.9}),
    ("rmsprop_centered", "rmsprop", {"lr": 0.01, "centered": True, "epsilon": 1e-3}),
    ("rmsprop_weight_decay", "rmsprop", {"weight_decay": 0.1, "global_clip_norm": 1.0}),
    ("adam", "adam", {}),
    ("adam_betas", "adam", {"lr": 0.02, "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-3}),
    ("adam_amsgrad", "adam", {"lr": 0.02, "amsgrad": True}),
    ("adam_weight_decay", "adam", {"lr": 0.02, "weight_decay": 0.1}),
    ("adam_clip_norm", "adam", {"lr": 0.02, "clip_norm": 1.0}),
    ("adam_global_clip_norm", "adam", {"lr": 0.02, "global_clip_norm": 1.0}),
    ("adam_clip_value", "adam", {"lr": 0.02, "clip_value": 0.25}),
    ("adamw", "adamw", {}),
    ("adamw_clip_norm", "adamw", {"lr": 0.02, "weight_decay": 0.05, "clip_norm": 1.0}),
]


def keras_optimizer(name: str, settings: dict[str, Any]) -> Any:
    return OPTIMIZERS[name](**{KERAS_NAMES.get(key, key): value for key, value in settings.items()})


def optimizers() -> list[Case]:
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=(3, 4)), rng.normal(size=4)]
    scale = 10.0 ** rng.uniform(-3, 0.5, (STEPS, 1))
    gradients = [rng.normal(size=(STEPS, 3, 4)) * scale[:, :, None], rng.normal(size=(STEPS, 4)) * scale]
    gradients[0][:, 0, 1] = 0.0  # a weight that never gets a gradient
    gradients[1][:5] = 0.0  # and some that get their first one late
    given = {f"w{i}": w for i, w in enumerate(weights)} | {f"gradient{i}": g for i, g in enumerate(gradients)}
    cases = []
    for case, name, settings in OPTIMIZER_CASES:
        optimizer = keras_optimizer(name, settings)
        variables = [keras.Variable(w) for w in weights]
        arrays = dict(given)
        for step in range(STEPS):
            optimizer.apply([keras.ops.convert_to_tensor(g[step]) for g in gradients], variables)
            if step + 1 in (1, STEPS):
                arrays |= {f"step{step + 1}/w{i}": np.asarray(v.value) for i, v in enumerate(variables)}
        cases.append(Case(case, {"optimizer": name, "arguments": settings}, arrays))
    return cases


# -- initialisers ----------------------------------------------------------------------------------

QUANTILES = np.array([0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999])


def initializer_table() -> list[tuple[str, str, dict[str, Any], Any]]:
    made = keras.initializers
    return [
        *((name, name, {}, made.get(name)) for name in ("zeros", "ones")),
        *(
            (f"{name}_{kind}", f"{name}_{kind}", {}, made.get(f"{name}_{kind}"))
            for name in ("glorot", "he", "lecun")
            for kind in ("uniform", "normal")
        ),
        ("constant", "constant", {"value": 0.25}, made.Constant(0.25)),
        ("normal", "normal", {}, made.RandomNormal()),
        ("normal_given", "normal", {"mean": 1.0, "stddev": 0.2}, made.RandomNormal(1.0, 0.2)),
        ("uniform", "uniform", {}, made.RandomUniform()),
        ("uniform_given", "uniform", {"minval": -2.0, "maxval": 1.0}, made.RandomUniform(-2.0, 1.0)),
        ("truncated_normal", "truncated_normal", {}, made.TruncatedNormal()),
        ("orthogonal", "orthogonal", {}, made.Orthogonal()),
        ("orthogonal_gain", "orthogonal", {"gain": 1.5}, made.Orthogonal(1.5)),
    ]


def initializers() -> list[Case]:
    """Draws differ between backends, so a fixture keeps what can be compared: the distribution of 60,000 draws."""
    keras.utils.set_random_seed(6)  # before they are made: each takes its seed then
    cases = []
    for case, name, settings, initializer in initializer_table():
        shape = (300, 200)
        drawn = np.asarray(initializer(shape, dtype="float64"))
        arrays = {
            "shape": np.array(shape),
            "probabilities": QUANTILES,
            "quantiles": np.quantile(drawn, QUANTILES),
            "range": np.array([drawn.min(), drawn.max()]),
            "mean": drawn.mean(),
            "deviation": drawn.std(),
        }
        if name == "orthogonal":
            arrays["singular_values"] = np.linalg.svd(drawn, compute_uv=False)
        cases.append(Case(case, {"initializer": name, "arguments": settings}, arrays))
    return cases


# -- whole networks --------------------------------------------------------------------------------

KERAS_LAYERS = {
    "dense": lambda units, bias=True: keras.layers.Dense(units, use_bias=bias),
    "flatten": lambda: keras.layers.Flatten(),
    "reshape": lambda shape: keras.layers.Reshape(shape),
    "rescale": lambda scale, offset=0.0: keras.layers.Rescaling(scale, offset),
    "normalize": lambda mean, std: keras.layers.Normalization(mean=mean, variance=[s**2 for s in std]),
    "leaky_relu": lambda: keras.layers.LeakyReLU(),
    "gelu": lambda: keras.layers.Activation(keras.activations.gelu),
}


def keras_layer(name: str, arguments: dict[str, Any]) -> Any:
    build = KERAS_LAYERS.get(name)
    return build(**arguments) if build else keras.layers.Activation(name)


def build(network: dict[str, Any], weights: list[np.ndarray]) -> Any:
    model = keras.Sequential([keras.Input(network["shape"])] + [keras_layer(*layer) for layer in network["layers"]])
    model.set_weights(weights)
    return model


def network_metric(network: dict[str, Any], prediction: np.ndarray, target: np.ndarray) -> list[Any]:
    name = network["metric"]
    if name == "binary_accuracy":

        class LogitsAccuracy(keras.metrics.BinaryAccuracy):
            def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
                return super().update_state(y_true, keras.ops.sigmoid(y_pred), sample_weight)

        return [LogitsAccuracy(name="metric")]
    metric, _ = keras_metric(name, {}, prediction, target)
    return [metric]


def networks() -> list[Case]:
    cases = []
    for name, network in NETWORKS.items():
        rng = np.random.default_rng([7, len(cases)])
        x, y = network["data"](rng)
        keras.utils.set_random_seed(0)
        shapes = [w.shape for w in build_shapes(network)]
        weights = [rng.normal(0, 0.5 if len(s) > 1 else 0.1, s) for s in shapes]
        loss = keras_loss(network["loss"][0], network["loss"][1], y.ndim == 1)
        batch = network["batch"]
        model = build(network, weights)
        output = model.predict(x.astype("float64"), batch_size=len(x), verbose=0)
        value, gradients = first_gradient(model, loss, x[:batch].astype("float64"), y[:batch])
        arrays = {"x": x, "y": y, "output": output, "loss": value}
        arrays |= {f"w{i}": w for i, w in enumerate(weights)} | {f"grad{i}": g for i, g in enumerate(gradients)}
        for label, (optimizer, arguments) in network["optimizers"].items():
            for steps, rows in ((1, batch), (STEPS, len(x))):
                model = build(network, weights)
                model.compile(keras_optimizer(optimizer, arguments), loss, metrics=network_metric(network, output, y))
                fitted = model.fit(x[:rows].astype("float64"), y[:rows], batch, shuffle=False, verbose=0)
                assert int(model.optimizer.iterations) == steps
                arrays |= {f"{label}/step{steps}/w{i}": w for i, w in enumerate(model.get_weights())}
                reported = [fitted.history.pop("loss"), *fitted.history.values()]
                arrays[f"{label}/step{steps}/history"] = np.array(reported, "float64")[:, 0]
        settings = {key: value for key, value in network.items() if key != "data"}
        cases.append(Case(name, settings, arrays))
    return cases


def build_shapes(network: dict[str, Any]) -> list[np.ndarray]:
    model = keras.Sequential([keras.Input(network["shape"])] + [keras_layer(*layer) for layer in network["layers"]])
    return [np.asarray(weight) for weight in model.get_weights()]


def first_gradient(model: Any, loss: Any, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        target = [tf.constant(part) for part in y] if isinstance(y, list) else tf.constant(y)
        with tf.GradientTape() as tape:
            value = loss(target, model(tf.constant(x)))
        return np.asarray(value), [np.asarray(g) for g in tape.gradient(value, model.trainable_variables)]
    others = [v.value for v in model.non_trainable_variables]
    return value_and_gradients(
        lambda *weights: loss(y, model.stateless_call(list(weights), others, x)[0]),
        [np.asarray(v.value) for v in model.trainable_variables],
    )


def library() -> list[Case]:
    return library_fixtures.make(first_gradient)


# -- the command -----------------------------------------------------------------------------------

MAKERS = (
    activations,
    functions,
    layers,
    light_layers,
    windows,
    batch_norm,
    losses,
    metrics,
    optimizers,
    initializers,
    networks,
    convnets,
    library,
)
GROUPS = {f.__name__: f for f in MAKERS}


def differences(group: str, made: list[Case]) -> list[str]:
    """Where the stored fixtures and the freshly computed ones disagree; random draws are not compared."""
    tolerance = 1e-10 if keras.backend.backend() == "jax" else 1e-5
    stored = {case.name: case for case in read(group)}
    found = [] if list(stored) == [case.name for case in made] else [f"{group}: other cases"]
    for case in made:
        for name, array in case.arrays.items():
            expected = stored[case.name].arrays.get(name) if case.name in stored else None
            if expected is None or expected.shape != array.shape:
                found.append(f"{group}/{case.name}/{name}: missing or of another shape")
            elif not np.allclose(array, expected, rtol=tolerance, atol=tolerance):
                worst = np.max(np.abs(array - expected))
                found.append(f"{group}/{case.name}/{name}: differs by up to {worst:.3g}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the stored files instead of writing them")
    parser.add_argument("groups", nargs="*", default=[], help=f"some of {', '.join(GROUPS)}; default: all")
    options = parser.parse_args()
    versions = {"keras": keras.__version__, "backend": keras.backend.backend(), "floatx": keras.config.floatx()}
    found = []
    for group in options.groups or GROUPS:
        made = GROUPS[group]()
        if not options.check:
            path = write(group, made, versions)
            print(f"{path.name}: {len(made)} cases, {path.stat().st_size:,} bytes")
        elif group != "initializers":
            found += differences(group, made)
            print(f"{group}: {len(made)} cases compared")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
