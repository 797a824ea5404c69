"""Batch normalisation: one op as written, which a pass replaces by what it is in training and at inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute
from kdsl.graph.types import TensorType
from kdsl.ops.batch_statistics import per_channel
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Layer, Op, Param, Refused, WeightSpec, layer, op
from kdsl.ops.type_rules import need_float
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

ONES: Any = ("ones", ())
ZEROS: Any = ("zeros", ())


@op("batch_norm")
class BatchNormOp(Op):
    """`y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`, mean and variance being the batch's.

    x: [.., C]; gamma, beta: [C] or a number; moving_mean, moving_variance: [C] -> [.., C]. The pass `expand_batch_norm`
    replaces it before anything is differentiated.
    """

    differentiable = False

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, gamma, beta, *moving = types
        channels = per_channel(x)
        need_float(gamma, beta)
        if any(type != channels for type in moving) or any(t.shape and t != channels for t in (gamma, beta)):
            raise ValueError(f"cannot normalise {x} with {', '.join(map(str, types[1:]))}")
        return x

    @staticmethod
    def reference(
        x: Array,
        gamma: Array,
        beta: Array,
        moving_mean: Array,
        moving_variance: Array,
        *,
        epsilon: float,
        momentum: float,
    ) -> Array:
        rows = x.reshape(-1, x.shape[-1])
        return (x - rows.mean(0)) * (gamma / np.sqrt(rows.var(0) + epsilon)) + beta


@layer("batch_norm")
class BatchNorm(Layer):
    """`y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`, channel by channel.

    In training mean and variance are those of the batch, over every axis but the last, and moving averages of them are
    kept: `moving = moving * momentum + batch * (1 - momentum)`. At inference, and where the layer is frozen, the moving
    averages take their place. Any shape with a last axis, kept; gamma, beta, moving_mean, moving_variance: [C].

    ```kmodel
    h = image -> conv(32, kernel = 3, bias = false) -> batch_norm -> relu
    ```
    Source: keras/src/layers/normalization/batch_normalization.py; Ioffe and Szegedy 2015, "Batch normalization".
    """

    samples = True
    keras = ("BatchNormalization",)
    torch = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d")
    momentum = Param("number", "share of the moving averages that a step keeps", 0.99, low=0.0, high=1.0)
    epsilon = Param("number", "added to the variance", 1e-3, low=0.0, open="low")
    center = Param("bool", "add a trained vector, beta", True)
    scale = Param("bool", "multiply by a trained vector, gamma", True)
    beta_init = Param("initializer", "first values of beta", ZEROS, keras="beta_initializer")
    gamma_init = Param("initializer", "first values of gamma", ONES, keras="gamma_initializer")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("batch_norm", types[0])
        if types[0].rank == 0:
            raise Refused(
                "E401",
                "`batch_norm` works channel by channel, but gets a single number",
                label="wants [.., channels]",
                help="make it a vector of one: `reshape([1])`",
                insert="reshape([1]) -> ",
            )

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        shape = types[0].shape[-1:]
        gamma = (WeightSpec("gamma", shape, arguments["gamma_init"]),) if arguments["scale"] else ()
        beta = (WeightSpec("beta", shape, arguments["beta_init"]),) if arguments["center"] else ()
        mean = WeightSpec("moving_mean", shape, ZEROS, trainable=False)
        return (*gamma, *beta, mean, WeightSpec("moving_variance", shape, ONES, trainable=False))

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        gamma = weights.get("gamma") or build.constant(1.0)
        beta = weights.get("beta") or build.constant(0.0)
        attributes: dict[str, Attribute] = {name: arguments[name] for name in ("epsilon", "momentum")}
        inputs = [as_float(build, values[0]), gamma, beta, weights["moving_mean"], weights["moving_variance"]]
        return build.add("batch_norm", inputs, attributes, name=build.layer)
