"""A pass is a frozen value that maps a graph to a graph. Its docstring is its contract, its fields are its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kdsl.graph.graph import Graph


@dataclass(frozen=True)
class Pass:
    """`name` is what `--no-pass` and `kdsl ir --after` call it; `needs` are passes that must have run before it;
    an `optional` one may be left out: outputs, loss and gradients stay the same to rounding."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[bool] = True

    def run(self, graph: Graph) -> Graph:
        raise NotImplementedError
