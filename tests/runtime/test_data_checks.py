"""What fit, evaluate and predict accept, and the text of every refusal."""

from __future__ import annotations

import re

import numpy as np
import pytest

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
Y = np.array([0, 1, 2, 0, 1, 2], np.int32)
IMAGES = np.arange(6 * 16, dtype=np.uint8).reshape(6, 4, 4)


class Frame:
    """As pandas does: an object that NumPy can turn into an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


HARMLESS = {
    "list": lambda x: x.tolist(),
    "tuple of rows": lambda x: tuple(x),
    "float64": lambda x: x.astype(np.float64),
    "float128": lambda x: x.astype(np.longdouble),
    "big-endian": lambda x: x.astype(">f4"),
    "Fortran order": np.asfortranarray,
    "every second row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "negative strides": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": read_only,
    "frame": Frame,
    "masked array without a masked value": np.ma.masked_array,
    "one-tuple": lambda x: (x,),
    "dict": lambda x: {"x": x},
}


@pytest.mark.parametrize("form", HARMLESS)
def test_harmless_forms_of_floats(small, form):
    model = small.Small()
    assert np.array_equal(model.predict(HARMLESS[form](X)), model.predict(X))


def test_other_numbers_for_floats(small):
    model = small.Small()
    whole = np.arange(8).reshape(2, 4) % 2
    expected = model.predict(whole.astype(np.float32))
    for dtype in (bool, np.int8, np.uint64, np.int64, np.float16):
        assert np.array_equal(model.predict(whole.astype(dtype)), expected)


@pytest.mark.parametrize("form", ["memmap", "broadcast"])
def test_arrays_that_are_no_plain_memory(small, tmp_path, form):
    model = small.Small()
    if form == "memmap":
        np.save(tmp_path / "x.npy", X)
        x = np.load(tmp_path / "x.npy", mmap_mode="r")
    else:
        x = np.broadcast_to(X[0], (6, 4))
    assert np.array_equal(model.predict(x), model.predict(np.array(x)))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", ">i4", "i8", "u8", "f4", "f8", "f2"])
def test_labels_of_any_number_type(small, dtype):
    model = small.Small()
    assert model.evaluate(X, Y.astype(dtype)) == model.evaluate(X, Y) == model.evaluate(X, Y.astype(dtype)[:, None])


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.float32, np.float64])
def test_bytes_in_other_types(pictures, dtype):
    model = pictures.Pictures()
    assert np.array_equal(model.predict(IMAGES.astype(dtype)), model.predict(IMAGES))


def test_data_that_fits_is_not_copied(small, pictures):
    for model, module, array in ((small.Small, small, X), (pictures.Pictures, pictures, IMAGES)):
        checked = module.array_for(model.declaration.inputs[0], array, "x", "float32")
        assert np.shares_memory(checked, array)


def test_data_is_not_changed(small):
    x, y = X.copy(), Y.copy()
    small.Small().fit(x, y, epochs=1, verbose=0)
    assert np.array_equal(x, X) and np.array_equal(y, Y)


SMALL_X, SMALL_Y = "`x: f32[4]`, small.kmodel:4", "`y: index(3)`, small.kmodel:5"
IMAGE = "`image: u8[4, 4]`, pictures.kmodel:3"

REFUSED_X = [
    (X[0], ValueError, f"x has shape (4,), wanted is (rows, 4) for {SMALL_X}; a single sample needs an axis for the rows: x[None]"),
    (X[:, :3], ValueError, f"x has shape (6, 3), wanted is (rows, 4) for {SMALL_X}"),
    (X.reshape(6, 2, 2), ValueError, f"x has shape (6, 2, 2), wanted is (rows, 4) for {SMALL_X}; the sizes fit: x.reshape(-1, 4)"),
    (np.float32(3), ValueError, f"x has shape (), wanted is (rows, 4) for {SMALL_X}"),
    (X[:0], ValueError, f"x has no rows ({SMALL_X})"),
    ([], ValueError, f"x has shape (0,), wanted is (rows, 4) for {SMALL_X}"),
    (X + 0j, TypeError, f"x holds complex numbers (dtype complex64), not numbers ({SMALL_X})"),
    (X.astype(object), TypeError, "x holds Python objects (dtype object), not numbers; make it one array of numbers"),
    ([["a"] * 4], TypeError, "x holds text (dtype <U1), not numbers; give each text a number first"),
    (np.zeros((2, 4), "M8[s]"), TypeError, f"x holds dates (dtype datetime64[s]), not numbers ({SMALL_X})"),
    ([[1, 2, 3, 4], [1, 2]], ValueError, "x is no rectangular array"),
    (np.where(X[2, 1] == X, np.nan, X), ValueError, f"x has a missing value (nan) in row 2 ({SMALL_X})"),
    (np.where(X[3, 0] == X, -np.inf, X), ValueError, f"x has an infinite value (-inf) in row 3 ({SMALL_X})"),
    (np.where(X[4, 3] == X, 1e300, X.astype(float)), ValueError, f"x has a value beyond float32 (1e+300) in row 4 ({SMALL_X})"),
    (np.ma.masked_array(X, X > 0), TypeError, f"x has masked values: fill or drop them first ({SMALL_X})"),
    (None, TypeError, "x is missing: the model wants `x: f32[4]` (small.kmodel:4)"),
    ({}, ValueError, "x has no array for `x: f32[4]` (small.kmodel:4)"),
    ({"image": X}, ValueError, "x has no array for `x: f32[4]` (small.kmodel:4); it has image"),
    ({"x": X, "w": X}, ValueError, "x has w, but the model's inputs: `x: f32[4]` (small.kmodel:4)"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "error", "text"), REFUSED_X)
def test_refused_inputs(small, x, error, text):
    with pytest.raises(error, match=re.escape(text)):
        small.Small().predict(x)


REFUSED_Y = [
    (Y[:5], ValueError, "different numbers of rows: x has 6, y has 5"),
    (Y + 1, ValueError, f"y has 3 in row 2, outside 0..2 ({SMALL_Y}); numbers start at 0: subtract 1"),
    (Y - 1, ValueError, f"y has -1 in row 0, outside 0..2 ({SMALL_Y})"),
    (Y + 0.5, ValueError, f"y has 2.5 in row 2, outside 0..2 ({SMALL_Y})"),
    (Y * 0.5, ValueError, f"y has 0.5 in row 1, not a whole number ({SMALL_Y})"),
    (np.where(Y == 2, np.nan, Y), ValueError, f"y has nan in row 2, outside 0..2 ({SMALL_Y})"),
    (Y.astype(np.int64) + 2**40, ValueError, f"y has {2**40} in row 0, outside 0..2"),
    (np.eye(3)[Y], ValueError, f"y has shape (6, 3), wanted is (rows,) for {SMALL_Y}; these look like one-hot labels, give the numbers of the classes: y.argmax(axis=-1)"),
    (None, TypeError, "y is missing: the model wants `y: index(3)` (small.kmodel:5)"),
    ({"x": Y}, ValueError, "y has no array for `y: index(3)` (small.kmodel:5); it has x"),
]  # fmt: skip


@pytest.mark.parametrize(("y", "error", "text"), REFUSED_Y)
@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch"])
def test_refused_targets(small, y, error, text, method):
    model = small.Small()
    before = model.get_weights()
    with pytest.raises(error, match=re.escape(text)):
        getattr(model, method)(X, y)
    assert all(np.array_equal(before[name], value) for name, value in model.get_weights().items())


REFUSED_IMAGES = [
    (IMAGES / 255, f"image has 0.00392156862745098 in row 0, not a whole number ({IMAGE}); bytes are 0..255, not 0..1: np.round(image * 255), or declare `image: f32[4, 4]`"),
    (IMAGES.astype(int) - 1, f"image has -1 in row 0, outside 0..255 ({IMAGE})"),
    (IMAGES.astype(int) + 200, f"image has 256 in row 3, outside 0..255 ({IMAGE})"),
    (np.zeros((6, 3, 4, 4)), f"image has shape (6, 3, 4, 4), wanted is (rows, 4, 4) for {IMAGE}"),
    (IMAGES.reshape(6, 16), f"image has shape (6, 16), wanted is (rows, 4, 4) for {IMAGE}; the sizes fit: image.reshape(-1, 4, 4)"),
    (IMAGES[0], f"image has shape (4, 4), wanted is (rows, 4, 4) for {IMAGE}; a single sample needs an axis for the rows: image[None]"),
]  # fmt: skip


@pytest.mark.parametrize(("image", "text"), REFUSED_IMAGES)
def test_refused_bytes(pictures, image, text):
    with pytest.raises(
        ValueError,
        match=re.escape(
            text.replace("image has", "x has")
            .replace("image *", "x *")
            .replace("image.re", "x.re")
            .replace("image[None]", "x[None]")
        ),
    ):
        pictures.Pictures().predict(image)


def test_channels_first_gets_its_transpose():
    from kdsl.runtime.data import array_for
    from kdsl.runtime.declaration import Port

    with pytest.raises(ValueError, match=re.escape("channels come last: x.transpose(0, 2, 3, 1)")):
        array_for(Port("image", "f32", (32, 32, 3), "a.kmodel:1"), np.zeros((2, 3, 32, 32)), "x", "float32")


SEVERAL = [
    (X, TypeError, "x: the model has 2 inputs (`a: f32[3]` (two.kmodel:3), `b: i32[2]` (two.kmodel:4)): give a tuple in this order, or a dict by name; got ndarray of shape (6, 4)"),
    ((X,), ValueError, "x has 1 arrays, the model has 2 inputs: `a: f32[3]` (two.kmodel:3), `b: i32[2]` (two.kmodel:4)"),
    ((X[:, :3], X[:, :2]), ValueError, "x[1] has "),
    ((X[:, :3], np.full((6, 2), 2**31)), ValueError, "x[1] has 2147483648 in row 0, outside -2147483648..2147483647"),
    ((X[:, :3], np.ones((5, 2))), ValueError, "different numbers of rows: x[0] has 6, x[1] has 5"),
    ({"a": X[:, :3], "b": np.ones((6, 3))}, ValueError, "x['b'] has shape (6, 3), wanted is (rows, 2) for `b: i32[2]`, two.kmodel:4"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "error", "text"), SEVERAL)
def test_refused_among_several(two, x, error, text):
    with pytest.raises(error, match=re.escape(text)):
        two.Two().predict(x)


@pytest.mark.parametrize(
    ("yes", "text"),
    [
        (
            np.array([1, -1, 1, -1, 1, -1]),
            "y[0] has -1 in row 1, outside 0..1 (`yes: bool`, two.kmodel:5); write 0 for -1",
        ),
        (np.full(6, 0.5), "y[0] has 0.5 in row 0, not a whole number (`yes: bool`, two.kmodel:5)"),
    ],
)
def test_refused_truth_values(two, yes, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        two.Two().evaluate((X[:, :3], np.ones((6, 2))), (yes, np.ones(6)))


def test_a_model_without_targets_takes_none(untrained):
    from kdsl.runtime.data import arrays_for

    assert arrays_for((), None, "y", "targets", "float32") == ()
    with pytest.raises(ValueError, match="y: this model has no targets; leave it out"):
        arrays_for((), Y, "y", "targets", "float32")


def test_a_late_bad_value_is_found(small):
    """The search goes piece by piece through data that is larger than a piece."""
    x = np.zeros((300_000, 4), np.float32)
    x[299_999, 2] = np.nan
    with pytest.raises(ValueError, match="in row 299999"):
        small.Small().predict(x)
