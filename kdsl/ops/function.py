"""What the functions of one tensor share: each is a layer, written as a call in an expression or after an arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.registry import Layer
from kdsl.ops.type_rules import Elementwise
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class Function(Layer):
    """A function of numbers, element by element. `ir` is the op it lowers to, where that has another name."""

    function = True
    ir: ClassVar[str] = ""

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        return build.add(cls.ir or cls.name, [as_float(build, values[0])], arguments, name=build.layer)


class FunctionOp(Function, Elementwise):
    """A function that is an op under its own name."""


def scaled(build: Builder, value: str, factor: float, name: str) -> str:
    """`value * factor`: a step of a gradient."""
    return build.add("multiply", [value, build.constant(factor)], name=name)
