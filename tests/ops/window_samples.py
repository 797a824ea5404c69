"""Types and attributes that the ops with windows, and those over the batch, are tested with."""

from __future__ import annotations

from typing import Any

from small_graphs import f32, weight

from kdsl.graph.types import TensorType


def windows(strides: tuple[int, ...], padding: Any, **more: Any) -> dict[str, Any]:
    return {"strides": strides, "padding": padding, **more}


PLAIN = windows((1, 1), ((0, 0), (0, 0)), dilation=(1, 1))
SAME = windows((1, 1), ((1, 1), (0, 1)), dilation=(1, 1))
STRIDED = windows((2, 1), ((0, 1), (1, 0)), dilation=(1, 1))
DILATED = windows((1,), ((2, 0),), dilation=(2,))
# x, kernel, places of the result, windows, groups
CONVOLUTIONS = [
    (f32(4, 4, 2), weight(3, 2, 2, 3), (2, 3), PLAIN, 1),
    (f32(3, 4, 2), weight(3, 2, 2, 3), (3, 4), SAME, 1),
    (f32(4, 3, 4), weight(2, 2, 2, 2), (2, 3), STRIDED, 2),
    (f32(5, 2), weight(2, 2, 3), (5,), DILATED, 1),
    (f32(2, 2, 2, 1), weight(2, 1, 2, 1, 2), (1, 2, 1), windows((1, 1, 1), ((0, 0),) * 3, dilation=(1, 1, 1)), 1),
]
DEPTHWISE = [
    (f32(3, 4, 2), weight(3, 2, 2, 1), (3, 4), SAME),
    (f32(4, 3, 2), weight(2, 2, 2, 3), (2, 3), STRIDED),
    (f32(5, 3), weight(2, 3, 2), (5,), DILATED),
]
POOLS = [
    (f32(4, 5, 2), (2, 2), {"window": (2, 2), **windows((2, 2), ((0, 0), (0, 0)))}),
    (f32(5, 3, 2), (2, 1), {"window": (2, 2), **windows((2, 2), ((0, 0), (0, 0)))}),
    (f32(3, 4, 2), (2, 4), {"window": (3, 2), **windows((2, 1), ((1, 1), (0, 1)))}),
    (f32(5, 3), (3,), {"window": (2,), **windows((2,), ((0, 1),))}),
]
Case = tuple[list[TensorType], dict[str, Any]]


def spatial(type: TensorType) -> tuple[int, ...]:
    return type.shape[:-1]


WINDOW_SAMPLES: dict[str, list[Case]] = {
    "conv": [([x, k], {**w, "groups": g}) for x, k, _, w, g in CONVOLUTIONS],
    "conv_data_gradient": [
        ([f32(*places, k.shape[-1]), k], {**w, "groups": g, "shape": spatial(x)}) for x, k, places, w, g in CONVOLUTIONS
    ],
    "conv_kernel_gradient": [
        ([x, f32(*places, k.shape[-1])], {**w, "groups": g, "window": k.shape[:-2]})
        for x, k, places, w, g in CONVOLUTIONS
    ],
    "depthwise_conv": [([x, k], w) for x, k, _, w in DEPTHWISE],
    "depthwise_conv_data_gradient": [
        ([f32(*places, k.shape[-2] * k.shape[-1]), k], {**w, "shape": spatial(x)}) for x, k, places, w in DEPTHWISE
    ],
    "depthwise_conv_kernel_gradient": [
        ([x, f32(*places, k.shape[-2] * k.shape[-1])], {**w, "window": k.shape[:-2]}) for x, k, places, w in DEPTHWISE
    ],
    "max_pool": [([x], w) for x, _, w in POOLS],
    "max_pool_gradient": [([f32(*places, x.shape[-1]), x, f32(*places, x.shape[-1])], w) for x, places, w in POOLS],
    "avg_pool": [([x], w) for x, _, w in POOLS],
    "avg_pool_gradient": [([f32(*places, x.shape[-1])], {**w, "shape": spatial(x)}) for x, places, w in POOLS],
    "batch_norm": [
        ([f32(2, 3), *[weight(3)] * 4], {"epsilon": 1e-3, "momentum": 0.9}),
        ([f32(3), weight(), weight(), weight(3), weight(3)], {"epsilon": 0.1, "momentum": 0.99}),
    ],
    "batch_mean": [([f32(3)], {}), ([f32(2, 2, 3)], {})],
    "batch_variance": [([f32(3), weight(3)], {}), ([f32(2, 2, 3), weight(3)], {})],
    "inverse_count": [([f32(3)], {}), ([f32(2, 2, 3)], {})],
    "spread_like": [([weight(3), f32(2, 3)], {})],
}
