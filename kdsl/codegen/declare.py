"""The declaration of a model as Python text: what the compiler knows, in one table; and its first weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kdsl.codegen.carry import function_text, needed_by
from kdsl.codegen.rows import rows_of
from kdsl.codegen.text import basename, call, indented, place, pyrepr
from kdsl.elaborate.program import ModelProgram, Port
from kdsl.graph.graph import SOURCES, Graph
from kdsl.ops.registry import OPS
from kdsl.plan.names import identifier
from kdsl.runtime import declaration
from kdsl.runtime.declaration import Declaration
from kdsl.source import Source, Span


def digest(source: Source, imported: Iterable[Source] = ()) -> str:
    """SHA-256 of a file; with imports, of its digest and theirs, in the order of the numbers: paths do not matter."""
    own, *others = (hashlib.sha256(it.text.encode("utf-8", "surrogatepass")).hexdigest() for it in (source, *imported))
    return hashlib.sha256("\n".join([own, *sorted(others)]).encode()).hexdigest() if others else own


def declaration_of(program: ModelProgram, graphs: Any, scalar: str, imported: Iterable[Source] = ()) -> Declaration:
    """What the module of a model says of it; `scalar` is float32 or float64."""
    source = program.span.source
    where = {port.name: port.span for port in program.inputs}
    outputs = [Port(n, t, where.get(n, _output_span(program, n))) for n, t in program.outputs]
    return declaration.Declaration(
        name=program.name,
        source=basename(source.name),
        digest=digest(source, imported),
        scalar=scalar,
        inputs=tuple(map(_port, program.inputs)),
        targets=tuple(map(_port, program.targets)),
        outputs=tuple(map(_port, outputs)),
        weights=tuple(declaration.Weight(w.name, w.shape, place(w.span), w.trainable) for w in program.weights),
        layers=rows_of(program),
        flops=flops(graphs.predict),
        training=_training(program, graphs),
    )


def declaration_text(
    name: str, program: ModelProgram, graphs: Any, scalar: str, imported: Iterable[Source] = ()
) -> str:
    """`NAME = Declaration(...)`."""
    made = declaration_of(program, graphs, scalar, imported)
    fields = [
        f"name={pyrepr(made.name)}",
        f"source={pyrepr(made.source)}",
        f"digest={pyrepr(made.digest)}",
        f"scalar={pyrepr(made.scalar)}",
        *(_table(field, map(_row, getattr(made, field))) for field in ("inputs", "targets", "outputs")),
        *(_table(field, map(_row, getattr(made, field))) for field in ("weights", "layers")),
        f"flops={made.flops}",
        f"training={_training_text(made.training)}",
    ]
    return f"{name} = Declaration(\n" + "".join(f"{indented(field, 4)},\n" for field in fields) + ")"


def _row(row: Any) -> str:
    """One of a table's tuples; fields that have their default at the end are left out or named."""
    defaults = row._field_defaults
    values = [pyrepr(value) for name, value in row._asdict().items() if name not in defaults]
    values += [f"{n}={pyrepr(v)}" for n, v in row._asdict().items() if n in defaults and v != defaults[n]]
    return call(f"{type(row).__name__}(", values)


def _output_span(program: ModelProgram, name: str) -> Span:
    values = dict(program.graph.outputs)
    return program.graph[values[name]].origin[0] if name in values else program.span


def _port(port: Port) -> declaration.Port:
    return declaration.Port(port.name, port.type.dtype, port.type.shape, place(port.span), port.type.classes or 0)


def _table(name: str, rows: Iterable[str]) -> str:
    """`name=(row, ...)`: on one line, or a row on each."""
    texts = list(rows)
    if len(texts) > 1:
        return f"{name}=(\n" + "".join(f"{indented(text, 4)},\n" for text in texts) + ")"
    return call(f"{name}=(", texts, ",)" if texts else ")", used=4).replace(",\n,)", ",\n)")


def _training(program: ModelProgram, graphs: Any) -> declaration.Training | None:
    training = program.training
    if training is None:
        return None
    from kdsl.training.optimizers import OPTIMIZERS

    optimizer = training.optimizer
    numbers = dict(optimizer.numbers)
    flags = ", ".join(f"{name} = {_word(value)}" for name, value in optimizer.flags if name not in numbers)
    return declaration.Training(
        loss=training.loss,
        metrics=tuple(name for name, _ in program.graph.metrics),
        optimizer=f"{optimizer.name}({flags})" if flags else optimizer.name,
        numbers={name: float(value) for name, value in numbers.items()},
        slots=tuple(OPTIMIZERS[optimizer.name].slots(dict(optimizer.flags))),
        batch_size=training.batch,
        epochs=training.epochs,
        seed=training.seed,
        validation_split=float(training.validation_split),
        flops=flops(graphs.train),
        schedule="" if training.schedule is None else training.schedule.text,
        watches="" if training.schedule is None else training.schedule.watches,
        schedule_numbers={} if training.schedule is None else training.schedule.numbers,
    )


def _training_text(training: declaration.Training | None) -> str:
    if training is None:
        return "None"
    texts = {name: pyrepr(value) for name, value in training._asdict().items() if not isinstance(value, dict)}
    for name, numbers in (("numbers", training.numbers), ("schedule_numbers", training.schedule_numbers)):
        texts[name] = "{" + ", ".join(f"{pyrepr(n)}: {pyrepr(v)}" for n, v in numbers.items()) + "}"
    given = [name for name, value in training._asdict().items() if value != training._field_defaults.get(name)]
    return "Training(\n" + "".join(f"    {name}={texts[name]},\n" for name in given) + ")"


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
