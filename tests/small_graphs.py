"""Graphs for tests, made layer by layer without a source file, and data that fits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kdsl.graph import Graph, TensorType
from kdsl.graph.builder import Builder
from kdsl.ops import LAYERS
from kdsl.source import Source, Span
from kdsl.training import LOSSES, METRICS

SOURCE = Source("net.kmodel", "line\n" * 200)


def line(number: int) -> Span:
    return SOURCE.span(5 * number - 5, 5 * number - 1)


def f32(*shape: int) -> TensorType:
    return TensorType("f32", shape)


def u8(*shape: int) -> TensorType:
    return TensorType("u8", shape)


def truth(*shape: int) -> TensorType:
    return TensorType("bool", shape)


def index(classes: int, *shape: int) -> TensorType:
    return TensorType("index", shape, classes=classes)


def weight(*shape: int) -> TensorType:
    return TensorType("f32", shape, batched=False)


def settled(cls: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call: what is given, else the defaults."""
    arguments = {key: param.default for key, param in cls.parameters.items()} | dict(given)
    missing = [key for key, value in arguments.items() if value is ...]
    assert not missing and set(arguments) == set(cls.parameters), (cls.name, arguments)
    return arguments


@dataclass
class Network:
    """`x = net.input("x", f32(4))`, `h = net.layer("dense", x, units=3)`, `net.loss("mse", h, y)`, `net.graph()`.

    Every call stands on the next line of the made-up source; layers are called `dense`, `dense_2` ...
    """

    build: Builder = field(default_factory=Builder)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    scalars: list[tuple[str, str]] = field(default_factory=list)
    the_loss: str | None = None
    lines: int = 0

    def _at(self, layer: str) -> Any:
        self.lines += 1
        return self.build.at(line(self.lines), layer=layer)

    def input(self, name: str, type: TensorType) -> str:
        with self._at(""):
            return self.build.source("input", name, type, {"name": name})

    def target(self, name: str, type: TensorType) -> str:
        with self._at(""):
            return self.build.source("target", name, type, {"name": name})

    def weight(self, name: str, *shape: int, trainable: bool = True) -> str:
        with self._at(""):
            return self.build.source("weight", name, weight(*shape), {"trainable": trainable})

    def layer(self, name: str, *values: str, weights: Mapping[str, str] | None = None, **settings: Any) -> str:
        """`weights` shares those of another layer."""
        cls = LAYERS[name]
        arguments, types = settled(cls, settings), [self.build.type_of(value) for value in values]
        cls.guard(arguments, types)
        path = self.build.fresh(name)
        with self._at(path):
            made = {
                spec.name: self.build.source("weight", f"{path}.{spec.name}", weight(*spec.shape), {"trainable": True})
                for spec in (() if weights else cls.weights(arguments, types))
            }
            return cls.lower(self.build, arguments, values, weights or made)

    def op(self, name: str, *values: str, **attributes: Any) -> str:
        with self._at(""):
            return self.build.add(name, values, attributes)

    def number(self, value: float | tuple[float, ...]) -> str:
        with self._at(""):
            return self.build.constant(value)

    def loss(self, name: str, prediction: str, target: str, **settings: Any) -> str:
        self.the_loss = self._compared(LOSSES[name], "loss", prediction, target, settings)
        return self.the_loss

    def metric(self, name: str, prediction: str, target: str, **settings: Any) -> str:
        value = self._compared(METRICS[name], name, prediction, target, settings)
        self.scalars.append((name, value))
        return value

    def _compared(self, cls: Any, path: str, prediction: str, target: str, settings: Mapping[str, Any]) -> str:
        arguments = settled(cls, settings)
        cls.guard(arguments, self.build.type_of(prediction), self.build.type_of(target))
        with self._at(path):
            value: str = cls.lower(self.build, arguments, prediction, target)
            return value

    def output(self, name: str, value: str) -> None:
        self.outputs.append((name, value))

    def graph(self, name: str = "net") -> Graph:
        return Graph(name, tuple(self.build.nodes), tuple(self.outputs), self.the_loss, tuple(self.scalars))


def draw(type: TensorType, rng: np.random.Generator, batch: int) -> np.ndarray:
    """An array of this type; floats stay a tenth away from whole numbers, where activations have their kinks."""
    shape = (batch, *type.shape) if type.batched else type.shape
    if type.dtype == "f32":
        return np.asarray(np.floor(rng.normal(0, 1.5, shape)) + rng.uniform(0.1, 0.9, shape))
    top = {"u8": 256, "i32": 50, "bool": 2, "index": type.classes or 0}[type.dtype]
    return np.asarray(rng.integers(0, top, shape)).astype("uint8" if type.dtype in ("u8", "bool") else "int32")


@dataclass(frozen=True)
class Data:
    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]

    def __iter__(self) -> Any:
        return iter((self.inputs, self.targets, self.weights))


def data_for(graph: Graph, seed: int = 0, batch: int = 5, scale: float = 0.5) -> Data:
    """Random inputs, targets and weights of a graph."""
    rng = np.random.default_rng(seed)
    found: dict[str, dict[str, np.ndarray]] = {"input": {}, "target": {}, "weight": {}}
    for node in graph.nodes:
        if node.op in ("input", "target"):
            found[node.op][str(node.attribute("name"))] = draw(node.type, rng, batch)
        elif node.op == "weight":
            found["weight"][node.name] = rng.normal(0, scale, node.type.shape)
    return Data(found["input"], found["target"], found["weight"])
