"""Softmax and its logarithm along one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.axis_checks import check_axes
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Layer, Op, Param, Refused, layer, op
from kdsl.ops.type_rules import SameType, same_float
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class AlongAxis(Layer, SameType):
    """Input and result have one shape; the axis counts from the end in the graph, so that the batch does not shift it."""

    axis = Param("axis", "the axis whose values belong together; -1 is the last", -1)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        axis = attributes["axis"]
        if not isinstance(axis, int) or not -types[0].rank <= axis < 0:
            raise ValueError(f"no axis {axis} in {types[0]}")
        return same_float(types)

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])
        if types[0].rank == 0:
            raise Refused(
                "E401",
                f"`{cls.name}` compares the values along an axis, but gets a single number",
                label="wants [classes]",
                help="for one yes-or-no answer use `sigmoid`",
            )
        check_axes(cls.name, (arguments["axis"],), types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        value = as_float(build, values[0])
        axis, rank = arguments["axis"], build.type_of(value).rank
        return build.add(cls.name, [value], {"axis": axis if axis < 0 else axis - rank}, name=build.layer)

    @classmethod
    def gradient(cls, build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        name = f"gradient.{node.inputs[0]}"
        return (build.add(f"{cls.name}_gradient", [upstream, node.name], node.keywords, name=name),)


class AlongAxisGradient(Op):
    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        return AlongAxis.infer(types, attributes)


@layer("softmax")
@op("softmax")
class Softmax(AlongAxis):
    """`y = exp(x) / sum(exp(x))` along `axis`: positive, and 1 in sum. Any shape but a single number.

    ```kmodel
    output probabilities = softmax(logits)
    ```
    Source: keras/src/activations/activations.py; the largest value is subtracted first, so that nothing overflows.
    """

    keras = ("Softmax", "softmax")
    torch = ("Softmax",)

    @staticmethod
    def reference(x: Array, *, axis: int) -> Array:
        raised = np.exp(x - x.max(axis=axis, keepdims=True))
        return raised / raised.sum(axis=axis, keepdims=True)


@op("softmax_gradient")
class SoftmaxGradient(AlongAxisGradient):
    """`y * (upstream - sum(upstream * y))` along `axis`."""

    @staticmethod
    def reference(upstream: Array, y: Array, *, axis: int) -> Array:
        return y * (upstream - (upstream * y).sum(axis=axis, keepdims=True))


@layer("log_softmax")
@op("log_softmax")
class LogSoftmax(AlongAxis):
    """`y = x - log(sum(exp(x)))` along `axis`: the logarithm of softmax. Any shape but a single number.

    ```kmodel
    output log_probabilities = log_softmax(logits)
    ```
    Source: keras/src/activations/activations.py; the largest value is subtracted first, so that nothing overflows.
    """

    keras = ("log_softmax",)
    torch = ("LogSoftmax",)

    @staticmethod
    def reference(x: Array, *, axis: int) -> Array:
        shifted = x - x.max(axis=axis, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


@op("log_softmax_gradient")
class LogSoftmaxGradient(AlongAxisGradient):
    """`upstream - exp(y) * sum(upstream)` along `axis`."""

    @staticmethod
    def reference(upstream: Array, y: Array, *, axis: int) -> Array:
        return upstream - np.exp(y) * upstream.sum(axis=axis, keepdims=True)
