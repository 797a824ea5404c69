"""Calls of fns: a formula is written out where it is called, with its arguments in place of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import evaluate, signatures, statements
from kdsl.elaborate.bodies import body_of, note, unsized_body
from kdsl.elaborate.callee import CONSTANTS, Argument, Call, is_constant
from kdsl.elaborate.constants import kind_of
from kdsl.elaborate.context import Context
from kdsl.elaborate.growth import may_enter
from kdsl.elaborate.layers import Values, call_span
from kdsl.elaborate.parameters import of_type
from kdsl.elaborate.program import LayerRecord
from kdsl.elaborate.scope import UNKNOWN, Definition, Link, Meaning, Named, Tensor, Unknown
from kdsl.elaborate.trail import longest
from kdsl.elaborate.unify import bind_sizes, variables
from kdsl.elaborate.words import counted, short
from kdsl.records import replace
from kdsl.source import Span
from kdsl.syntax import tree


def fn_call(context: Context, node: tree.Call, definition: Definition) -> tuple[Meaning, ...]:
    """`focal(logits, label, gamma = 1.5)` in an expression -> its results, tensors or compile-time values."""
    call = Call(definition, node.arguments, node.name.span, node.span)
    parameters = definition.item.parameters
    found = signatures.matched(context, call, parameters, len(parameters))
    if found is None:
        return (UNKNOWN,)
    by_name = {parameter.name.text: parameter for parameter in parameters}
    given = {key: argument(context, by_name[key], each.value) for key, each in found.items()}
    path, weights = context.place.step(node.span, call.name, None)
    return enter(context, call, given, path, weights)


def fn_step(
    context: Context,
    step: tree.Layer,
    definition: Definition,
    values: Values,
    path: str,
    weights: str,
    again: Span | None = None,
) -> Values:
    """`-> leaky(slope = 0.1)`: what flows in are the first parameters, the arguments the others."""
    place, span = (step.name.span, call_span(step)) if again is None else (again, again)
    call = Call(definition, step.arguments or (), place, span)
    parameters = definition.item.parameters
    if len(values) > len(parameters):
        count = counted(len(values), "value")
        context.report.error(
            "E423",
            f"`{call.name}` has {counted(len(parameters), 'parameter')}, and {count} {'flows' if len(values) == 1 else 'flow'} in",
            span,
            secondary=[Label(definition.item.name.span, "declared here")],
        )
        return (UNKNOWN,)
    flowing, others = parameters[: len(values)], parameters[len(values) :]
    found = signatures.matched(context, call, others, len(others))
    if found is None:
        return (UNKNOWN,)
    by_name = {parameter.name.text: parameter for parameter in others}
    given: dict[str, Argument] = {parameter.name.text: value for parameter, value in zip(flowing, values, strict=True)}
    given |= {key: argument(context, by_name[key], each.value) for key, each in found.items()}
    results = enter(context, call, given, path, weights)
    tensors = [value for value in results if isinstance(value, Tensor)]
    inputs = [value for value in values if isinstance(value, Tensor)]
    if len(tensors) < len(results):
        number = next((value for value in results if not isinstance(value, (Tensor, Unknown))), None)
        if number is not None:
            message = f"`{call.name}` gives {kind_of(number)}, and only tensors flow on"
            context.report.error("E316", message, span)
        return (UNKNOWN,) * len(results)
    text = signatures.printed(call, found, given)
    return record(context, call, text, inputs, tensors, path)


def record(
    context: Context, call: Call, text: str, inputs: Sequence[Tensor], results: Sequence[Tensor], path: str
) -> Values:
    """A formula after an arrow is one layer of the model, whatever it is made of."""
    work, first = context.work, results[0]
    assert work is not None
    if not context.formula:
        names = tuple(value.value for value in inputs)
        work.layers.append(LayerRecord(path, call.name, text, names, first.value, first.type, (), call.span))
    before = longest(*inputs) if inputs else None
    return tuple(
        replace(value, trail=Link(call.name, value.type, call.span, call.name, before=before)) for value in results
    )


def argument(context: Context, parameter: tree.Parameter, node: tree.Value) -> Argument:
    """A parameter without a type takes anything."""
    if parameter.type is not None and is_constant(parameter):
        return signatures.argument_value(context, parameter, node)
    if isinstance(node, tree.Path) and len(node.names) == 1:
        bound = context.scope.find(node.text)
        if bound is not None and isinstance(bound.meaning, Named):
            return bound.meaning
    return evaluate.evaluate(context, node)


def enter(context: Context, call: Call, given: Mapping[str, Argument], path: str, weights: str) -> tuple[Meaning, ...]:
    """The formula with these arguments -> its results."""
    definition = call.definition
    fn = definition.item
    assert isinstance(fn, tree.Fn)
    if any(isinstance(value, Unknown) for value in given.values()) or not may_enter(context, definition, call.span):
        return (UNKNOWN,) * count_results(fn)
    report = context.report.inside(note(short(call.span.text), call.span, {}))
    body = body_of(context, definition, path, weights)
    body = replace(body, report=report, formula=fn.name.text, comparing=context.comparing)
    inputs: list[tuple[tree.Parameter, Tensor]] = []
    for parameter in fn.parameters:
        value = given.get(parameter.name.text)
        if value is None:
            continue
        if isinstance(value, Tensor):
            inputs.append((parameter, value))
        if not suits(context, call, parameter, value):
            return (UNKNOWN,) * count_results(fn)
        body.bind(parameter.name.text, value, parameter.name.span)
    if bind_sizes(context, body, call, inputs, []) is None:
        return (UNKNOWN,) * count_results(fn)
    for parameter in fn.parameters:
        if parameter.name.text not in given and parameter.default is not None:
            body.bind(parameter.name.text, argument(body, parameter, parameter.default), parameter.name.span)
    context.effort.entered.add(id(fn))
    returned = statements.run_block(body, fn)
    if returned is None or any(isinstance(value, Unknown) for value, _ in returned.values):
        return (UNKNOWN,) * count_results(fn)
    return tuple(value for value, _ in returned.values)


def suits(context: Context, call: Call, parameter: tree.Parameter, value: Argument) -> bool:
    """Whether a value is of the parameter's type, where it has one."""
    if parameter.type is None or isinstance(value, Named):
        return True
    name = parameter.name.text
    if is_constant(parameter):
        if not isinstance(value, (Tensor, Unknown)):
            return of_type(context, name, parameter.type.name.text, value, call.span) is not None
        what = "computed from data"
        context.report.error("E313", f"`{name}` of `{call.name}` must be known when compiled, and is {what}", call.span)
        return False
    if isinstance(value, Tensor) or parameter.type.name.text in CONSTANTS:
        return True
    message = f"`{name}` of `{call.name}` is a tensor, and this is {kind_of(value)}"  # type: ignore[arg-type]
    context.report.error("E316", message, call.span)
    return False


def count_results(fn: tree.Fn) -> int:
    return max((len(each.values) for each in fn.body if isinstance(each, tree.Return)), default=1)


def check_unused(definition: Definition) -> None:
    """Looks at a fn that nothing calls, with unknown arguments."""
    name = definition.item.name
    body = replace(unsized_body(definition), formula=name.text, comparing="loss")
    for size in variables(body, Call(definition, (), name.span, name.span)):
        body.bind(size, UNKNOWN, name.span)
    for parameter in definition.item.parameters:
        if parameter.default is not None:
            argument(body, parameter, parameter.default)
    statements.run_block(body, definition.item)
