"""What layers with windows, and those of pictures, refuse, word for word; and what stands close to it and is taken."""

from __future__ import annotations

from typing import Any

import pytest
from small_graphs import Network, f32, index, u8

from kdsl.graph import TensorType
from kdsl.ops import LAYERS
from kdsl.ops.registry import Refused

CONV = {"filters": 4, "kernel": 3}
WORKS_ON = (
    "works on a picture [height, width, channels], a sequence [steps, features] or a volume of four axes, but gets"
)
# layer, input, settings, code, message, help, insert
REFUSED: list[tuple[str, TensorType, dict[str, Any], str, str, str, str]] = [
    (
        *("conv", f32(784), CONV, "E401", f"`conv` {WORKS_ON} a vector [784]"),
        "is it flattened too early? A vector becomes a picture again with `reshape([28, 28, 1])`",
        "reshape([28, 28, 1]) -> ",
    ),
    (
        *("max_pool", u8(3072), {}, "E401", f"`max_pool` {WORKS_ON} a vector [3072]"),
        "is it flattened too early? A vector becomes a picture again with `reshape([32, 32, 3])`",
        "reshape([32, 32, 3]) -> ",
    ),
    (
        *("avg_pool", f32(), {}, "E401", f"`avg_pool` {WORKS_ON} a single number"),
        *("is it flattened too early? `flatten` stands behind the last of these layers", ""),
    ),
    ("upsample", f32(2, 2, 2, 2, 2), {}, "E401", f"`upsample` {WORKS_ON} 5 axes [2, 2, 2, 2, 2]", "", ""),
    (
        *("conv", index(5, 4, 4), CONV, "E405", "`conv` computes with numbers, but gets classes: index(5)[4, 4]"),
        *("declare the input `i32` if its values are quantities; a class has no size to compute with", ""),
    ),
    (
        *("conv", f32(28, 28), {"filters": 4, "kernel": (3, 3)}, "E401"),
        "`kernel` of `conv` has 2 numbers, and [28, 28] has 1 axis before the channels",
        "channels are the last axis, also where there is one: `reshape([28, 28, 1])`",
        "reshape([28, 28, 1]) -> ",
    ),
    (
        *("max_pool", f32(8, 8, 3), {"size": (2, 2, 1, 1)}, "E401"),
        "`size` of `max_pool` has 4 numbers, and [8, 8, 3] has 2 axes before the channels",
        *("one number stands for all of them", ""),
    ),
    (
        *("conv", f32(3, 32, 32), {"filters": 4, "kernel": 5}, "E401"),
        "a window of 5 does not fit into 3: `conv` gets [3, 32, 32]",
        *("channels come last: `permute([1, 2, 0])` makes it [32, 32, 3]", "permute([1, 2, 0]) -> "),
    ),
    (
        *("conv", f32(9, 2, 3), CONV, "E401", "a window of 3 does not fit into 2: `conv` gets [9, 2, 3]"),
        *("`pad = same` pads the input; or the layers before have made it too small", ""),
    ),
    (
        *("depthwise_conv", f32(4, 4, 3), {"kernel": 3, "dilation": 2}, "E401"),
        "a window of 5 does not fit into 4: `depthwise_conv` gets [4, 4, 3]",
        *("`pad = same` pads the input; or the layers before have made it too small", ""),
    ),
    (
        *("conv", f32(8, 8, 6), {**CONV, "groups": 3}, "E401", "3 groups do not divide 4 filters"),
        *("`groups` divides both the channels that come in and the filters: 2 does", ""),
    ),
    (
        *("conv", f32(8, 8, 6), {"filters": 9, "kernel": 3, "groups": 4}, "E401"),
        "4 groups do not divide 6 channels and 9 filters",
        *("`groups` divides both the channels that come in and the filters: 3 does", ""),
    ),
    (
        *("separable_conv", f32(8, 8, 6), {**CONV, "stride": 2, "dilation": 2}, "E401"),
        *("`separable_conv` has a stride or a dilation, not both", "", ""),
    ),
    (
        *("conv", f32(8, 8, 6), {**CONV, "pad": "causal"}, "E401"),
        "`pad = causal` is for sequences [steps, features], and this input has 2 spatial axes",
        *("`pad = same` keeps the size", ""),
    ),
    (
        *("group_norm", f32(8, 8, 6), {"groups": 4}, "E401", "4 groups do not divide 6 channels"),
        *("`group_norm(3)` has groups of 2 channels", ""),
    ),
    (
        *("group_norm", f32(8, 8, 6), {}, "E401", "32 groups do not divide 6 channels"),
        *("`group_norm(6)` has groups of 1 channel", ""),
    ),
    (
        "group_norm",
        f32(6),
        {"groups": 0},
        "E401",
        "0 groups do not divide 6 channels",
        *("`group_norm(1)` has groups of 6 channels", ""),
    ),
    ("group_norm", f32(), {}, "E401", "`group_norm` works on groups of channels, but gets a single number", "", ""),
    (
        *("batch_norm", f32(), {}, "E401", "`batch_norm` works channel by channel, but gets a single number"),
        *("make it a vector of one: `reshape([1])`", "reshape([1]) -> "),
    ),
    (
        *("zero_pad", f32(4, 4, 2), {"padding": ((1, 2),)}, "E412"),
        "[1, 2] may be before and behind, or a number for each of the 2 axes",
        *("write a pair [before, after] for each axis: `[[1, 2], [1, 2]]` or `[[1, 1], [2, 2]]`", ""),
    ),
    (
        *("crop", f32(4, 4, 2), {"cropping": ((1, 1), (0, 0), (1, 0))}, "E412"),
        "`crop` gets 3 pairs [[1, 1], [0, 0], [1, 0]], and the input has 2 spatial axes",
        *("one pair [before, after] for each of them, or one number for all", ""),
    ),
    (
        *("crop", f32(4, 4, 2), {"cropping": ((2, 2),)}, "E401"),
        *("`crop` takes 4 places from axis 0 of [4, 4, 2], which has 4", "", ""),
    ),
    ("zero_pad", f32(4, 2), {"padding": ((-1, 0),)}, "E307", "`padding` of `zero_pad` is at least 0, not -1", "", ""),
    (
        *(
            "center_crop",
            f32(4, 9, 2),
            {"size": 5},
            "E401",
            "`center_crop` wants 5 places of axis 0 of [4, 9, 2], which has 4",
        ),
        *("`resize` changes the size of a picture", ""),
    ),
    (
        *(
            "spatial_dropout",
            f32(8),
            {"rate": 0.5},
            "E401",
            "`spatial_dropout` leaves out whole channels, but gets a vector [8]",
        ),
        *("`dropout` leaves out single numbers", ""),
    ),
    (
        "prelu",
        f32(3, 4),
        {"shared_axes": (2,)},
        "E411",
        "there is no axis 2 in [3, 4]",
        "axes go from 0 to 1, or from -1 (the last) to -2; the batch is not counted",
        "",
    ),
]


