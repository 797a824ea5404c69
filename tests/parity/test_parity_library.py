"""Networks written with blocks, formulas and sums of losses against Keras: outputs, loss and the gradient of every weight.

The texts are in the fixtures: attention by einsum and softmax, a transformer block, squeeze-and-excitation, root-mean-square
normalisation, a focal loss, two losses at once. All of a target and precision are one module: they share what is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from fixture_file import Case, read
from network_modules import build

CASES = {case.name: case for case in read("library")}
TOLERANCE = {"f64": 1e-11, "f32": 3e-5}


def model_name(case: str) -> str:
    return "".join(part.capitalize() for part in case.split("_"))


def one_file() -> str:
    """All models, under names of their own; what they import stands at the head once."""
    imports: dict[str, None] = {}
    texts = []
    for name, case in CASES.items():
        lines = case.settings["text"].split("\n")
        imports |= dict.fromkeys(line for line in lines if line.startswith("import "))
        body = "\n".join(line for line in lines if not line.startswith("import ")).strip("\n")
        texts.append(
            body.replace("model M {", f"model {model_name(name)} {{").replace(
                "train M {", f"train {model_name(name)} {{"
            )
        )
    return "\n\n".join(["\n".join(imports), *texts]) + "\n"


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Any]:
    folder = tmp_path_factory.mktemp("library")
    return cache(lambda target, dtype: build(one_file(), folder, f"library_{target}_{dtype}", target, dtype))


def weights_of(case: Case, prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): array for key, array in case.arrays.items() if key.startswith(prefix)}


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("target", ["numpy", "numba"])
@pytest.mark.parametrize("name", CASES)
def test_outputs_loss_and_gradients(name: str, target: str, dtype: str, module: Callable[[str, str], Any]) -> None:
    case, tolerance = CASES[name], TOLERANCE[dtype]
    model = getattr(module(target, dtype), model_name(name))(seed=0)
    weights, gradients = weights_of(case, "w/"), weights_of(case, "grad/")
    assert {key: array.shape for key, array in model.get_weights().items()} == {
        key: array.shape for key, array in weights.items()
    }
    model.set_weights(weights)
    np.testing.assert_allclose(model.predict(case["x"]), case["output"], rtol=tolerance, atol=tolerance)
    labels = tuple(case.numbered("t"))
    logs = model.train_on_batch(case["x"], labels if len(labels) > 1 else labels[0])
    assert logs["loss"] == pytest.approx(float(case["loss"]), rel=tolerance)
    for key, after in model.get_weights().items():  # a step of plain descent at rate 1
        found = weights[key] - after
        np.testing.assert_allclose(found, gradients[key], rtol=tolerance, atol=tolerance, err_msg=key)
