"""Flatten and reshape: the same numbers in the same order, seen with other axes. Free in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Cost, Layer, Op, Param, Refused, layer, op

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("flatten")
class Flatten(Layer):
    """All axes in one: [a, b, c] -> [a * b * c], the last axis running fastest. A single number becomes [1].

    ```kmodel
    h = image -> flatten -> dense(128)
    ```
    Source: keras/src/layers/reshaping/flatten.py.
    """

    keras = ("Flatten",)
    torch = ("Flatten",)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        size = build.type_of(values[0]).size
        return build.add("reshape", [values[0]], {"shape": (size,)}, name=build.layer)


@layer("reshape")
@op("reshape")
class Reshape(Layer, Op):
    """The same elements in the same order with other axes: [784] -> [28, 28]. One size may be -1: what is left.

    ```kmodel
    h = x -> reshape([28, 28, -1])
    ```
    Source: keras/src/layers/reshaping/reshape.py.
    """

    keras = ("Reshape",)
    function = True
    torch = ("Unflatten", "reshape", "view")
    run_time = ("batched",)
    shape = Param("shape", "sizes of the new axes, without the batch", positional=True, keras="target_shape")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        sizes, size = arguments["shape"], types[0].size
        if sizes.count(-1) > 1:
            raise Refused("E404", "only one size of `reshape` may be -1", argument="shape")
        known, shown = prod(s for s in sizes if s != -1), f"[{', '.join(map(str, sizes))}]"
        if -1 in sizes and (known == 0 or size % known):
            raise Refused(
                "E404",
                f"{types[0].dims} cannot become {shown}: {size} elements cannot be divided by {known}",
                argument="shape",
                label=f"{known} does not divide {size}",
            )
        if -1 not in sizes and known != size:
            raise Refused(
                "E404",
                f"{types[0].dims} cannot become {shown}: {size} elements against {known}",
                argument="shape",
                label=f"{known} elements",
                help="the batch is not written; one size may be -1, for what is left",
            )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        sizes, size = arguments["shape"], build.type_of(values[0]).size
        rest = size // max(1, prod(s for s in sizes if s != -1))
        shape = tuple(rest if s == -1 else s for s in sizes)
        return build.add("reshape", [values[0]], {"shape": shape}, name=build.layer)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        shape = attributes["shape"]
        if not isinstance(shape, tuple):
            raise ValueError(f"cannot reshape {types[0]} to {shape!r}")
        result = types[0].with_shape(*(s for s in shape if isinstance(s, int)))
        if result.size != types[0].size:
            raise ValueError(f"{types[0]} cannot become {result}")
        return result

    @staticmethod
    def reference(x: Array, *, shape: tuple[int, ...], batched: bool) -> Array:
        return x.reshape(x.shape[0], *shape) if batched else x.reshape(shape)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        return (build.add("reshape", [upstream], {"shape": build.type_of(x).shape}, name=f"gradient.{x}"),)

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(0)
