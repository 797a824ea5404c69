"""scikit-learn's bundled sets: real data, the same test rows every time."""

from __future__ import annotations

import numpy as np
import pytest

from kdsl.datasets import DataError, Options, load
from kdsl.graph.types import TensorType

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

LABEL = TensorType("index", (), classes=10)


def test_digits_is_split_by_class_and_always_alike(model) -> None:
    digits = model({"image": TensorType("u8", (8, 8))}, {"label": LABEL})
    data = load("sklearn:digits", digits)
    assert data.test is not None
    assert (data.train.rows, data.test.rows) == (1438, 359)
    assert data.train.inputs["image"].shape == (1438, 8, 8) and data.train.inputs["image"].dtype == np.uint8
    counts = np.bincount(data.test.targets["label"])
    assert counts.min() >= 35 and counts.max() <= 37
    again = load("sklearn:digits", digits)
    assert np.array_equal(data.train.inputs["image"], again.train.inputs["image"])


def test_no_row_is_in_both_parts(model) -> None:
    iris = model({"x": TensorType("f32", (4,))}, {"y": LABEL})
    data = load("sklearn:iris", iris)
    assert data.test is not None and data.train.rows + data.test.rows == 150
    assert np.bincount(data.test.targets["y"]).tolist() == [10, 10, 10]


def test_columns_by_name(model) -> None:
    iris = model({"petal_length": TensorType("f32"), "sepal": TensorType("f32", (2,))}, {"species": LABEL})
    data = load("sklearn:iris", iris, Options({"sepal": ("sepal_length", "sepal_width")}))
    assert data.train.inputs["sepal"].shape == (120, 2) and data.train.inputs["petal_length"].shape == (120,)
    assert data.unused == ("petal_width",)


@pytest.mark.parametrize(("name", "width"), [("wine", 13), ("breast_cancer", 30), ("diabetes", 10)])
def test_the_other_sets(model, name: str, width: int) -> None:
    target = TensorType("f32") if name == "diabetes" else LABEL
    data = load(f"sklearn:{name}", model({"x": TensorType("f32", (width,))}, {"y": target}))
    assert data.test is not None
    assert data.test.rows == pytest.approx(0.2 * (data.train.rows + data.test.rows), abs=2)


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        ("digits", (28, 28), r"sklearn:digits has 64 numbers a row, which do not fit x: u8\[28, 28\]"),
        ("digit", (8, 8), "not one of the data sets kdsl reads from scikit-learn: digits, iris"),
    ],
)
def test_what_does_not_fit_is_named(model, name: str, shape: tuple[int, ...], says: str) -> None:
    with pytest.raises(DataError, match=says):
        load(f"sklearn:{name}", model({"x": TensorType("u8", shape)}, {"y": LABEL}))
