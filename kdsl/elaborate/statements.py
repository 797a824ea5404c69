"""The statements of a model's body, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.elaborate import evaluate
from kdsl.elaborate.constants import kind_of
from kdsl.elaborate.context import Context
from kdsl.elaborate.names import bind_once, look_up
from kdsl.elaborate.not_yet import not_yet
from kdsl.elaborate.program import Port
from kdsl.elaborate.scope import UNKNOWN, Bound, Link, Meaning, NamedStep, Tensor, Unknown
from kdsl.elaborate.types import tensor_type
from kdsl.elaborate.words import short
from kdsl.source import Span
from kdsl.syntax import tree


@dataclass
class Ports:
    """What goes in and out. `outputs` maps the user's name to the value, or to None where it is unknown."""

    inputs: list[Port] = field(default_factory=list)
    targets: list[Port] = field(default_factory=list)
    outputs: dict[str, Tensor | None] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)


def run_body(context: Context, body: Sequence[tree.Statement], ports: Ports) -> None:
    """Every statement in order; names that damaged statements bind are known to be unknown from the start."""
    for statement in body:
        if isinstance(statement, tree.Broken):
            context.scope.porous = True
            for name in statement.binds:
                context.scope.names[name] = Bound(UNKNOWN, statement.span, missing=True)
    context.scope.later.update({name.text: name.span for name in reversed(list(bound_names(body)))})
    for number, statement in enumerate(body):
        if isinstance(statement, (tree.Input, tree.Target)):
            port(context, statement, ports)
        elif isinstance(statement, tree.Let):
            let(context, statement, body[number - 1] if number else None)
        elif isinstance(statement, tree.Output):
            output(context, statement, ports)
        elif isinstance(statement, tree.Weight):
            not_yet(context.report, "weights of one's own (`weight`)", statement.span)
            bind_once(context, statement.name, UNKNOWN)


def bound_names(body: Sequence[tree.Statement]) -> Iterator[tree.Name]:
    """Every name that the body binds, `as` names included."""
    for statement in body:
        if isinstance(statement, (tree.Input, tree.Target, tree.Weight)):
            yield statement.name
        elif isinstance(statement, (tree.Let, tree.Output)) and statement.value is not None:
            yield from statement.names
            yield from aliases(statement.value)


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
        not_yet(
            context.report,
            "steps with several results (`a, b = ...`)",
            statement.names[0].span.to(statement.names[-1].span),
        )
        for each in statement.names:
            bind_once(context, each, UNKNOWN)
        return
    if name.text in context.scope.names and goes_on(context, statement, before):
        return
    meaning = evaluate.evaluate(context.for_binding(name.text), statement.value)
    bind_once(context, name, meaning)


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
        meaning: Meaning | NamedStep = evaluate.evaluate(context.for_binding(name.text), statement.value)
        bind_once(context, name, meaning)
        give_out(context, name, meaning, statement.value.span, ports)
        return
    for name in statement.names:
        give_out(context, name, look_up(context, name), name.span, ports)


def give_out(context: Context, name: tree.Name, meaning: Meaning | NamedStep, at: Span, ports: Ports) -> None:
    """One output; a target, a number or a step is refused."""
    value = None
    if isinstance(meaning, Tensor) and meaning.target:
        target_out(context, name, meaning, at, ports)
    elif isinstance(meaning, Tensor):
        value = meaning
    elif isinstance(meaning, NamedStep):
        context.report.error(
            "E210",
            f"`{name.text}` is a step, not a value",
            at,
            help="bind what comes out of it: `h = x -> ...` and `output h`",
        )
    elif not isinstance(meaning, Unknown):
        context.report.error("E316", f"an output is a tensor, and `{name.text}` is {kind_of(meaning)}", at)
    if name.text in ports.outputs:
        context.report.error("E223", f"`{name.text}` is an output already", name.span, help="keep one")
        return
    ports.outputs[name.text] = value


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