@pytest.mark.parametrize(("name", "type", "settings", "code", "message", "help", "insert"), REFUSED)
def test_refused(
    name: str, type: TensorType, settings: dict[str, Any], code: str, message: str, help: str, insert: str
) -> None:
    net = Network()
    with pytest.raises(Refused) as caught:
        net.layer(name, net.input("x", type), **settings)
    found = caught.value
    assert (found.code, found.message, found.help, found.insert) == (code, message, help, insert)
    assert found.argument is None or found.argument in LAYERS[name].parameters


TAKEN: list[tuple[str, TensorType, dict[str, Any], tuple[int, ...]]] = [
    ("conv", u8(28, 28, 1), CONV, (26, 26, 4)),
    ("conv", f32(3, 32, 32), CONV, (1, 30, 4)),
    ("conv", f32(9, 2, 3), {**CONV, "pad": "same"}, (9, 2, 4)),
    ("conv", f32(5, 2), {**CONV, "pad": "causal", "dilation": 4}, (5, 4)),
    ("conv", f32(5, 5, 2), {**CONV, "stride": (2, 1), "pad": "same"}, (3, 5, 4)),
    ("max_pool", f32(5, 5, 2), {"size": (5, 1)}, (1, 5, 2)),
    ("conv_transpose", f32(5, 5, 2), {**CONV, "stride": 2, "dilation": 2}, (13, 13, 4)),
    ("zero_pad", f32(4, 4, 2), {"padding": ((2, 2),)}, (8, 8, 2)),
    ("zero_pad", f32(4, 2), {"padding": ((1, 2),)}, (7, 2)),
    ("crop", f32(4, 4, 2), {"cropping": ((0, 0),)}, (4, 4, 2)),
    ("resize", u8(4, 2), {"size": 9}, (9, 2)),
    ("group_norm", f32(6), {"groups": 6}, (6,)),
    ("adaptive_avg_pool", f32(3, 3, 2), {"size": (5, 3)}, (5, 3, 2)),
]


@pytest.mark.parametrize(("name", "type", "settings", "shape"), TAKEN)
def test_taken(name: str, type: TensorType, settings: dict[str, Any], shape: tuple[int, ...]) -> None:
    net = Network()
    assert net.build.type_of(net.layer(name, net.input("x", type), **settings)) == f32(*shape)
