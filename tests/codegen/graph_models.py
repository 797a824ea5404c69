"""Modules of both targets from graphs made by hand: what no source file can say yet, or only in many lines."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from small_graphs import SOURCE, Network, line

from kdsl.codegen.module import module_text
from kdsl.codegen.numba import numba_sections
from kdsl.codegen.numpy import numpy_sections
from kdsl.codegen.sections import Options
from kdsl.compiler import Compiled, import_compiled
from kdsl.elaborate.program import ModelProgram, Optimizer, Port, Training, WeightRecord
from kdsl.graph import Graph
from kdsl.passes.pipeline import Graphs, make_graphs

SGD = ("sgd", {"lr": 0.1}, {})
ADAM = ("adam", {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}, {})


def program_of(graph: Graph, optimizer: tuple[str, dict[str, float], dict[str, Any]], batch: int) -> ModelProgram:
    """A graph as the elaborator would hand it on."""

    def ports(op: str) -> tuple[Port, ...]:
        return tuple(Port(str(node.attribute("name")), node.type, line(1)) for node in graph.of(op))

    name, numbers, flags = optimizer
    rule = Optimizer(name, tuple(numbers.items()), tuple(flags.items()), line(1))
    weights = tuple(
        WeightRecord(
            node.name, node.type.shape, ("normal", (("stddev", 0.5),)), bool(node.attribute("trainable")), line(1)
        )
        for node in graph.of("weight")
    )
    training = Training("the loss", rule, batch, 1, 0, 0.0, line(1)) if graph.loss else None
    outputs = tuple((name, graph[value].type) for name, value in graph.outputs)
    return ModelProgram("M", "", (), ports("input"), ports("target"), outputs, weights, (), graph, training, line(1))


def graph_module(
    net: Network,
    target: str = "numba",
    dtype: str = "f64",
    optimizer: tuple[str, dict[str, float], dict[str, Any]] = SGD,
    batch: int = 8,
    without: frozenset[str] = frozenset(),
    optimised: bool = True,
) -> ModuleType:
    program = program_of(net.graph(), optimizer, batch)
    graphs = make_graphs(program, without, check=True) if optimised else Graphs(None, None, program.graph)
    options = Options(dtype, engine="make_engine" if target == "numpy" else "Engine", without=without)  # type: ignore[arg-type]
    sections = numpy_sections if target == "numpy" else numba_sections
    text = module_text(SOURCE, [(program, graphs)], sections, options)
    return import_compiled(Compiled(SOURCE, (), text=text))
