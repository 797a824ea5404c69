"""The convolutional layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.registry import Layer, Param, Refused, WeightSpec, layer
from kdsl.ops.windows import Windows, need_sizes, need_spatial, per_axis, spans, windows_of

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

GLOROT: Any = ("glorot_uniform", ())
ZEROS: Any = ("zeros", ())


def biased(
    build: Builder, op: str, inputs: Sequence[str], attributes: Mapping[str, Attribute], bias: str | None
) -> str:
    """The product, with its bias where it has one -> the layer's value."""
    if bias is None:
        return build.add(op, inputs, attributes, name=build.layer)
    return build.add("add_bias", [build.add(op, inputs, attributes), bias], name=build.layer)


def attributes_of(windows: Windows) -> dict[str, Attribute]:
    return {"strides": windows.strides, "padding": windows.padding, "dilation": windows.dilation}


class Windowed(Layer):
    """What all of them take."""

    samples = True
    kernel = Param("sizes", "size of the window: one number, or one for each spatial axis", keras="kernel_size")
    stride = Param("sizes", "places from one window to the next", 1, keras="strides")
    pad = Param(
        "word",
        "valid: windows lie inside the input. same: zeros around it, so that stride 1 keeps the size. causal: zeros "
        "before a sequence only",
        "valid",
        words=("valid", "same", "causal"),
        keras="padding",
    )
    dilation = Param("sizes", "distance of neighbours in a window", 1, keras="dilation_rate")
    bias = Param("bool", "add a trained vector", True, keras="use_bias")
    bias_init = Param("initializer", "first values of the bias", ZEROS, keras="bias_initializer")


