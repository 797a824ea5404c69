"""More or fewer places around a picture, a sequence or a volume: zero_pad, crop, center_crop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.indexing import index
from kdsl.ops.registry import Layer, Param, Refused, layer
from kdsl.ops.windows import need_sizes, need_spatial, per_axis

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

Pairs = tuple[tuple[int, int], ...]


def check_pairs(layer: str, argument: str, pairs: Pairs, type: TensorType) -> None:
    """A pair for each spatial axis, or one that is meant for all of them without a doubt."""
    need_spatial(layer, type)
    axes = type.rank - 1
    (before, after), shown = pairs[0], f"[{', '.join(map(_shown, pairs))}]"
    if min(map(min, pairs)) < 0:
        raise Refused("E307", f"`{argument}` of `{layer}` is at least 0, not {min(map(min, pairs))}", argument=argument)
    if len(pairs) not in (1, axes):
        raise Refused(
            "E412",
            f"`{layer}` gets {len(pairs)} pairs {shown}, and the input has {axes} spatial {'axis' if axes == 1 else 'axes'}",
            argument=argument,
            help="one pair [before, after] for each of them, or one number for all",
        )
    if len(pairs) == 1 and axes > 1 and before != after:
        first, second = (", ".join([pair] * axes) for pair in (_shown(pairs[0]), f"[{before}, {before}]"))
        second = f"[{before}, {before}], [{after}, {after}]" if axes == 2 else second
        raise Refused(
            "E412",
            f"{_shown(pairs[0])} may be before and behind, or a number for each of the {axes} axes",
            argument=argument,
            help=f"write a pair [before, after] for each axis: `[{first}]` or `[{second}]`",
        )


def _shown(pair: tuple[int, int]) -> str:
    return f"[{pair[0]}, {pair[1]}]"


def for_each_axis(pairs: Pairs, axes: int) -> Pairs:
    return pairs * axes if len(pairs) == 1 else pairs


@layer("zero_pad")
class ZeroPad(Layer):
    """Zeros around a picture [height, width, channels], a sequence [steps, features] or a volume.

    `1` adds one place on every side, `[[0, 1], [2, 2]]` has a pair [before, after] for each spatial axis.

    ```kmodel
    h = image -> zero_pad(3) -> conv(64, kernel = 7, stride = 2)
    ```
    Source: keras/src/layers/reshaping/zero_padding2d.py. `conv(.., pad = same)` pads by itself.
    """

    keras = ("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
    torch = ("ZeroPad1d", "ZeroPad2d", "ZeroPad3d", "ConstantPad2d")
    padding = Param(
        "pairs", "places that are added: a number, or a pair [before, after] for each axis", ((1, 1),), positional=True
    )

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        check_pairs("zero_pad", "padding", arguments["padding"], types[0])

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x = as_float(build, values[0])
        pairs = (*for_each_axis(arguments["padding"], build.type_of(x).rank - 1), (0, 0))
        before, after = (tuple(pair[side] for pair in pairs) for side in (0, 1))
        return build.add("pad", [x], {"before": before, "after": after, "value": 0.0}, name=build.layer)


@layer("crop")
class Crop(Layer):
    """Takes places away around a picture [height, width, channels], a sequence [steps, features] or a volume.

    `1` takes one away on every side, `[[0, 1], [2, 2]]` has a pair [before, after] for each spatial axis.

    ```kmodel
    middle = image -> crop(4)
    ```
    Source: keras/src/layers/reshaping/cropping2d.py.
    """

    keras = ("Cropping1D", "Cropping2D", "Cropping3D")
    cropping = Param(
        "pairs",
        "places that are taken away: a number, or a pair [before, after] for each axis",
        ((1, 1),),
        positional=True,
    )

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        (type,), pairs = types, arguments["cropping"]
        check_pairs("crop", "cropping", pairs, type)
        sizes = zip(type.shape[:-1], for_each_axis(pairs, type.rank - 1), strict=True)
        for axis, (size, (before, after)) in enumerate(sizes):
            if before + after >= size:
                raise Refused(
                    "E401",
                    f"`crop` takes {before + after} places from axis {axis} of {type.dims}, which has {size}",
                    argument="cropping",
                    label="nothing would be left",
                )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        shape = build.type_of(values[0]).shape[:-1]
        pairs = zip(shape, for_each_axis(arguments["cropping"], len(shape)), strict=True)
        return part(build, values[0], [slice(before, size - after) for size, (before, after) in pairs])


@layer("center_crop")
class CenterCrop(Layer):
    """The middle of a picture [height, width, channels], a sequence or a volume, of the given size.

    Where an odd number of places is left over, the smaller half lies before.

    ```kmodel
    h = image -> center_crop([24, 24])
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/center_crop.py; a picture that is too small is refused here.
    """

    keras = ("CenterCrop",)
    torch = ("center_crop",)
    size = Param("sizes", "size of the result: one number, or one for each spatial axis", positional=True)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        (type,), size = types, arguments["size"]
        need_spatial("center_crop", type)
        need_sizes("center_crop", "size", size, type)
        for axis, (wanted, there) in enumerate(zip(per_axis(size, type.rank - 1), type.shape[:-1], strict=True)):
            if wanted > there:
                raise Refused(
                    "E401",
                    f"`center_crop` wants {wanted} places of axis {axis} of {type.dims}, which has {there}",
                    argument="size",
                    help="`resize` changes the size of a picture",
                )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        shape = build.type_of(values[0]).shape[:-1]
        pairs = zip(per_axis(arguments["size"], len(shape)), shape, strict=True)
        return part(build, values[0], [slice((n - size) // 2, (n - size) // 2 + size) for size, n in pairs])


def part(build: Builder, x: str, items: Sequence[slice]) -> str:
    """A slice named by the layer, which the whole of x is too."""
    found = index(build, x, items, build.layer)
    if found != x:
        return found
    return build.add("reshape", [x], {"shape": build.type_of(x).shape}, name=build.layer)
