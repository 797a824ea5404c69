"""Small convolutional networks that Keras trained, on both targets: outputs, every weight after one and three steps.

The moving statistics of batch normalisation are among the weights, so they are compared too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from fixture_file import read
from network_modules import build, with_weights

CASES = {case.name: case for case in read("convnets")}
TOLERANCE = {"f64": 1e-9, "f32": 1e-4}
# A bias in front of batch normalisation has no slope but rounding errors, which Adam brings to the size of a step.
BY_ROUNDING = {("sequence", "f32"): 2e-3}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Any]:
    folder = tmp_path_factory.mktemp("convnets")
    text = "\n".join(case.settings["text"] for case in CASES.values())
    return cache(lambda target, dtype: build(text, folder, f"convnets_{target}_{dtype}", target, dtype))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("target", ["numpy", "numba"])
@pytest.mark.parametrize("name", CASES)
def test_trained_as_by_keras(name: str, target: str, dtype: str, module: Callable[[str, str], Any]) -> None:
    case, tolerance = CASES[name], BY_ROUNDING.get((name, dtype), TOLERANCE[dtype])
    near = {"rtol": tolerance, "atol": tolerance}
    made = getattr(module(target, dtype), name.capitalize())
    for steps, rows in ((1, 6), (3, 16)):
        model = with_weights(made(seed=0), case.numbered("w"))
        np.testing.assert_allclose(model.predict(case["x"]), case["output"], **near)
        history = model.fit(case["x"][:rows], case["y"][:rows], epochs=1, shuffle=False, verbose=0).history
        np.testing.assert_allclose(history["loss"], case[f"step{steps}/history"], **near)
        for place, (weight, value) in enumerate(model.get_weights().items()):
            np.testing.assert_allclose(value, case[f"step{steps}/w{place}"], **near, err_msg=weight)
    np.testing.assert_allclose(model.predict(case["x"]), case["trained"], **near)
