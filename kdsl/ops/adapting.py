"""The layer whose numbers come from the training data before training begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.ops.axis_checks import check_axes
from kdsl.ops.cast import as_float
from kdsl.ops.dropout import IMAGE_CHANGES
from kdsl.ops.normalization import along, places_of, sizes_of
from kdsl.ops.preprocessing import EPSILON
from kdsl.ops.registry import Layer, Param, Refused, WeightSpec, layer
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

MOVES = frozenset({"cast", "reshape", "slice", "transpose", "mix_rows", *IMAGE_CHANGES})
"""Ops that may stand between an input and the layer: what they do is done to the data too, but for changes of images and
mixtures of rows, which happen in training only."""


@layer("standardize")
class Standardize(Layer):
    """`y = (x - mean) / max(sqrt(variance), 1e-7)`, with the mean and variance of the training data.

    One mean and one variance for each place of the last axis, or of the axes that `axis` names. They are weights that
    are not trained: the first `fit` takes them from the rows it trains on, `model.adapt(x)` from any others. It stands
    behind an input or a part of one. A single number has one mean.

    ```kmodel
    input  house: f32[4]
    h = house -> standardize -> dense(16) -> relu
    ```
    Source: keras/src/layers/preprocessing/normalization.py and its `adapt`.
    """

    axis = Param("axes", "the axis whose places have a mean each, or a list of axes", (-1,), positional=True)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("standardize", types[0])
        if types[0].rank:
            check_axes("standardize", arguments["axis"], types[0])

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        shape = sizes_of(arguments, types[0]) if types[0].rank else ()
        mean = WeightSpec("mean", shape, ("zeros", ()), trainable=False)
        return mean, WeightSpec("variance", shape, ("ones", ()), trainable=False)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        if way_from_input({node.name: node for node in build.nodes}, values[0]) is None:
            joined = build.op_of(values[0]) == "concat"
            raise Refused(
                "E418",
                "`standardize` takes its mean and variance from the data, but {0} is computed",
                label="does not see an input",
                help="put it behind each input, before they are joined"
                if joined
                else "put it right behind the input, or behind a part such as `x[0:4]`; `layer_norm` normalises what is "
                "computed",
            )
        x = as_float(build, values[0])
        type = build.type_of(x)
        deviation = build.add("sqrt", [weights["variance"]], name=build.path("deviation"))
        divisor = build.add("maximum", [deviation, build.constant(EPSILON)], name=build.path("divisor"))
        mean = weights["mean"]
        if type.rank:
            places = places_of(arguments, type)
            mean, divisor = (along(build, value, places, type) for value in (mean, divisor))
        centered = build.add("subtract", [x, mean], name=build.path("centered"))
        return build.add("divide", [centered, divisor], name=build.layer)


def way_from_input(nodes: Mapping[str, Node], value: str) -> tuple[Node, ...] | None:
    """The input that a value is, or is a part of, and the ops on the way; None where it is something else."""
    way = [nodes[value]]
    while way[0].op in MOVES:
        way.insert(0, nodes[way[0].inputs[0]])
    return tuple(way) if way[0].op == "input" else None
