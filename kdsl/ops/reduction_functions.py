"""Functions over axes: sum, mean, max, min, what is made of them, and the places of the largest and smallest value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from kdsl.graph.types import TensorType
from kdsl.ops.axis_checks import check_axes
from kdsl.ops.cast import as_float
from kdsl.ops.operators import reshaped
from kdsl.ops.reductions import reduced
from kdsl.ops.registry import Layer, Param, layer
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class OverAxes(Layer):
    """A function of the values along some axes. `ir` is the op that does it alone."""

    function = True
    ir: ClassVar[str] = ""
    axis = Param("axes", "the axis, or a list of axes; without it all axes but the batch", None)
    keep = Param("bool", "keep the axes, with size 1", False, keras="keepdims")

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])
        check_axes(cls.name, arguments["axis"] or (), types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        x = as_float(build, values[0])
        return cls.compute(build, x, arguments["axis"], arguments["keep"])

    @classmethod
    def compute(cls, build: Builder, x: str, axes: Sequence[int] | None, keep: bool) -> str:
        return reduced(build, cls.ir, x, axes, keep, build.layer)


@layer("sum")
class Sum(OverAxes):
    """`y = sum(x)` over one axis, several, or all but the batch. Bools count as 0 and 1.

    ```kmodel
    total = sum(x, axis = -1)
    ```
    Source: numpy.sum.
    """

    ir = "reduce_sum"
    keras = ("sum", "reduce_sum")
    torch = ("sum",)


@layer("mean")
class Mean(OverAxes):
    """`y = mean(x)` over one axis, several, or all but the batch.

    ```kmodel
    centered = x - mean(x, axis = -1, keep = true)
    ```
    Source: numpy.mean.
    """

    ir = "reduce_mean"
    keras = ("mean", "reduce_mean")
    torch = ("mean",)


@layer("max")
class Max(OverAxes):
    """`y` is the largest value along one axis, several, or all but the batch.

    Equal ones share the gradient evenly; NaN wins. The larger of two values is `maximum`.

    ```kmodel
    peak = max(x, axis = -1)
    ```
    Source: numpy.max.
    """

    ir = "reduce_max"
    keras = ("max", "reduce_max")
    torch = ("max", "amax")


@layer("min")
class Min(OverAxes):
    """`y` is the smallest value along one axis, several, or all but the batch.

    Equal ones share the gradient evenly; NaN wins. The smaller of two values is `minimum`.

    ```kmodel
    lowest = min(x, axis = -1)
    ```
    Source: numpy.min.
    """

    ir = "reduce_min"
    keras = ("min", "reduce_min")
    torch = ("min", "amin")


@layer("var")
class Var(OverAxes):
    """`y = mean((x - mean(x)) ** 2)`, the variance over one axis, several, or all but the batch (divided by n).

    ```kmodel
    spread = var(x, axis = -1)
    ```
    Source: numpy.var.
    """

    keras = ("var", "reduce_variance")
    torch = ("var",)

    @classmethod
    def compute(cls, build: Builder, x: str, axes: Sequence[int] | None, keep: bool) -> str:
        return variance(build, x, axes, keep, build.layer)


@layer("std")
class Std(OverAxes):
    """`y = sqrt(var(x))`, the deviation over one axis, several, or all but the batch (divided by n).

    Where all values are equal the gradient is NaN: add a small number and take `sqrt(var(x) + 1e-6)`.

    ```kmodel
    spread = std(x, axis = -1)
    ```
    Source: numpy.std.
    """

    keras = ("std", "reduce_std")
    torch = ("std",)

    @classmethod
    def compute(cls, build: Builder, x: str, axes: Sequence[int] | None, keep: bool) -> str:
        return build.add("sqrt", [variance(build, x, axes, keep)], name=build.layer)


@layer("norm")
class Norm(OverAxes):
    """`y = sqrt(sum(x ** 2))`, the length over one axis, several, or all but the batch.

    Where all values are 0 the gradient is NaN: add a small number and take `sqrt(sum(x ** 2) + 1e-12)`.

    ```kmodel
    unit = x / norm(x, axis = -1, keep = true)
    ```
    Source: numpy.linalg.norm.
    """

    keras = ("norm",)
    torch = ("norm",)

    @classmethod
    def compute(cls, build: Builder, x: str, axes: Sequence[int] | None, keep: bool) -> str:
        squares = build.add("square", [x])
        return build.add("sqrt", [reduced(build, "reduce_sum", squares, axes, keep)], name=build.layer)


@layer("logsumexp")
class Logsumexp(OverAxes):
    """`y = log(sum(exp(x)))` over one axis, several, or all but the batch.

    The largest value is subtracted first, so that nothing overflows.

    ```kmodel
    free_energy = -logsumexp(scores, axis = -1)
    ```
    Source: scipy.special.logsumexp.
    """

    keras = ("logsumexp", "reduce_logsumexp")
    torch = ("logsumexp",)

    @classmethod
    def compute(cls, build: Builder, x: str, axes: Sequence[int] | None, keep: bool) -> str:
        # What is subtracted is added again, so its gradient is nothing: it need not be computed.
        largest = build.add("stop_gradient", [reduced(build, "reduce_max", x, axes, keep=True)])
        raised = build.add("exponential", [build.add("subtract", [x, largest])])
        logarithm = build.add("log", [reduced(build, "reduce_sum", raised, axes, keep)])
        shape = build.type_of(logarithm).shape
        return build.add("add", [logarithm, reshaped(build, largest, shape)], name=build.layer)


@layer("any")
class AnyTrue(OverAxes):
    """`y` is true where one value along the axes is: not 0. Nothing flows back.

    ```kmodel
    seen = any(mask, axis = -1)
    ```
    Source: numpy.any.
    """

    keras = ("any", "reduce_any")
    torch = ("any",)

    @classmethod
    def compute(cls, build: Builder, x: str, axes: Sequence[int] | None, keep: bool) -> str:
        return truths(build, x, "reduce_max", axes, keep)


@layer("all")
class AllTrue(OverAxes):
    """`y` is true where every value along the axes is: not 0. Nothing flows back.

    ```kmodel
    complete = all(mask, axis = -1)
    ```
    Source: numpy.all.
    """

    keras = ("all", "reduce_all")
    torch = ("all",)

    @classmethod
    def compute(cls, build: Builder, x: str, axes: Sequence[int] | None, keep: bool) -> str:
        return truths(build, x, "reduce_min", axes, keep)


def truths(build: Builder, x: str, op: str, axes: Sequence[int] | None, keep: bool) -> str:
    zero = build.constant(0.0)
    nonzero = build.add("cast", [build.add("not_equal", [x, zero])])
    return build.add("not_equal", [reduced(build, op, nonzero, axes, keep), zero], name=build.layer)


def variance(build: Builder, x: str, axes: Sequence[int] | None, keep: bool, name: str = "") -> str:
    """The mean of the squared distances from the mean."""
    centered = build.add("subtract", [x, reduced(build, "reduce_mean", x, axes, keep=True)])
    return reduced(build, "reduce_mean", build.add("square", [centered]), axes, keep, name)


class Place(Layer):
    """Where along an axis a value stands, as i32. A place jumps, it does not move: no gradient flows back."""

    function = True
    axis = Param("axis", "the axis; without it the place is counted over all axes but the batch", None)

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])
        if arguments["axis"] is not None:
            check_axes(cls.name, (arguments["axis"],), types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        x, axis = as_float(build, values[0]), arguments["axis"]
        type = build.type_of(x)
        if axis is None:
            x, axis = reshaped(build, x, (type.size,)), -1
        elif axis >= 0:
            axis -= type.rank
        return build.add(cls.name, [x], {"axis": axis}, name=build.layer)


@layer("argmax")
class ArgmaxFunction(Place):
    """`y` is the place of the largest value along `axis`, from 0; the first of equal ones. Nothing flows back.

    ```kmodel
    output guess = argmax(logits)
    ```
    Source: numpy.argmax.
    """

    keras = ("argmax",)
    torch = ("argmax",)


@layer("argmin")
class ArgminFunction(Place):
    """`y` is the place of the smallest value along `axis`, from 0; the first of equal ones. Nothing flows back.

    ```kmodel
    nearest = argmin(distances, axis = -1)
    ```
    Source: numpy.argmin.
    """

    keras = ("argmin",)
    torch = ("argmin",)
