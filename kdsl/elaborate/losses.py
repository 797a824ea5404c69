"""Calls of losses and metrics: a prediction compared with a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kdsl.diagnostics.diagnostic import Edit
from kdsl.elaborate import evaluate, foreign
from kdsl.elaborate.arguments import Callee, bind
from kdsl.elaborate.constants import kind_of
from kdsl.elaborate.context import Context
from kdsl.elaborate.mismatch import report_mismatch
from kdsl.elaborate.names import near_edit
from kdsl.elaborate.optimizers import known, ours_for
from kdsl.elaborate.reprint import reprint
from kdsl.elaborate.scope import UNKNOWN, Link, Meaning, Tensor, Unknown
from kdsl.elaborate.words import joined, question, short
from kdsl.ops.registry import Refused
from kdsl.records import dataclass
from kdsl.syntax import tree
from kdsl.training.registry import LOSSES, METRICS, Compared


@dataclass
class Comparison:
    """A loss or metric in the graph, one number; its call reprinted, and what it compares as written."""

    tensor: Tensor
    text: str
    operands: str

    @property
    def value(self) -> str:
        return self.tensor.value


def named(name: str) -> bool:
    """Whether a call of this name is one of a loss or metric, of ours or of another library."""
    theirs = ours_for(name, LOSSES, foreign.LOSSES) or ours_for(name, METRICS, foreign.METRICS)
    return name in LOSSES or name in METRICS or bool(theirs)


def in_expression(context: Context, call: tree.Call) -> Meaning:
    """A loss or metric inside of an expression: the mean over the batch, one number."""
    name = call.name.text
    if context.comparing == "loss" and name in METRICS and name not in LOSSES:
        context.report.error(
            "E208",
            f"`{name}` is a metric: it has no gradient, so it cannot be part of a loss",
            call.name.span,
            help=known(LOSSES, "a loss"),
        )
        return UNKNOWN
    as_metric = context.comparing == "metrics" and (name in METRICS or not ours_for(name, LOSSES, foreign.LOSSES))
    path = context.place.step(call.span, name, None)[0]
    if as_metric and name not in LOSSES:
        found = compare(context, call, path, METRICS, "a metric", foreign.METRICS)
    else:
        found = compare(context, call, path, LOSSES, "a loss", foreign.LOSSES)
    return UNKNOWN if found is None else found.tensor


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
    pair = (str(prediction.type), target.value)
    if pair in work.mismatched:
        return None
    try:
        declared.guard(arguments.values, prediction.type, target.type)
        with work.build.at(call.span, layer=name):
            value = declared.lower(work.build, arguments.values, prediction.value, target.value)
    except Refused as refused:
        work.mismatched.add(pair)
        report_mismatch(context, refused.named(*names), call, arguments, prediction, target)
        return None
    texts = [reprint(each) for each in inputs]
    settings = arguments.text.removeprefix(declared.name)[1:-1]
    inner = ", ".join([*texts, *([settings] if settings else [])])
    type = work.build.type_of(value)
    link = Link(declared.name, type, call.span, declared.name, before=prediction.trail)
    tensor = Tensor(value, type, link, target.target or prediction.target)
    return Comparison(tensor, f"{declared.name}({inner})", ", ".join(texts))


def operand(context: Context, value: tree.Value, owner: str) -> Tensor | Unknown:
    found = evaluate.evaluate(context, value)
    if isinstance(found, (Tensor, Unknown)):
        return found
    context.report.error(
        "E316", f"`{owner}` compares tensors, and `{short(value.span.text)}` is {kind_of(found)}", value.span
    )
    return UNKNOWN


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
    operands: str | None = None,
) -> None:
    """A bare name or text where a call is wanted: `metrics = [accuracy]`.

    `operands` are those of the loss, where it is known; empty where it compares more than one pair.
    """
    name = value.value if isinstance(value, tree.Text) else value.text if isinstance(value, tree.Path) else ""
    ours = name if name in registry else ours_for(name, registry, theirs) if name else ""
    sample = f"`{ours or next(iter(registry))}({operands or 'logits, label'})`"
    help = f"say what it compares: {sample}"
    if ours and ours != name:
        help = f"`{name}` is `{ours}` here; {help}"
    edits = [Edit(value.span, f"{ours}({operands})")] if ours and operands and "..." not in operands else []
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
