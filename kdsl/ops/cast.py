"""From the integers and truth values that data comes in to floats that arithmetic works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Op, op

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@op("cast")
class Cast(Op):
    """`y = float(x)`: u8, i32, index or bool to the module's scalar type. Any shape, kept."""

    elementwise = True
    run_time = ("dtype",)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        return types[0].as_float()

    @staticmethod
    def reference(x: Array, *, dtype: Array) -> Array:
        return x.astype(dtype)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        is_float = build.type_of(node.inputs[0]).dtype == "f32"
        return (upstream if is_float else None,)  # integers are data: nothing flows into them


def as_float(build: Builder, value: str) -> str:
    """`value` itself where it is f32, else its cast."""
    return value if build.type_of(value).dtype == "f32" else build.add("cast", [value], name=f"{value}.cast")
