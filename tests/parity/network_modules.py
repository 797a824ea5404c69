"""From a network of the fixtures to its kdsl text, and from the text to a model class of a generated module."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
from fixture_file import Case

from kdsl.compiler import compile_file
from kdsl.source import Source

METRICS = {"binary_accuracy": "accuracy"}  # whose form follows from the target's type
GRADIENT = ["sgd", {"lr": 1.0}]  # a step of it is minus the gradient


def value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    return format(value, ".17f").rstrip("0") + "0" if isinstance(value, float) and abs(value) < 1e-4 else repr(value)


def call_text(name: str, arguments: dict[str, Any], *first: str) -> str:
    """`dense(7)`, `leaky_relu`, `cross_entropy(logits, y, smoothing = 0.1)`."""
    positional = {"dense": "units", "reshape": "shape", "rescale": "scale"}.get(name)
    given = [*first, *(value_text(v) if k == positional else f"{k} = {value_text(v)}" for k, v in arguments.items())]
    return f"{name}({', '.join(given)})" if given else name


def class_name(case: str, run: str) -> str:
    """`ClassifierAdamClip`."""
    return "".join(word.capitalize() for word in f"{case}_{run}".split("_"))


def model_text(case: Case, run: str) -> str:
    """The network and one of its optimizers in kdsl; the run called `gradient` is a step of plain descent."""
    name = class_name(case.name, run)
    optimizer = GRADIENT if run == "gradient" else case.settings["optimizers"][run]
    settings = case.settings
    flow = "\n    -> ".join(["x", *(call_text(*layer) for layer in settings["layers"])])
    metric = METRICS.get(settings["metric"], settings["metric"])
    return f"""\
model {name} {{
  input  x: {settings["input"]}
  target y: {settings["target"]}

  prediction = {flow}

  output prediction
}}

train {name} {{
  loss      = {call_text(settings["loss"][0], settings["loss"][1], "prediction", "y")}
  metrics   = [{metric}(prediction, y)]
  optimizer = {call_text(*optimizer)}
  batch     = {settings["batch"]}
  epochs    = 1
}}
"""


def build(text: str, folder: Path, stem: str, target: str, dtype: str) -> Any:
    """Compile the text, write the module as `kdsl build` would -> the imported module."""
    compiled = compile_file(Source(f"{stem}.kmodel", text), target=target, dtype=dtype)
    assert compiled.text is not None, (text, compiled.diagnostics)
    path = folder / f"{stem}.py"
    path.write_text(compiled.text)
    spec = importlib.util.spec_from_file_location(f"parity_{stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def targets(case: Case) -> np.ndarray:
    """The labels as `fit` takes them: a `bool` target's as truth values."""
    return case["y"].astype(bool) if case.settings["target"].startswith("bool") else case["y"]


def with_weights(model: Any, weights: list[np.ndarray]) -> Any:
    """The same model with Keras's weights: both list kernel and bias, layer by layer."""
    names = list(model.get_weights())
    assert len(names) == len(weights)
    model.set_weights(dict(zip(names, weights, strict=True)))
    return model
