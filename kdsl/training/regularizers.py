"""Regularizers: Keras's formulas. Each adds one number to the loss for every weight that its pattern names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute
from kdsl.graph.types import TensorType
from kdsl.ops.registry import Param, Refused
from kdsl.training.registry import REGULARIZERS, Regularizer, regularizer

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

__all__ = ["REGULARIZERS", "Regularizer"]

PATTERN = "names of weights, `*` for any part of a name, dots included"


def total(build: Builder, value: str, name: str) -> str:
    """The sum over all axes of a value without a batch."""
    axes = tuple(range(build.type_of(value).rank))
    return build.add("reduce_sum", [value], {"axes": axes, "keep": False}, name=build.path(name))


def times(build: Builder, factor: float, value: str) -> str:
    return build.add("multiply", [build.constant(factor), value])


class ByName(Regularizer):
    listed_last = ("weights",)
    weights = Param("text", PATTERN, "*.kernel")


@regularizer("l2")
class L2(ByName):
    """`factor * sum(w ** 2)`; without the 1/2 of other libraries.

    ```kmodel
    regularize = l2(1e-4, weights = "*.kernel")
    ```
    Source: keras/src/regularizers/regularizers.py, `L2`.
    """

    keras = ("L2", "l2_regularizer")
    torch = ("weight_decay",)
    factor = Param("number", "how much it counts", 0.01, positional=True, low=0.0)

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], weight: str) -> str:
        return times(build, arguments["factor"], total(build, build.add("square", [weight]), "sum"))


@regularizer("l1")
class L1(ByName):
    """`factor * sum(|w|)`.

    ```kmodel
    regularize = l1(1e-5, weights = "*.kernel")
    ```
    Source: keras/src/regularizers/regularizers.py, `L1`.
    """

    keras = ("L1", "l1_regularizer")
    factor = Param("number", "how much it counts", 0.01, positional=True, low=0.0)

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], weight: str) -> str:
        return times(build, arguments["factor"], total(build, build.add("absolute", [weight]), "sum"))


@regularizer("l1_l2")
class L1L2(ByName):
    """`l1 * sum(|w|) + l2 * sum(w ** 2)`.

    ```kmodel
    regularize = l1_l2(l1 = 1e-5, l2 = 1e-4)
    ```
    Source: keras/src/regularizers/regularizers.py, `L1L2`; Zou and Hastie 2005, the elastic net.
    """

    keras = ("L1L2", "elastic_net")
    l1 = Param("number", "how much the sizes count", 0.01, low=0.0)
    l2 = Param("number", "how much the squares count", 0.01, low=0.0)

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], weight: str) -> str:
        sizes = times(build, arguments["l1"], total(build, build.add("absolute", [weight]), "sizes"))
        squares = times(build, arguments["l2"], total(build, build.add("square", [weight]), "squares"))
        return build.add("add", [sizes, squares])


@regularizer("orthogonal")
class Orthogonal(ByName):
    """`factor * s / (n * (n - 1))`: s sums the sizes of the scalar products of all pairs of the n rows, each of length 1.

    With `mode = columns` of the columns. For matrices.

    ```kmodel
    regularize = orthogonal(0.01, weights = "*.kernel")
    ```
    Source: keras/src/regularizers/regularizers.py, `OrthogonalRegularizer`.
    """

    keras = ("OrthogonalRegularizer",)
    factor = Param("number", "how much it counts", 0.01, positional=True, low=0.0)
    mode = Param("word", "what is made orthogonal", "rows", words=("rows", "columns"))

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], type: TensorType) -> None:
        if type.rank != 2:
            raise Refused("E523", f"`orthogonal` is for matrices, and {{0}} is {type.dims}", argument="weights")
        if type.shape[arguments["mode"] == "columns"] < 2:
            raise Refused(
                "E523", f"`orthogonal` compares {arguments['mode']}, and {{0}} is {type.dims}", argument="weights"
            )

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], weight: str) -> str:
        rows = arguments["mode"] == "rows"
        count = build.type_of(weight).shape[0 if rows else 1]
        along: dict[str, Attribute] = {"axes": (1 if rows else 0,), "keep": True}
        squares = build.add("reduce_sum", [build.add("square", [weight])], along, name=build.path("squares"))
        lengths = build.add("sqrt", [build.add("maximum", [squares, build.constant(1e-12)])])
        unit = build.add("divide", [weight, lengths], name=build.path("unit"))
        equation = "ik,jk->ij" if rows else "ki,kj->ij"
        products = build.add("einsum", [unit, unit], {"equation": equation, "batched": False})
        sizes = total(build, build.add("absolute", [products]), "sizes")
        own = total(build, build.add("square", [unit]), "own")  # each with itself: the diagonal
        between = build.add("subtract", [sizes, own], name=build.path("between"))
        return times(build, arguments["factor"] / (count * (count - 1.0)), between)
