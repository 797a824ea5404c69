"""The fully connected layer, and the matrix products it needs forward and backward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Cost, Layer, Op, Param, Refused, WeightSpec, layer, op
from kdsl.ops.type_rules import need_float
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("dense")
class Dense(Layer):
    """`y = x @ kernel + bias`: every output reads every input, over the last axis.

    x: [.., features], kernel: [features, units], bias: [units] -> y: [.., units]. Every axis but the last is kept.

    ```kmodel
    logits = image -> flatten -> dense(128) -> relu -> dense(10)
    ```
    Source: keras/src/layers/core/dense.py.
    """

    keras = ("Dense",)
    torch = ("Linear", "LazyLinear")
    units = Param("size", "width of the output", positional=True)
    bias = Param("bool", "add a trained vector", True, keras="use_bias")
    init = Param("initializer", "first values of the kernel", ("glorot_uniform", ()), keras="kernel_initializer")
    bias_init = Param("initializer", "first values of the bias", ("zeros", ()), keras="bias_initializer")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("dense", types[0])
        if types[0].rank == 0:
            raise Refused(
                "E401",
                "`dense` needs a vector, but gets a single number",
                label="wants [features]",
                help="make it a vector of one: `reshape([1])`",
                insert="reshape([1]) -> ",
            )

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        units = arguments["units"]
        kernel = WeightSpec("kernel", (types[0].shape[-1], units), arguments["init"])
        bias = WeightSpec("bias", (units,), arguments["bias_init"])
        return (kernel, bias) if arguments["bias"] else (kernel,)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x = as_float(build, values[0])
        if not arguments["bias"]:
            return build.add("matmul", [x, weights["kernel"]], name=build.layer)
        product = build.add("matmul", [x, weights["kernel"]])
        return build.add("add_bias", [product, weights["bias"]], name=build.layer)


def _product(x: TensorType, y: TensorType) -> int:
    """Multiply-adds of a matrix product are two operations each."""
    return 2 * x.size * y.shape[-1]


@op("matmul")
class Matmul(Op):
    """`y = x @ kernel`: [.., K] and [K, N] -> [.., N]."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, kernel = types
        need_float(x, kernel)
        if x.rank == 0 or kernel.rank != 2 or kernel.batched or x.shape[-1] != kernel.shape[0]:
            raise ValueError(f"cannot multiply {x} with {kernel}")
        return x.with_shape(*x.shape[:-1], kernel.shape[1])

    @staticmethod
    def reference(x: Array, kernel: Array) -> Array:
        return x @ kernel

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, kernel = node.inputs
        for_x = build.add("matmul_data_gradient", [upstream, kernel], name=f"gradient.{x}")
        for_kernel = build.add("matmul_kernel_gradient", [x, upstream], name=f"gradient.{kernel}")
        return for_x, for_kernel

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(_product(*types), sum(t.size for t in types) + result.size)


@op("matmul_data_gradient")
class MatmulDataGradient(Op):
    """`upstream @ kernel.T`: [.., N] and [K, N] -> [.., K]."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        upstream, kernel = types
        need_float(upstream, kernel)
        if upstream.rank == 0 or kernel.rank != 2 or kernel.batched or upstream.shape[-1] != kernel.shape[1]:
            raise ValueError(f"cannot multiply {upstream} with the transpose of {kernel}")
        return upstream.with_shape(*upstream.shape[:-1], kernel.shape[0])

    @staticmethod
    def reference(upstream: Array, kernel: Array) -> Array:
        return upstream @ kernel.T

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(2 * result.size * types[1].shape[1], sum(t.size for t in types) + result.size)


@op("matmul_kernel_gradient")
class MatmulKernelGradient(Op):
    """`x.T @ upstream`, summed over the batch and every leading axis: [.., K] and [.., N] -> [K, N]."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, upstream = types
        need_float(x, upstream)
        if x.rank == 0 or x.shape[:-1] != upstream.shape[:-1] or x.batched != upstream.batched:
            raise ValueError(f"cannot multiply the transpose of {x} with {upstream}")
        return TensorType("f32", (x.shape[-1], upstream.shape[-1]), batched=False)

    @staticmethod
    def reference(x: Array, upstream: Array) -> Array:
        return x.reshape(-1, x.shape[-1]).T @ upstream.reshape(-1, upstream.shape[-1])

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(_product(*types), sum(t.size for t in types) + result.size)


@op("add_bias")
class AddBias(Op):
    """`y = x + bias`: the same vector added along the last axis: [.., N] and [N] -> [.., N]."""

    elementwise = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, bias = types
        need_float(x, bias)
        if bias.batched or x.rank == 0 or bias.shape != x.shape[-1:]:
            raise ValueError(f"{bias} is no bias for {x}")
        return x

    @staticmethod
    def reference(x: Array, bias: Array) -> Array:
        return x + bias

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return upstream, build.add("bias_gradient", [upstream], name=f"gradient.{node.inputs[1]}")


@op("bias_gradient")
class BiasGradient(Op):
    """`upstream` summed over the batch and every axis but the last: [.., N] -> [N]."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_float(types[0])
        if types[0].rank == 0:
            raise ValueError("a single number has no bias")
        return TensorType("f32", types[0].shape[-1:], batched=False)

    @staticmethod
    def reference(upstream: Array) -> Array:
        return upstream.reshape(-1, upstream.shape[-1]).sum(axis=0)
