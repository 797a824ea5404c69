"""Dropout, and the counter-based random masks that both targets draw alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Layer, Param, layer, op
from kdsl.ops.type_rules import SameType
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

IMAGE_CHANGES = (
    *("random_flip", "random_crop", "random_cutout"),
    *("random_affine", "random_brightness", "random_contrast"),
)
RANDOM = frozenset({"dropout", "random_normal", "random_uniform", "random_share", *IMAGE_CHANGES})


@layer("dropout")
@op("dropout")
class Dropout(Layer, SameType):
    """In training, `y = 0` for a random share `rate` of the elements and `x / (1 - rate)` for the others; else `y = x`.

    Any shape. Element i of a batch draws its number from a hash of (seed, step, stream, i): the same for every target,
    number of threads and batch layout, and again in the backward pass. `rate = 1` gives zeros.

    ```kmodel
    h = x -> dense(128) -> relu -> dropout(0.2)
    ```
    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
    """

    samples = True
    keras = ("Dropout",)
    torch = ("Dropout",)
    run_time = ("seed", "step")
    rate = Param("number", "share of the elements that is set to 0", positional=True, low=0.0, high=1.0)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("dropout", types[0])

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        attributes = {"rate": float(arguments["rate"]), "stream": next_stream(build)}
        return build.add("dropout", [as_float(build, values[0])], attributes, name=build.layer)

    @staticmethod
    def reference(x: Array, *, rate: float, stream: int, seed: int, step: int) -> Array:
        def mix(h: Array) -> Array:
            h = (h ^ (h >> 16)) * 0x7FEB352D & 0xFFFFFFFF
            h = (h ^ (h >> 15)) * 0x846CA68B & 0xFFFFFFFF
            return h ^ (h >> 16)

        key = mix((seed * 0x9E3779B1 + 1) & 0xFFFFFFFF)
        key = mix((key + step * 0x85EBCA6B) & 0xFFFFFFFF)
        key = mix((key + stream * 0xC2B2AE35) & 0xFFFFFFFF)
        element = np.arange(x.size, dtype=np.uint64).reshape(x.shape)
        keep = mix((element * np.uint64(0x9E3779B1) & np.uint64(0xFFFFFFFF)) ^ np.uint64(key)) >= int(rate * 2**32)
        return np.where(keep, x * (1.0 / (1.0 - rate) if rate < 1.0 else 0.0), np.zeros_like(x))

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return (build.add("dropout", [upstream], node.keywords, name=f"gradient.{node.inputs[0]}"),)


def next_stream(build: Builder) -> int:
    """The number that keeps one random op's draws apart from another's."""
    streams = (node.keywords.get("stream") for node in build.nodes if node.op in RANDOM)
    return 1 + max((stream for stream in streams if isinstance(stream, int)), default=-1)


def keep_scale(rate: float) -> float:
    """What kept elements are multiplied by."""
    return 1.0 / (1.0 - rate) if rate < 1.0 else 0.0
