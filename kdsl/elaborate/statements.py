"""The statements of a body, one after the other: of a model, a block or a fn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.elaborate import evaluate, flows, named
from kdsl.elaborate.constants import kind_of
from kdsl.elaborate.context import Context
from kdsl.elaborate.names import bind_once, look_up
from kdsl.elaborate.program import Port
from kdsl.elaborate.scope import UNKNOWN, Bound, Link, Meaning, Named, Tensor, Unknown
from kdsl.elaborate.types import tensor_type
from kdsl.elaborate.weights import declare_weight
from kdsl.elaborate.words import counted, joined, short
from kdsl.records import dataclass, field
from kdsl.source import Span
from kdsl.syntax import tree


@dataclass(frozen=True)
class Returned:
    """The values of a `return`, each with its place. `at` is the statement."""

    values: tuple[tuple[Meaning, Span], ...]
    at: Span


@dataclass
class Ports:
    """What goes in and out. `outputs` maps the user's name to the value, or to None where it is unknown."""

    inputs: list[Port] = field(default_factory=list)
    targets: list[Port] = field(default_factory=list)
    outputs: dict[str, Tensor | None] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)


def run_body(context: Context, body: Sequence[tree.Statement], ports: Ports) -> None:
    """Every statement of a model in order."""
    prepare(context, body)
    for number, statement in enumerate(body):
        if isinstance(statement, (tree.Input, tree.Target)):
            port(context, statement, ports)
        elif isinstance(statement, tree.Output):
            output(context, statement, ports)
        else:
            inner(context, statement, body[number - 1] if number else None)


def run_block(context: Context, item: tree.Block | tree.Fn) -> Returned | None:
    """The statements of a block or fn up to its `return` -> what it returns; None where that is not known."""
    prepare(context, item.body)
    for number, statement in enumerate(item.body):
        if isinstance(statement, tree.Return):
            if number + 1 < len(item.body) and not isinstance(item.body[number + 1], tree.Broken):
                unreachable(context, statement, item.body[number + 1])
            values = [(value, node.span) for node in statement.values for value in flows.results(context, node)]
            return Returned(tuple(values), statement.span)
        inner(context, statement, item.body[number - 1] if number else None)
    if not any(isinstance(statement, (tree.Broken, tree.Output)) for statement in item.body):
        no_return(context, item)
    return None


def prepare(context: Context, body: Sequence[tree.Statement]) -> None:
    """Names that damaged statements bind are known to be unknown from the start."""
    for statement in body:
        if isinstance(statement, tree.Broken):
            context.scope.porous = True
            for name in statement.binds:
                context.scope.names[name] = Bound(UNKNOWN, statement.span, missing=True)
    context.scope.later.update({name.text: name.span for name in reversed(list(bound_names(body)))})


def inner(context: Context, statement: tree.Statement, before: tree.Statement | None) -> None:
    """A statement that every kind of body has."""
    if isinstance(statement, tree.Let):
        let(context, statement, before)
    elif isinstance(statement, tree.Weight) and context.formula:  # which the parser reports
        bind_once(context, statement.name, UNKNOWN)
    elif isinstance(statement, tree.Weight):
        declare_weight(context, statement)


def no_return(context: Context, item: tree.Block | tree.Fn) -> None:
    word = "block" if isinstance(item, tree.Block) else "fn"
    last = item.body[-1] if item.body else None
    name = last.names[0].text if isinstance(last, tree.Let) else ""
    context.report.outside().error(
        "E224",
        f"the {word} `{item.name.text}` returns nothing",
        item.name.span,
        help=f"`return {name or 'h'}` at the end of the body says what comes out",
        edits=line_after(last, item.span, f"return {name}") if last is not None and name else [],
    )


def line_after(last: tree.Statement, within: Span, line: str) -> list[Edit]:
    """A line of its own under the last statement of a body; nothing where the body is one line."""
    text = last.span.source.text
    end = text.find("\n", last.span.stop)
    if end < 0 or end > within.stop:
        return []
    indent = text[text.rfind("\n", 0, last.span.start) + 1 : last.span.start]
    return [Edit(Span(last.span.source, end, end), f"\n{indent}{line}")] if not indent.strip() else []


def unreachable(context: Context, statement: tree.Return, after: tree.Statement) -> None:
    again = isinstance(after, tree.Return)
    context.report.outside().error(
        "E225",
        "a body returns once" if again else "what stands behind `return` is never computed",
        after.span,
        secondary=[Label(statement.span, "returns here")],
        help="`return a, b` gives several values" if again else "`return` is the last statement of a body",
    )


def bound_names(body: Sequence[tree.Statement]) -> Iterator[tree.Name]:
    """Every name that the body binds, `as` names included."""
    for statement in body:
        if isinstance(statement, (tree.Input, tree.Target, tree.Weight)):
            yield statement.name
        elif isinstance(statement, (tree.Let, tree.Output)) and statement.value is not None:
            yield from statement.names
            yield from aliases(statement.value)
        elif isinstance(statement, tree.Return):
            for value in statement.values:
                yield from aliases(value)


def aliases(value: tree.Value) -> Iterator[tree.Name]:
    """`as` names of a flow's own steps; those inside `repeat` and `for` are known there only."""
    left: list[tree.Step] = list(value.steps) if isinstance(value, tree.Pipe) else []
    while left:
        step = left.pop()
        if isinstance(step, (tree.Layer, tree.Chain)) and step.alias is not None:
            yield step.alias
        if isinstance(step, tree.Chain):
            left.extend(step.steps)
        elif isinstance(step, tree.Repeat):
            left.append(step.body)


