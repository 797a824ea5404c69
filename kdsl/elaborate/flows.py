"""Flows: `x -> dense(10) -> relu`. Copies of `repeat` and `for` are written out, `if` is chosen, sizes flow along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import evaluate
from kdsl.elaborate.constants import Constant, kind_of, show
from kdsl.elaborate.context import Context
from kdsl.elaborate.growth import copies_fit, layers_in
from kdsl.elaborate.layers import Values, call_span, layer_step, one_value
from kdsl.elaborate.names import bind_once
from kdsl.elaborate.not_yet import not_yet
from kdsl.elaborate.scope import UNKNOWN, Meaning, NamedStep, Scope, Tensor, Unknown
from kdsl.elaborate.sizes import whole
from kdsl.elaborate.unknown_layer import unknown_layer
from kdsl.elaborate.words import counted, short
from kdsl.ops.registry import LAYERS
from kdsl.syntax import tree


def pipe(context: Context, flow: tree.Pipe) -> Meaning:
    """The value at the end of a flow."""
    if isinstance(flow.source, tree.Tuple):
        values: Values = tuple(as_tensor(context, item) for item in flow.source.items)
    else:
        values = (as_tensor(context, flow.source),)
    first = replace(context, flow=flow.source)
    for number, step in enumerate(flow.steps):
        values = (run(context if number else first, step, values),)
    return values[0]


def as_tensor(context: Context, value: tree.Value) -> Tensor | Unknown:
    """What flows: a tensor. A number or word has nothing to flow."""
    found = evaluate.evaluate(context, value)
    if isinstance(found, (Tensor, Unknown)):
        if context.work is None and isinstance(found, Tensor):
            return UNKNOWN
        return found
    context.report.error(
        "E316",
        f"only tensors flow into a layer, and `{short(value.span.text)}` is {kind_of(found)}",
        value.span,
        help="a flow starts with an input, or with a value made from one",
    )
    return UNKNOWN


def run(context: Context, step: tree.Step, values: Values) -> Tensor | Unknown:
    """One step applied to the values that flow into it."""
    if context.work is None:
        context.report.error(
            "E313", f"{context.what} must be known when the model is compiled: nothing flows here", step.span
        )
        return UNKNOWN
    if context.work.exhausted:
        return UNKNOWN
    if isinstance(step, tree.Layer):
        return named_layer(context, step, values)
    if isinstance(step, tree.Chain):
        return chain(context, step, values)
    if isinstance(step, tree.Repeat):
        return repeat(context, step, values)
    if isinstance(step, tree.For):
        return for_each(context, step, values)
    truth = evaluate.condition(context, step.condition)
    if truth is None:
        return UNKNOWN
    return run(context, step.then if truth else step.otherwise, values)


def chain(context: Context, step: tree.Chain, values: Values) -> Tensor | Unknown:
    """Several steps in braces; with a name they are one step, which can run again."""
    inner = replace(context, flow=None)
    if step.alias is not None:
        path, weights = context.place.step(step.span, "", step.alias.text)
        inner = inner.at(context.place.inside(path, weights))
    for each in step.steps:
        values = (run(inner, each, values),)
    name_step(context, step, step.alias)
    return one_value(context, step.span, values)


def name_step(context: Context, step: tree.Layer | tree.Chain, alias: tree.Name | None) -> None:
    if alias is None:
        return
    copies = bool(context.place.weight_copies)
    named = NamedStep(step, context.scope, context.place.step(step.span, "", alias.text)[1], copies)
    bind_once(context, alias, named)


# -- layers and named steps --------------------------------------------------------------------------


def named_layer(context: Context, step: tree.Layer, values: Values) -> Tensor | Unknown:
    """A step by its name: one made before, a layer, or something that is no step."""
    name = step.name.text
    bound = context.scope.find(name)
    if bound is not None and isinstance(bound.meaning, NamedStep):
        return again(context, step, bound.meaning, values)
    if name in LAYERS:
        paths = context.place.step(step.span, name, step.alias.text if step.alias else None)
        result = layer_step(context, step, values, *paths)
        name_step(context, step, step.alias)
        return result
    unknown_layer(context, step, bound)
    if step.alias is not None:
        bind_once(context, step.alias, UNKNOWN)
    return UNKNOWN


def again(context: Context, step: tree.Layer, named: NamedStep, values: Values) -> Tensor | Unknown:
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
        return UNKNOWN
    if named.copies:
        context.report.error(
            "E204",
            f"`{name}` has a copy for each round of its loop, and the name does not say which",
            step.name.span,
            secondary=[made],
            help="`repeat n shared` gives all copies one set of weights",
        )
        return UNKNOWN
    if step.alias is not None:
        bind_once(context, step.alias, named)
    path = context.place.step(step.span, name, None)[0]
    inner = replace(context, scope=named.scope, flow=None)
    if isinstance(named.step, tree.Layer):
        return layer_step(inner, named.step, values, path, named.path, again=step.name.span)
    inner = inner.at(context.place.inside(path, named.path))
    for each in named.step.steps:
        values = (run(inner, each, values),)
    return one_value(context, step.span, values)


# -- copies ------------------------------------------------------------------------------------------


def repeat(context: Context, step: tree.Repeat, values: Values) -> Tensor | Unknown:
    """`repeat n Step`: n copies, each with weights of its own, or with `shared` one set of weights for all."""
    found = evaluate.constant(context, step.count, "the count of `repeat`")
    count = None if found is None else whole(context, found, step.count, "`repeat`")
    if count is None:
        return UNKNOWN
    if count < 0:
        context.report.error("E410", f"`repeat` counts from 0 up, not {count}", step.count.span)
        return UNKNOWN
    if not copies_fit(context, count, layers_in(context, step.body), step.count.span):
        return UNKNOWN
    return copies(context, [context.scope] * count, step.body, values, step.shared)


def for_each(context: Context, step: tree.For, values: Values) -> Tensor | Unknown:
    """`for w in [32, 64] Step`: one copy per value; several names take lists apart."""
    if step.each:
        not_yet(context.report, "parallel branches (`each`)", step.span)
        return UNKNOWN
    found = evaluate.constant(context, step.values, "the list of `for`")
    if found is None:
        return UNKNOWN
    if not isinstance(found, tuple):
        context.report.error(
            "E306",
            f"`for` takes a list, not {kind_of(found)}",
            step.values.span,
            help=f"`repeat {short(step.values.span.text)}` makes copies that are alike",
        )
        return UNKNOWN
    if not copies_fit(context, 1, layers_in(context, step), step.values.span):
        return UNKNOWN
    scopes = []
    for value in found:
        scope = context.scope.inner()
        if not bind_loop(context.within(scope), step, value):
            return UNKNOWN
        scopes.append(scope)
    return copies(context, scopes, step.body, values, shared=False)


def bind_loop(context: Context, step: tree.For, value: Constant) -> bool:
    if len(step.names) == 1:
        context.bind(step.names[0].text, value, step.names[0].span)
        return True
    if not isinstance(value, tuple) or len(value) != len(step.names):
        names = ", ".join(name.text for name in step.names)
        context.report.error(
            "E306",
            f"`for {names}` takes a list of {counted(len(step.names), 'value')} each time, and {short(show(value))} is not one",
            step.values.span,
        )
        return False
    for name, item in zip(step.names, value, strict=True):
        context.bind(name.text, item, name.span)
    return True


def copies(
    context: Context, scopes: Sequence[Scope], body: tree.Step, values: Values, shared: bool
) -> Tensor | Unknown:
    """The body once for each scope. After a copy that failed the others would only fail again."""
    for number, scope in enumerate(scopes):
        place = context.place.copy(number, shared)
        values = (run(replace(context, scope=scope, place=place), body, values),)
        if isinstance(values[0], Unknown):
            return UNKNOWN
    return one_value(context, body.span, values)
