"""Windows that slide over the spatial axes: sizes, strides, padding, as convolutions and pools share them.

A picture is [height, width, channels], a sequence [steps, features], a volume has three spatial axes: every axis but the
last is one that a window slides along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kdsl.graph.types import TensorType
from kdsl.ops.registry import Refused
from kdsl.ops.unsuitable import a_shape, refuse_classes

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
    axes = "x".join(map(str, type.shape))
    raise Refused(
        "E401",
        f"`{layer}` slides over [steps, features], [height, width, channels] or a volume of four axes, but gets {a_shape(type)}",
        label=f"wants two to four axes, not {axes or 'a number'}",
        help="add the missing axis: `reshape([28, 28, 1])`" if type.rank < 2 else "",
    )


def need_sizes(layer: str, argument: str, value: int | Sequence[int], axes: int) -> None:
    """A list has an entry for each spatial axis."""
    if not isinstance(value, int) and len(value) != axes:
        raise Refused(
            "E401",
            f"`{argument}` of `{layer}` has {len(value)} numbers, and the input has {axes} spatial "
            f"{'axis' if axes == 1 else 'axes'}",
            argument=argument,
            help="one number stands for all of them",
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
            need_sizes(layer, argument, arguments[argument], axes)
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
            raise Refused(
                "E401",
                f"a window of {span[axis]} does not fit into {spatial[axis]}: `{layer}` gets {type.dims}",
                argument=size,
                label=f"wants at least {span[axis]}",
                help="`pad = same` pads the input with zeros; or the layers before have made it too small",
            )
    return found


def padded(pad: str, size: int, span: int, stride: int) -> tuple[int, int]:
    """Zeros (before, after) along one axis."""
    if pad == "valid":
        return 0, 0
    if pad == "causal":
        return span - 1, 0
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2
