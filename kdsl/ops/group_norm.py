"""Group normalisation: mean and variance of each sample over its places and a group of its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.normalization import applied, inverse_root
from kdsl.ops.operators import reshaped
from kdsl.ops.reductions import reduced
from kdsl.ops.registry import Layer, Param, Refused, WeightSpec, layer
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("group_norm")
class GroupNorm(Layer):
    """`y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`, mean and variance over all places of a sample and the
    channels of a group. It does not depend on the batch.

    x: [.., C], any shape with a last axis, kept; gamma, beta: [C]. `groups = -1` makes a group of each channel ("instance
    normalisation"), `groups = 1` one group of all.

    ```kmodel
    h = image -> conv(64, kernel = 3, bias = false) -> group_norm(16) -> relu
    ```
    Source: Wu and He 2018, "Group normalization"; keras/src/layers/normalization/group_normalization.py.
    """

    keras = ("GroupNormalization",)
    torch = ("GroupNorm",)
    groups = Param("int", "number of groups of channels; -1: a group of each channel", 32, positional=True, low=-1)
    epsilon = Param("number", "added to the variance", 1e-3, low=0.0)
    center = Param("bool", "add the trained vector beta", True)
    scale = Param("bool", "multiply by the trained vector gamma", True)
    gamma_init = Param("initializer", "first values of gamma", ("ones", ()), keras="gamma_initializer")
    beta_init = Param("initializer", "first values of beta", ("zeros", ()), keras="beta_initializer")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        (type,), groups = types, arguments["groups"]
        refuse_classes("group_norm", type)
        if type.rank == 0:
            raise Refused(
                "E401",
                "`group_norm` works on groups of channels, but gets a single number",
                label="wants [.., channels]",
            )
        channels = type.shape[-1]
        if groups != -1 and (groups < 1 or channels % groups):
            fitting = max(n for n in range(1, channels + 1) if channels % n == 0 and n <= max(groups, 1))
            raise Refused(
                "E401",
                f"{groups} groups do not divide {channels} channels",
                argument="groups",
                label=f"wants a divisor of {channels}",
                help=f"`group_norm({fitting})` has groups of {channels // fitting} "
                f"{'channel' if channels == fitting else 'channels'}",
            )

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        shape = types[0].shape[-1:]
        gamma = (WeightSpec("gamma", shape, arguments["gamma_init"]),) if arguments["scale"] else ()
        return (*gamma, WeightSpec("beta", shape, arguments["beta_init"])) if arguments["center"] else gamma

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x = as_float(build, values[0])
        shape = build.type_of(x).shape
        groups = shape[-1] if arguments["groups"] == -1 else arguments["groups"]
        grouped = reshaped(build, x, (prod(shape[:-1]), groups, shape[-1] // groups), build.path("grouped"))
        mean = reduced(build, "reduce_mean", grouped, (0, 2), keep=True, name=build.path("mean"))
        centered = build.add("subtract", [grouped, mean], name=build.path("centered"))
        squares = build.add("square", [centered])
        variance = reduced(build, "reduce_mean", squares, (0, 2), keep=True, name=build.path("variance"))
        inverse = inverse_root(build, variance, arguments["epsilon"])
        scaled = build.add("multiply", [centered, inverse], name=build.path("scaled"))
        steps = [("multiply", weights["gamma"])] if arguments["scale"] else []
        steps += [("add", weights["beta"])] if arguments["center"] else []
        whole = build.add("reshape", [scaled], {"shape": shape}, name="" if steps else build.layer)
        return applied(build, whole, steps)
