"""What all activations share: each class is what a user writes and the op it becomes.

An activation `f` comes with an op `f_gradient(upstream, value)`. `value` is the activation's output where the derivative
can be written with it, so that a fused kernel need not keep the input; else it is the input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.registry import Layer
from kdsl.ops.type_rules import Elementwise
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class Activation(Layer, Elementwise):
    """A function applied to every element: input and result have one shape."""

    by: ClassVar[Literal["output", "input"]] = "output"  # what the derivative is written with

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        return build.add(cls.name, [as_float(build, values[0])], arguments, name=build.layer)

    @classmethod
    def gradient(cls, build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        value = node.name if cls.by == "output" else node.inputs[0]
        name = f"gradient.{node.inputs[0]}"
        return (build.add(f"{cls.name}_gradient", [upstream, value], node.keywords, name=name),)
