"""Values: compile-time ones are computed, flows and calls become nodes of the graph."""

from __future__ import annotations

from kdsl.elaborate import calls, constants, flows, indexing, named, tensors, weights
from kdsl.elaborate.constants import Constant, Text, Time, Unfit, Word, kind_of, show
from kdsl.elaborate.context import Context
from kdsl.elaborate.names import look_up
from kdsl.elaborate.scope import UNKNOWN, Meaning, Named, Tensor, Unknown
from kdsl.elaborate.sizes import whole
from kdsl.elaborate.words import short
from kdsl.syntax import tree

CONDITION, ITEM = "the condition of `if`", "an item of a list"
INSTEAD = {  # where a tensor stands in their place
    CONDITION: "`where({}, a, b)` chooses for each element",
    ITEM: "`stack([{}, ...], axis = 0)` puts tensors side by side, `concat` one behind the other",
}


def evaluate(context: Context, value: tree.Value) -> Meaning:
    """What the value stands for; UNKNOWN where that is not known, and then the reason has been reported."""
    if isinstance(value, tree.Number):
        return value.value
    if isinstance(value, tree.Bool):
        return value.value
    if isinstance(value, tree.Quantity):
        return Time(value.value, value.unit)
    if isinstance(value, tree.Text):
        return Text(value.value)
    if isinstance(value, tree.Path):
        return path(context, value)
    if isinstance(value, tree.Parens):
        return evaluate(context, value.value)
    if isinstance(value, tree.ListOf):
        return list_of(context, value)
    if isinstance(value, tree.Unary):
        return unary(context, value)
    if isinstance(value, tree.Binary):
        return binary(context, value)
    if isinstance(value, tree.Choice):
        return choice(context, value)
    if isinstance(value, tree.Call):
        return calls.call(context, value)
    if isinstance(value, tree.Pipe):
        return flows.pipe(context, value)
    if isinstance(value, tree.Index):
        return index(context, value)
    for item in value.items:  # a tuple without an arrow, which the parser reports
        evaluate(context, item)
    return UNKNOWN


def constant(context: Context, value: tree.Value, what: str) -> Constant | None:
    """A value known when compiled; reports a tensor where `what` ("the count of `repeat`") needs a number or word."""
    found = evaluate(context, value)
    if isinstance(found, Tensor):
        context.report.error(
            "E313",
            f"{what} must be known when the model is compiled, and `{short(value.span.text)}` is computed from data",
            value.span,
            help=INSTEAD.get(what, "").format(short(value.span.text)),
        )
        return None
    return None if isinstance(found, Unknown) else found


def path(context: Context, value: tree.Path) -> Meaning:
    if len(value.names) > 1:
        return weights.dotted(context, value)
    found = look_up(context, value.names[0])
    return named.not_a_value(context, value, found) if isinstance(found, Named) else found


def list_of(context: Context, value: tree.ListOf) -> Meaning:
    items: list[Constant] = []
    for item in value.items:
        if isinstance(item, tree.Argument):  # a name in a list, which the parser reports
            return UNKNOWN
        found = constant(context, item, ITEM)
        if found is None:
            return UNKNOWN
        items.append(found)
    return tuple(items)


def unary(context: Context, value: tree.Unary) -> Meaning:
    operand = evaluate(context, value.value)
    if isinstance(operand, Tensor):
        return tensors.unary(context, value, operand)
    if isinstance(operand, Unknown):
        return UNKNOWN
    try:
        return constants.unary(value.operator, operand)
    except Unfit as unfit:
        context.report.error("E315", unfit.message, value.span)
        return UNKNOWN


def binary(context: Context, value: tree.Binary) -> Meaning:
    """Long sums lean to the left: they are walked, not recursed into."""
    spine = [value]
    while isinstance(spine[-1].left, tree.Binary):
        spine.append(spine[-1].left)
    left = evaluate(context, spine[-1].left)
    for node in reversed(spine):
        maybe_word = isinstance(left, Word) or (isinstance(left, Unknown) and node.operator in ("==", "!="))
        right = word(context, node.right) if maybe_word else evaluate(context, node.right)
        left = combine(context, node, left, right)
    return left


def word(context: Context, value: tree.Value) -> Meaning:
    """Beside a word, as in `pad == same`, an unbound name is a word too."""
    if isinstance(value, tree.Path) and len(value.names) == 1 and context.scope.find(value.text) is None:
        return Word(value.text)
    return evaluate(context, value)


def combine(context: Context, node: tree.Binary, left: Meaning, right: Meaning) -> Meaning:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return tensors.binary(context, node, left, right)
    try:
        return constants.binary(node.operator, left, right)
    except Unfit as unfit:
        message = f"`{short(node.span.text)}` is {unfit.message}" if unfit.numeric else unfit.message
        context.report.error("E314" if unfit.numeric else "E315", message, node.span)
        return UNKNOWN


def condition(context: Context, value: tree.Value) -> bool | None:
    """The truth of an `if`, which is chosen when the model is compiled."""
    found = constant(context, value, CONDITION)
    if found is None or isinstance(found, bool):
        return found
    context.report.error("E306", f"`if` takes true or false, not {kind_of(found)}", value.span)
    return None


def choice(context: Context, value: tree.Choice) -> Meaning:
    truth = condition(context, value.condition)
    if truth is not None:
        return evaluate(context, value.then if truth else value.otherwise)
    if context.unsized:
        evaluate(context, value.then)
        evaluate(context, value.otherwise)
    return UNKNOWN


def index(context: Context, value: tree.Index) -> Meaning:
    """`widths[0]` of a list, `x[0:4]` of a tensor."""
    found = evaluate(context, value.value)
    if isinstance(found, Tensor):
        return indexing.part(context, value, found)
    if isinstance(found, Unknown):
        return UNKNOWN
    if not isinstance(found, tuple):
        context.report.error("E306", f"only a list has items: this is {kind_of(found)}", value.value.span)
        return UNKNOWN
    if len(value.items) != 1 or isinstance(value.items[0], tree.Slice):
        context.report.error("E306", "a list takes one whole number in `[ ]`", value.span)
        return UNKNOWN
    return item(context, found, value.items[0])


def item(context: Context, values: tuple[Constant, ...], node: tree.Value) -> Meaning:
    position = constant(context, node, "a position in a list")
    number = None if position is None else whole(context, position, node, "a list")
    if number is None:
        return UNKNOWN
    if not -len(values) <= number < len(values):
        context.report.error("E307", f"the list {short(show(values))} has no item {number}", node.span)
        return UNKNOWN
    return values[number]