@layer("conv")
class ConvLayer(Windowed):
    """A window slides over the input; every filter is a weighted sum of what it sees.

    x: [*spatial, C] with one, two or three spatial axes; kernel: [*window, C / groups, filters], bias: [filters]
    -> [*places, filters].

    ```kmodel
    h = image -> conv(32, kernel = 3, pad = same) -> relu
    ```
    Source: keras/src/layers/convolutional/base_conv.py.
    """

    keras = ("Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D")
    torch = ("Conv1d", "Conv2d", "Conv3d", "LazyConv2d")
    filters = Param("size", "channels of the output", positional=True)
    groups = Param("size", "cuts the channels into groups that do not see each other", 1)
    init = Param("initializer", "first values of the kernel", GLOROT, keras="kernel_initializer")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        windows_of("conv", arguments, types[0])
        groups, channels, filters = arguments["groups"], types[0].shape[-1], arguments["filters"]
        if channels % groups or filters % groups:
            whole = [f"{channels} channels"] * bool(channels % groups) + [f"{filters} filters"] * bool(filters % groups)
            fitting = max(n for n in range(1, groups) if channels % n == 0 and filters % n == 0)
            raise Refused(
                "E401",
                f"{groups} groups do not divide {' and '.join(whole)}",
                argument="groups",
                help=f"`groups` divides both the channels that come in and the filters: {fitting} does",
            )

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        x, filters = types[0], arguments["filters"]
        window = per_axis(arguments["kernel"], x.rank - 1)
        kernel = WeightSpec("kernel", (*window, x.shape[-1] // arguments["groups"], filters), arguments["init"])
        bias = WeightSpec("bias", (filters,), arguments["bias_init"])
        return (kernel, bias) if arguments["bias"] else (kernel,)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        windows = windows_of("conv", arguments, build.type_of(values[0]))
        attributes = {**attributes_of(windows), "groups": arguments["groups"]}
        x = as_float(build, values[0])
        return biased(build, "conv", [x, weights["kernel"]], attributes, weights.get("bias"))


@layer("depthwise_conv")
class DepthwiseConvLayer(Windowed):
    """A convolution in which every channel has filters of its own.

    x: [*spatial, C]; kernel: [*window, C, multiplier], bias: [C * multiplier] -> [*places, C * multiplier].

    ```kmodel
    h = image -> depthwise_conv(kernel = 3, pad = same) -> conv(64, kernel = 1)
    ```
    Source: keras/src/layers/convolutional/base_depthwise_conv.py.
    """

    keras = ("DepthwiseConv1D", "DepthwiseConv2D")
    torch = ()
    multiplier = Param("size", "filters for each channel", 1, keras="depth_multiplier")
    init = Param("initializer", "first values of the kernel", GLOROT, keras="depthwise_initializer")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        windows_of("depthwise_conv", arguments, types[0])

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        x, multiplier = types[0], arguments["multiplier"]
        window = per_axis(arguments["kernel"], x.rank - 1)
        kernel = WeightSpec("kernel", (*window, x.shape[-1], multiplier), arguments["init"])
        bias = WeightSpec("bias", (x.shape[-1] * multiplier,), arguments["bias_init"])
        return (kernel, bias) if arguments["bias"] else (kernel,)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        windows = windows_of("depthwise_conv", arguments, build.type_of(values[0]))
        x = as_float(build, values[0])
        return biased(build, "depthwise_conv", [x, weights["kernel"]], attributes_of(windows), weights.get("bias"))


@layer("separable_conv")
class SeparableConvLayer(Windowed):
    """A depthwise convolution, then a convolution of window 1 that mixes its channels; the bias comes last.

    x: [*spatial, C]; depthwise_kernel: [*window, C, multiplier], pointwise_kernel: [1.., C * multiplier, filters],
    bias: [filters] -> [*places, filters].

    ```kmodel
    h = image -> separable_conv(64, kernel = 3, pad = same) -> relu
    ```
    Source: keras/src/layers/convolutional/base_separable_conv.py.
    """

    keras = ("SeparableConv1D", "SeparableConv2D")
    torch = ()
    filters = Param("size", "channels of the output", positional=True)
    multiplier = Param("size", "filters for each channel, before they are mixed", 1, keras="depth_multiplier")
    depthwise_init = Param("initializer", "first values of the first kernel", GLOROT, keras="depthwise_initializer")
    pointwise_init = Param("initializer", "first values of the second kernel", GLOROT, keras="pointwise_initializer")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        windows_of("separable_conv", arguments, types[0])

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        x, filters, multiplier = types[0], arguments["filters"], arguments["multiplier"]
        axes = x.rank - 1
        window, wide = per_axis(arguments["kernel"], axes), x.shape[-1] * multiplier
        found = (
            WeightSpec("depthwise_kernel", (*window, x.shape[-1], multiplier), arguments["depthwise_init"]),
            WeightSpec("pointwise_kernel", (*(1,) * axes, wide, filters), arguments["pointwise_init"]),
        )
        return (*found, WeightSpec("bias", (filters,), arguments["bias_init"])) if arguments["bias"] else found

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        type = build.type_of(values[0])
        windows = windows_of("separable_conv", arguments, type)
        x = as_float(build, values[0])
        channels = build.add("depthwise_conv", [x, weights["depthwise_kernel"]], attributes_of(windows))
        ones = (1,) * (type.rank - 1)
        plain: dict[str, Attribute] = {"strides": ones, "padding": ((0, 0),) * len(ones), "dilation": ones, "groups": 1}
        return biased(build, "conv", [channels, weights["pointwise_kernel"]], plain, weights.get("bias"))


@layer("conv_transpose")
class ConvTransposeLayer(Windowed):
    """The transpose of a convolution: every place of the input adds a window to the output, which grows by the stride.

    x: [*spatial, C]; kernel: [*window, filters, C] (the last two the other way round than in `conv`), bias: [filters]
    -> [*sizes, filters]; a size n becomes `n * stride` with `pad = same`, `(n - 1) * stride + max(window, stride)` with
    `pad = valid`.

    ```kmodel
    larger = h -> conv_transpose(32, kernel = 2, stride = 2)
    ```
    Source: keras/src/layers/convolutional/base_conv_transpose.py, keras/src/backend/common/backend_utils.py.
    """

    keras = ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Deconvolution2D")
    torch = ("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
    filters = Param("size", "channels of the output", positional=True)
    pad = Param(
        "word",
        "valid: the whole of every window. same: the middle of it, so that a size grows by exactly the stride",
        "valid",
        words=("valid", "same"),
        keras="padding",
    )
    init = Param("initializer", "first values of the kernel", GLOROT, keras="kernel_initializer")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        need_spatial("conv_transpose", types[0])
        for argument in ("kernel", "stride", "dilation"):
            need_sizes("conv_transpose", argument, arguments[argument], types[0])

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        x, filters = types[0], arguments["filters"]
        window = per_axis(arguments["kernel"], x.rank - 1)
        kernel = WeightSpec("kernel", (*window, filters, x.shape[-1]), arguments["init"])
        bias = WeightSpec("bias", (filters,), arguments["bias_init"])
        return (kernel, bias) if arguments["bias"] else (kernel,)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x = as_float(build, values[0])
        spatial = build.type_of(x).shape[:-1]
        axes = len(spatial)
        strides, dilation = (per_axis(arguments[name], axes) for name in ("stride", "dilation"))
        span = spans(per_axis(arguments["kernel"], axes), dilation)
        ends = [_grown(arguments["pad"], *sizes) for sizes in zip(spatial, span, strides, strict=True)]
        attributes: dict[str, Attribute] = {
            "shape": tuple(size for size, _ in ends),
            "padding": tuple(padding for _, padding in ends),
            "strides": strides,
            "dilation": dilation,
            "groups": 1,
        }
        return biased(build, "conv_data_gradient", [x, weights["kernel"]], attributes, weights.get("bias"))


def _grown(pad: str, size: int, span: int, stride: int) -> tuple[int, tuple[int, int]]:
    """(size of the result, padding of the convolution that this is the transpose of) along one axis."""
    if pad == "same":
        result = size * stride
        total = max((size - 1) * stride + span - result, 0)
        before = max(span - 1 - min(-(-(stride + span - 2) // 2), span - 1), 0)
        return result, (before, total - before)
    result = (size - 1) * stride + max(span, stride)
    return result, (0, 0)
