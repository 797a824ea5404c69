"""The functions that references of elementwise ops may use, in NumPy.

An elementwise reference is one return expression made of `+ - * /`, unary `-`, comparisons inside `where` (or one that is
the whole expression, and gives a bool), attributes, numbers and these functions. Its text is carried into modules of the NumPy target as it is, and the numba target compiles
the same text over SIMD registers. All keep the dtype of their arguments, and all hand NaN on (`maximum` and `minimum`
too, unlike Python's `max` and C's `fmax`).
"""

from __future__ import annotations

import math

from kdsl.ops.lazy import Array, np


def exp(x: Array) -> Array:
    return np.exp(x)


def expm1(x: Array) -> Array:
    return np.expm1(x)


def log(x: Array) -> Array:
    return np.log(x)


def log1p(x: Array) -> Array:
    return np.log1p(x)


def sqrt(x: Array) -> Array:
    return np.sqrt(x)


def sin(x: Array) -> Array:
    return np.sin(x)


def cos(x: Array) -> Array:
    return np.cos(x)


def power(x: Array, y: Array) -> Array:
    return np.power(x, y)


def floor(x: Array) -> Array:
    return np.floor(x)


def ceil(x: Array) -> Array:
    return np.ceil(x)


def round_half_even(x: Array) -> Array:
    """To the nearest whole number; halves go to the even one."""
    return np.rint(x)


def tanh(x: Array) -> Array:
    return np.tanh(x)


def absolute(x: Array) -> Array:
    return np.absolute(x)


def sign(x: Array) -> Array:
    return np.sign(x)


def maximum(x: Array, y: Array) -> Array:
    return np.maximum(x, y)


def minimum(x: Array, y: Array) -> Array:
    return np.minimum(x, y)


def where(condition: Array, x: Array, y: Array) -> Array:
    return np.where(condition, x, y)


def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`, by an exponential that cannot overflow."""
    small = np.exp(-np.absolute(x))
    return np.where(x < 0.0, small, np.ones_like(small)) / (1.0 + small)


def softplus(x: Array) -> Array:
    """`log(1 + exp(x))`, by an exponential that cannot overflow."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.absolute(x)))


def erf(x: Array) -> Array:
    """The error function, one element at a time: NumPy has none of its own."""
    x = np.asarray(x)
    return np.vectorize(math.erf, otypes=[np.float64])(x).astype(x.dtype)


VOCABULARY = (
    *(exp, expm1, log, log1p, sqrt, power, sin, cos, tanh, sigmoid, softplus, erf),
    *(absolute, sign, floor, ceil, round_half_even, maximum, minimum, where),
)
