"""Elementwise arithmetic with NumPy's broadcasting on the axes after the batch, and the sums its gradients need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Union

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Op, op
from kdsl.ops.type_rules import Broadcast, Elementwise, broadcast, need_float
from kdsl.ops.vocabulary import absolute, sign

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


Attributes = Union[Mapping[str, Attribute], None]


def summed_like(build: Builder, gradient: str, operand: str) -> str:
    """`gradient` summed over the axes along which `operand` was repeated."""
    type = build.type_of(operand)
    if build.type_of(gradient) == type:
        return gradient
    attributes: dict[str, Attribute] = {"shape": type.shape, "batched": type.batched}
    return build.add("sum_to", [gradient], attributes, name=f"gradient.{operand}")


def term(build: Builder, op: str, inputs: Sequence[str], operand: str, attributes: Attributes = None) -> str:
    """One elementwise op whose result is the gradient of `operand`, once that is summed over its repetitions."""
    from kdsl.ops.registry import OPS

    result = OPS[op].infer([build.type_of(value) for value in inputs], attributes or {})
    name = f"gradient.{operand}.terms" if result != build.type_of(operand) else f"gradient.{operand}"
    return summed_like(build, build.add(op, inputs, attributes, name=name), operand)


@op("add")
class Add(Broadcast):
    """`z = x + y`."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x + y

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return tuple(summed_like(build, upstream, operand) for operand in node.inputs)


@op("subtract")
class Subtract(Broadcast):
    """`z = x - y`."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x - y

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, y = node.inputs
        return summed_like(build, upstream, x), term(build, "negative", [upstream], y)


@op("multiply")
class Multiply(Broadcast):
    """`z = x * y`."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x * y

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, y = node.inputs
        return term(build, "multiply", [upstream, y], x), term(build, "multiply", [upstream, x], y)


@op("divide")
class Divide(Broadcast):
    """`z = x / y`; to y flows `-upstream * z / y`."""

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return x / y

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, y = node.inputs
        product = build.add("multiply", [upstream, node.name], name=f"gradient.{y}.product")
        quotient = build.add("divide", [product, y], name=f"gradient.{y}.quotient")
        return term(build, "divide", [upstream, y], x), term(build, "negative", [quotient], y)


@op("negative")
class Negative(Elementwise):
    """`y = -x`."""

    @staticmethod
    def reference(x: Array) -> Array:
        return -x

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return (build.add("negative", [upstream], name=f"gradient.{node.inputs[0]}"),)


@op("square")
class Square(Elementwise):
    """`y = x * x`."""

    @staticmethod
    def reference(x: Array) -> Array:
        return x * x

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        half = build.add("multiply", [upstream, x], name=f"gradient.{x}.half")
        return (build.add("multiply", [half, build.constant(2.0)], name=f"gradient.{x}"),)


@op("absolute")
class Absolute(Elementwise):
    """`y = |x|`; at 0 the gradient is 0."""

    @staticmethod
    def reference(x: Array) -> Array:
        return absolute(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        direction = build.add("sign", [x], name=f"gradient.{x}.sign")
        return (build.add("multiply", [upstream, direction], name=f"gradient.{x}"),)


@op("sign")
class Sign(Elementwise):
    """`y` = -1, 0 or 1: the sign of x. Its derivative is 0 wherever there is one, so nothing flows back."""

    @staticmethod
    def reference(x: Array) -> Array:
        return sign(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return (None,)


@op("sum_to")
class SumTo(Op):
    """Undoes a broadcast: `x` summed over the axes that `shape` lacks or has as 1, and over the batch if not `batched`."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_float(types[0])
        shape, batched = attributes["shape"], attributes["batched"]
        if not isinstance(shape, tuple):
            raise ValueError(f"wants a shape, not {shape!r}")
        result = TensorType("f32", tuple(s for s in shape if isinstance(s, int)), bool(batched))
        if broadcast([types[0], result]) != types[0]:
            raise ValueError(f"{types[0]} cannot be summed to {result}")
        return result

    @staticmethod
    def reference(x: Array, *, shape: tuple[int, ...], batched: bool) -> Array:
        result = (x.shape[0], *shape) if batched else shape
        x = x.sum(axis=tuple(range(x.ndim - len(result))))
        return x.sum(axis=tuple(i for i, size in enumerate(result) if size == 1 < x.shape[i]), keepdims=True)
