"""The NumPy target: one line for each node, calling the op's reference. Needs numpy alone; what every other target is held against."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from kdsl.codegen.carry import Carried, carried_module, function_text, needed_by
from kdsl.codegen.sections import Options, Sections
from kdsl.codegen.text import call, docstring, indented, joined_tuple, origin_of, pyrepr
from kdsl.elaborate.program import ModelProgram, Tuned
from kdsl.graph.graph import FUSED, SOURCES, Graph, Node
from kdsl.ops.registry import OPS
from kdsl.plan.names import RESERVED, Names, identifier
from kdsl.registry import DefinitionError

OPS_TITLE = "What the lines above call: the ops, each with its equation."


def numpy_sections(program: ModelProgram, graphs: Any, options: Options) -> Sections:
    """The functions of a model and its Engine, in NumPy."""
    functions = [_predict(program, graphs.predict, options)]
    used = _ops_of(graphs.predict)
    names = ["predict"]
    extra: list[tuple[str, str]] = []
    imports: list[str] = ["import numpy as np"]
    if program.training is not None:
        functions.append(_evaluate(program, graphs.evaluate, options))
        functions.append(_gradients(program, graphs.train, options))
        text, more_imports, extra = _update(program, options)
        functions.append(text)
        imports += more_imports
        used |= _ops_of(graphs.evaluate) | _ops_of(graphs.train)
        names = ["predict", "evaluate", "gradients", "update"]
    engine = _carried_engine()
    op_imports, op_texts = _op_texts(used)
    functions.append(_engine(names, options))
    return Sections(
        imports=tuple(dict.fromkeys([*imports, *op_imports, *engine.imports])),
        model="\n\n\n".join(functions),
        carried=(*((OPS_TITLE, text) for text in op_texts), *extra, (engine.title, engine.text)),
    )


def _predict(program: ModelProgram, graph: Graph, options: Options) -> str:
    body = _Body(program, graph, options)
    results = joined_tuple(body.value(value) for _, value in graph.outputs)
    named = ", ".join(name for name, _ in graph.outputs)
    head = f"def {options.prefix}predict({body.parameters('w', targets=False)}) -> Arrays:"
    return body.function(head, f"A batch's outputs: {named}.", results)


def _evaluate(program: ModelProgram, graph: Graph, options: Options) -> str:
    body = _Body(program, graph, options)
    head = f"def {options.prefix}evaluate({body.parameters('w')}) -> Arrays:"
    return body.function(head, f"A batch's means, nothing dropped: {_named(graph)}.", _results(body, graph))


def _gradients(program: ModelProgram, graph: Graph, options: Options) -> str:
    body = _Body(program, graph, options, trains=True)

    def pairs(values: Sequence[tuple[str, str]]) -> str:
        lines = [f"    {pyrepr(weight)}: {body.value(value)},\n" for weight, value in values]
        return "{\n" + "".join(lines) + "}" if lines else "{}"

    parameters = body.parameters("w", "seed: int", "step: int")
    head = f"def {options.prefix}gradients({parameters}) -> tuple[Arrays, Weights, Weights]:"
    doc = f"A training batch's means ({_named(graph)}), the gradient for each trained weight, new values of moving averages."
    return body.function(head, doc, f"{_results(body, graph)}, {pairs(graph.gradients)}, {pairs(graph.updates)}")


def _named(graph: Graph) -> str:
    return ", ".join(["loss", *(name for name, _ in graph.metrics)])


def _results(body: _Body, graph: Graph) -> str:
    assert graph.loss is not None
    return joined_tuple(body.value(value) for value in (graph.loss, *(value for _, value in graph.metrics)))


class _Body:
    """A graph's nodes as lines of a function. Values of users' names become local variables, safely."""

    def __init__(self, program: ModelProgram, graph: Graph, options: Options, trains: bool = False) -> None:
        self.program, self.graph, self.options = program, graph, options
        # What is drawn at inference, it is drawn as in the first step of the seed 0.
        self.drawn = {"seed": "seed", "step": "step"} if trains else {"seed": "0", "step": "0"}
        taken = {*RESERVED, "w", "seed", "step", "Array", "Arrays", "Weights", *OPS, *(f"{name}_" for name in OPS)}
        self.names = Names(taken)
        self.texts: dict[str, str] = {}
        self.numbers: set[str] = set()
        self.dtypes = {part.name: part.type.dtype for node in graph for part in (node, *node.body)}
        ports = [*program.inputs, *program.targets]
        self.ports = {port.name: self.names(port.name) for port in ports}
        self.lines = [line for node in graph for line in self._lines(node)]

    def value(self, name: str) -> str:
        return self.texts[name]

    def parameters(self, *first: str, targets: bool = True) -> str:
        ports = [*self.program.inputs, *(self.program.targets if targets else ())]
        leading = [f"{text}: Weights" if text == "w" else text for text in first]
        return ", ".join([*leading, *(f"{self.ports[port.name]}: Array" for port in ports)])

    def function(self, head: str, doc: str, results: str) -> str:
        lines = [head, f"    {docstring(doc, 4)}", *(indented(line, 4) for line in self.lines)]
        return "\n".join([*lines, indented(f"return {results}", 4)])

    def _lines(self, node: Node) -> list[str]:
        if node.op in SOURCES:
            return self._source(node)
        if node.op != FUSED:
            return [self._line(node)]
        lines = [self._line(part) for part in node.body]
        self.texts[node.name] = self.texts[node.body[-1].name]
        return lines

    def _source(self, node: Node) -> list[str]:
        value = dict(node.attributes).get("value")
        if node.op == "weight":
            self.texts[node.name] = f"w[{pyrepr(node.name)}]"
        elif node.op == "constant" and isinstance(value, tuple):
            name = self.texts[node.name] = self.names(node.name)
            return [f"{name} = np.array({pyrepr(value)}, np.{self.options.scalar})"]
        elif node.op == "constant":
            assert isinstance(value, (int, float))
            self.numbers.add(node.name)
            self.texts[node.name] = pyrepr(float(value)) if value >= 0 else f"({pyrepr(float(value))})"
        else:
            self.texts[node.name] = self.ports[str(node.attribute("name"))]
        return []

    def _line(self, node: Node) -> str:
        op = OPS[node.op]
        known = {**self.drawn, "dtype": f"np.{self.options.scalar}", "batched": str(node.type.batched)}
        keywords = [f"{key}={pyrepr(value)}" for key, value in node.attributes]
        keywords += [f"{key}={known[key]}" for key in op.run_time]
        arguments = self._arguments(node)
        name = self.texts[node.name] = self.names(node.name)
        text = call(f"{name} = {identifier(node.op)}(", [*arguments, *keywords], used=4)
        return f"{text}  # {origin_of(node, self.program)}"

    def _arguments(self, node: Node) -> list[str]:
        """A plain number takes on the dtype of the array beside it, except inside of `where`. Where there is none, or an
        array is wanted, it says its own."""
        texts = [self.texts[value] for value in node.inputs]
        plain = [value in self.numbers for value in node.inputs]
        op, others = OPS[node.op], [value for value in node.inputs if value not in self.numbers]
        beside = op.elementwise and any(self.dtypes[value] == "f32" for value in others)
        if beside and "where(" not in function_text(op.reference, node.op):
            return texts
        return [f"np.{self.options.scalar}({t.strip('()')})" if p else t for t, p in zip(texts, plain, strict=True)]


def _ops_of(graph: Graph) -> set[str]:
    nodes = [part for node in graph for part in (node.body or (node,))]
    return {node.op for node in nodes if node.op not in SOURCES}


def _op_texts(used: set[str]) -> tuple[list[str], list[str]]:
    """(imports, texts): the functions that references call, then the references by name.

    An op such as `tanh`, whose reference is the function of the same name, is that function.
    """
    references = {identifier(name): OPS[name] for name in sorted(used)}
    imports, helpers = needed_by([op.reference for op in references.values()])
    same = {name for name, _ in helpers if name in references}
    for name in same:
        if f"return {name}(" not in function_text(references[name].reference, name):
            raise DefinitionError(f"the op {name} calls a function of its own name and does something else besides")
    texts = [text for _, text in sorted(helpers)]
    texts += [function_text(op.reference, name, _equation(op)) for name, op in references.items() if name not in same]
    return imports, texts


def _equation(op: Any) -> str:
    return (inspect.getdoc(op) or "").split("\n")[0].replace("\\", "\\\\")


def _update(program: ModelProgram, options: Options) -> tuple[str, list[str], list[tuple[str, str]]]:
    """The optimizer's step over all weights -> (text, imports, (title, text) pairs of what it calls)."""
    from kdsl.training.optimizers import CLIPPINGS, OPTIMIZERS, clipped

    assert program.training is not None
    chosen = program.training.optimizer
    flags = dict(chosen.flags)
    rule = OPTIMIZERS[chosen.name].rule(flags)
    first, second = rule.coefficients.__name__, rule.update.__name__
    names = list(inspect.signature(rule.update).parameters)[2:]
    # A slot and a factor may both be called momentum; the update's own parameters are distinct.
    slots, factors = names[: len(rule.slots)], names[len(rule.slots) :]
    numbers = [f"{name}: float" for name, _ in chosen.numbers]
    parameters = ["w: Weights", "gradients: Weights", "slots: dict[str, Weights]", "step: int", *numbers]
    lines = [f'"""One step of {chosen.name} on every trained weight, in place; `step` counts from 0."""']
    tuned = program.training.tuned
    decays = bool(flags.get("weight_decay")) or any(each.weight_decay is not None for each in tuned)
    factor_line = f"{', '.join(factors)}{',' * (len(factors) == 1)} = {first}(step, {', '.join(rule.numbers)})"
    limit = next((name for name, kind in CLIPPINGS.items() if flags.get("clip") == kind), None)
    if limit is not None:
        lines.append(f"gradients = clipped(gradients, {pyrepr(flags['clip'])}, {limit})")
    if tuned:
        lines += [*_own_settings(tuned), "base = lr"]
        lines += ["for name, gradient in gradients.items():", "    rate = base * scales.get(name, 1.0)"]
        if decays:
            usual = "weight_decay" if flags.get("weight_decay") else "0.0"
            own = any(each.weight_decay is not None for each in tuned)
            lines.append(f"    decay = {f'decays.get(name, {usual})' if own else usual} * rate")
        lines.append(f"    {factor_line}".replace("(step, lr", "(step, rate"))
    else:
        lines += ["decay = weight_decay * lr"] if decays else []
        lines += [factor_line, "for name, gradient in gradients.items():"]
    if rule.slots:
        held = ", ".join(f"slots[{pyrepr(slot)}][name]" for slot in rule.slots)
        lines.append(f"    {', '.join(slots)} = {held}")
    changed = ", ".join(f"{target}[...]" for target in ("w[name]", *slots))
    weight = "w[name] - w[name] * decay" if decays else "w[name]"
    arguments = [weight, "gradient", *slots, *factors]
    update = call(f"{changed}{',' * (not rule.slots)} = {second}(", arguments, used=8)
    lines.append(indented(update, 4))
    head = call(f"def {options.prefix}update(", parameters, ") -> None:")
    functions: list[Callable[..., Any]] = [rule.coefficients, rule.update, *([clipped] if limit else [])]
    imports, helpers = needed_by(functions)
    texts = [*sorted(helpers), *((f.__name__, function_text(f, f.__name__)) for f in functions)]
    title = "The optimizer: the factors of a step, and what they do to a weight."
    return "\n".join([head, *(indented(line, 4) for line in lines)]), imports, [(title, text) for _, text in texts]


def _own_settings(tuned: Sequence[Tuned]) -> list[str]:
    """What the learning rate of some weights is multiplied by, and the decay of some, as dicts."""
    scales = [f"{pyrepr(each.weight)}: {pyrepr(each.lr_scale)}" for each in tuned if each.lr_scale != 1.0]
    decays = [f"{pyrepr(each.weight)}: {pyrepr(each.weight_decay)}" for each in tuned if each.weight_decay is not None]
    lines = [call("scales: dict[str, float] = {", scales, "}", used=4)]
    if decays:
        lines.append(call("decays: dict[str, float] = {", decays, "}", used=4))
    return [line for text in lines for line in text.split("\n")]


def _engine(names: Sequence[str], options: Options) -> str:
    functions = ", ".join(options.prefix + name for name in names)
    declaration = f"{options.prefix.upper()}DECLARATION"
    return (
        f"def {options.engine}(threads: int | None = None) -> NumpyEngine:\n"
        f'    """The model\'s weights with these functions; see `Core`. NumPy chooses its threads itself."""\n'
        f"    return NumpyEngine({declaration}, Functions({functions}))"
    )


def _carried_engine() -> Carried:
    import kdsl.runtime.numpy_engine

    return carried_module(kdsl.runtime.numpy_engine)
