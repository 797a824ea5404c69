"""Types and attributes that every op is tested with. An op that is not elementwise and not listed here fails a test."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from movement_samples import MOVEMENT_SAMPLES
from small_graphs import draw, f32, index, truth, u8, weight
from window_samples import WINDOW_SAMPLES

from kdsl.graph.types import FLOAT_SCALAR, TensorType
from kdsl.ops import OPS

ATTRIBUTES: dict[str, Any] = {"slope": 0.3, "alpha": 0.7, "delta": 1.0, "low": -0.7, "high": 1.2}

POSITIVE = {  # op -> the inputs that have to be
    **dict.fromkeys(("log", "log1p", "sqrt", "rsqrt", "power"), (0,)),
    "power_gradient": (1,),
    "power_exponent_gradient": (1,),
}

MIXES = [  # batched and unbatched operands that broadcast
    [f32(2, 3), f32(2, 3)],
    [f32(2, 3), weight(3)],
    [weight(2, 1), f32(2, 3)],
    [f32(2, 1), f32(1, 3)],
    [f32(3), FLOAT_SCALAR],
    [FLOAT_SCALAR, f32()],
    [weight(3), FLOAT_SCALAR],
    [weight(2, 1), weight(1, 3)],
]
TRIPLES = [
    [f32(2, 3), f32(2, 3), f32(2, 3)],
    [f32(2, 3), f32(2, 1), weight(3)],
    [f32(2, 3), weight(2, 3), f32(1, 3)],
    [weight(2, 3), weight(1, 3), FLOAT_SCALAR],
]
CONDITIONS = [truth(2, 3), truth(2, 1), f32(2, 3), TensorType("bool", (1, 3), batched=False)]


def over(*axes: int, keep: bool = False) -> dict[str, Any]:
    return {"axes": axes, "keep": keep}


SAMPLES: dict[str, list[tuple[list[TensorType], dict[str, Any]]]] = {
    "cast": [([t], {}) for t in (u8(2, 2), truth(3), index(4), TensorType("i32", ()), f32(2))],
    "add_bias": [([f32(3), weight(3)], {}), ([f32(2, 3), weight(3)], {})],
    "matmul": [([f32(4), weight(4, 3)], {}), ([f32(2, 3), weight(3, 2)], {}), ([f32(1), weight(1, 1)], {})],
    "matmul_data_gradient": [([f32(3), weight(4, 3)], {})],
    "matmul_kernel_gradient": [([f32(4), f32(3)], {}), ([f32(2, 4), f32(2, 3)], {})],
    "bias_gradient": [([f32(3)], {}), ([f32(2, 3)], {})],
    "reshape": [
        ([f32(2, 3)], {"shape": (6,)}),
        ([f32(1)], {"shape": ()}),
        ([f32(4)], {"shape": (2, 1, 2)}),
        ([weight(2, 3)], {"shape": (3, 2)}),
    ],
    "dropout": [([f32(5)], {"rate": 0.4, "stream": 1}), ([f32(2, 3)], {"rate": 1.0, "stream": 0})],
    "sum_to": [
        ([weight(2, 3)], {"shape": (3,), "batched": False}),
        ([weight(2, 3)], {"shape": (2, 1), "batched": False}),
        ([f32(2, 3)], {"shape": (2, 3), "batched": False}),
        ([f32(2, 3)], {"shape": (1, 3), "batched": True}),
        ([f32(2, 3)], {"shape": (3,), "batched": False}),
        ([f32(2, 3)], {"shape": (), "batched": False}),
    ],
    **{
        name: [
            ([f32(4)] * inputs, {"axis": -1}),
            ([f32(3, 2)] * inputs, {"axis": -2}),
            ([f32(1)] * inputs, {"axis": -1}),
        ]
        for name, inputs in (("softmax", 1), ("log_softmax", 1), ("softmax_gradient", 2), ("log_softmax_gradient", 2))
    },
    "mean": [([f32()], {}), ([f32(2, 3)], {}), ([weight(3)], {}), ([FLOAT_SCALAR], {})],
    "mean_gradient": [([FLOAT_SCALAR, f32(2, 3)], {})],
    "negative_log_likelihood": [([f32(4)] * 2, {"smoothing": s}) for s in (0.0, 0.1)]
    + [([f32(2, 3)] * 2, {"smoothing": 0.1})],
    "negative_log_likelihood_gradient": [([f32(2), f32(2, 3)], {"smoothing": 0.1})],
    "negative_log_likelihood_target_gradient": [([f32(2), f32(2, 3)], {"smoothing": 0.1})],
    "sparse_negative_log_likelihood": [([f32(4), index(4)], {"smoothing": s}) for s in (0.0, 0.1)]
    + [([f32(2, 3), index(3, 2)], {"smoothing": 0.1})],
    "sparse_negative_log_likelihood_gradient": [([f32(2), index(3, 2)], {"smoothing": 0.1, "classes": 3})],
    "softmax_cross_entropy": [([f32(4)] * 2, {"smoothing": s}) for s in (0.0, 0.1)]
    + [([f32(2, 3)] * 2, {"smoothing": 0.1})],
    "softmax_cross_entropy_gradient": [([FLOAT_SCALAR, f32(2, 3), f32(2, 3)], {"smoothing": 0.1})],
    "sparse_softmax_cross_entropy": [([f32(4), index(4)], {"smoothing": s}) for s in (0.0, 0.1)]
    + [([f32(2, 3), index(3, 2)], {"smoothing": 0.1})],
    "sparse_softmax_cross_entropy_gradient": [([FLOAT_SCALAR, f32(2, 3), index(3, 2)], {"smoothing": 0.1})],
    "sparse_accuracy": [([f32(4), index(4)], {}), ([f32(2, 4), index(4, 2)], {})],
    "categorical_accuracy": [([f32(4), f32(4)], {})],
    "binary_accuracy": [([f32(), f32()], {}), ([f32(3), f32(3)], {})],
    "sparse_top_k": [([f32(4), index(4)], {"k": 2})],
    "categorical_top_k": [([f32(4), f32(4)], {"k": 2})],
    **{
        name: [(types, {}) for types in MIXES]
        for name in (
            *("add", "subtract", "multiply", "divide", "power", "maximum", "minimum"),
            *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
        )
    },
    **{name: [([truth(2, 3), truth(2, 1)], {}), ([f32(3), truth(3)], {})] for name in ("logical_and", "logical_or")},
    "logical_not": [([truth(2, 3)], {}), ([f32(3)], {})],
    "where": [([c, *types[1:]], {}) for c, types in zip(CONDITIONS, TRIPLES, strict=True)],
    **{
        name: [(types, {}) for types in TRIPLES]
        for name in ("power_gradient", "power_exponent_gradient", "maximum_gradient", "minimum_gradient")
    },
    **{
        name: [
            ([f32(4)], over(0)),
            ([f32(2, 3)], over(1, keep=True)),
            ([f32(2, 3, 2)], over(0, 2)),
            ([f32(2, 3)], over(0, 1)),
            ([f32(2, 1)], over(1)),
            ([f32()], over()),
            ([f32(2)], over()),
            ([weight(2, 3)], over(1)),
            ([weight(2, 3)], over(0, 1, keep=True)),
            ([weight(3)], over(0)),
        ]
        for name in ("reduce_sum", "reduce_mean", "reduce_max", "reduce_min")
    },
    **{
        name: [([f32(4)], {"axis": -1}), ([f32(3, 2)], {"axis": -2}), ([weight(3, 2)], {"axis": -1})]
        for name in ("argmax", "argmin")
    },
    "full": [([u8(4)], {"shape": (2, 3), "value": 0.5}), ([f32()], {"shape": (), "value": 0.0})],
    **{
        name: [
            ([f32(4)], {"shape": (2, 3), "stream": 1, "always": False}),
            ([index(5)], {"shape": (), "stream": 0, "always": True}),
        ]
        for name in ("random_normal", "random_uniform")
    },
    "random_share": [([u8(4)], {"alpha": 0.2, "stream": 0}), ([f32()], {"alpha": 1.5, "stream": 3})],
    "mix_rows": [([f32(), f32()], {}), ([f32(20), f32()], {}), ([f32(3, 5, 2), f32()], {})],
    "random_flip": [([f32(4, 3)], {"axis": 0, "stream": 0}), ([f32(3, 5, 2)], {"axis": 1, "stream": 1})],
    "random_crop": [([f32(4, 3)], {"pad": 1, "stream": 0}), ([f32(3, 5, 2)], {"pad": 6, "stream": 1})],
    "random_cutout": [([f32(4, 3)], {"size": 2, "stream": 0}), ([f32(5, 6, 2)], {"size": 3, "stream": 1})],
    "random_affine": [
        ([f32(4, 3)], {"angle": 0.5, "zoom": 0.0, "shift_y": 0.0, "shift_x": 0.0, "stream": 0}),
        ([f32(5, 6, 2)], {"angle": 0.0, "zoom": 0.4, "shift_y": 0.0, "shift_x": 0.0, "stream": 1}),
        ([f32(5, 6, 17)], {"angle": 3.0, "zoom": 0.9, "shift_y": 1.0, "shift_x": 0.3, "stream": 2}),
    ],
    "random_brightness": [
        ([f32(4, 3)], {"amount": 0.5, "limit": 0.0, "stream": 0}),
        ([f32(3, 5, 2)], {"amount": 0.5, "limit": 0.4, "stream": 1}),
    ],
    "random_contrast": [
        ([f32(4, 3)], {"share": 0.5, "limit": 0.0, "stream": 0}),
        ([f32(3, 5, 2)], {"share": 1.0, "limit": 0.4, "stream": 1}),
    ],
    "einsum": [
        ([f32(2, 3), f32(4, 3)], {"equation": "qd,kd->qk", "batched": True}),
        ([f32(2, 3, 4), f32(2, 4, 2)], {"equation": "hqd,hdk->khq", "batched": True}),
        ([f32(2, 3), weight(3, 2, 2)], {"equation": "td,dhk->htk", "batched": True}),
        ([weight(2, 3), f32(3)], {"equation": "ab,b->a", "batched": True}),
        ([weight(2, 3), weight(3, 2)], {"equation": "ab,bc->ca", "batched": False}),
        ([f32(2, 3), f32(2, 4)], {"equation": "ta,tb->ab", "batched": False}),
        ([f32(3), f32(3)], {"equation": "a,a->", "batched": True}),
        ([f32(), f32(2)], {"equation": ",a->a", "batched": True}),
        ([f32(2), f32(3)], {"equation": "a,b->ba", "batched": True}),
    ],
    "broadcast_to": [
        ([f32(2, 1)], {"shape": (2, 3)}),
        ([f32(1)], {"shape": (1,)}),
        ([f32()], {"shape": ()}),
        ([weight(1, 3)], {"shape": (2, 3)}),
        ([FLOAT_SCALAR], {"shape": ()}),
    ],
    **MOVEMENT_SAMPLES,
    **WINDOW_SAMPLES,
}


@dataclass(frozen=True)
class Sample:
    op: str
    types: list[TensorType]
    attributes: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.op}({', '.join(map(str, self.types))})"


def samples_of(name: str) -> list[Sample]:
    if name in SAMPLES:
        return [Sample(name, types, attributes) for types, attributes in SAMPLES[name]]
    op = OPS[name]
    assert op.elementwise, f"the op {name} is not elementwise: say in op_samples.py what to test it with"
    parameters = inspect.signature(op.reference).parameters.values()
    inputs = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
    attributes = {p.name: ATTRIBUTES[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY}
    return [Sample(name, [type] * inputs, attributes) for type in (f32(4), f32(2, 2), f32())]


def extras(sample: Sample, seed: int, step: int, dtype: str) -> dict[str, Any]:
    """The keywords of the reference that are not attributes."""
    op = OPS[sample.op]
    known = {"seed": seed, "step": step, "dtype": dtype, "batched": op.infer(sample.types, sample.attributes).batched}
    return {key: known[key] for key in op.run_time}


def arrays_of(sample: Sample, rng: np.random.Generator, batch: int) -> list[np.ndarray]:
    """Numbers for a sample's inputs, where the op is defined and smooth."""
    arrays = [draw(type, rng, batch) for type in sample.types]
    if sample.op == "max_pool_gradient":  # the third is the largest of each window of the second
        arrays[2] = OPS["max_pool"].reference(arrays[1], **sample.attributes)
    positive = POSITIVE.get(sample.op, ())
    return [np.absolute(array) if place in positive else array for place, array in enumerate(arrays)]


def every_sample(**wanted: bool) -> Any:
    """All samples of the ops whose class attributes are as wanted, for `parametrize`."""
    names = [name for name, op in OPS.items() if all(getattr(op, key) == value for key, value in wanted.items())]
    return pytest.mark.parametrize("sample", [s for name in names for s in samples_of(name)], ids=str)
