"""Flows: `x -> dense(10) -> relu`. Copies of `repeat` and `for` are written out, `if` is chosen, sizes flow along."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.elaborate import evaluate, named
from kdsl.elaborate.constants import Constant, kind_of, show
from kdsl.elaborate.context import Context
from kdsl.elaborate.growth import copies_fit, flow_fits, layers_in
from kdsl.elaborate.layers import Values, one_value
from kdsl.elaborate.scope import UNKNOWN, Meaning, Scope, Tensor, Unknown
from kdsl.elaborate.sizes import whole
from kdsl.elaborate.steps import name_step, named_step
from kdsl.elaborate.words import counted, short
from kdsl.records import replace
from kdsl.syntax import tree


def pipe(context: Context, flow: tree.Pipe) -> Tensor | Unknown:
    """The one value at the end of a flow."""
    return one_value(context, flow.span, pipe_values(context, flow))


def pipe_values(context: Context, flow: tree.Pipe) -> Values:
    """All values at the end of a flow."""
    sources = flow.source.items if isinstance(flow.source, tree.Tuple) else (flow.source,)
    values: Values = tuple(value for source in sources for value in tensors_of(context, source))
    loops = any(isinstance(step, (tree.Repeat, tree.For)) for step in flow.steps)
    if loops and context.work is not None and not context.work.exhausted and not flow_fits(context, flow):
        return (UNKNOWN,)
    first = replace(context, flow=flow.source)
    for number, step in enumerate(flow.steps):
        values = run(context if number else first, step, values)
    return values


def results(context: Context, value: tree.Value) -> tuple[Meaning, ...]:
    """What an expression gives: several values where its last step has several results."""
    if isinstance(value, tree.Parens):
        return results(context, value.value)
    if isinstance(value, tree.Pipe):
        return pipe_values(context, value)
    if isinstance(value, tree.Call):
        return named.call_results(context, value)
    if isinstance(value, tree.Choice):
        truth = evaluate.condition(context, value.condition)
        if truth is not None:
            return results(context, value.then if truth else value.otherwise)
        if context.unsized:
            results(context, value.then)
            results(context, value.otherwise)
        return (UNKNOWN,)
    return (evaluate.evaluate(context, value),)


def tensors_of(context: Context, value: tree.Value) -> Values:
    """What flows: tensors. A number or word has nothing to flow."""
    found: list[Tensor | Unknown] = []
    for each in results(context, value):
        if isinstance(each, Tensor) and context.work is None:
            found.append(UNKNOWN)
        elif isinstance(each, (Tensor, Unknown)):
            found.append(each)
        else:
            context.report.error(
                "E316",
                f"only tensors flow into a layer, and `{short(value.span.text)}` is {kind_of(each)}",
                value.span,
                help="a flow starts with an input, or with a value made from one",
            )
            found.append(UNKNOWN)
    return tuple(found)


def run(context: Context, step: tree.Step, values: Values) -> Values:
    """One step applied to the values that flow into it."""
    if context.work is None:
        context.report.error(
            "E313", f"{context.what} must be known when the model is compiled: nothing flows here", step.span
        )
        return (UNKNOWN,)
    if context.work.exhausted:
        return (UNKNOWN,)
    if isinstance(step, tree.Layer):
        return named_step(context, step, values)
    if isinstance(step, tree.Chain):
        return chain(context, step, values)
    if isinstance(step, tree.Repeat):
        return repeat(context, step, values)
    if isinstance(step, tree.For):
        return for_each(context, step, values)
    truth = evaluate.condition(context, step.condition)
    if truth is not None:
        return run(context, step.then if truth else step.otherwise, values)
    if context.unsized:
        run(context, step.then, values)
        run(context, step.otherwise, values)
    return (UNKNOWN,)


def chain(context: Context, step: tree.Chain, values: Values) -> Values:
    """Several steps in braces; with a name they are one step, which can run again."""
    inner = replace(context, flow=None)
    if step.alias is not None:
        path, weights = context.place.step(step.span, "", step.alias.text)
        inner = inner.at(context.place.inside(path, weights))
    for each in step.steps:
        values = run(inner, each, values)
    name_step(context, step, step.alias)
    return values


# -- copies ------------------------------------------------------------------------------------------


def repeat(context: Context, step: tree.Repeat, values: Values) -> Values:
    """`repeat n Step`: n copies, each with weights of its own, or with `shared` one set of weights for all."""
    found = evaluate.constant(context, step.count, "the count of `repeat`")
    count = None if found is None else whole(context, found, step.count, "`repeat`")
    if count is None:
        return unknown_copies(context, step.body, values)
    if count < 0:
        context.report.error("E410", f"`repeat` counts from 0 up, not {count}", step.count.span)
        return (UNKNOWN,)
    if not copies_fit(context, count, layers_in(context, step.body), step.count.span):
        return (UNKNOWN,)
    return copies(context, [context.scope] * count, step.body, values, step.shared)


def for_each(context: Context, step: tree.For, values: Values) -> Values:
    """`for w in [32, 64] Step`: one copy per value; several names take lists apart. `each` feeds all copies alike."""
    word = "each" if step.each else "for"
    found = evaluate.constant(context, step.values, f"the list of `{word}`")
    if found is None:
        inner = context.scope.inner()
        for name in step.names:
            context.within(inner).bind(name.text, UNKNOWN, name.span)
        return unknown_copies(context.within(inner), step.body, values)
    if not isinstance(found, tuple):
        context.report.error(
            "E306",
            f"`{word}` takes a list, not {kind_of(found)}",
            step.values.span,
            help="" if step.each else f"`repeat {short(step.values.span.text)}` makes copies that are alike",
        )
        return (UNKNOWN,)
    if not copies_fit(context, 1, layers_in(context, step), step.values.span):
        return (UNKNOWN,)
    scopes = []
    for value in found:
        scope = context.scope.inner()
        if not bind_loop(context.within(scope), step, value, word):
            return (UNKNOWN,)
        scopes.append(scope)
    if not step.each:
        return copies(context, scopes, step.body, values, shared=False)
    if not scopes:
        context.report.error("E306", "`each` takes a list with something in it", step.values.span)
        return (UNKNOWN,)
    return branches(context, scopes, step.body, values)


def bind_loop(context: Context, step: tree.For, value: Constant, word: str) -> bool:
    if len(step.names) == 1:
        context.bind(step.names[0].text, value, step.names[0].span)
        return True
    if not isinstance(value, tuple) or len(value) != len(step.names):
        names = ", ".join(name.text for name in step.names)
        context.report.error(
            "E306",
            f"`{word} {names}` takes a list of {counted(len(step.names), 'value')} each time, and {short(show(value))} is not one",
            step.values.span,
        )
        return False
    for name, item in zip(step.names, value, strict=True):
        context.bind(name.text, item, name.span)
    return True


def copies(context: Context, scopes: Sequence[Scope], body: tree.Step, values: Values, shared: bool) -> Values:
    """The body once for each scope. After a copy that failed the others would only fail again."""
    for number, scope in enumerate(scopes):
        place = context.place.copy(number, shared)
        values = run(replace(context, scope=scope, place=place), body, values)
        if any(isinstance(value, Unknown) for value in values):
            return (UNKNOWN,)
    return values


def branches(context: Context, scopes: Sequence[Scope], body: tree.Step, values: Values) -> Values:
    """The body once for each scope, every time with the same values; the results go on side by side."""
    found: list[Tensor | Unknown] = []
    for number, scope in enumerate(scopes):
        place = context.place.copy(number, shared=False)
        made = run(replace(context, scope=scope, place=place), body, values)
        if any(isinstance(value, Unknown) for value in made):
            return (UNKNOWN,)
        found += made
    return tuple(found)


def unknown_copies(context: Context, body: tree.Step, values: Values) -> Values:
    """Copies whose number is not known: in a body that nothing calls, one of them is looked at."""
    if context.unsized:
        run(context.at(context.place.copy(0, shared=False)), body, values)
    return (UNKNOWN,)
