"""Names that are no values, where a value is wanted or a call is written: steps, blocks, fns, chosen layers."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.elaborate import calls, evaluate, formulas, numbers
from kdsl.elaborate.callee import Call, flow_into, is_constant
from kdsl.elaborate.context import Context
from kdsl.elaborate.layers import one_value
from kdsl.elaborate.scope import UNKNOWN, Definition, LayerChoice, Meaning, Named, Tensor, Unknown
from kdsl.elaborate.words import short
from kdsl.ops.registry import LAYERS
from kdsl.syntax import tree


def call_results(context: Context, node: tree.Call) -> tuple[Meaning, ...]:
    """What a call gives: several values where a fn returns several, or a layer makes them, as `split` does."""
    bound = context.scope.find(node.name.text)
    if bound is not None and isinstance(bound.meaning, Definition) and isinstance(bound.meaning.item, tree.Fn):
        return formulas.fn_call(context, node, bound.meaning)
    layer = LAYERS.get(node.name.text)
    own = bound is not None and isinstance(bound.meaning, Named)
    if layer is not None and not own and node.name.text not in numbers.FUNCTIONS:
        return calls.layer_values(context, node, layer, {})
    return (evaluate.evaluate(context, node),)


def call(context: Context, node: tree.Call, found: Named) -> Meaning:
    """`focal(logits, label)` of a fn; blocks and steps are answered with the arrow they stand behind."""
    if not isinstance(found, Definition) or isinstance(found.item, tree.Block):
        arrow(context, node, found)
        return UNKNOWN
    values = formulas.fn_call(context, node, found)
    if len(values) == 1:
        return values[0]
    tensors = tuple(value if isinstance(value, Tensor) else UNKNOWN for value in values)
    return one_value(context, node.span, tensors)


def arrow(context: Context, node: tree.Call, found: Named) -> None:
    """`Residual(x, 32)`: the line with the arrow, as an edit where what flows in is plain."""
    name = node.name.text
    if isinstance(found, Definition):
        inputs = [parameter for parameter in found.item.parameters if not is_constant(parameter)]
        message, count = f"`{name}` is a block: what flows in stands before an arrow", len(inputs)
        sample = flow_into(Call(found, (), node.name.span, node.span))
    elif isinstance(found, LayerChoice):
        message, count, sample = f"`{name}` is a layer: what flows in stands before an arrow", 1, f"x -> {name}"
    else:
        message, count, sample = f"`{name}` is a step: what flows in stands before an arrow", 1, f"x -> {name}"
    plain = [each.value for each in node.arguments[:count] if each.name is None and is_plain(each.value)]
    edits = []
    if len(plain) == count and count:
        source = plain[0].span.text if count == 1 else f"({', '.join(value.span.text for value in plain)})"
        rest = ", ".join(each.span.text for each in node.arguments[count:])
        sample = f"{source} -> {name}({rest})" if rest else f"{source} -> {name}"
        edits = [Edit(node.span, calls.in_place(node, sample))]
    context.report.error("E212", message, node.span, help=f"write `{short(sample)}`", edits=edits)


def functions(context: Context) -> list[str]:
    """The fns in sight."""
    pairs = (item for scope in context.scope.outwards() for item in scope.names.items())
    return [name for name, bound in pairs if isinstance(bound.meaning, Definition) and bound.meaning.kind == "fn"]


def is_plain(value: tree.Value) -> bool:
    """What may stand before an arrow as it is."""
    return isinstance(value, (tree.Path, tree.Call, tree.Index, tree.Parens))


def not_a_value(context: Context, value: tree.Path, found: Named) -> Unknown:
    """A step's, block's or fn's name where a value is wanted."""
    name = value.names[0].text
    secondary = []
    if isinstance(found, Definition):
        kind = "a block" if found.kind == "block" else "a formula"
        first = found.item.parameters[0].name.text if found.item.parameters else ""
        help = (
            f"feed it: `{flow_into(Call(found, (), value.span, value.span))}`"
            if found.kind == "block"
            else f"call it: `{name}({first})`, or feed it: `{first or 'x'} -> {name}`"
        )
        secondary = [Label(found.item.name.span, "defined here")]
    elif isinstance(found, LayerChoice):
        kind, help = "a layer", f"it stands after an arrow: `x -> {name}`"
    else:
        kind, help = "a step", f"bind what comes out of it: `h = x -> {name}`, then use `h`"
    context.report.error("E210", f"`{name}` is {kind}, not a value", value.span, secondary=secondary, help=help)
    return UNKNOWN
