"""Trained tables: a vector for each class, and one for each place of a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.gathering import check_count, gathered
from kdsl.ops.registry import Layer, Param, Refused, WeightSpec, layer
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("embed")
class Embed(Layer):
    """A trained vector for each class: `y = embeddings[x]`. index(V)[..] -> f32[.., width].

    The table is [V, width]; V comes from the type of the input.

    ```kmodel
    input  words: index(20000)[50]
    h = words -> embed(64) -> global_avg_pool
    ```
    Source: keras/src/layers/core/embedding.py.
    """

    keras = ("Embedding",)
    torch = ("Embedding",)
    width = Param("size", "length of each vector", positional=True, keras="output_dim")
    init = Param("initializer", "first values of the table", ("uniform", ()), keras="embeddings_initializer")
    mask_zero = Param("bool", "class 0 is padding that later layers leave out; this version refuses it", False)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        if types[0].dtype != "index":
            whole = types[0].dtype in ("i32", "u8")
            axes = types[0].dims if types[0].rank else ""
            raise Refused(
                "E417",
                f"`embed` has a vector for each class, but {{0}} is {types[0]}",
                label="wants index(n)",
                help=f"declare the input `index(n){axes}`, where n is the number of classes, 0 to n - 1"
                if whole
                else "numbers that are not classes go into `dense`",
            )
        check_count("embed", types[0].classes or 0)
        if arguments["mask_zero"]:
            raise Refused(
                "E290",
                "this version of kdsl does not know masks yet: `mask_zero`",
                argument="mask_zero",
                help="without it class 0 has a vector like any other",
            )

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        return (WeightSpec("embeddings", (types[0].classes or 0, arguments["width"]), arguments["init"]),)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        return gathered(build, weights["embeddings"], values[0], 0, build.layer)


@layer("positions")
class Positions(Layer):
    """Adds a trained vector for each place of a sequence: `y[t] = x[t] + embeddings[t]`. [steps, width], kept.

    ```kmodel
    h = words -> embed(64) -> positions -> layer_norm
    ```
    Source: Gehring et al. 2017; TokenAndPositionEmbedding of keras.io/examples/nlp/text_classification_with_transformer.
    """

    keras = ("PositionEmbedding", "TokenAndPositionEmbedding")
    init = Param("initializer", "first values of the table", ("uniform", ()), keras="embeddings_initializer")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("positions", types[0])
        if types[0].rank != 2:
            what = f"{types[0].rank} axes {types[0].dims}" if types[0].rank > 1 else "no sequence of vectors"
            raise Refused(
                "E401",
                f"`positions` adds a vector to each step of a sequence, but gets {what}",
                label="wants [steps, width]",
                help="a picture becomes a sequence with `reshape([height * width, channels])`",
            )

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        return (WeightSpec("embeddings", types[0].shape, arguments["init"]),)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        return build.add("add", [as_float(build, values[0]), weights["embeddings"]], name=build.layer)
