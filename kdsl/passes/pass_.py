"""A pass is a frozen value that maps a graph to a graph. Its docstring is its contract, its fields are its options."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from kdsl.graph.graph import Graph
from kdsl.records import dataclass

Kind = Literal["train", "evaluate", "predict"]
ALL_KINDS: tuple[Kind, ...] = ("train", "evaluate", "predict")

if TYPE_CHECKING:
    from kdsl.graph.verify import Stage


@dataclass(frozen=True)
class Pass:
    """`name` is what `--no-pass` and `kdsl ir --after` call it; `needs` are passes that stand before it in the pipeline;
    an `optional` one may be left out: outputs, loss and gradients stay the same to rounding. `kinds` are the graphs it
    is for, `stage` is what the graph has become after it, where that changes."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[bool] = True
    kinds: ClassVar[tuple[Kind, ...]] = ALL_KINDS
    stage: ClassVar[Stage | None] = None

    def run(self, graph: Graph) -> Graph:
        raise NotImplementedError
