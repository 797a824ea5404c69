"""Comparisons and logic, which give bools, and the choice between two values by one. Inputs broadcast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.arithmetic import term
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array
from kdsl.ops.operators import aligned, truth
from kdsl.ops.registry import Layer, Op, layer, op
from kdsl.ops.type_rules import broadcast, broadcast_any, need_float
from kdsl.ops.unsuitable import refuse_classes
from kdsl.ops.vocabulary import maximum, minimum, where
from kdsl.records import replace

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class Comparison(Op):
    """Two floats -> bool. Flat wherever there is a derivative, so nothing flows back."""

    elementwise = True
    differentiable = False

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        return replace(broadcast(types), dtype="bool")


@op("equal")
class Equal(Comparison):
    """`z = (x == y)`."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x == y


@op("not_equal")
class NotEqual(Comparison):
    """`z = (x != y)`; NaN differs from everything."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x != y


@op("less")
class Less(Comparison):
    """`z = (x < y)`."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x < y


@op("less_equal")
class LessEqual(Comparison):
    """`z = (x <= y)`."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x <= y


@op("greater")
class Greater(Comparison):
    """`z = (x > y)`."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x > y


@op("greater_equal")
class GreaterEqual(Comparison):
    """`z = (x >= y)`."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x >= y


class Logic(Op):
    """Conditions (bools, or floats of 0 and 1) -> bool."""

    elementwise = True
    differentiable = False

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_conditions(*types)
        return replace(broadcast_any(types), dtype="bool")


def need_conditions(*types: TensorType) -> None:
    for type in types:
        if type.dtype not in ("bool", "f32"):
            raise ValueError(f"wants a condition, not {type}")


@op("logical_and")
class LogicalAnd(Logic):
    """`z` is true where both are."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return minimum(x, y) != 0.0


@op("logical_or")
class LogicalOr(Logic):
    """`z` is true where one of them is."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return maximum(x, y) != 0.0


@op("logical_not")
class LogicalNot(Logic):
    """`y` is true where x is not."""

    @staticmethod
    def reference(x: Array) -> Array:
        return x == 0.0


@layer("where")
@op("where")
class Where(Layer, Op):
    """`z = x` where the condition is true, else `y`. The three broadcast; x and y may be plain numbers.

    ```kmodel
    h = where(x > 0, x, 0.1 * x)
    ```
    Source: numpy.where. The gradient flows to the side that was chosen.
    """

    arity = (3, 3)
    function = True
    scalars = True
    elementwise = True
    keras = ("where",)
    torch = ("where",)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        for type in types[1:]:
            refuse_classes("where", type)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        condition, *sides = values
        chosen = truth(build, condition, "the first input of `where` is a condition")
        inputs = [chosen, *(as_float(build, side) for side in sides)]
        return build.add("where", aligned(build, inputs, "`where`"), name=build.layer)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_conditions(types[0])
        need_float(*types[1:])
        return broadcast_any(types)

    @staticmethod
    def reference(c: Array, x: Array, y: Array) -> Array:
        return where(c != 0.0, x, y)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        c, x, y = node.inputs
        zero = build.constant(0.0)
        return None, term(build, "where", [c, upstream, zero], x), term(build, "where", [c, zero, upstream], y)
