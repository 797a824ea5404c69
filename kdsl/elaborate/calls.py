"""Calls as values: `softmax(logits)`, `floor(width / 2)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdsl.diagnostics.diagnostic import Edit
from kdsl.elaborate import evaluate, foreign, library, losses, named, numbers, tensors
from kdsl.elaborate.arguments import AXIS_IS_NAMED, Callee, bind
from kdsl.elaborate.constants import Unfit, kind_of
from kdsl.elaborate.context import Context
from kdsl.elaborate.layers import Values, apply, one_value
from kdsl.elaborate.names import near_edit
from kdsl.elaborate.not_yet import LAYERS as LATER
from kdsl.elaborate.not_yet import not_yet
from kdsl.elaborate.scope import UNKNOWN, Meaning, Named, Tensor, Unknown
from kdsl.elaborate.words import question, short
from kdsl.ops.registry import LAYERS, Layer
from kdsl.syntax import tree
from kdsl.training.registry import AUGMENTATIONS, LOSSES, METRICS, OPTIMIZERS, REGULARIZERS, SCHEDULES

SETTINGS: dict[str, tuple[Mapping[str, object], str]] = {
    "a loss": (LOSSES, "loss = {}"),
    "a metric": (METRICS, "metrics = [{}]"),
    "an optimizer": (OPTIMIZERS, "optimizer = {}"),
    "a schedule": (SCHEDULES, "schedule = {}"),
    "a regularizer": (REGULARIZERS, "regularize = {}"),
    "an augmentation": (AUGMENTATIONS, "augment = [{}]"),
}


def call(context: Context, node: tree.Call) -> Meaning:
    """A compile-time function of numbers, or a layer without weights applied to values."""
    name = node.name.text
    bound = context.scope.find(name)
    if bound is not None and isinstance(bound.meaning, Named):
        return named.call(context, node, bound.meaning)
    if context.comparing and name not in LAYERS and losses.named(name):
        return losses.in_expression(context, node)
    if name in numbers.FUNCTIONS:
        return of_numbers_or_tensors(context, node)
    if name in LAYERS:
        return layer_call(context, node, LAYERS[name], {})
    if bound is None or not isinstance(bound.meaning, Unknown):
        unknown_function(context, node)
    return UNKNOWN


def of_numbers_or_tensors(context: Context, node: tree.Call) -> Meaning:
    """`sqrt`, `max` ...: of numbers they are computed when compiled, of tensors they are layers."""
    name = node.name.text
    known = {
        place: evaluate.evaluate(context, argument.value)
        for place, argument in enumerate(node.arguments)
        if argument.name is None
        and not (isinstance(argument.value, tree.ListOf) and name in LAYERS and LAYERS[name].listed)
    }
    empty = not node.arguments and context.work is not None and name not in AXIS_IS_NAMED
    if name in LAYERS and (empty or any(isinstance(found, Tensor) for found in known.values())):
        return layer_call(context, node, LAYERS[name], known)
    if any(isinstance(found, Unknown) for found in known.values()):
        return UNKNOWN
    try:
        return numbers.call(name, [found for found in known.values() if not isinstance(found, (Tensor, Unknown))])
    except Unfit as unfit:
        message = f"`{short(node.span.text)}` is {unfit.message}" if unfit.numeric else unfit.message
        context.report.error("E314" if unfit.numeric else "E315", message, node.span)
        return UNKNOWN


# -- layers --------------------------------------------------------------------------------------------


def layer_call(context: Context, node: tree.Call, layer: type[Layer], known: Mapping[int, Meaning]) -> Meaning:
    """The one value of `layer_values`."""
    return one_value(context, node.span, layer_values(context, node, layer, known))


def layer_values(context: Context, node: tree.Call, layer: type[Layer], known: Mapping[int, Meaning]) -> Values:
    """`softmax(logits, axis = 0)`: the inputs come first. What has weights stands after an arrow.

    `known` are arguments that have been evaluated, by their place in the call.
    """
    if context.work is None:
        context.report.error(
            "E313",
            f"{context.what} must be known when the model is compiled: `{layer.name}` computes with data",
            node.span,
        )
        return (UNKNOWN,)
    if layer.weights is not Layer.weights:
        text = rewritten(layer, node)
        arrow(context, node, f"`{layer.name}` has weights, so it stands after an arrow", text)
        return (UNKNOWN,)
    inputs, rest = divided(layer, node.arguments)
    if not inputs and layer.arity != (0, 0):
        needs_input(context, node, layer)
        return (UNKNOWN,)
    if layer.name in AXIS_IS_NAMED and any(argument.name is None for argument in rest):
        name_the_axis(context, node, layer.name)
        return (UNKNOWN,)
    places = {argument.value.span: place for place, argument in enumerate(node.arguments)}
    found = [
        known[places[value.span]] if places.get(value.span) in known else evaluate.evaluate(context, value)
        for value in inputs
    ]
    numeric = not any(isinstance(each, (Tensor, Unknown)) for each in found)
    values = [as_input(context, each, value, layer, numeric) for each, value in zip(found, inputs, strict=True)]
    callee = Callee(layer.name, layer.parameters, node.name.span, node.span, ordered=layer.function)
    arguments = bind(context, callee, rest)
    if context.work.exhausted:
        return (UNKNOWN,)
    path, weights = context.place.step(node.span, layer.name, None)
    return apply(context, layer, callee, arguments, tuple(values), path, weights)


def divided(
    layer: type[Layer], arguments: Sequence[tree.Argument]
) -> tuple[Sequence[tree.Value], Sequence[tree.Argument]]:
    """(inputs, other arguments). A quoted text that comes first is an argument, as in `einsum("ij->ji", x)`."""
    unnamed = [argument for argument in arguments if argument.name is None]
    takes_text = any(parameter.positional and parameter.kind == "text" for parameter in layer.parameters.values())
    if takes_text and unnamed and isinstance(unnamed[0].value, tree.Text):
        del unnamed[0]
    most = len(unnamed) if layer.arity[1] is None else layer.arity[1]
    count = most if layer.function or layer.listed else min(most, max(1, layer.arity[0]))
    first = unnamed[0].value if unnamed else None
    if layer.listed and isinstance(first, tree.ListOf) and (len(unnamed) == 1 or not layer.scalars):
        inputs = [item.value if isinstance(item, tree.Argument) else item for item in first.items]
        taken = unnamed[:1]
    else:
        taken = unnamed[:count]
        inputs = [argument.value for argument in taken]
    used = {id(argument) for argument in taken}
    return inputs, [argument for argument in arguments if id(argument) not in used]


def as_input(
    context: Context, found: Meaning, value: tree.Value, layer: type[Layer], numeric: bool
) -> Tensor | Unknown:
    """What a layer computes with. `numeric`: nothing but numbers was given, so there is nothing to compute with."""
    if isinstance(found, (Tensor, Unknown)):
        return found
    text = short(value.span.text)
    if layer.scalars and not numeric and context.work is not None and tensors.numeric(found):
        return tensors.constant(context, context.work, found, value.span) or UNKNOWN
    wants = "a tensor" if layer.arity[0] < 2 else "tensors"
    help = f"its inputs come first: `{layer.name}(x)`, or `x -> {layer.name}`"
    if layer.name in ("maximum", "minimum") and numeric:
        help = f"of numbers it is `{layer.name[:3]}`"
    elif layer.arity[0] > 1:
        help = "a list of numbers is no tensor here" if isinstance(found, tuple) else ""
    context.report.error(
        "E316", f"`{layer.name}` computes with {wants}, and `{text}` is {kind_of(found)}", value.span, help=help
    )
    return UNKNOWN


def needs_input(context: Context, node: tree.Call, layer: type[Layer]) -> None:
    context.report.error(
        "E316",
        f"`{layer.name}` is called without what it computes with",
        node.span,
        help=f"its input comes first: `{layer.name}(x)`, or `x -> {layer.name}`",
    )


def name_the_axis(context: Context, node: tree.Call, name: str) -> None:
    """`max(x, 0)`: which of the two is meant?"""
    first, second = (short(argument.value.span.text) for argument in node.arguments[:2])
    context.report.error(
        "E308",
        f"`{name}` of a tensor takes its axis by name",
        node.arguments[1].span,
        help=f"element by element it is `{name}imum({first}, {second})`, along an axis `{name}({first}, axis = {second})`",
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
    for what, (registry, setting) in SETTINGS.items():
        if name in registry and not ours:
            help = f"it stands in `train`: `{setting.format(f'{name}(...)')}`"
            context.report.error("E208", f"`{name}` is {what}, not a value", node.name.span, help=help)
            return
    if name in LATER:
        not_yet(context.report, f"`{name}` layers", node.span, LATER[name])
        return
    if context.scope.is_porous() and not ours:
        return
    if name == "range":
        count = short(node.arguments[-1].value.span.text) if node.arguments else "3"
        help = f"`repeat {count} {{ ... }}` makes copies; `for width in [16, 32] {{ ... }}` goes through a list"
        context.report.error("E208", "I do not know a function called `range`", node.name.span, help=help)
        return
    functions = [*LAYERS, *numbers.FUNCTIONS, *named.functions(context)]
    help, edits = question(name, functions), near_edit(node.name.span, name, functions)
    if ours and LAYERS[ours].weights is Layer.weights:
        help = f"it is called `{ours}` here"
        edits = [Edit(node.name.span, ours)]
    elif ours:
        help, edits = f"it is a layer here: `x -> {rewritten(LAYERS[ours], node)}`", []
    elif library.import_of(name):
        help, edits = f"it is in the library: `{library.import_of(name)}`", []
    context.report.error("E208", f"I do not know a function called `{name}`", node.name.span, help=help, edits=edits)
