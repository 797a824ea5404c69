"""Every op, planned for the numba target and run, against its NumPy reference; and the padding of what it wrote."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plan_runner import Runner, graph_of
from small_graphs import f32, index, weight

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ops"))
import op_samples
from op_samples import Sample, arrays_of, extras, samples_of

from kdsl.graph.types import TensorType
from kdsl.ops import OPS
from kdsl.plan.rows import RULES

BATCH, SEED, STEP = 5, 7, 3
NAMES = [name for name, op in OPS.items() if op.elementwise or name == "dropout"]
NAMES += [name for name in RULES if name in OPS and name in op_samples.SAMPLES and name not in NAMES]


def sized(name: str, cases: list[tuple[list[TensorType], dict[str, Any]]]) -> list[Sample]:
    return [Sample(name, types, attributes) for types, attributes in cases]


REDUCED = [((3, 5), (0,)), ((3, 5), (1,)), ((2, 20, 33), (0, 2)), ((2, 20, 33), (1,)), ((4, 1, 3, 17), (1, 2))]
REDUCED += [((7,), (0,)), ((2, 3, 16), ()), ((2, 32), (0, 1)), ((1, 1), (1,))]
OWN = [
    sample
    for name in ("reduce_sum", "reduce_mean", "reduce_max", "reduce_min")
    for keep in (True, False)
    for sample in sized(name, [([f32(*shape)], {"axes": axes, "keep": keep}) for shape, axes in REDUCED])
]
OWN += sized(
    "reduce_sum", [([weight(3, 20)], {"axes": (1,), "keep": False}), ([weight(18)], {"axes": (0,), "keep": False})]
)
OWN += sized(
    "sum_to",
    [
        ([f32(4, 20)], {"shape": (20,), "batched": False}),
        ([f32(4, 20)], {"shape": (4, 1), "batched": False}),
        ([f32(2, 4, 20)], {"shape": (4, 1), "batched": False}),
        ([f32(2, 4, 20)], {"shape": (1, 4, 20), "batched": True}),
        ([weight(4, 20)], {"shape": (20,), "batched": False}),
        ([f32()], {"shape": (), "batched": False}),
    ],
)
for name in ("add", "multiply"):
    OWN += sized(
        name,
        [
            ([f32(3, 1, 20), weight(2, 1)], {}),
            ([f32(1, 17), f32(4, 1)], {}),
            ([weight(4, 20), f32(4, 20)], {}),
            ([weight(4, 20), weight(20)], {}),
            ([f32(2, 3, 1), f32(1, 3, 33)], {}),
            ([f32(2, 3, 4, 5), weight(3, 1, 5)], {}),
        ],
    )
OWN += sized(
    "argmax",
    [([f32(*shape)], {"axis": axis}) for shape, axis in (((20,), -1), ((3, 20), -2), ((3, 20), -1), ((2, 3, 4), -2))],
)
OWN += sized(
    "einsum",
    [
        ([f32(9, 2, 5), f32(9, 2, 5)], {"equation": "thd,uhd->htu", "batched": True}),
        ([f32(9, 2, 16), f32(9, 2, 16)], {"equation": "thd,uhd->htu", "batched": True}),
        ([f32(2, 9, 9), f32(9, 2, 17)], {"equation": "htu,uhd->thd", "batched": True}),
        ([f32(2, 9, 9), f32(9, 2, 16)], {"equation": "htu,thd->uhd", "batched": True}),
        ([f32(2, 6, 33), f32(2, 33, 40)], {"equation": "hqd,hdk->hqk", "batched": True}),
        ([f32(6, 3, 5), weight(3, 5, 18)], {"equation": "thd,hdk->tk", "batched": True}),
        ([f32(6, 3, 5), f32(6, 18)], {"equation": "thd,tk->hdk", "batched": False}),
        ([f32(6, 18), weight(3, 5, 18)], {"equation": "tk,hdk->thd", "batched": True}),
        ([weight(20, 12), f32(20)], {"equation": "ab,a->b", "batched": True}),
        ([f32(6, 18), weight(30, 18)], {"equation": "tk,vk->tv", "batched": True}),
        ([f32(6, 30), f32(6, 18)], {"equation": "tv,tk->vk", "batched": False}),
        ([f32(4, 5, 6, 7), f32(4, 6, 5, 20)], {"equation": "abcd,acbe->aed", "batched": True}),
        ([weight(12, 20), weight(20, 17)], {"equation": "ab,bc->ac", "batched": False}),
        ([weight(12, 20), weight(17, 20)], {"equation": "ab,cb->ca", "batched": False}),
    ],
)
for name, count in (("softmax", 1), ("log_softmax", 1), ("softmax_gradient", 2), ("log_softmax_gradient", 2)):
    OWN += sized(
        name,
        [
            ([f32(*shape)] * count, {"axis": axis})
            for shape, axis in (((3, 20), -2), ((2, 5, 18), -3), ((2, 3, 33), -1))
        ],
    )
OWN += sized(
    "gather",
    [
        ([f32(7, 20), index(7, 3)], {"axis": 0, "batched_values": True, "batched_indices": True}),
        ([weight(7, 20), index(7, 3, 2)], {"axis": 0, "batched_values": False, "batched_indices": True}),
        ([f32(3, 20), index(20, 17)], {"axis": 1, "batched_values": True, "batched_indices": True}),
        ([weight(3, 4, 18), index(4)], {"axis": 1, "batched_values": False, "batched_indices": True}),
    ],
)
OWN += sized(
    "gather_gradient",
    [
        ([f32(3, 20), index(7, 3)], {"axis": 0, "size": 7, "batched_values": True, "batched_indices": True}),
        ([f32(3, 2, 20), index(7, 3, 2)], {"axis": 0, "size": 7, "batched_values": False, "batched_indices": True}),
        ([f32(3, 17), index(20, 17)], {"axis": 1, "size": 20, "batched_values": True, "batched_indices": True}),
        ([f32(3, 18), index(4)], {"axis": 1, "size": 4, "batched_values": False, "batched_indices": True}),
    ],
)
MOVED = [
    ((9, 20), (1, 0)),
    ((5, 6, 18), (2, 0, 1)),
    ((5, 6, 18), (1, 2, 0)),
    ((2, 3, 4, 5), (3, 1, 0, 2)),
    ((33, 40), (1, 0)),
]
OWN += sized("transpose", [([f32(*shape)], {"axes": axes}) for shape, axes in MOVED])
OWN += sized(
    "slice",
    [
        ([f32(9, 40)], {"starts": (1, 3), "stops": (8, 38), "steps": (2, 1)}),
        ([f32(9, 40)], {"starts": (0, 3), "stops": (9, 38), "steps": (1, 3)}),
        ([weight(4, 20)], {"starts": (1, 16), "stops": (4, 20), "steps": (1, 1)}),
    ],
)
OWN += sized(
    "unslice",
    [
        ([f32(3, 17)], {"shape": (9, 40), "starts": (1, 3), "steps": (2, 1)}),
        ([f32(3, 12)], {"shape": (3, 40), "starts": (0, 2), "steps": (1, 3)}),
    ],
)
OWN += sized(
    "pad",
    [
        ([f32(3, 17)], {"before": (1, 2), "after": (0, 13), "value": 0.5}),
        ([f32(20)], {"before": (16,), "after": (1,), "value": 0.0}),
    ],
)
OWN += sized(
    "concat",
    [
        ([f32(3, 16), f32(3, 5), f32(3, 1), f32(3, 12)], {"axis": -1}),
        ([f32(3, 5), f32(2, 5)], {"axis": -2}),
        ([f32(2, 3, 20), f32(2, 4, 20)], {"axis": -2}),
        ([weight(17), weight(3)], {"axis": -1}),
    ],
)
# Convolutions that Winograd's minimal filtering suits: tiles that reach beyond the picture, odd numbers of channels.
FILTERED = [((6, 6), 16, 16, 1), ((15, 13), 20, 33, 1), ((8, 10), 33, 18, 0), ((4, 8), 64, 24, 1), ((4, 13), 16, 17, 2)]
for (high, wide), channels, filters, around in FILTERED:
    shared = {"strides": (1, 1), "padding": ((around, around),) * 2, "dilation": (1, 1), "groups": 1}
    made = f32(high - 2 + 2 * around, wide - 2 + 2 * around, filters)
    taken, window = f32(high, wide, channels), weight(3, 3, channels, filters)
    OWN += sized("conv", [([taken, window], shared)])
    OWN += sized("conv_data_gradient", [([made, window], {**shared, "shape": (high, wide)})])
    OWN += sized("conv_kernel_gradient", [([taken, made], {**shared, "window": (3, 3)})])
OWN = [sample for sample in OWN if sample.op in OPS]
SAMPLES = [sample for name in NAMES for sample in samples_of(name)]
SAMPLES = [
    sample
    for sample in SAMPLES
    if OPS[sample.op].infer(sample.types, sample.attributes).shape or sample.types[0].batched
]


def rows_sum(sample: Sample) -> bool:
    """Losses and metrics are sums that only whole modules divide by the rows."""
    type = OPS[sample.op].infer(sample.types, sample.attributes)
    return not type.batched and not type.shape and sample.op not in ("sum_to", "einsum") and sample.types[0].batched


TESTED = [sample for sample in [*SAMPLES, *OWN] if not rows_sum(sample)]
TWICE = [sample for sample in TESTED if not OPS[sample.op].elementwise]  # elementwise kernels differ in functions only


def check(sample: Sample, bits: int, tolerance: float) -> None:
    arrays = arrays_of(sample, np.random.default_rng(11), BATCH)
    scalar = f"float{bits}"
    arrays = [a.astype(scalar) if t.dtype == "f32" else a for a, t in zip(arrays, sample.types, strict=True)]
    wanted = OPS[sample.op].reference(*arrays, **sample.attributes, **extras(sample, SEED, STEP, "float64"))
    runner = Runner(graph_of(sample.op, sample.types, sample.attributes), BATCH, bits)
    named = {f"x{place}": array for place, array in enumerate(arrays)}
    found = runner.run(named, named, seed=SEED, step=STEP)["y"]
    assert found.shape == np.shape(wanted)
    scale = max(float(np.abs(wanted).max(initial=0.0)), 1e-2)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("sample", TESTED, ids=str)
def test_kernels_against_references(sample: Sample) -> None:
    check(sample, 32, 4e-6)


@pytest.mark.parametrize("sample", TWICE, ids=str)
def test_kernels_in_double_precision(sample: Sample) -> None:
    check(sample, 64, 1e-12)
