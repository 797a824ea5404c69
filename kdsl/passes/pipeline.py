"""The passes in their order, as data, and what runs them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from kdsl.graph.graph import Graph
from kdsl.graph.verify import Stage, verify
from kdsl.passes.canonicalize import Canonicalize
from kdsl.passes.check_shapes import CheckShapes
from kdsl.passes.common_subexpressions import CommonSubexpressions
from kdsl.passes.dead_code import DeadCode
from kdsl.passes.differentiate import Differentiate
from kdsl.passes.expand_batch_norm import ExpandBatchNorm
from kdsl.passes.fold_constants import FoldConstants
from kdsl.passes.fuse_elementwise import FuseElementwise
from kdsl.passes.fuse_epilogues import FuseEpilogues
from kdsl.passes.fuse_reductions import FuseReductions
from kdsl.passes.inference import Inference
from kdsl.passes.pass_ import Kind, Pass
from kdsl.passes.simplify import Simplify
from kdsl.passes.simplify_gradients import SimplifyGradients
from kdsl.records import dataclass, replace

if TYPE_CHECKING:
    from kdsl.elaborate.program import ModelProgram

PIPELINE: tuple[Pass, ...] = (
    CheckShapes(),
    Inference(),
    ExpandBatchNorm(),
    FoldConstants(),
    Simplify(),
    CommonSubexpressions(),
    Canonicalize(),
    Differentiate(),
    FoldConstants(),
    Simplify(),
    CommonSubexpressions(),
    SimplifyGradients(),
    DeadCode(),
    FuseEpilogues(),
    FuseReductions(),
    FuseElementwise(),
)

OPTIONAL: tuple[str, ...] = tuple(dict.fromkeys(p.name for p in PIPELINE if p.optional))
"""What `--no-pass` may name."""


@dataclass(frozen=True)
class Graphs:
    """The functions of a model. Without a `train` block there is nothing to train or evaluate."""

    train: Graph | None
    evaluate: Graph | None
    predict: Graph


def make_graphs(program: ModelProgram, without: Collection[str] = (), check: bool = False) -> Graphs:
    """All graphs of a model, optimised. `check` verifies them after every pass."""

    def made(kind: Kind) -> Graph:
        return optimise(slice_graph(program.graph, kind), without, verify_each=check, kind=kind)

    if program.graph.loss is None:
        return Graphs(None, None, made("predict"))
    return Graphs(made("train"), made("evaluate"), made("predict"))


def slice_graph(graph: Graph, kind: Kind) -> Graph:
    """The forward graph with only the results that this kind of function has, and what they depend on."""
    if kind == "predict":
        return DeadCode().run(replace(graph, loss=None, metrics=()))
    return DeadCode().run(replace(graph, outputs=()))


def optimise(
    graph: Graph,
    without: Collection[str] = (),
    until: str | None = None,
    verify_each: bool = False,
    kind: Kind = "train",
) -> Graph:
    """The pipeline on a sliced forward graph. `without` names optional passes to leave out; `until` stops after the
    first pass of that name; `verify_each` verifies the graph before the first pass and after every one.

    Raises ValueError for a name that is no pass, or not an optional one.
    """
    names = {p.name for p in PIPELINE}
    for name in without:
        if name not in OPTIONAL:
            raise ValueError(f"{name} is not an optional pass: {', '.join(OPTIONAL)}")
    if until is not None and until not in names:
        raise ValueError(f"{until} is no pass: {', '.join(dict.fromkeys(p.name for p in PIPELINE))}")
    stage: Stage = "forward"
    if verify_each:
        verify(graph, stage)
    for step in PIPELINE:
        if kind in step.kinds and step.name not in without:
            graph, stage = step.run(graph), step.stage or stage
            if verify_each:
                verify(graph, stage)
        if step.name == until:
            break
    return graph
