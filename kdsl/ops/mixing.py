"""Rows of a batch mixed with one another, for `augment = [mixup]`: in training only, where nothing is differentiated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdsl.graph.graph import Attribute
from kdsl.graph.types import TensorType
from kdsl.ops.augmentation import for_rows, row_draws, within
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Op, op
from kdsl.ops.type_rules import need_float

WITH_SHARES: Mapping[str, str] = {
    "sparse_negative_log_likelihood": "negative_log_likelihood",
    "sparse_accuracy": "categorical_accuracy",
    "sparse_top_k": "categorical_top_k",
}
"""Ops that compare with the number of a class -> those that compare with a share for each class."""


@op("random_share")
class RandomShare(Op):
    """For each row of the anchor a number from 0 to 1, drawn from Beta(alpha, alpha): `(1 + c * sqrt((1 - p) / q)) / 2` with
    `p = u ** (1 / alpha)`, `c = cos(2 * pi * v)` and `q = p + c ** 2 * (1 - p)`.

    u and v are drawn evenly, for row i from hashes of (seed, step, stream, 2 * i) and (.., 2 * i + 1). Without the half,
    it is t / sqrt(2 * alpha + t ** 2) of Student's t with 2 * alpha degrees of freedom (Bailey 1994,
    Mathematics of Computation 62, 779).
    """

    differentiable = False
    run_time = ("seed", "step", "dtype")

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        if not types[0].batched:
            raise ValueError(f"the anchor {types[0]} has no batch")
        return TensorType("f32")

    @staticmethod
    def reference(anchor: Array, *, alpha: float, stream: int, seed: int, step: int, dtype: Array) -> Array:
        u, v = row_draws(len(anchor), 2, stream, seed, step).T
        p, c = u ** (1.0 / alpha), np.cos(2.0 * np.pi * v)
        share = 0.5 + 0.5 * c * np.sqrt((1.0 - p) / (p + c * c * (1.0 - p)))
        return within(share, 1.0).astype(dtype)


@op("mix_rows")
class MixRows(Op):
    """`y[i] = x[i + 1] + share[i] * (x[i] - x[i + 1])`; the last row of a batch is mixed with the first."""

    differentiable = False

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, share = types
        need_float(x, share)
        if not x.batched or share != TensorType("f32"):
            raise ValueError(f"{share} is no share for each row of {x}")
        return x

    @staticmethod
    def reference(x: Array, share: Array) -> Array:
        other = np.roll(x, -1, axis=0)
        return other + for_rows(share, x) * (x - other)
