"""The NumPy target computes what the graph says: its functions against the interpreter, its steps against the rules."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

from kdsl.compiler import compile_file
from kdsl.graph.interpreter import run
from kdsl.source import Source

ACTIVATIONS = [
    "linear",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
    "softsign",
    "tanh",
    "sigmoid",
    "hard_sigmoid",
    "hard_silu",
    "mish",
    "exponential",
    "relu6",
    "softmax",
    "log_softmax",
]

DEEP = """
model Net {{
  input  x: u8[3, 4]
  target y: {target}
  h = x -> rescale(1 / 255) -> normalize(mean = [0.1, 0.2, 0.3, 0.4], std = 2.0) -> dense(5)
  for_all = h {chain}
  logits = for_all -> flatten -> dropout(0.5) -> dense({width})
  output logits
  output h
}}
train Net {{
  loss      = {loss}
  metrics   = [{metric}]
  optimizer = {optimizer}
  batch     = 4
  seed      = 5
}}
"""


def deep(
    chain="-> relu",
    target="index(3)",
    width=3,
    loss="cross_entropy(logits, y)",
    metric="accuracy(logits, y)",
    optimizer="adam",
):
    return DEEP.format(chain=chain, target=target, width=width, loss=loss, metric=metric, optimizer=optimizer)


def built(folder, text, **options):
    compiled = compile_file(Source("net.kmodel", text), target="numpy", dtype="f64", **options)
    assert compiled.text is not None, compiled.diagnostics
    path = folder / "net.py"
    path.write_text(compiled.text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("numpy_target_net", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return compiled, module


def batch(program):
    random = np.random.default_rng(2)
    type = program.targets[0].type
    labels = random.integers(0, type.classes, 4) if type.dtype == "index" else random.uniform(0, 1, (4, *type.shape))
    return random.integers(0, 256, (4, 3, 4)).astype(np.uint8), labels > 0.5 if type.dtype == "bool" else labels


CASES = {
    **{name: deep(f"-> {name}") for name in ACTIVATIONS},
    "another axis": deep("-> softmax(axis = 0)"),
    "smoothing": deep(loss="cross_entropy(logits, y, smoothing = 0.2)", metric="top_k(logits, y, k = 2)"),
    "one-hot": deep(target="f32[3]"),
    "binary": deep(target="bool", width=1, loss="binary_cross_entropy(logits, y, smoothing = 0.1)"),
    "mse": deep(target="f32[3]", loss="mse(logits, y)", metric="mae(logits, y)"),
    "mae": deep(target="f32", width=1, loss="mae(logits, y)", metric="mse(logits, y)"),
    "huber": deep(target="f32[3]", loss="huber(logits, y, delta = 0.5)", metric="mse(logits, y)"),
}


@pytest.mark.parametrize("case", CASES)
def test_functions_are_the_graphs(tmp_path, case):
    compiled, module = built(tmp_path, CASES[case])
    program, graphs = compiled.programs[0], compiled.graphs[0]
    x, y = batch(program)
    model = module.Net()
    weights = model.get_weights()
    y_given = y.astype(np.uint8) if y.dtype == bool else y

    forward = run(program.graph, {"x": x}, {"y": y_given}, weights, seed=5, step=3)
    means, gradients, _ = module.gradients(weights, 5, 3, x, y_given)
    assert means[0] == pytest.approx(forward[program.graph.loss], rel=1e-12)
    assert means[1] == pytest.approx(forward[program.graph.metrics[0][1]], rel=1e-12)

    train = run(graphs.train, {"x": x}, {"y": y_given}, weights, seed=5, step=3)
    assert list(gradients) == [name for name, _ in graphs.train.gradients] == list(weights)
    for name, value in graphs.train.gradients:
        np.testing.assert_allclose(gradients[name], train[value], rtol=1e-12, atol=1e-15, err_msg=name)

    predicted = run(graphs.predict, {"x": x}, {}, weights)
    outputs = model.predict(x)
    for name, value in graphs.predict.outputs:
        np.testing.assert_allclose(outputs[name], predicted[value], rtol=1e-12)
    evaluated = run(graphs.evaluate, {"x": x}, {"y": y_given}, weights)
    assert model.evaluate(x, y)["loss"] == pytest.approx(evaluated[graphs.evaluate.loss], rel=1e-12)


OPTIMIZERS = [
    "sgd",
    "sgd(lr = 0.1, momentum = 0.9)",
    "sgd(lr = 0.1, momentum = 0.9, nesterov = true, clip_value = 0.01)",
    "rmsprop(clip_norm = 0.1)",
    "rmsprop(momentum = 0.5, centered = true)",
    "rmsprop(centered = true)",
    "adam(amsgrad = true, global_clip_norm = 0.2)",
    "adam(weight_decay = 0.1)",
    "adamw(lr = 0.01)",
    "adamw(lr = 0.01, clip_norm = 0.001)",
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_steps_are_the_optimizers(tmp_path, optimizer):
    from kdsl.training.optimizers import apply

    compiled, module = built(tmp_path, deep(optimizer=optimizer))
    program = compiled.programs[0]
    chosen = program.training.optimizer
    x, y = batch(program)
    model = module.Net()
    weights = model.get_weights()
    slots = {
        slot: {name: np.zeros_like(w) for name, w in weights.items()} for slot in module.DECLARATION.training.slots
    }
    for step in range(3):
        _, gradients, _ = module.gradients(weights, 5, step, x, y)
        weights, slots = apply(chosen.name, dict(chosen.numbers), dict(chosen.flags), step, weights, gradients, slots)
        model.train_on_batch(x, y)
    for name, value in model.get_weights().items():
        np.testing.assert_allclose(value, weights[name], rtol=1e-12, atol=1e-15, err_msg=name)
        for slot, held in slots.items():
            np.testing.assert_allclose(model._core.get_slot(slot, name), held[name], rtol=1e-12, atol=1e-15)


def test_float32_stays_float32(tmp_path):
    """No value, gradient or state of a module in single precision is computed in double."""
    compiled = compile_file(Source("net.kmodel", deep("-> gelu -> softplus -> mish")), target="numpy")
    values = {}
    text = compiled.text.replace(
        "    return (loss, accuracy), {", "    values.update(locals())\n    return (loss, accuracy), {"
    )
    space = {"values": values, "__name__": "net"}
    exec(compile(text, "net.py", "exec"), space)
    x, y = batch(compiled.programs[0])
    model = space["Net"]()
    model.train_on_batch(x, y)
    floats = {
        name: v.dtype for name, v in values.items() if isinstance(v, (np.ndarray, np.generic)) and v.dtype.kind == "f"
    }
    assert len(floats) > 20 and set(floats.values()) == {np.dtype("float32")}, floats
    assert {array.dtype for slot in model._core.slots.values() for array in slot.values()} == {np.dtype("float32")}


def test_initial_weights_are_the_initializers(tmp_path):
    from kdsl.training.initializers import draw

    text = deep(
        chain="-> dense(6, init = he_normal, bias_init = constant(0.5)) -> dense(4, init = orthogonal(gain = 2.0))"
    )
    compiled, module = built(tmp_path, text)
    weights = module.Net(seed=9).get_weights()
    for number, record in enumerate(compiled.programs[0].weights):
        expected = draw(record.initializer, record.shape, np.random.default_rng([9, number, 0]))
        np.testing.assert_array_equal(weights[record.name], expected)


def test_models_of_one_file_keep_their_functions_apart(tmp_path):
    names = ("Left", "Right")
    texts = [deep(optimizer=o).replace("Net", n) for n, o in zip(names, ("adam", "sgd(momentum = 0.9)"), strict=True)]
    _, both = built(tmp_path, "".join(texts))
    for name, text in zip(names, texts, strict=True):
        compiled, alone = built(tmp_path, text)
        x, y = batch(compiled.programs[0])
        first, second = getattr(both, name)(), getattr(alone, name)()
        for model in (first, second):
            model.fit(x, y, epochs=3, verbose=0)
        for weight, value in first.get_weights().items():
            np.testing.assert_array_equal(value, second.get_weights()[weight])
