"""What `standardize` learns from data: mean and variance of each place."""

from __future__ import annotations

import numpy as np

from kdsl.runtime.engine import Array, Core

ELEMENTS_AT_ONCE = 1 << 20


def moments(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Mean and variance (divided by n) over the rows and these axes after them, in double precision, a piece of the rows
    at a time."""
    over = (0, *(axis + 1 for axis in axes))
    count = int(np.prod([x.shape[axis] for axis in over]))
    rows = max(1, ELEMENTS_AT_ONCE // max(1, x[0].size))
    pieces = [x[start : start + rows] for start in range(0, len(x), rows)]
    mean: Array = sum(piece.sum(axis=over, dtype=np.float64, keepdims=True) for piece in pieces) / count
    squares: Array = sum(np.square(piece - mean).sum(axis=over, keepdims=True) for piece in pieces)
    return mean.squeeze(over), (squares / count).squeeze(over)


def adapt_layer(core: Core, mean: str, variance: str, x: Array, axes: tuple[int, ...], scalar: str) -> None:
    """Gives the weights called `mean` and `variance` the moments of `x` over its rows and these axes."""
    for name, value in zip((mean, variance), moments(x, axes), strict=True):
        shape = core.get_weight(name).shape
        core.set_weight(name, np.asarray(value, scalar, order="C").reshape(shape))
