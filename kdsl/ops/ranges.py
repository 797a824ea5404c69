"""Numbers in a row, known when the model is compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.ops.registry import Layer, Param, Refused, layer

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

MOST = 65_536  # numbers: they stand in the module's text


@layer("arange")
class Arange(Layer):
    """0, 1, 2, ... n - 1 as numbers, the same for every sample: [n].

    ```kmodel
    seen = where(expand_dims(arange(T), axis = 1) >= arange(T), attention, -1e9)
    ```
    Source: numpy.arange. `a + step * arange(n)` starts elsewhere and makes other steps.
    """

    arity = (0, 0)
    function = True
    keras = ("arange",)
    torch = ("arange",)
    n = Param("size", "how many", positional=True, keras="stop")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[Any]) -> None:
        if arguments["n"] > MOST:
            raise Refused(
                "E307",
                f"`arange` writes at most {MOST:_} numbers, not {arguments['n']:_}",
                argument="n",
            )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        return build.constant(tuple(float(number) for number in range(arguments["n"])), build.layer)
