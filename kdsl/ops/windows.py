"""Windows that slide over the spatial axes: sizes, strides, padding, as convolutions and pools share them.

A picture is [height, width, channels], a sequence [steps, features], a volume has three spatial axes: every axis but the
last is one that a window slides along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

from kdsl.graph.types import TensorType
from kdsl.ops.registry import Refused
from kdsl.ops.unsuitable import a_shape, refuse_classes
from kdsl.records import dataclass

Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Windows:
    """One window for each place of the result; an entry for each spatial axis.

    span     numbers from the window's first place to its last: (size - 1) * dilation + 1
    padding  zeros (before, after) the input
    """

    size: Sizes
    strides: Sizes
    dilation: Sizes
    padding: Pairs

    @property
    def span(self) -> Sizes:
        return spans(self.size, self.dilation)

    def places(self, sizes: Sequence[int]) -> Sizes:
        """How often the window fits: the spatial sizes of the result."""
        pairs = zip(sizes, self.padding, self.span, self.strides, strict=True)
        return tuple((size + before + after - span) // stride + 1 for size, (before, after), span, stride in pairs)


def spans(size: Sizes, dilation: Sizes) -> Sizes:
    return tuple((s - 1) * d + 1 for s, d in zip(size, dilation, strict=True))


def per_axis(value: int | Sequence[int], axes: int) -> Sizes:
    """One number stands for all axes."""
    return (value,) * axes if isinstance(value, int) else tuple(value)


def need_spatial(layer: str, type: TensorType) -> None:
    """[.., channels] with one to three spatial axes."""
    refuse_classes(layer, type)
    if 2 <= type.rank <= 4:
        return
    shown = as_picture(type.shape)
    raise Refused(
        "E401",
        f"`{layer}` works on a picture [height, width, channels], a sequence [steps, features] or a volume of four axes, "
        f"but gets {a_shape(type)}",
        label="wants two to four axes",
        help=f"is it flattened too early? A vector becomes a picture again with `reshape({shown})`"
        if shown
        else "is it flattened too early? `flatten` stands behind the last of these layers"
        if type.rank < 2
        else "",
        insert=f"reshape({shown}) -> " if shown else "",
    )


def as_picture(shape: Sequence[int]) -> str:
    """The square picture, grey or in colour, that a vector may be: `[28, 28, 1]` for 784 numbers, empty for none."""
    for channels in (1, 3):
        side = isqrt(shape[0] // channels) if len(shape) == 1 else 0
        if side > 1 and side * side * channels == shape[0]:
            return f"[{side}, {side}, {channels}]"
    return ""


def need_sizes(layer: str, argument: str, value: int | Sequence[int], type: TensorType) -> None:
    """A list has an entry for each spatial axis."""
    axes = type.rank - 1
    if isinstance(value, int) or len(value) == axes:
        return
    flat = len(value) == type.rank
    shown = f"[{', '.join(map(str, (*type.shape, 1)))}]"
    raise Refused(
        "E401",
        f"`{argument}` of `{layer}` has {len(value)} numbers, and {type.dims} has {axes} "
        f"{'axis' if axes == 1 else 'axes'} before the channels",
        argument=argument,
        help=f"channels are the last axis, also where there is one: `reshape({shown})`"
        if flat
        else "one number stands for all of them",
        insert=f"reshape({shown}) -> " if flat else "",
    )


def windows_of(layer: str, arguments: Mapping[str, Any], type: TensorType, size: str = "kernel") -> Windows:
    """The windows that a layer's arguments mean over an input of this type. Raises Refused where none fits.

    `pad = same`: the result has ceil(size / stride) places; of an odd number of zeros the larger half stands behind
    (TensorFlow's rule). `pad = causal`: all of them before, along one axis. Source: keras/src/ops/operation_utils.py.
    """
    need_spatial(layer, type)
    axes, spatial = type.rank - 1, type.shape[:-1]
    for argument in (size, "stride", "dilation"):
        if arguments.get(argument) is not None:
            need_sizes(layer, argument, arguments[argument], type)
    kernel = per_axis(arguments[size], axes)
    stride = arguments.get("stride")
    strides = kernel if stride is None else per_axis(stride, axes)
    dilation = per_axis(arguments.get("dilation", 1), axes)
    pad = arguments.get("pad", "valid")
    if max(strides) > 1 and max(dilation) > 1:
        raise Refused("E401", f"`{layer}` has a stride or a dilation, not both", argument="dilation")
    if pad == "causal" and axes != 1:
        raise Refused(
            "E401",
            f"`pad = causal` is for sequences [steps, features], and this input has {axes} spatial axes",
            argument="pad",
            help="`pad = same` keeps the size",
        )
    span = spans(kernel, dilation)
    padding = tuple(padded(pad, *sizes) for sizes in zip(spatial, span, strides, strict=True))
    found = Windows(kernel, strides, dilation, padding)
    for axis, places in enumerate(found.places(spatial)):
        if places < 1:
            raise _too_large(layer, type, axis, span[axis], size)
    return found


def _too_large(layer: str, type: TensorType, axis: int, span: int, argument: str) -> Refused:
    """A window that fits nowhere: channels that come first, or too little left of the picture."""
    shape = type.shape
    order = [*range(1, type.rank), 0]
    first = type.rank > 2 and axis == 0 and shape[0] in (1, 3, 4) and min(shape[1:]) >= span
    permute = f"permute([{', '.join(map(str, order))}])"
    return Refused(
        "E401",
        f"a window of {span} does not fit into {shape[axis]}: `{layer}` gets {type.dims}",
        argument=argument,
        label=f"wants at least {span}",
        help=f"channels come last: `{permute}` makes it [{', '.join(str(shape[a]) for a in order)}]"
        if first
        else "`pad = same` pads the input; or the layers before have made it too small",
        insert=f"{permute} -> " if first else "",
    )


def padded(pad: str, size: int, span: int, stride: int) -> tuple[int, int]:
    """Zeros (before, after) along one axis."""
    if pad == "valid":
        return 0, 0
    if pad == "causal":
        return span - 1, 0
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2
