"""standardize: what it learns from the data, when, and that what it has learned is kept."""

from __future__ import annotations

import numpy as np
import pytest
from made_modules import build

from kdsl.runtime import adapt
from kdsl.runtime.adapt import moments

HOUSES = """
model Houses {
  input  house: f32[6]
  input  grid: u8[4, 3]
  input  age: f32
  target price: f32
  some  = house[1:5:2] -> standardize
  cells = grid -> standardize -> flatten
  lines = transpose(grid) -> standardize(0) -> flatten
  each  = grid -> flatten -> standardize as cell
  years = age -> standardize -> reshape([1])
  h = (some, cells, lines, each, years) -> concat -> dense(1)
  output h, some
}

train Houses {
  loss             = mse(h, price)
  optimizer        = sgd(lr = 0.01)
  epochs           = 1
  batch            = 8
  validation_split = 0.2
}
"""


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    return build(tmp_path_factory.mktemp("houses"), HOUSES, "houses").Houses


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    house = rng.normal(5, 3, (50, 6)).astype("float32")
    x = {"house": house, "grid": rng.integers(0, 256, (50, 4, 3), np.uint8), "age": rng.normal(40, 9, 50)}
    return x, rng.normal(size=50)


def learned(model):
    return {name: array for name, array in model.get_weights().items() if name.split(".")[-1] in ("mean", "variance")}


def wanted(x, stop=None):
    house, grid, age = (np.asarray(x[name][:stop], "float64") for name in ("house", "grid", "age"))
    seen = {
        "some.standardize": (house[:, 1:5:2], 0),
        "cells.standardize": (grid, (0, 1)),
        "lines.standardize": (grid, (0, 1)),
        "cell": (grid.reshape(-1, 12), 0),
        "years.standardize": (age, 0),
    }
    means = {f"{name}.mean": data.mean(axis) for name, (data, axis) in seen.items()}
    return means | {f"{name}.variance": data.var(axis) for name, (data, axis) in seen.items()}


def compare(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].shape == np.shape(array)
        np.testing.assert_allclose(found[name], array, rtol=1e-6, err_msg=name)


def test_fit_takes_them_from_the_rows_it_trains_on(houses, rows):
    """The last fifth is held out, and has been cut off before."""
    model = houses(seed=1)
    model.fit(*rows, verbose=0)
    compare(learned(model), wanted(rows[0], 40))


def test_only_the_first_fit_does(houses, rows):
    x, y = rows
    model = houses(seed=1)
    model.fit(x, y, verbose=0)
    before = learned(model)
    model.fit({name: array + array for name, array in x.items()}, y, verbose=0)
    compare(learned(model), before)


def test_training_leaves_them_alone(houses, rows):
    model = houses(seed=1)
    model.adapt(rows[0])
    model.fit(*rows, epochs=3, verbose=0)
    compare(learned(model), wanted(rows[0]))


def test_before_anything_was_seen_it_changes_nothing(houses, rows):
    x, y = rows
    model = houses(seed=1)
    np.testing.assert_array_equal(model.predict(x)["some"], x["house"][:, 1:5:2])
    model.train_on_batch({name: array[:8] for name, array in x.items()}, y[:8])
    compare(
        learned(model), {name: np.zeros_like(a) if "mean" in name else np.ones_like(a) for name, a in wanted(x).items()}
    )
    model.fit(x, y, verbose=0)
    compare(learned(model), wanted(x, 40))


def test_what_it_computes_has_mean_0_and_deviation_1(houses, rows):
    model = houses(seed=1)
    model.adapt(rows[0])
    some = model.predict(rows[0])["some"]
    np.testing.assert_allclose(some.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(some.std(0), 1, rtol=1e-5)


@pytest.mark.parametrize("way", ["load", "load_weights", "set_weights"])
def test_numbers_that_were_given_are_kept(houses, rows, way, tmp_path):
    x, y = rows
    first = houses(seed=1)
    first.adapt({name: array[:10] for name, array in x.items()})
    first.save(tmp_path / "houses.npz")
    model = houses(seed=1)
    if way == "load":
        model = houses.load(tmp_path / "houses.npz")
    elif way == "load_weights":
        model.load_weights(tmp_path / "houses.npz")
    else:
        model.set_weights(learned(first))
    model.fit(x, y, verbose=0)
    compare(learned(model), wanted(x, 10))


@pytest.mark.parametrize("way", ["load", "load_weights"])
def test_a_file_of_a_model_that_saw_nothing_says_so(houses, rows, way, tmp_path):
    houses(seed=1).save(tmp_path / "new.npz")
    model = houses(seed=1)
    if way == "load":
        model = houses.load(tmp_path / "new.npz")
    else:
        model.load_weights(tmp_path / "new.npz")
    model.fit(*rows, verbose=0)
    compare(learned(model), wanted(rows[0], 40))


def test_other_weights_do_not_stop_it(houses, rows):
    model = houses(seed=1)
    model.set_weights({"h.dense.bias": [3.0]})
    model.fit(*rows, verbose=0)
    compare(learned(model), wanted(rows[0], 40))


def test_data_is_checked(houses, rows):
    x, _ = rows
    with pytest.raises(ValueError, match="missing value"):
        houses(seed=1).adapt({**x, "age": np.full(50, np.nan)})


def test_models_without_it_have_nothing_to_adapt(small, data):
    model = small.Small()
    before = model.get_weights()
    model.adapt(data[0])
    assert all(np.array_equal(before[name], array) for name, array in model.get_weights().items())
    assert not hasattr(small, "adapt_layer")


@pytest.mark.parametrize("axes", [(), (0,), (1,), (0, 1)])
def test_moments_do_not_depend_on_the_pieces(axes, monkeypatch):
    x = np.random.default_rng(3).normal(1000, 0.01, (37, 3, 2))
    whole = moments(x, axes)
    monkeypatch.setattr(adapt, "ELEMENTS_AT_ONCE", 12)
    over = (0, *(axis + 1 for axis in axes))
    for found in (whole, moments(x, axes)):
        np.testing.assert_allclose(found[0], x.mean(over), rtol=1e-13)
        np.testing.assert_allclose(found[1], x.var(over), rtol=1e-9)


def test_moments_of_bytes_do_not_overflow():
    x = np.full((1000, 2), 255, np.uint8)
    x[:, 1] = 0
    mean, variance = moments(x, ())
    assert mean.tolist() == [255.0, 0.0] and variance.tolist() == [0.0, 0.0]
