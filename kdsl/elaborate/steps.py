"""A step by its name: a layer, a block, a fn, a step made before, or the layer that a parameter was given."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import blocks, flows, formulas
from kdsl.elaborate.context import Context
from kdsl.elaborate.layers import Values, call_span, layer_step
from kdsl.elaborate.names import bind_once
from kdsl.elaborate.scope import UNKNOWN, Definition, LayerChoice, NamedStep
from kdsl.elaborate.unknown_layer import unknown_layer
from kdsl.elaborate.words import short
from kdsl.ops.registry import LAYERS
from kdsl.records import replace
from kdsl.source import Span
from kdsl.syntax import tree


def named_step(context: Context, step: tree.Layer, values: Values) -> Values:
    """The step applied; with `as name` it can run again under that name."""
    bound = context.scope.find(step.name.text)
    if bound is not None and isinstance(bound.meaning, NamedStep):
        return again(context, step, bound.meaning, values)
    paths = context.place.step(step.span, called(context, step), step.alias.text if step.alias else None)
    made = applied(context, step, values, *paths)
    if made is not None:
        name_step(context, step, step.alias)
        return made
    unknown_layer(context, step, bound)
    if step.alias is not None:
        bind_once(context, step.alias, UNKNOWN)
    return (UNKNOWN,)


def applied(
    context: Context, step: tree.Layer, values: Values, path: str, weights: str, again: Span | None = None
) -> Values | None:
    """The values of a layer, block, fn or chosen layer; None where the name means none of them."""
    bound = context.scope.find(step.name.text)
    meaning = None if bound is None else bound.meaning
    if isinstance(meaning, Definition):
        made = blocks.block_step if isinstance(meaning.item, tree.Block) else formulas.fn_step
        return made(context, step, meaning, values, path, weights, again)
    if isinstance(meaning, LayerChoice):
        return chosen(context, step, meaning, values, path, weights)
    if step.name.text in LAYERS:
        return layer_step(context, step, values, path, weights, again)
    return None


def called(context: Context, step: tree.Layer) -> str:
    """What a step is called in paths: a layer that a parameter was given keeps its own name."""
    bound = context.scope.find(step.name.text)
    if bound is not None and isinstance(bound.meaning, LayerChoice):
        return called(bound.meaning.context, bound.meaning.step)
    return step.name.text


def chosen(
    context: Context, step: tree.Layer, choice: LayerChoice, values: Values, path: str, weights: str
) -> Values | None:
    """`-> act`, where `act` is a parameter: the layer it was given, as it stands where it was given."""
    if step.arguments is not None:
        text = short(call_span(choice.step).text)
        context.report.error(
            "E203",
            f"`{step.name.text}` is a layer that was chosen with its arguments, and takes none here",
            call_span(step),
            secondary=[Label(choice.step.span, "chosen here")],
            help=f"`-> {step.name.text}` stands for `-> {text}`",
        )
        return (UNKNOWN,)
    inner = replace(context, scope=choice.context.scope, items=choice.context.items, flow=None)
    bound = inner.scope.find(choice.step.name.text)
    if bound is not None and isinstance(bound.meaning, NamedStep):
        return again(inner, choice.step, bound.meaning, values)
    return applied(inner, choice.step, values, path, weights)


def name_step(context: Context, step: tree.Layer | tree.Chain, alias: tree.Name | None) -> None:
    if alias is None:
        return
    copies = bool(context.place.weight_copies)
    named = NamedStep(step, context.scope, context.place.step(step.span, "", alias.text)[1], copies)
    bind_once(context, alias, named)


def again(context: Context, step: tree.Layer, named: NamedStep, values: Values) -> Values:
    """`-> tower` where `tower` is a step made before: the same step with the same weights."""
    name = step.name.text
    made = Label(named.step.span, "made here")
    if step.arguments is not None:
        source = short(context.flow.span.text) + " " if context.flow is not None else ""
        layer = named.step.name.text if isinstance(named.step, tree.Layer) else ""
        new = call_span(step).text.replace(name, layer, 1)
        context.report.error(
            "E203",
            f"`{name}` is a step that exists already and takes no arguments",
            call_span(step),
            secondary=[made],
            help=f"`{source}-> {name}` uses the same weights again"
            + (f"; `{source}-> {new}` makes new ones" if layer else ""),
        )
        return (UNKNOWN,)
    if named.copies:
        context.report.error(
            "E204",
            f"`{name}` has a copy for each round of its loop, and the name does not say which",
            step.name.span,
            secondary=[made],
            help="`repeat n shared` gives all copies one set of weights",
        )
        return (UNKNOWN,)
    if step.alias is not None:
        bind_once(context, step.alias, named)
    path = context.place.step(step.span, name, None)[0]
    inner = replace(context, scope=named.scope, flow=None)
    if isinstance(named.step, tree.Layer):
        return applied(inner, named.step, values, path, named.path, step.name.span) or (UNKNOWN,)
    inner = inner.at(context.place.inside(path, named.path))
    for each in named.step.steps:
        values = flows.run(inner, each, values)
    return values
