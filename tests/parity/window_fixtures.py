"""The group `windows` of the parity fixtures: convolutions, pools and what belongs to them, forward and backward, by Keras.

Only `make_fixtures.py` imports this. The format is that of `light_fixtures.py`. Settings of one layer of each kind hold the deviation
of Keras's first values too, which says what its initializers take for fans.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from fixture_file import Case
from light_fixtures import layer_case

L = keras.layers
Make = Callable[[], Any]
SPREAD = (
    "conv_steps",
    "conv",
    "conv_groups",
    "depthwise",
    "depthwise_multiplier",
    "separable",
    "transposed_3_2_1_same",
)


def windows() -> list[Case]:
    rng = np.random.default_rng(10)

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(0.2, 1.0, (2, *shape))

    steps, picture, volume = numbers(9, 4), numbers(7, 6, 4), numbers(4, 5, 4, 2)
    same, causal = {"pad": "same"}, {"pad": "causal"}
    table: list[tuple[str, str, dict[str, Any], Make, np.ndarray]] = [
        ("conv_steps", "conv", {"filters": 5, "kernel": 3}, lambda: L.Conv1D(5, 3), steps),
        (
            *("conv_steps_causal", "conv", {"filters": 3, "kernel": 3, "dilation": 2, **causal}),
            *(lambda: L.Conv1D(3, 3, dilation_rate=2, padding="causal"), steps),
        ),
        (
            *("conv_steps_causal_strided", "conv", {"filters": 3, "kernel": 2, "stride": 3, **causal}),
            *(lambda: L.Conv1D(3, 2, strides=3, padding="causal"), steps),
        ),
        (
            *("conv_steps_same_strided", "conv", {"filters": 3, "kernel": 4, "stride": 2, **same}),
            *(lambda: L.Conv1D(3, 4, strides=2, padding="same"), steps),
        ),
        ("conv", "conv", {"filters": 5, "kernel": 3}, lambda: L.Conv2D(5, 3), picture),
        (
            *("conv_same", "conv", {"filters": 6, "kernel": [3, 2], **same}),
            *(lambda: L.Conv2D(6, (3, 2), padding="same"), picture),
        ),
        (
            *("conv_same_strided", "conv", {"filters": 3, "kernel": 3, "stride": 2, "bias": False, **same}),
            *(lambda: L.Conv2D(3, 3, strides=2, padding="same", use_bias=False), picture),
        ),
        (
            *("conv_strides", "conv", {"filters": 3, "kernel": [2, 3], "stride": [3, 1]}),
            *(lambda: L.Conv2D(3, (2, 3), strides=(3, 1)), picture),
        ),
        (
            *("conv_dilated", "conv", {"filters": 3, "kernel": 3, "dilation": [2, 1], **same}),
            *(lambda: L.Conv2D(3, 3, dilation_rate=(2, 1), padding="same"), picture),
        ),
        (
            *("conv_groups", "conv", {"filters": 6, "kernel": 3, "groups": 2}),
            *(lambda: L.Conv2D(6, 3, groups=2), picture),
        ),
        (
            *("conv_groups_same", "conv", {"filters": 4, "kernel": 2, "groups": 4, "stride": 2, **same}),
            *(lambda: L.Conv2D(4, 2, groups=4, strides=2, padding="same"), picture),
        ),
        ("conv_one", "conv", {"filters": 7, "kernel": 1}, lambda: L.Conv2D(7, 1), picture),
        (
            *("conv_one_strided", "conv", {"filters": 7, "kernel": 1, "stride": 2, **same}),
            *(lambda: L.Conv2D(7, 1, strides=2, padding="same"), picture),
        ),
        ("conv_volume", "conv", {"filters": 3, "kernel": 2}, lambda: L.Conv3D(3, 2), volume),
        (
            *("conv_volume_same", "conv", {"filters": 3, "kernel": [3, 2, 1], "stride": [1, 2, 3], **same}),
            *(lambda: L.Conv3D(3, (3, 2, 1), strides=(1, 2, 3), padding="same"), volume),
        ),
        ("depthwise", "depthwise_conv", {"kernel": 3}, lambda: L.DepthwiseConv2D(3), picture),
        (
            *("depthwise_multiplier", "depthwise_conv", {"kernel": [2, 3], "multiplier": 3, **same}),
            *(lambda: L.DepthwiseConv2D((2, 3), depth_multiplier=3, padding="same"), picture),
        ),
        (
            *("depthwise_strided", "depthwise_conv", {"kernel": 3, "stride": 2, "bias": False, **same}),
            *(lambda: L.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False), picture),
        ),
        (
            *("depthwise_dilated", "depthwise_conv", {"kernel": 2, "dilation": 2, "multiplier": 2}),
            *(lambda: L.DepthwiseConv2D(2, dilation_rate=(2, 2), depth_multiplier=2), picture),
        ),
        (
            *("depthwise_steps", "depthwise_conv", {"kernel": 3, "multiplier": 2, "stride": 2}),
            *(lambda: L.DepthwiseConv1D(3, strides=2, depth_multiplier=2), steps),
        ),
        ("separable", "separable_conv", {"filters": 5, "kernel": 3}, lambda: L.SeparableConv2D(5, 3), picture),
        (
            *(
                "separable_multiplier",
                "separable_conv",
                {"filters": 5, "kernel": 3, "multiplier": 2, "stride": 2, **same},
            ),
            *(lambda: L.SeparableConv2D(5, 3, depth_multiplier=2, strides=2, padding="same"), picture),
        ),
        (
            *("separable_steps", "separable_conv", {"filters": 5, "kernel": 3, "dilation": 2, "bias": False}),
            *(lambda: L.SeparableConv1D(5, 3, dilation_rate=2, use_bias=False), steps),
        ),
        *_transposed(steps, picture, volume[:, :2, :3, :2]),
        *_pools(steps, picture, volume),
        *_other_sizes(steps, picture, volume),
        *_others(steps, picture, volume),
    ]
    return [_window_case(*row, rng) for row in table]


def _transposed(steps: np.ndarray, picture: np.ndarray, volume: np.ndarray) -> list[tuple[Any, ...]]:
    """Windows smaller, as large as, and larger than the stride; with dilation where Keras has it."""
    small = picture[:, :4, :3]
    rows: list[tuple[Any, ...]] = []
    for kernel, stride, dilation in (
        (3, 1, 1),
        (2, 2, 1),
        (3, 2, 1),
        (4, 2, 1),
        (2, 3, 1),
        (5, 3, 1),
        (1, 2, 1),
        (3, 1, 2),
    ):
        for pad in ("valid", "same"):
            name = f"transposed_{kernel}_{stride}_{dilation}_{pad}"
            given = {"filters": 3, "kernel": kernel, "stride": stride, "dilation": dilation, "pad": pad}

            def make(k: int = kernel, s: int = stride, d: int = dilation, p: str = pad) -> Any:
                return L.Conv2DTranspose(3, k, strides=s, dilation_rate=d, padding=p)

            rows.append((name, "conv_transpose", given, make, small))
    mixed = {"filters": 2, "kernel": [3, 2], "stride": [2, 1], "pad": "same", "bias": False}
    wide = {"filters": 3, "kernel": 4, "stride": 3, "pad": "same"}
    deep = {"filters": 2, "kernel": 2, "stride": [2, 1, 3]}
    rows += [
        (
            *("transposed_mixed", "conv_transpose", mixed),
            *(lambda: L.Conv2DTranspose(2, (3, 2), strides=(2, 1), padding="same", use_bias=False), small),
        ),
        (
            *("transposed_steps", "conv_transpose", wide),
            *(lambda: L.Conv1DTranspose(3, 4, strides=3, padding="same"), steps),
        ),
        ("transposed_volume", "conv_transpose", deep, lambda: L.Conv3DTranspose(2, 2, strides=(2, 1, 3)), volume),
    ]
    return rows


def _pools(steps: np.ndarray, picture: np.ndarray, volume: np.ndarray) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    kinds = {
        "max_pool": (L.MaxPooling1D, L.MaxPooling2D, L.MaxPooling3D),
        "avg_pool": (L.AveragePooling1D, L.AveragePooling2D, L.AveragePooling3D),
    }
    settings: list[tuple[str, dict[str, Any], int, np.ndarray]] = [
        ("default", {}, 1, picture),
        ("overlapping", {"size": 3, "stride": 2}, 1, picture),
        ("same", {"size": 3, "stride": 2, "pad": "same"}, 1, picture),
        ("same_wide", {"size": [4, 3], "stride": [3, 1], "pad": "same"}, 1, picture),
        ("steps", {"size": 3, "pad": "same"}, 0, steps),
        ("steps_strided", {"size": 2, "stride": 3}, 0, steps),
        ("volume", {"size": [1, 2, 2]}, 2, volume),
        ("volume_same", {"size": 2, "stride": 1, "pad": "same"}, 2, volume),
    ]
    for kind, classes in kinds.items():
        for name, given, axes, x in settings:

            def make(cls: Any = classes[axes], given: dict[str, Any] = given) -> Any:
                return cls(given.get("size", 2), given.get("stride"), given.get("pad", "valid"))

            rows.append((f"{kind}_{name}", kind, given, make, x))
    return rows


def _other_sizes(steps: np.ndarray, picture: np.ndarray, volume: np.ndarray) -> list[tuple[Any, ...]]:
    """Frames, parts, pictures of other sizes, adaptive pools."""
    bilinear = {"method": "bilinear"}
    small, flat = picture[:, :4, :3], {"size": [3, 2], "method": "bilinear"}
    mean, most = L.AdaptiveAveragePooling2D, L.AdaptiveMaxPooling2D
    return [
        ("zero_pad", "zero_pad", {}, L.ZeroPadding2D, small),
        (
            *("zero_pad_pairs", "zero_pad", {"padding": ((0, 1), (2, 3))}),
            *(lambda: L.ZeroPadding2D(((0, 1), (2, 3))), small),
        ),
        ("zero_pad_steps", "zero_pad", {"padding": ((2, 1),)}, lambda: L.ZeroPadding1D((2, 1)), steps),
        ("zero_pad_volume", "zero_pad", {"padding": ((1, 1),)}, lambda: L.ZeroPadding3D(1), volume),
        ("crop", "crop", {"cropping": ((2, 2),)}, lambda: L.Cropping2D(2), picture),
        ("crop_pairs", "crop", {"cropping": ((0, 1), (2, 3))}, lambda: L.Cropping2D(((0, 1), (2, 3))), picture),
        ("crop_steps", "crop", {"cropping": ((2, 1),)}, lambda: L.Cropping1D((2, 1)), steps),
        ("crop_volume", "crop", {"cropping": ((1, 1),)}, lambda: L.Cropping3D(1), volume),
        ("center_crop", "center_crop", {"size": [4, 3]}, lambda: L.CenterCrop(4, 3), picture),
        ("upsample", "upsample", {}, lambda: L.UpSampling2D(), small),
        ("upsample_factors", "upsample", {"size": [1, 3]}, lambda: L.UpSampling2D((1, 3)), small),
        ("upsample_steps", "upsample", {"size": 3}, lambda: L.UpSampling1D(3), steps),
        ("upsample_volume", "upsample", {"size": [2, 1, 2]}, lambda: L.UpSampling3D((2, 1, 2)), volume),
        ("upsample_bilinear", "upsample", bilinear, lambda: L.UpSampling2D(interpolation="bilinear"), small),
        ("upsample_bilinear_factors", "upsample", flat, lambda: L.UpSampling2D((3, 2), None, "bilinear"), small),
        ("resize_larger", "resize", {"size": [9, 8]}, lambda: L.Resizing(9, 8), picture),
        ("resize_smaller", "resize", {"size": [4, 3]}, lambda: L.Resizing(4, 3), picture),
        ("resize_one", "resize", {"size": [1, 6]}, lambda: L.Resizing(1, 6), picture),
        (
            *("resize_nearest", "resize", {"size": [5, 9], "method": "nearest"}),
            *(lambda: L.Resizing(5, 9, "nearest"), picture),
        ),
        (
            *("resize_nearest_third", "resize", {"size": [7, 2], "method": "nearest"}),
            *(lambda: L.Resizing(7, 2, "nearest"), picture),
        ),
        ("adaptive_avg_pool", "adaptive_avg_pool", {"size": [3, 2]}, lambda: mean((3, 2)), picture),
        ("adaptive_avg_pool_even", "adaptive_avg_pool", {"size": [2, 3]}, lambda: mean((2, 3)), picture[:, :6]),
        ("adaptive_avg_pool_steps", "adaptive_avg_pool", {"size": 4}, lambda: L.AdaptiveAveragePooling1D(4), steps),
        ("adaptive_avg_pool_one", "adaptive_avg_pool", {"size": 1}, lambda: mean(1), picture),
        ("adaptive_max_pool", "adaptive_max_pool", {"size": [3, 4]}, lambda: most((3, 4)), picture),
        ("adaptive_max_pool_even", "adaptive_max_pool", {"size": 2}, lambda: most(2), picture[:, :6]),
        ("adaptive_max_pool_volume", "adaptive_max_pool", {"size": [3, 2, 4]}, _adaptive_volume, volume),
    ]


def _adaptive_volume() -> Any:
    return L.AdaptiveMaxPooling3D((3, 2, 4))


def _others(steps: np.ndarray, picture: np.ndarray, volume: np.ndarray) -> list[tuple[Any, ...]]:
    plain = {"groups": 2, "center": False, "scale": False, "epsilon": 0.1}
    return [
        ("group_norm", "group_norm", {"groups": 2}, lambda: L.GroupNormalization(2), picture),
        ("group_norm_steps", "group_norm", {"groups": 1}, lambda: L.GroupNormalization(1), steps),
        ("group_norm_instance", "group_norm", {"groups": -1}, lambda: L.GroupNormalization(-1), picture),
        ("group_norm_vector", "group_norm", {"groups": 2}, lambda: L.GroupNormalization(2), steps[:, 0]),
        (
            *("group_norm_plain", "group_norm", plain),
            *(lambda: L.GroupNormalization(2, epsilon=0.1, center=False, scale=False), volume),
        ),
        ("prelu", "prelu", {}, L.PReLU, steps),
        ("prelu_shared", "prelu", {"shared_axes": [0, 1]}, lambda: L.PReLU(shared_axes=[1, 2]), picture),
    ]


def _window_case(
    case: str, name: str, arguments: dict[str, Any], make: Make, x: np.ndarray, rng: np.random.Generator
) -> Case:
    found = layer_case(case, name, arguments, make(), [x], rng)
    found.settings["spread"] = _spread(make, x) if case in SPREAD else []
    return found


def _spread(make: Make, x: np.ndarray) -> list[float]:
    """The deviation of the first values of every weight, over several layers made anew."""
    keras.utils.set_random_seed(11)
    drawn: list[list[np.ndarray]] = []
    for _ in range(15):
        layer = make()
        layer.build((None, *x.shape[1:]))
        drawn.append([np.asarray(v.value).ravel() for v in layer.weights])
    return [float(np.concatenate(values).std()) for values in zip(*drawn, strict=True)]
