"""Losses and metrics: a prediction compared with a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kdsl.diagnostics.diagnostic import Edit
from kdsl.elaborate import evaluate, foreign
from kdsl.elaborate.arguments import Callee, bind
from kdsl.elaborate.constants import kind_of
from kdsl.elaborate.context import Context
from kdsl.elaborate.mismatch import report_mismatch
from kdsl.elaborate.names import near_edit
from kdsl.elaborate.not_yet import not_yet
from kdsl.elaborate.optimizers import known, ours_for
from kdsl.elaborate.scope import UNKNOWN, Tensor, Unknown
from kdsl.elaborate.words import joined, question, short
from kdsl.ops.registry import Refused
from kdsl.source import Span
from kdsl.syntax import tree
from kdsl.training.registry import LOSSES, METRICS, Compared


@dataclass
class Comparison:
    """A loss or metric in the graph, and its call: reprinted, and what it compares as written."""

    value: str
    text: str
    operands: str
    span: Span


def loss_of(context: Context, value: tree.Value) -> Comparison | None:
    if isinstance(value, (tree.Binary, tree.Unary)):
        not_yet(context.report, "sums of losses", value.span)
        return None
    if not isinstance(value, tree.Call):
        not_called(context, value, LOSSES, "a loss", foreign.LOSSES)
        return None
    return compare(context, value, "loss", LOSSES, "a loss", foreign.LOSSES)


def metrics_of(context: Context, value: tree.Value, loss: Comparison | None) -> list[tuple[str, str]]:
    """(name, value) of each metric; names that repeat get numbers."""
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
    found: list[tuple[str, str]] = []
    taken: set[str] = {"loss"}
    strays = False  # an item that names no metric was reported: the list was probably meant otherwise
    for item in value.items:
        call = item.value if isinstance(item, tree.Argument) else item
        if not isinstance(call, tree.Call):
            if not strays:
                not_called(context, call, METRICS, "a metric", foreign.METRICS, loss)
            strays = strays or not names_one(call, METRICS, foreign.METRICS)
            continue
        own = item.name if isinstance(item, tree.Argument) else None
        if own is not None and not free(context, own, taken):
            continue
        name = own.text if own is not None else numbered(call.name.text, taken)
        taken.add(name)
        metric = compare(context, call, name, METRICS, "a metric", foreign.METRICS)
        if metric is not None:
            found.append((name, metric.value))
    return found


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


def compare(
    context: Context,
    call: tree.Call,
    name: str,
    registry: Mapping[str, type[Any]],
    what: str,
    theirs: Mapping[str, str],
) -> Comparison | None:
    """The call's ops added to the graph; None where something is wrong, which has been reported."""
    work = context.work
    assert work is not None
    inputs = [argument.value for argument in call.arguments[:2] if argument.name is None]
    inside = context.for_binding(name)
    operands = [operand(inside, value, call.name.text) for value in inputs]
    if call.name.text not in registry:
        unknown_comparison(context, call, operands, registry, what, theirs)
        return None
    declared: type[Compared] = registry[call.name.text]
    if len(inputs) < 2:
        needs_two(context, call)
        return None
    callee = Callee(declared.name, declared.parameters, call.name.span, call.span)
    arguments = bind(context, callee, call.arguments[2:])
    prediction, target = operands
    if arguments is None or not isinstance(prediction, Tensor) or not isinstance(target, Tensor) or work.exhausted:
        return None
    names = tuple(short(value.span.text) for value in inputs)
    if prediction.target and not target.target:
        swapped(context, call, inputs)
        return None
    if (prediction.value, target.value) in work.mismatched:
        return None
    try:
        declared.guard(arguments.values, prediction.type, target.type)
        with work.build.at(call.span, layer=name):
            value = declared.lower(work.build, arguments.values, prediction.value, target.value)
    except Refused as refused:
        work.mismatched.add((prediction.value, target.value))
        report_mismatch(context, refused.named(*names), call, arguments, prediction, target)
        return None
    texts = [reprint(each) for each in inputs]
    settings = arguments.text.removeprefix(declared.name)[1:-1]
    inner = ", ".join([*texts, *([settings] if settings else [])])
    return Comparison(value, f"{declared.name}({inner})", ", ".join(texts), call.span)


