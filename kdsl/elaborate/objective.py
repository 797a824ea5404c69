"""What training minimises and reports: any expression of losses, metrics and tensors, brought to one number."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Edit
from kdsl.elaborate import evaluate, foreign
from kdsl.elaborate.constants import is_number
from kdsl.elaborate.context import Context
from kdsl.elaborate.losses import compare, names_one, not_called
from kdsl.elaborate.numbers import FUNCTIONS
from kdsl.elaborate.reprint import reprint
from kdsl.elaborate.scope import Meaning, Tensor, Unknown
from kdsl.elaborate.words import short
from kdsl.ops.registry import LAYERS
from kdsl.records import dataclass, field, replace
from kdsl.source import Span
from kdsl.syntax import tree
from kdsl.training.registry import LOSSES, METRICS

TAKEN = ("loss", "lr")  # names that the history has for itself


@dataclass
class Objective:
    """The loss: its value in the graph, its text, what it compares where it is one call, and its summands by name."""

    value: str
    text: str
    operands: str
    span: Span
    parts: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Reported:
    """A metric: its name in the history, its value in the graph; `rises` says that larger ones are better."""

    name: str
    value: str
    rises: bool


# -- the loss ----------------------------------------------------------------------------------------


def loss_of(context: Context, value: tree.Value) -> Objective | None:
    """None where something is wrong, which has been reported."""
    inside = replace(context, comparing="loss")
    plain = without_parentheses(value)
    if isinstance(plain, tree.Call) and is_comparison(context, plain):
        found = compare(inside, plain, "loss", LOSSES, "a loss", foreign.LOSSES)
        return None if found is None else Objective(found.value, found.text, found.operands, value.span)
    if isinstance(plain, tree.Text) or is_bare_name(context, plain):
        not_called(context, plain, LOSSES, "a loss", foreign.LOSSES)
        return None
    summands: list[tuple[str, Tensor]] = []
    found_value = summed(inside.for_binding("loss"), plain, summands)
    if isinstance(found_value, Unknown):
        return None
    if not isinstance(found_value, Tensor):
        not_called(context, plain, LOSSES, "a loss", foreign.LOSSES)
        return None
    parts: list[tuple[str, str]] = []
    taken = set(TAKEN)
    for name, part in summands if len(summands) > 1 else ():
        name = numbered(name, taken)
        taken.add(name)
        parts.append((name, part.value))
    loss = one_number(context, found_value, value.span, "loss")  # a list of numbers among the summands makes a vector
    return Objective(loss, reprint(value), "", value.span, parts)


def summed(context: Context, value: tree.Value, parts: list[tuple[str, Tensor]]) -> Meaning:
    """The value of a sum, one number; its summands, without the numbers they are multiplied with, are added to `parts`.

    The mean of a sum is the sum of the means: each summand is brought to one number by itself.
    """
    value = without_parentheses(value)
    if not isinstance(value, tree.Binary) or value.operator not in "+-*/":
        return summand(context, value, parts)
    spine = [value]
    while isinstance(spine[-1].left, tree.Binary) and spine[-1].operator in "+-" and spine[-1].left.operator in "+-":
        spine.append(spine[-1].left)
    first = spine[-1]
    if first.operator in "*/":
        return scaled(context, first, parts)
    left = summed(context, first.left, parts)
    for node in reversed(spine):
        left = evaluate.combine(context, node, left, summed(context, node.right, parts))
    return left


def scaled(context: Context, node: tree.Binary, parts: list[tuple[str, Tensor]]) -> Meaning:
    """`0.3 * b`, `b / 2`: the part is `b`. A product of two tensors is a part itself."""
    if plain_number(context, node.right):
        return evaluate.combine(
            context, node, summed(context, node.left, parts), evaluate.evaluate(context, node.right)
        )
    if node.operator == "*" and plain_number(context, node.left):
        factor = evaluate.evaluate(context, node.left)
        return evaluate.combine(context, node, factor, summed(context, node.right, parts))
    return summand(context, node, parts)


def summand(context: Context, value: tree.Value, parts: list[tuple[str, Tensor]]) -> Meaning:
    found = evaluate.evaluate(context, value)
    if not isinstance(found, Tensor):
        return found
    name = name_of(value)
    number = one_number(context, found, value.span, f"loss.{name}")
    assert context.work is not None
    parts.append((name, replace(found, value=number, type=context.work.build.type_of(number))))
    return parts[-1][1]


def plain_number(context: Context, value: tree.Value) -> bool:
    """Whether a value is a number by its looks: literals, names of numbers, and what is calculated from them."""
    if isinstance(value, tree.Number):
        return True
    if isinstance(value, tree.Path):
        bound = context.scope.find(value.text)
        return bound is not None and is_number(bound.meaning)
    if isinstance(value, (tree.Parens, tree.Unary)):
        return plain_number(context, value.value)
    return isinstance(value, tree.Binary) and plain_number(context, value.right) and plain_number(context, value.left)


def name_of(value: tree.Value) -> str:
    """What a part of a loss is called in the history: `mse`, `penalty`."""
    if isinstance(value, tree.Call):
        return value.name.text
    if isinstance(value, tree.Path):
        return value.names[-1].text
    if isinstance(value, tree.Pipe) and isinstance(value.steps[-1], tree.Layer):
        return value.steps[-1].name.text
    if isinstance(value, tree.Unary):
        return name_of(without_parentheses(value.value))
    return "term"


# -- metrics -----------------------------------------------------------------------------------------


def metrics_of(context: Context, value: tree.Value, loss: Objective | None) -> list[Reported]:
    """Each metric once; names that repeat get numbers."""
    if not isinstance(value, tree.ListOf):
        single = isinstance(value, tree.Call)
        context.report.error(
            "E505",
            "`metrics` is a list",
            value.span,
            help=f"`metrics = [{short(value.span.text)}]`" if single else "`metrics = [accuracy(logits, label)]`",
            edits=[Edit(value.span, f"[{value.span.text}]")] if single else [],
        )
        return []
    inside = replace(context, comparing="metrics")
    found: list[Reported] = []
    taken = {*TAKEN, *(name for name, _ in (loss.parts if loss is not None else ()))}
    operands = loss.operands if loss is not None else ""
    strays = False  # an item that names no metric was reported: the list was probably meant otherwise
    for own, written in items(value):
        plain = without_parentheses(written)
        if isinstance(plain, tree.Text) or is_bare_name(context, plain):
            if not strays:
                not_called(context, plain, METRICS, "a metric", foreign.METRICS, operands if loss is not None else None)
            strays = strays or not names_one(plain, METRICS, foreign.METRICS)
            continue
        if own is not None and not free(context, own, taken):
            continue
        if own is None and isinstance(plain, (tree.Binary, tree.Unary, tree.Index, tree.Choice)):
            unnamed(context, written)
            continue
        name = own.text if own is not None else numbered(name_of(plain), taken)
        taken.add(name)
        metric = metric_value(inside, plain, written.span, name)
        if metric is not None:
            rises = isinstance(plain, tree.Call) and plain.name.text in METRICS and METRICS[plain.name.text].rises
            found.append(Reported(name, metric, rises))
    return found


def items(value: tree.ListOf) -> Iterator[tuple[tree.Name | None, tree.Value]]:
    for item in value.items:
        yield (item.name, item.value) if isinstance(item, tree.Argument) else (None, item)


def metric_value(context: Context, value: tree.Value, at: Span, name: str) -> str | None:
    """One metric in the graph; None where something is wrong, which has been reported."""
    if isinstance(value, tree.Call) and is_comparison(context, value):
        registry = LOSSES if value.name.text not in METRICS and value.name.text in LOSSES else METRICS
        found = compare(context, value, name, registry, "a metric", foreign.METRICS)
        return None if found is None else found.value
    meaning = evaluate.evaluate(context.for_binding(name), value)
    if isinstance(meaning, Unknown):
        return None
    if not isinstance(meaning, Tensor):
        not_called(context, value, METRICS, "a metric", foreign.METRICS)
        return None
    return one_number(context, meaning, at, name)


def unnamed(context: Context, value: tree.Value) -> None:
    text = short(value.span.text)
    context.report.error(
        "E505",
        "a metric that is calculated needs a name for the history",
        value.span,
        help=f"for instance `error = {text}`",
        edits=[Edit(Span(value.span.source, value.span.start, value.span.start), "error = ")],
    )


def free(context: Context, name: tree.Name, taken: set[str]) -> bool:
    if name.text not in taken and not name.text.startswith("val_"):
        return True
    reason = "`val_` marks values of the validation data" if name.text not in taken else f"`{name.text}` is taken"
    context.report.error("E505", f"a metric cannot be called `{name.text}`: {reason}", name.span)
    return False


def numbered(name: str, taken: set[str]) -> str:
    number, tried = 2, name
    while tried in taken:
        tried, number = f"{name}_{number}", number + 1
    return tried


# -- both --------------------------------------------------------------------------------------------


def one_number(context: Context, tensor: Tensor, at: Span, name: str) -> str:
    """The mean over the batch and all axes; a scalar as it is."""
    from kdsl.ops.cast import as_float

    assert context.work is not None
    build = context.work.build
    with build.at(at, layer=name):
        value = as_float(build, tensor.value)
        if tensor.type.batched:
            return build.add("mean", [value], name=name)
        if tensor.type.shape == ():
            return value
        axes = tuple(range(tensor.type.rank))
        return build.add("reduce_mean", [value], {"axes": axes, "keep": False}, name=name)


def without_parentheses(value: tree.Value) -> tree.Value:
    while isinstance(value, tree.Parens):
        value = value.value
    return value


def is_comparison(context: Context, call: tree.Call) -> bool:
    """Whether a call is one of a loss or metric, perhaps of a misspelt one: not of a function, nor of what is bound."""
    name = call.name.text
    if name in LOSSES or name in METRICS:
        return context.scope.find(name) is None
    return name not in LAYERS and name not in FUNCTIONS and context.scope.find(name) is None


def is_bare_name(context: Context, value: tree.Value) -> bool:
    """A name that nothing binds: `metrics = [accuracy]`."""
    return isinstance(value, tree.Path) and len(value.names) == 1 and context.scope.find(value.text) is None
