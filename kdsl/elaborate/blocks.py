"""Calls of blocks: what flows in is matched with the first line, the body runs, and what it returns is checked."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import signatures, statements
from kdsl.elaborate.bodies import body_of, note, unsized_body
from kdsl.elaborate.callee import Argument, Call, flow_into, is_constant
from kdsl.elaborate.context import Context
from kdsl.elaborate.growth import may_enter
from kdsl.elaborate.layers import Values, call_span
from kdsl.elaborate.program import CallRecord
from kdsl.elaborate.results import Declared, check_results, declared_results
from kdsl.elaborate.scope import UNKNOWN, Definition, Link, Tensor, Unknown
from kdsl.elaborate.trail import longest
from kdsl.elaborate.unify import bind_sizes, check_input, flowing, variables
from kdsl.elaborate.words import counted
from kdsl.records import replace
from kdsl.source import Span
from kdsl.syntax import tree


def block_step(
    context: Context,
    step: tree.Layer,
    definition: Definition,
    values: Values,
    path: str,
    weights: str,
    again: Span | None = None,
) -> Values:
    """A block after an arrow -> its results; `again` is the place where it runs again under its name."""
    block = definition.item
    assert isinstance(block, tree.Block) and context.work is not None
    place, span = (step.name.span, call_span(step)) if again is None else (again, again)
    call = Call(definition, step.arguments or (), place, span)
    unknown: Values = (UNKNOWN,) * max(1, len(block.results))
    constants = [parameter for parameter in block.parameters if is_constant(parameter)]
    found = signatures.matched(context, call, constants, min(1, len(constants)))
    given: dict[str, Argument] = {}
    if found is not None:
        by_name = {parameter.name.text: parameter for parameter in constants}
        given = {
            key: signatures.argument_value(context, by_name[key], argument.value) for key, argument in found.items()
        }
    if not takes(context, call, values) or found is None:
        return unknown
    inputs = [value for value in values if isinstance(value, Tensor)]
    if len(inputs) < len(values) or any(isinstance(value, Unknown) for value in given.values()):
        return unknown
    if not may_enter(context, definition, span):
        return unknown
    body = body_of(context, definition, path, weights)
    for name, value in given.items():
        body.bind(name, value, found[name].span)
    tensors = [parameter for parameter in block.parameters if not is_constant(parameter)]
    defaults = [parameter for parameter in constants if parameter.name.text not in given]
    sizes = bind_sizes(context, body, call, list(zip(tensors, inputs, strict=True)), defaults)
    if sizes is None:
        return unknown
    text = signatures.printed(call, found, given)
    declared = declared_results(body, call, sizes, inputs)
    if declared is None:
        return unknown
    body = replace(body, report=context.report.inside(note(text, span, sizes)))
    for parameter, tensor in zip(tensors, inputs, strict=True):
        body.bind(parameter.name.text, flowing(body, parameter, tensor), parameter.name.span)
    return run(context, body, call, declared, inputs, (path, text, tuple(sizes.items())))


def run(
    context: Context,
    body: Context,
    call: Call,
    declared: Sequence[Declared],
    inputs: Sequence[Tensor],
    record: tuple[str, str, tuple[tuple[str, int], ...]],
) -> Values:
    """The body of a call whose inputs are bound -> its results, recorded."""
    block, work = call.definition.item, context.work
    assert isinstance(block, tree.Block) and work is not None
    context.effort.entered.add(id(block))
    position = len(work.calls)
    results = check_results(body, call, statements.run_block(body, block), declared)
    made = [as_one_step(call, value, inputs) for value in results if isinstance(value, Tensor)]
    if len(made) < len(results):
        return (UNKNOWN,) * max(1, len(block.results))
    path, text, sizes = record
    work.calls.insert(
        position,
        CallRecord(
            path,
            block.name.text,
            text,
            sizes,
            tuple(value.value for value in inputs),
            tuple(value.value for value in made),
            tuple(value.type for value in made),
            call.span,
            block.doc,
        ),
    )
    return tuple(made)


def as_one_step(call: Call, value: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """A result whose trail, seen from outside, has one entry for the whole call."""
    link = Link(call.name, value.type, call.span, call.name, before=longest(*inputs), inside=value.trail)
    return replace(value, trail=link)


def takes(context: Context, call: Call, values: Values) -> bool:
    """Whether so many values flow into the block as it has inputs."""
    names = [parameter.name.text for parameter in call.definition.item.parameters if not is_constant(parameter)]
    if len(values) == len(names) or not names:  # a block without inputs is refused where it is defined
        return bool(names)
    context.report.error(
        "E423",
        f"`{call.name}` takes {counted(len(names), 'value')} ({', '.join(names)}), and {counted(len(values), 'value')} "
        f"{'flows' if len(values) == 1 else 'flow'} in",
        call.span,
        secondary=[Label(call.definition.item.name.span, "declared here")],
        help=f"for instance `{flow_into(call)}`",
    )
    return False


def check_unused(definition: Definition) -> None:
    """Looks at a block that nothing calls: its names and arguments, with all sizes and inputs unknown."""
    block = definition.item
    assert isinstance(block, tree.Block)
    body = unsized_body(definition)
    call = Call(definition, (), block.name.span, block.name.span)
    for name in variables(body, call):
        body.bind(name, UNKNOWN, block.name.span)
    for parameter in block.parameters:
        if parameter.default is not None and is_constant(parameter):
            signatures.argument_value(body, parameter, parameter.default)
        elif parameter.type is not None and not is_constant(parameter):
            check_input(body, parameter.type)
    declared_results(body, call, {}, ())
    statements.run_block(body, block)
