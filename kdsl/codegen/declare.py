"""The declaration of a model as Python text: what the compiler knows, in one table; and its first weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kdsl.codegen.carry import function_text, needed_by
from kdsl.codegen.text import basename, call, indented, place, pyrepr
from kdsl.elaborate.program import ModelProgram, Port
from kdsl.graph.graph import SOURCES, Graph
from kdsl.graph.types import TensorType
from kdsl.ops.registry import OPS
from kdsl.plan.names import identifier
from kdsl.source import Source, Span


def digest(source: Source) -> str:
    return hashlib.sha256(source.text.encode("utf-8", "surrogatepass")).hexdigest()


def declaration_text(name: str, program: ModelProgram, graphs: Any, scalar: str) -> str:
    """`NAME = Declaration(...)`."""
    source = program.span.source
    where = {port.name: port.span for port in program.inputs}
    outputs = [Port(n, t, where.get(n, _output_span(program, n))) for n, t in program.outputs]
    weights = [
        call(
            "Weight(",
            [pyrepr(w.name), pyrepr(w.shape), pyrepr(place(w.span)), *([] if w.trainable else ["trainable=False"])],
        )
        for w in program.weights
    ]
    sizes = {weight.name: TensorType("f32", weight.shape, batched=False).size for weight in program.weights}
    layers = [
        call(
            "Layer(",
            [
                pyrepr(r.path),
                pyrepr(r.text),
                pyrepr(str(r.type)),
                str(sum(sizes[w] for w in r.weights)),
                pyrepr(place(r.span)),
            ],
        )
        for r in program.layers
    ]
    fields = [
        f"name={pyrepr(program.name)}",
        f"source={pyrepr(basename(source.name))}",
        f"digest={pyrepr(digest(source))}",
        f"scalar={pyrepr(scalar)}",
        _table("inputs", map(_port, program.inputs)),
        _table("targets", map(_port, program.targets)),
        _table("outputs", map(_port, outputs)),
        _table("weights", weights),
        _table("layers", layers),
        f"flops={flops(graphs.predict)}",
        f"training={_training(program, graphs)}",
    ]
    return f"{name} = Declaration(\n" + "".join(f"{indented(field, 4)},\n" for field in fields) + ")"


def _output_span(program: ModelProgram, name: str) -> Span:
    values = dict(program.graph.outputs)
    return program.graph[values[name]].origin[0] if name in values else program.span


def _port(port: Port) -> str:
    arguments = [pyrepr(port.name), pyrepr(port.type.dtype), pyrepr(port.type.shape), pyrepr(place(port.span))]
    return call("Port(", [*arguments, *([f"classes={port.type.classes}"] if port.type.classes else [])])


def _table(name: str, rows: Iterable[str]) -> str:
    """`name=(row, ...)`: on one line, or a row on each."""
    texts = list(rows)
    if len(texts) > 1:
        return f"{name}=(\n" + "".join(f"{indented(text, 4)},\n" for text in texts) + ")"
    return call(f"{name}=(", texts, ",)" if texts else ")", used=4).replace(",\n,)", ",\n)")


def _training(program: ModelProgram, graphs: Any) -> str:
    training = program.training
    if training is None:
        return "None"
    from kdsl.training.optimizers import OPTIMIZERS

    optimizer = training.optimizer
    slots = OPTIMIZERS[optimizer.name].slots(dict(optimizer.flags))
    flags = ", ".join(f"{name} = {_word(value)}" for name, value in optimizer.flags)
    numbers = ", ".join(f"{pyrepr(name)}: {pyrepr(float(value))}" for name, value in optimizer.numbers)
    fields = [
        f"loss={pyrepr(training.loss)}",
        f"metrics={pyrepr(tuple(name for name, _ in program.graph.metrics))}",
        f"optimizer={pyrepr(f'{optimizer.name}({flags})' if flags else optimizer.name)}",
        f"numbers={{{numbers}}}",
        f"slots={pyrepr(tuple(slots))}",
        f"batch_size={training.batch}",
        f"epochs={training.epochs}",
        f"seed={pyrepr(training.seed)}",
        f"validation_split={pyrepr(float(training.validation_split))}",
        f"flops={flops(graphs.train)}",
    ]
    return "Training(\n" + "".join(f"    {field},\n" for field in fields) + ")"


def _word(value: object) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def flops(graph: Graph) -> int:
    """Floating-point operations of a graph, for each sample."""
    types = {node.name: node.type for node in graph}
    total = 0
    for node in graph:
        for part in node.body or (node,):
            types[part.name] = part.type
            if part.op not in SOURCES:
                total += OPS[part.op].cost([types[i] for i in part.inputs], part.type, part.keywords).flops
    return total


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """`initial_weights(seed)`: its text, the imports and functions that it needs."""

    text: str
    imports: tuple[str, ...]
    carried: tuple[str, ...]


def initial_weights(program: ModelProgram, prefix: str) -> InitialWeights:
    from kdsl.training.initializers import INITIALIZERS, carried

    lines = []
    for number, weight in enumerate(program.weights):
        name, settings = weight.initializer
        defaults = {key: param.default for key, param in INITIALIZERS[name].parameters.items()}
        chosen = {**defaults, **dict(settings)}
        arguments = [pyrepr(weight.shape), f"random({number})", *(f"{k}={pyrepr(v)}" for k, v in chosen.items())]
        drawn = call(f"{pyrepr(weight.name)}: {identifier(name)}(", arguments, used=9)
        lines.append(indented(f"{drawn},\n", 8))
    text = (
        f"def {prefix}initial_weights(seed: int) -> Weights:\n"
        '    """What the weights are before training; each draws from a stream of its own."""\n\n'
        "    def random(number: int) -> np.random.Generator:\n"
        "        return np.random.default_rng([seed, number, 0])\n\n"
        "    return {\n" + "".join(lines) + "    }"
    )
    functions = carried(weight.initializer[0] for weight in program.weights)
    imports, _ = needed_by(functions)
    return InitialWeights(text, tuple(imports), tuple(function_text(f, f.__name__) for f in functions))
