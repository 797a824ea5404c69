"""Calls as values: `softmax(logits)`, `floor(width / 2)`."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Edit
from kdsl.elaborate import constants, evaluate, foreign
from kdsl.elaborate.arguments import Callee, bind
from kdsl.elaborate.constants import Constant, Unfit, kind_of
from kdsl.elaborate.context import Context
from kdsl.elaborate.layers import apply
from kdsl.elaborate.names import near_edit
from kdsl.elaborate.not_yet import FUNCTIONS, SCHEDULES, not_yet
from kdsl.elaborate.not_yet import LAYERS as LATER
from kdsl.elaborate.scope import UNKNOWN, Meaning, NamedStep, Tensor, Unknown
from kdsl.elaborate.words import question, short
from kdsl.ops.registry import LAYERS, Layer
from kdsl.syntax import tree
from kdsl.training.registry import LOSSES, METRICS, OPTIMIZERS


def call(context: Context, node: tree.Call) -> Meaning:
    """A compile-time function of numbers, or a layer without weights applied to values."""
    name = node.name.text
    bound = context.scope.find(name)
    if bound is not None and isinstance(bound.meaning, NamedStep):
        arrow(context, node, f"`{name}` is a step: what flows in stands before an arrow", name)
        return UNKNOWN
    if name in constants.FUNCTIONS:
        return number_function(context, node)
    if name in LAYERS:
        return layer_call(context, node, LAYERS[name])
    if bound is None or not isinstance(bound.meaning, Unknown):
        unknown_function(context, node)
    return UNKNOWN


def number_function(context: Context, node: tree.Call) -> Meaning:
    """`floor`, `ceil`, `min`, `max` of numbers; of tensors, later."""
    values: list[Constant] = []
    known = True
    for argument in node.arguments:
        found = evaluate.evaluate(context, argument.value)
        if isinstance(found, Tensor):
            not_yet(context.report, f"tensor functions such as `{node.name.text}`", node.span)
            return UNKNOWN
        if isinstance(found, Unknown):
            known = False
        else:
            values.append(found)
    if not known:
        return UNKNOWN
    try:
        return constants.call(node.name.text, values)
    except Unfit as unfit:
        context.report.error("E315", unfit.message, node.span)
        return UNKNOWN


def layer_call(context: Context, node: tree.Call, layer: type[Layer]) -> Meaning:
    """`softmax(logits, axis = 0)`: the inputs come first. What has weights stands after an arrow."""
    if context.work is None:
        context.report.error(
            "E313",
            f"{context.what} must be known when the model is compiled: `{layer.name}` computes with data",
            node.span,
        )
        return UNKNOWN
    fewest = max(1, layer.arity[0])
    inputs = [argument for argument in node.arguments[:fewest] if argument.name is None]
    rest = node.arguments[len(inputs) :]
    if layer.weights is not Layer.weights:
        text = rewritten(layer, node)
        arrow(context, node, f"`{layer.name}` has weights, so it stands after an arrow", text)
        return UNKNOWN
    if not inputs:
        needs_input(context, node, layer)
        return UNKNOWN
    values = [as_input(context, argument.value, layer) for argument in inputs]
    callee = Callee(layer.name, layer.parameters, node.name.span, node.span)
    arguments = bind(context, callee, rest)
    if context.work.exhausted:
        return UNKNOWN
    path, weights = context.place.step(node.span, layer.name, None)
    return apply(context, layer, callee, arguments, tuple(values), path, weights)


def as_input(context: Context, value: tree.Value, layer: type[Layer]) -> Tensor | Unknown:
    found = evaluate.evaluate(context, value)
    if isinstance(found, (Tensor, Unknown)):
        return found
    text = short(value.span.text)
    context.report.error(
        "E316",
        f"`{layer.name}` computes with a tensor, and `{text}` is {kind_of(found)}",
        value.span,
        help=f"its inputs come first: `{layer.name}(x)`, or `x -> {layer.name}`",
    )
    return UNKNOWN


def needs_input(context: Context, node: tree.Call, layer: type[Layer]) -> None:
    context.report.error(
        "E316",
        f"`{layer.name}` is called without what it computes with",
        node.span,
        help=f"its input comes first: `{layer.name}(x)`, or `x -> {layer.name}`",
    )


def rewritten(layer: type[Layer], node: tree.Call) -> str:
    """`dense(x, 10)` and `dense(10)` as a step: `dense(10)`."""
    tensors = [a for a in node.arguments if a.name is None and isinstance(a.value, (tree.Path, tree.Call, tree.Pipe))]
    others = [a for a in node.arguments if a not in tensors[:1]]
    result = foreign.translated(layer.name, layer.parameters, others)
    return result[0] + result[1] if result else f"{layer.name}(...)"


def arrow(context: Context, node: tree.Call, message: str, step: str) -> None:
    """Something that stands after an arrow was called: the line with the arrow, as an edit where the input is plain."""
    first = node.arguments[0] if node.arguments else None
    source = first.value if first is not None and first.name is None else None
    plain = isinstance(source, (tree.Path, tree.Call)) and "..." not in step
    text = f"{short(source.span.text)} -> {step}" if isinstance(source, (tree.Path, tree.Call)) else f"x -> {step}"
    edits = [Edit(node.span, in_place(node, text))] if plain else []
    context.report.error("E212", message, node.name.span, help=f"`{text}`", edits=edits)


def in_place(node: tree.Call, flow: str) -> str:
    """The flow as it can stand where the call stood: an arrow and an operator never meet without parentheses."""
    text = node.span.source.text
    before, behind = text[: node.span.start].rstrip()[-1:], text[node.span.stop :].lstrip(" ")
    alone = before in "=,([" and (behind[:1] in "\n,)]}#" or behind.startswith("->"))
    return flow if alone else f"({flow})"


def unknown_function(context: Context, node: tree.Call) -> None:
    """Reports a call of what is no layer, unless what it names could not be read."""
    name = node.name.text
    if context.items.later_feature(name) or (context.items.any_unread and name[:1].isupper()):
        return
    ours = foreign.layer_here(name)[0] or (foreign.lowered(name) if foreign.lowered(name) in LAYERS else "")
    kinds = (
        ("a loss", LOSSES, "loss = "),
        ("a metric", METRICS, "metrics = "),
        ("an optimizer", OPTIMIZERS, "optimizer = "),
    )
    for what, registry, setting in kinds:
        if name in registry and not ours:
            help = f"it stands in `train`: `{setting}{'[' if what == 'a metric' else ''}{name}(...)`"
            help = help.replace("(...)`", "(...)]`") if what == "a metric" else help
            context.report.error("E208", f"`{name}` is {what}, not a value", node.name.span, help=help)
            return
    if name in FUNCTIONS or name in LATER:
        not_yet(context.report, f"tensor functions such as `{name}`", node.span)
        return
    if name in SCHEDULES:
        not_yet(context.report, "learning rate schedules", node.span)
        return
    if context.scope.is_porous() and not ours:
        return
    functions = [*LAYERS, *constants.FUNCTIONS]
    help, edits = question(name, functions), near_edit(node.name.span, name, functions)
    if ours and LAYERS[ours].weights is Layer.weights:
        help = f"it is called `{ours}` here"
        edits = [Edit(node.name.span, ours)]
    elif ours:
        help, edits = f"it is a layer here: `x -> {rewritten(LAYERS[ours], node)}`", []
    context.report.error("E208", f"I do not know a function called `{name}`", node.name.span, help=help, edits=edits)