def operand(context: Context, value: tree.Value, owner: str) -> Tensor | Unknown:
    found = evaluate.evaluate(context, value)
    if isinstance(found, (Tensor, Unknown)):
        return found
    context.report.error(
        "E316", f"`{owner}` compares tensors, and `{short(value.span.text)}` is {kind_of(found)}", value.span
    )
    return UNKNOWN


def reprint(value: tree.Value) -> str:
    """A prediction or target as a program prints it, without the user's spacing and comments."""
    if isinstance(value, tree.Path):
        return value.text
    if isinstance(value, tree.Call):
        return f"{value.name.text}({', '.join(reprint(argument.value) for argument in value.arguments)})"
    if isinstance(value, tree.Parens):
        return reprint(value.value)
    if isinstance(value, tree.Pipe):
        return " -> ".join(
            [reprint(value.source), *("..." if not isinstance(s, tree.Layer) else s.name.text for s in value.steps)]
        )
    return "..."


# -- what is said ------------------------------------------------------------------------------------


def names_one(value: tree.Value, registry: Mapping[str, type[Any]], theirs: Mapping[str, str]) -> bool:
    """Whether a bare name or text means a metric, of ours or of another library."""
    name = value.value if isinstance(value, tree.Text) else value.text if isinstance(value, tree.Path) else ""
    return name in registry or bool(ours_for(name, registry, theirs))


def needs_two(context: Context, call: tree.Call) -> None:
    context.report.error(
        "E508",
        f"`{call.name.text}` compares two values, a prediction and a target",
        call.span,
        help=f"they come first: `{call.name.text}(logits, label)`",
    )


def swapped(context: Context, call: tree.Call, inputs: list[tree.Value]) -> None:
    first, second = inputs
    rest = call.span.source.text[second.span.stop : call.span.stop]
    text = f"{call.name.text}({second.span.text}, {first.span.text}{rest}"
    context.report.error(
        "E512",
        f"`{call.name.text}` takes the prediction first, and `{short(first.span.text)}` is a target",
        first.span,
        help=f"`{short(text)}`",
        edits=[Edit(call.span, text)],
    )


def not_called(
    context: Context,
    value: tree.Value,
    registry: Mapping[str, type[Any]],
    what: str,
    theirs: Mapping[str, str],
    loss: Comparison | None = None,
) -> None:
    """A bare name or text where a call is wanted: `metrics = [accuracy]`."""
    name = value.value if isinstance(value, tree.Text) else value.text if isinstance(value, tree.Path) else ""
    ours = name if name in registry else ours_for(name, registry, theirs) if name else ""
    operands = loss.operands if loss is not None else "logits, label"
    sample = f"`{ours or next(iter(registry))}({operands})`"
    help = f"say what it compares: {sample}"
    if ours and ours != name:
        help = f"`{name}` is `{ours}` here; {help}"
    edits = [Edit(value.span, f"{ours}({operands})")] if ours and loss is not None and "..." not in operands else []
    context.report.error("E508", f"{what} is a call with a prediction and a target", value.span, help=help, edits=edits)


def unknown_comparison(
    context: Context,
    call: tree.Call,
    operands: list[Tensor | Unknown],
    registry: Mapping[str, type[Any]],
    what: str,
    theirs: Mapping[str, str],
) -> None:
    name = call.name.text
    if context.items.later_feature(name) or context.items.any_unread:
        return
    ours = ours_for(name, registry, theirs)
    edits = []
    if ours:
        first, second = (*operands, None, None)[:2]
        plain = len(call.arguments) == 2 and isinstance(first, Tensor) and isinstance(second, Tensor)
        texts = [argument.value.span.text for argument in call.arguments]
        if plain and isinstance(first, Tensor) and isinstance(second, Tensor) and first.target and not second.target:
            texts.reverse()  # Keras's order is (target, prediction)
        text = f"{ours}({', '.join(texts)})" if plain else f"{ours}(logits, label)"
        help = f"it is `{ours}` here: `{short(text)}`"
        edits = [Edit(call.span, text)] if plain else []
    else:
        help = joined(question(name, registry), known(registry, what))
        edits = near_edit(call.name.span, name, list(registry))
    context.report.error("E208", f"I do not know {what} called `{name}`", call.name.span, help=help, edits=edits)
