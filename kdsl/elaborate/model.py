"""One model: its parameters, its body, its `train` block, put together into a program."""

from __future__ import annotations

from collections.abc import Mapping

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate.augment import Change, augmented, is_image
from kdsl.elaborate.constants import Constant
from kdsl.elaborate.context import Context, Work
from kdsl.elaborate.mixing import WantsWholeNumbers
from kdsl.elaborate.parameters import bind_parameters
from kdsl.elaborate.program import ModelProgram
from kdsl.elaborate.scope import Place, Scope, Tensor, Unknown
from kdsl.elaborate.statements import Ports, line_after, run_body
from kdsl.elaborate.train import Trained, elaborate_train
from kdsl.graph.graph import Attribute, Graph
from kdsl.records import replace
from kdsl.source import Span
from kdsl.syntax import tree


def elaborate_model(
    file: Context,
    model: tree.Model,
    train: tree.Train | None,
    settings: Mapping[str, tuple[Constant, Span]],
) -> ModelProgram | None:
    """None where something is wrong, which has been reported."""
    before = len(file.report.diagnostics)
    scope = Scope(model.name.text, file.scope)
    context = replace(file, scope=scope, place=Place(), work=Work())
    parameters = bind_parameters(context, model, settings)
    ports = Ports()
    run_body(context, model.body, ports)
    check_ends(context, model, ports)
    trained = None
    if train is not None:
        trained = elaborate_train(context.within(scope.inner()), train, ports.targets)
        if trained is not None and not learns(context, trained):
            trained = None
    unknown = any(isinstance(bound.meaning, Unknown) for bound in scope.names.values())
    unread = unknown or any(isinstance(statement, tree.Broken) for statement in model.body)
    if unread or len(file.report.diagnostics) > before or (train is not None and trained is None):
        return None
    made = program(context, model, ports, trained, parameters)
    return made if len(file.report.diagnostics) == before else None


def program(
    context: Context,
    model: tree.Model,
    ports: Ports,
    trained: Trained | None,
    parameters: tuple[tuple[str, Attribute], ...],
) -> ModelProgram:
    work = context.work
    assert work is not None
    outputs = [(name, value) for name, value in ports.outputs.items() if value is not None]
    graph = Graph(
        model.name.text,
        tuple(work.build.nodes),
        tuple((name, value.value) for name, value in outputs),
        None if trained is None else trained.loss,
        () if trained is None else trained.metrics,
    )
    if trained is not None and trained.changes:
        graph = with_changes(context, graph, trained.changes)
    return ModelProgram(
        model.name.text,
        model.doc,
        parameters,
        tuple(ports.inputs),
        tuple(ports.targets),
        tuple((name, graph[value].type) for name, value in graph.outputs),
        tuple(work.weights.values()),
        tuple(work.layers),
        graph,
        None if trained is None else trained.training,
        model.span,
        tuple(work.calls),
    )


def with_changes(context: Context, graph: Graph, changes: tuple[Change, ...]) -> Graph:
    """The graph with its image augmented and its samples mixed; reported where something that reads them cannot take that."""
    try:
        return augmented(graph, changes)
    except WantsWholeNumbers as error:
        of_image = [change for change in changes if not change.declared.mixes and is_image(graph[error.source])]
        if of_image:
            message = "`augment` makes fractions of whole numbers, and the image is read as classes"
            reader = Label(error.node.origin[0], "reads it as classes")
            context.report.error("E524", message, of_image[0].at, secondary=[reader])
            return graph
        change = next(change for change in changes if change.declared.mixes)
        what = {"index": "classes", "bool": "true or false"}.get(graph[error.source].type.dtype, "whole numbers")
        context.report.error(
            "E525",
            f"`{change.declared.name}` makes fractions, and `{error.source}` is read as {what}",
            change.at,
            secondary=[Label(error.node.origin[0], f"reads it as {what}")],
            help="a class can be mixed where it is the target of `cross_entropy`, `accuracy` or `top_k`",
        )
        return graph


def check_ends(context: Context, model: tree.Model, ports: Ports) -> None:
    """A model has an input and an output; where a statement could not be read or is misplaced, it may have been that one."""
    if any(isinstance(statement, (tree.Broken, tree.Return)) for statement in model.body):
        return
    name = model.name.text
    if not any(isinstance(statement, tree.Input) for statement in model.body):
        context.report.error(
            "E220", f"`{name}` has no input", model.head, help="for instance `input image: f32[28, 28]`"
        )
    elif not any(isinstance(statement, tree.Output) for statement in model.body):
        last = last_value(context, model)
        context.report.error(
            "E221",
            f"`{name}` has no output, so `predict` would return nothing",
            model.head,
            help=f"`output {last or 'name'}` at the end of the body says what it returns",
            edits=line_after(model.body[-1], model.span, f"output {last}") if last else [],
        )


def last_value(context: Context, model: tree.Model) -> str:
    """The last value of the body that could be an output."""
    for statement in reversed(model.body):
        if isinstance(statement, tree.Let):
            bound = context.scope.names.get(statement.names[0].text)
            if bound is not None and isinstance(bound.meaning, Tensor) and not bound.meaning.target:
                return statement.names[0].text
    return ""


def learns(context: Context, trained: Trained) -> bool:
    """Whether the loss depends on a trainable weight; reports it otherwise."""
    work = context.work
    assert work is not None
    nodes = {node.name: node for node in work.build.nodes}
    left, seen = [trained.loss], set[str]()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in work.weights and work.weights[name].trainable:
            return True
        left.extend(nodes[name].inputs)
    context.report.error(
        "E509",
        "the loss depends on no weights, so there is nothing to train",
        trained.at,
        help="a layer with weights, such as `dense`, must lie between the inputs and the loss",
    )
    return False
