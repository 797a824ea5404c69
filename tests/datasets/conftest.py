"""Models as the loaders see them: named inputs and targets with types."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kdsl.elaborate.program import ModelProgram, Port
from kdsl.graph.graph import Graph
from kdsl.graph.types import TensorType
from kdsl.source import Source

Ports = dict[str, TensorType]


def port(name: str, type: TensorType) -> Port:
    source = Source("net.kmodel", f"\n\n{name}")
    return Port(name, type, source.span(2, 2 + len(name)))


@pytest.fixture
def model() -> Callable[[Ports, Ports], ModelProgram]:
    def make(inputs: Ports, targets: Ports) -> ModelProgram:
        ports = [tuple(port(*item) for item in group.items()) for group in (inputs, targets)]
        span = Source("net.kmodel", "").span(0, 0)
        return ModelProgram("Net", "", (), ports[0], ports[1], (), (), (), Graph("net", ()), None, span)

    return make


@pytest.fixture
def images(model: Callable[[Ports, Ports], ModelProgram]) -> ModelProgram:
    """`input image: u8[4, 3]`, `target label: index(10)`."""
    return model({"image": TensorType("u8", (4, 3))}, {"label": TensorType("index", (), classes=10)})


@pytest.fixture
def houses(model: Callable[[Ports, Ports], ModelProgram]) -> ModelProgram:
    """`input numbers: f32[2]`, `input place: index(5)`, `target price: f32`."""
    return model(
        {"numbers": TensorType("f32", (2,)), "place": TensorType("index", (), classes=5)}, {"price": TensorType("f32")}
    )
