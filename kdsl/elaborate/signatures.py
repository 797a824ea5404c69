"""Arguments of blocks and fns, matched with the parameters that their first line declares."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.elaborate import evaluate
from kdsl.elaborate.arguments import twice
from kdsl.elaborate.callee import Argument, Call, flow_into
from kdsl.elaborate.constants import Word, show
from kdsl.elaborate.context import Context
from kdsl.elaborate.names import near_edit
from kdsl.elaborate.parameters import SAMPLES, of_type
from kdsl.elaborate.scope import UNKNOWN, LayerChoice, Named, Tensor, Unknown
from kdsl.elaborate.unknown_layer import unknown_layer
from kdsl.elaborate.words import counted, joined, listed, question, short
from kdsl.ops.registry import LAYERS
from kdsl.source import Span
from kdsl.syntax import tree


def matched(
    context: Context, call: Call, parameters: Sequence[tree.Parameter], positional: int
) -> dict[str, tree.Argument] | None:
    """Parameter -> the argument given for it; None where something is wrong, which has been reported.

    The first `positional` parameters may be given without a name.
    """
    names = [parameter.name.text for parameter in parameters]
    found: dict[str, tree.Argument] = {}
    sound = True
    unnamed = 0
    for argument in call.arguments:
        key = None
        if argument.name is None:
            key = names[unnamed] if unnamed < positional else None
            unnamed += 1
            if key is None and unnamed == positional + 1:  # the first too many speaks for the others
                too_many(context, call, names, positional, argument)
        elif argument.name.text in names:
            key = argument.name.text
        else:
            unknown_argument(context, call, names, list(found), argument.name)
        if key is None:
            sound = False
        elif key in found:
            twice(context, key, found[key], argument)
            sound = False
        else:
            found[key] = argument
    for parameter in parameters:
        if parameter.default is None and parameter.name.text not in found and sound:
            missing(context, call, parameter)
            sound = False
    return found if sound else None


def too_many(context: Context, call: Call, names: list[str], positional: int, argument: tree.Argument) -> None:
    given = short(argument.value.span.text)
    flowing = [each.name.text for each in call.definition.item.parameters if each.name.text not in names]
    help, edits = f"leave out `{given}`", left_out(call, argument)
    if flowing:
        help += f"; its {listed(flowing, 'and')} {'stands' if len(flowing) == 1 else 'stand'} before the arrow"
    if not names:
        message = f"`{call.name}` takes no {'further ' if flowing else ''}arguments"
    elif positional == len(names):
        message = f"`{call.name}` takes {counted(len(names), 'argument')}: {', '.join(names)}"
    else:
        message = f"`{call.name}` takes one argument without a name, its `{names[0]}`"
        help = f"say which it is: {listed(names[positional:])}, as in `{names[positional]} = {given}`"
        edits = [Edit(argument.span, f"{names[positional]} = {argument.span.text}")] if len(names) == 2 else []
    context.report.error("E308", message, argument.span, help=help, edits=edits)


def left_out(call: Call, argument: tree.Argument) -> list[Edit]:
    """The edit that takes an argument behind others away, with the comma before it."""
    place = call.arguments.index(argument)
    if place == 0:
        return []
    before = call.arguments[place - 1].span
    return [Edit(Span(argument.span.source, before.stop, argument.span.stop), "")]


def unknown_argument(context: Context, call: Call, names: list[str], taken: list[str], written: tree.Name) -> None:
    item = call.definition.item
    flowing = [each.name.text for each in item.parameters if each.name.text not in names]
    takes = f"`{call.name}` takes {', '.join(names)}" if names else f"`{call.name}` takes no arguments"
    if written.text in flowing:
        help = f"`{written.text}` flows in: `{flow_into(call)}`"
        edits = []
    else:
        free = [name for name in names if name not in taken]
        parts = [name for name in free if name in written.text.split("_")]  # Keras's `num_heads`
        meant = f"did you mean `{parts[0]}`?" if parts else question(written.text, free)
        edits = [Edit(written.span, parts[0])] if parts else near_edit(written.span, written.text, free)
        help = joined(meant, takes)
    context.report.error(
        "E302", f"`{call.name}` has no argument `{written.text}`", written.span, help=help, edits=edits
    )


def missing(context: Context, call: Call, parameter: tree.Parameter) -> None:
    name = parameter.name.text
    type = parameter.type.name.text if parameter.type is not None else ""
    names = [each.name.text for each in call.definition.item.parameters]
    sample = f"{name} = {SAMPLES.get(type, '1')}"
    context.report.error(
        "E301",
        f"`{call.name}` needs its `{name}`",
        call.place,
        secondary=[Label(parameter.span, "declared here, without a default")],
        help=f"for instance `{call.name}({sample if type else ', '.join(names)})`",
    )


# -- values ------------------------------------------------------------------------------------------


def argument_value(context: Context, parameter: tree.Parameter, node: tree.Value) -> Argument:
    """What a compile-time parameter is given by a value that is written in this context."""
    assert parameter.type is not None
    type = parameter.type.name.text
    constants = context.only_constants(f"the argument `{parameter.name.text}`")
    if type == "layer":
        return layer_choice(context, parameter, node)
    bare = isinstance(node, tree.Path) and len(node.names) == 1
    if type == "word" and isinstance(node, tree.Text):
        quoted(context, parameter.name.text, node)
        return UNKNOWN
    if type == "word" and isinstance(node, tree.Path) and bare and context.scope.find(node.text) is None:
        return Word(node.text)
    found = evaluate.constant(constants, node, f"the argument `{parameter.name.text}`")
    if found is None:
        return UNKNOWN
    value = of_type(context, parameter.name.text, type, found, node.span)
    return UNKNOWN if value is None else value


def quoted(context: Context, name: str, node: tree.Text) -> None:
    plain = node.value.isidentifier()
    context.report.error(
        "E304",
        f"`{name}` takes a word, not text",
        node.span,
        help=f"leave the quotes out: `{node.value}`" if plain else "a word is a name without quotes",
        edits=[Edit(node.span, node.value)] if plain else [],
    )


def layer_choice(context: Context, parameter: tree.Parameter, node: tree.Value) -> Argument:
    """`act = gelu`, `mix = dense(8)`: a step, to be taken where the parameter's name stands after an arrow."""
    while isinstance(node, tree.Parens):
        node = node.value
    if isinstance(node, tree.Path) and len(node.names) == 1:
        step = tree.Layer(node.names[0], None, None, node.span)
    elif isinstance(node, tree.Call):
        step = tree.Layer(node.name, node.arguments, None, node.span)
    else:
        context.report.error(
            "E312",
            f"`{parameter.name.text}` is a layer, and `{short(node.span.text)}` is none",
            node.span,
            help=f"for instance `{parameter.name.text} = relu`, or `{parameter.name.text} = dense(8)`",
        )
        return UNKNOWN
    bound = context.scope.find(step.name.text)
    meaning = None if bound is None else bound.meaning
    if isinstance(meaning, LayerChoice) and step.arguments is None:
        return meaning
    if isinstance(meaning, (Named, Unknown)):
        return LayerChoice(step, context) if isinstance(meaning, Named) else UNKNOWN
    if step.name.text in LAYERS:
        return LayerChoice(step, context)
    unknown_layer(context, step, bound)
    return UNKNOWN


def printed(call: Call, found: dict[str, tree.Argument], values: dict[str, Argument]) -> str:
    """The call with the values it was made with: `Residual(32, stride = 2)`."""
    parts = []
    for key, argument in found.items():
        value = values.get(key, UNKNOWN)
        if isinstance(value, LayerChoice):
            text = short(value.step.span.text)
        elif isinstance(value, (Tensor, Unknown, Named)):
            text = short(argument.value.span.text)
        else:
            text = short(show(value))
        parts.append(text if argument.name is None else f"{key} = {text}")
    return f"{call.name}({', '.join(parts)})" if parts else call.name