def port(context: Context, statement: tree.Input | tree.Target, ports: Ports) -> None:
    """`input` or `target`: a source of the graph."""
    work, name = context.work, statement.name
    assert work is not None
    if isinstance(statement, tree.Target):
        ports.places[name.text] = statement.span
    type = tensor_type(context, statement.type)
    if type is None or name.text in context.scope.names:
        bind_once(context, name, UNKNOWN)
        return
    kind = "input" if isinstance(statement, tree.Input) else "target"
    with work.build.at(statement.span):
        value = work.build.source(kind, name.text, type, {"name": name.text})
    link = Link(name.text, type, name.span, sized=statement.type.span)
    bind_once(context, name, Tensor(value, type, link, "" if kind == "input" else name.text))
    record = Port(name.text, type, statement.span, statement.doc)
    (ports.inputs if kind == "input" else ports.targets).append(record)


def let(context: Context, statement: tree.Let, before: tree.Statement | None) -> None:
    name = statement.names[0]
    if len(statement.names) > 1:
        take_apart(context, statement)
        return
    if name.text in context.scope.names and goes_on(context, statement, before):
        return
    meaning = evaluate.evaluate(context.for_binding(name.text), statement.value)
    bind_once(context, name, meaning)


def take_apart(context: Context, statement: tree.Let) -> None:
    """`mean, log_var = image -> Encoder`; layers made there are called by the first name."""
    names = statement.names
    values = flows.results(context.for_binding(names[0].text), statement.value)
    if any(isinstance(value, Unknown) for value in values):
        values = (UNKNOWN,) * len(names)
    if len(values) != len(names):
        context.report.error(
            "E426",
            f"{len(names)} names for {counted(len(values), 'value')}",
            names[0].span.to(names[-1].span),
            secondary=[Label(statement.value.span, f"gives {counted(len(values), 'value')}")],
            help="a name for each value",
        )
        values = (UNKNOWN,) * len(names)
    for name, value in zip(names, values, strict=True):
        bind_once(context, name, value)


def goes_on(context: Context, statement: tree.Let, before: tree.Statement | None) -> bool:
    """`x = x -> relu` right under the line that binds `x`: the two are one flow."""
    name, value = statement.names[0], statement.value
    own = isinstance(value, tree.Pipe) and isinstance(value.source, tree.Path) and value.source.text == name.text
    above = isinstance(before, tree.Let) and [n.text for n in before.names] == [name.text]
    if not own or not above or not isinstance(value, tree.Pipe):
        return False
    assert isinstance(before, tree.Let)
    text = name.span.source.text
    steps = text[value.source.span.stop : value.span.stop]
    edits = []
    if (
        isinstance(before.value, (tree.Pipe, tree.Path, tree.Call))
        and "#" not in text[before.span.stop : name.span.start]
    ):
        edits = [Edit(Span(name.span.source, before.span.stop, value.span.stop), f" {steps.lstrip()}")]
    context.report.error(
        "E205",
        f"`{name.text}` is bound already, and a name is bound once",
        name.span,
        secondary=[Label(before.names[0].span, "bound here")],
        help=f"go on in the line above: `{short(before.value.span.text)} {short(steps.strip())}`",
        edits=edits,
    )
    context.bind(name.text, UNKNOWN, before.names[0].span)
    return True


# -- outputs -----------------------------------------------------------------------------------------


def output(context: Context, statement: tree.Output, ports: Ports) -> None:
    if statement.value is not None:
        name = statement.names[0]
        meaning: Meaning | Named = evaluate.evaluate(context.for_binding(name.text), statement.value)
        bind_once(context, name, meaning)
        give_out(context, name, meaning, statement.value.span, ports)
        return
    for name in statement.names:
        give_out(context, name, look_up(context, name), name.span, ports)


def give_out(context: Context, name: tree.Name, meaning: Meaning | Named, at: Span, ports: Ports) -> None:
    """One output; a target, a number or a step is refused."""
    value = None
    if isinstance(meaning, Tensor) and meaning.target:
        target_out(context, name, meaning, at, ports)
    elif isinstance(meaning, Tensor) and not meaning.type.batched:
        without_samples(context, name, meaning, at)
    elif isinstance(meaning, Tensor):
        value = meaning
    elif isinstance(meaning, Named):
        named.not_a_value(context, tree.Path((name,), at), meaning)
    elif not isinstance(meaning, Unknown):
        context.report.error("E316", f"an output is a tensor, and `{name.text}` is {kind_of(meaning)}", at)
    if name.text in ports.outputs:
        context.report.error("E223", f"`{name.text}` is an output already", name.span, help="keep one")
        return
    ports.outputs[name.text] = value


def without_samples(context: Context, name: tree.Name, meaning: Tensor, at: Span) -> None:
    """`predict` gives an array with a place for each row; a weight has none."""
    work = context.work
    weight = work is not None and meaning.value in work.weights
    get = f'in Python `model.get_weights()["{meaning.value}"]` is this weight' if weight else ""
    context.report.error(
        "E433",
        f"an output has a value for each sample, and `{name.text}` is one value for all of them",
        at,
        help=joined(get, "an output is made of an input"),
    )


def target_out(context: Context, name: tree.Name, meaning: Tensor, at: Span, ports: Ports) -> None:
    made = ports.places.get(meaning.target)
    how = "is a target" if meaning.target == name.text else f"is made from the target `{meaning.target}`"
    context.report.error(
        "E222",
        f"`{name.text}` {how}, and no target is known when `predict` runs",
        at,
        secondary=[Label(made, "the target")] if made is not None else [],
        help="a target is for `loss` and `metrics` only",
    )
