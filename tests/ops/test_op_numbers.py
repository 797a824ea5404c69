"""References: shapes and dtypes as inferred, NaN handed on, no overflow for large inputs, one expression each."""

from __future__ import annotations

import ast
import inspect
import textwrap

import numpy as np
import pytest
from op_samples import Sample, arrays_of, every_sample, extras, samples_of
from small_graphs import draw, f32

from kdsl.ops import OPS
from kdsl.ops import vocabulary as words

BATCH = 4
DTYPES = {"bool": "bool", "u8": "uint8", "i32": "int32", "index": "int32"}


def compute(sample: Sample, arrays: list[np.ndarray], dtype: str) -> np.ndarray:
    return OPS[sample.op].reference(*arrays, **sample.attributes, **extras(sample, 1, 3, dtype))


def drawn(sample: Sample, dtype: str) -> list[np.ndarray]:
    rng = np.random.default_rng(11)
    arrays = arrays_of(sample, rng, BATCH)
    return [a.astype(dtype) if t.dtype == "f32" else a for a, t in zip(arrays, sample.types, strict=True)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_sample()
def test_shape_and_dtype_are_as_inferred(sample: Sample, dtype: str) -> None:
    type = OPS[sample.op].infer(sample.types, sample.attributes)
    result = compute(sample, drawn(sample, dtype), dtype)
    assert np.asarray(result).shape == ((BATCH, *type.shape) if type.batched else type.shape)
    assert np.asarray(result).dtype == DTYPES.get(type.dtype, dtype)
    assert np.isfinite(result).all()


@every_sample()
def test_inputs_are_left_alone(sample: Sample) -> None:
    """A reference that works in place would change a value that others read."""
    arrays = drawn(sample, "float64")
    before = [array.copy() for array in arrays]
    compute(sample, arrays, "float64")
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


@every_sample()
def test_strided_inputs_give_the_same(sample: Sample) -> None:
    arrays = drawn(sample, "float64")
    strided = [np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array for array in arrays]
    wanted, found = compute(sample, arrays, "float64"), compute(sample, strided, "float64")
    largest = np.abs(wanted).max(initial=0.0)  # sums of products may cancel, and be added in another order
    np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-15 * largest)


CHOOSES = {"cast", "where", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
CHOOSES |= {"logical_and", "logical_or", "logical_not", "while_training"}
FORWARD = [name for name, op in OPS.items() if op.elementwise and not op.backward and name not in CHOOSES]
MORE_WITH_NAN = [
    *("softmax", "log_softmax", "mean", "matmul", "dropout", "broadcast_to"),
    *("reduce_sum", "reduce_mean", "reduce_max", "reduce_min"),
]


@pytest.mark.parametrize("name", [*FORWARD, *MORE_WITH_NAN])
def test_nan_in_gives_nan_out(name: str) -> None:
    for sample in samples_of(name):
        for position in range(len(sample.types)):
            arrays = drawn(sample, "float64")
            if sample.attributes.get("rate") == 1.0:
                continue  # dropout of everything
            arrays[position] = np.full_like(arrays[position], np.nan)
            result = np.asarray(compute(sample, arrays, "float64"))
            kept = result[result != 0] if name == "dropout" else result
            assert kept.size and np.isnan(kept).all(), sample


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_one_nan_spoils_its_row_only(name: str) -> None:
    x = np.arange(12.0).reshape(3, 4)
    x[1, 2] = np.nan
    y = OPS[name].reference(x, axis=-1)
    assert np.isnan(y[1]).all() and np.isfinite(y[[0, 2]]).all()


BOUNDED = [
    *("sigmoid", "softplus", "tanh", "silu", "mish", "gelu", "gelu_tanh", "elu", "selu", "softsign", "relu", "relu6"),
    *("leaky_relu", "hard_sigmoid", "hard_silu", "linear"),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BOUNDED)
def test_large_inputs_do_not_overflow(name: str, dtype: str) -> None:
    x = np.array([-1e4, -800.0, -100.0, 100.0, 800.0, 1e4], dtype)
    (sample, *_) = samples_of(name)
    by_output = f"{name}_gradient"
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = OPS[name].reference(x, **sample.attributes)
        value = y if getattr(OPS[name], "by", "input") == "output" else x
        slope = y if name == "linear" else OPS[by_output].reference(np.ones_like(x), value, **sample.attributes)
    assert np.isfinite(y).all() and np.isfinite(slope).all()
    assert y.dtype == dtype and slope.dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_of_large_logits(dtype: str) -> None:
    x = np.array([[1e4, -1e4, 0.0], [-3e4, 3e4, 1.0]], dtype)
    t = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        lp = OPS["log_softmax"].reference(x, axis=-1)
        np.testing.assert_allclose(lp, [[0.0, -2e4, -1e4], [-6e4, 0.0, 1 - 3e4]])
        assert OPS["softmax"].reference(x, axis=-1)[0].tolist() == [1.0, 0.0, 0.0]
        np.testing.assert_allclose(OPS["softmax_cross_entropy"].reference(x, t, smoothing=0.0), 1e4)
        bce = OPS["binary_cross_entropy"].reference(x, t)
        np.testing.assert_allclose(bce, [[1e4, 1e4, np.log(2)], [0, 0, np.log1p(np.e)]], rtol=1e-6)


def test_small_answers_keep_their_digits() -> None:
    """1 - p of a confident answer, which a formula from probabilities would round to 0."""
    bce = OPS["binary_cross_entropy"].reference(np.array([40.0]), np.array([1.0]))
    np.testing.assert_allclose(bce, np.exp(-40.0), rtol=1e-12)
    np.testing.assert_allclose(words.softplus(np.array([-40.0])), np.exp(-40.0), rtol=1e-12)
    np.testing.assert_allclose(words.sigmoid(np.array([-40.0])), np.exp(-40.0), rtol=1e-12)


def test_erf_is_exact() -> None:
    x = np.array([-6.0, -1.0, -1e-8, 0.0, 0.3, 2.0])
    wanted = [-1.0, -0.8427007929497149, -1.1283791670955126e-08, 0.0, 0.3286267594591274, 0.9953222650189527]
    np.testing.assert_allclose(words.erf(x), wanted, rtol=1e-15)
    assert words.erf(x.astype("float32")).dtype == "float32"
    assert words.erf(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.elementwise and name != "cast"])
def test_elementwise_references_are_one_expression_of_the_vocabulary(name: str) -> None:
    """What the numba target compiles over SIMD registers: nothing else may stand in them."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(OPS[name].reference))).body
    assert isinstance(function, ast.FunctionDef)
    (statement,) = function.body
    assert isinstance(statement, ast.Return)
    known = {f.__name__ for f in words.VOCABULARY}
    arguments = {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
    for node in ast.walk(statement.value):
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name) and node.func.id in known and not node.keywords
        elif isinstance(node, ast.Name):
            assert node.id in known | arguments
        elif isinstance(node, ast.Constant):
            assert isinstance(node.value, float)
        else:
            allowed = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.operator, ast.unaryop, ast.cmpop, ast.expr_context)
            assert isinstance(node, allowed), ast.dump(node)


@pytest.mark.parametrize("axis", [-1, -2])
def test_softmax_against_its_definition(axis: int) -> None:
    x = draw(f32(3, 4), np.random.default_rng(0), 2)
    wanted = np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(OPS["softmax"].reference(x, axis=axis), wanted, rtol=1e-13)
    np.testing.assert_allclose(OPS["log_softmax"].reference(x, axis=axis), np.log(wanted), rtol=1e-12)
