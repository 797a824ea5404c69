"""Calls that are refused: the code, the sentence and what to do instead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_graphs import Network, f32, index, settled, truth, u8

from kdsl.graph.interpreter import run
from kdsl.graph.types import TensorType
from kdsl.ops import LAYERS, OPS
from kdsl.ops.registry import Refused

CASES: list[tuple[str, dict[str, Any], TensorType, str, str]] = [
    ("dense", {"units": 3}, f32(), "E401", "`dense` needs a vector, but gets a single number"),
    ("dense", {"units": 3}, index(10), "E405", "`dense` computes with numbers, but gets classes: index(10)"),
    ("relu", {}, index(4, 2), "E405", "`relu` computes with numbers, but gets classes: index(4)[2]"),
    ("dropout", {"rate": 0.5}, index(4), "E405", "`dropout` computes with numbers, but gets classes: index(4)"),
    ("softmax", {}, f32(), "E401", "`softmax` compares the values along an axis, but gets a single number"),
    ("softmax", {"axis": 2}, f32(3, 4), "E411", "there is no axis 2 in [3, 4]"),
    ("log_softmax", {"axis": -3}, f32(3, 4), "E411", "there is no axis -3 in [3, 4]"),
    ("reshape", {"shape": (5, 5)}, f32(24), "E404", "[24] cannot become [5, 5]: 24 elements against 25"),
    (
        "reshape",
        {"shape": (5, -1)},
        f32(4, 6),
        "E404",
        "[4, 6] cannot become [5, -1]: 24 elements cannot be divided by 5",
    ),
    ("reshape", {"shape": (-1, -1)}, f32(24), "E404", "only one size of `reshape` may be -1"),
    (
        *("normalize", {"mean": (1.0, 2.0), "std": 1.0}, f32(4, 3), "E307"),
        "`mean` has 2 numbers, but the last axis of [4, 3] has 3 places",
    ),
    (
        *("rescale", {"scale": 1.0, "offset": (1.0,)}, f32(), "E307"),
        "`rescale` gets a single number, so `offset` is a number, not a list",
    ),
]


@pytest.mark.parametrize(("name", "given", "type", "code", "message"), CASES)
def test_refused(name: str, given: dict[str, Any], type: TensorType, code: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        LAYERS[name].guard(settled(LAYERS[name], given), [type])
    assert (caught.value.code, caught.value.message) == (code, message)
    assert caught.value.argument is None or caught.value.argument in given


ACCEPTED: list[tuple[str, dict[str, Any], TensorType]] = [
    ("dense", {"units": 3}, u8(4)),
    ("dense", {"units": 3}, truth(4)),
    ("dense", {"units": 3}, TensorType("i32", (2, 4))),
    ("softmax", {"axis": 0}, f32(3, 4)),
    ("reshape", {"shape": (-1, 2)}, f32(3, 4)),
    ("reshape", {"shape": (2, 3)}, index(7, 6)),
    ("flatten", {}, index(7, 6)),
    ("normalize", {"mean": (1.0, 2.0, 3.0), "std": 1.0}, u8(4, 3)),
    ("dropout", {"rate": 1.0}, f32()),
]


@pytest.mark.parametrize(("name", "given", "type"), ACCEPTED)
def test_accepted(name: str, given: dict[str, Any], type: TensorType) -> None:
    LAYERS[name].guard(settled(LAYERS[name], given), [type])


@pytest.mark.parametrize("types", [[f32(2), f32(3)], [f32(3), f32(2, 3)], [f32(2, 3), f32(3)]])
def test_shapes_that_do_not_broadcast(types: list[TensorType]) -> None:
    """A batched [3] beside a batched [2, 3] as well: NumPy would take the batch for an axis."""
    with pytest.raises(Refused, match="different shapes") as caught:
        OPS["add"].infer(types, {})
    assert caught.value.code == "E402"


def test_names_are_filled_in() -> None:
    refused = Refused("E501", "{0} has 12 classes, {1} has 10", help="see {1}", argument="k", insert="x", label="{0}")
    named = refused.named("logits", "label")
    assert (named.message, named.help) == ("`logits` has 12 classes, `label` has 10", "see `label`")
    assert (named.code, named.argument, named.insert, named.label) == ("E501", "k", "x", "`logits`")
    assert str(named) == named.message


def test_a_constant_feature_does_not_divide_by_zero() -> None:
    """Keras divides by the larger of the deviation and 1e-7."""
    net = Network()
    y = net.layer("normalize", net.input("x", f32(2)), mean=(1.0, 1.0), std=(0.0, 2.0))
    values = run(net.graph(), {"x": np.array([[1.0, 5.0], [1.0 + 2e-7, 1.0]])})
    np.testing.assert_allclose(values[y], [[0.0, 2.0], [2.0, 0.0]], rtol=1e-8)
