"""How many layers a step will write out: asked before anything is written out."""

from __future__ import annotations

from kdsl.elaborate import evaluate
from kdsl.elaborate.constants import Constant, is_number
from kdsl.elaborate.context import DEEPEST, MOST_CALLS, MOST_LAYERS, MOST_NODES, Context
from kdsl.elaborate.scope import UNKNOWN, Bound, Definition, LayerChoice, Meaning
from kdsl.source import Span
from kdsl.syntax import tree

FEW = 100  # values of a `for` that are looked at one by one


def layers_in(context: Context, step: tree.Step) -> int:
    """At least so many layers, and at least 1; counts that are not known yet are taken for 1."""
    if isinstance(step, tree.Layer):
        return called_size(context, step.name.text)
    if isinstance(step, tree.Chain):
        return sum(layers_in(context, each) for each in step.steps)
    if isinstance(step, tree.Choose):
        return min(layers_in(context, step.then), layers_in(context, step.otherwise))
    if isinstance(step, tree.Repeat):
        count = ahead(context, step.count)
        times = int(count) if is_number(count) and count == int(count) else 1  # type: ignore[arg-type]
        return max(1, times) * layers_in(context, step.body)
    values = ahead(context, step.values)
    if isinstance(values, tuple) and len(step.names) == 1 and 0 < len(values) <= FEW and not has_for(step.body):
        return sum(layers_in(bound_to(context, step, value), step.body) for value in values)
    times = len(values) if isinstance(values, tuple) else 1
    return max(1, times) * layers_in(bound_to(context, step, UNKNOWN), step.body)


def has_for(step: tree.Step) -> bool:
    """Whether a `for` stands in a step."""
    if isinstance(step, tree.Chain):
        return any(map(has_for, step.steps))
    if isinstance(step, tree.Choose):
        return has_for(step.then) or has_for(step.otherwise)
    return has_for(step.body) if isinstance(step, tree.Repeat) else isinstance(step, tree.For)


def bound_to(context: Context, step: tree.For, value: Meaning) -> Context:
    """Inside a `for`, with its names bound."""
    inner = context.within(context.scope.inner())
    for name in step.names:
        inner.bind(name.text, value, name.span)
    return inner


def flow_fits(context: Context, flow: tree.Pipe) -> bool:
    """Whether all copies that a flow makes stay within the limit."""
    total = 0
    for step in flow.steps:
        total += layers_in(context, step)
        at = step.count if isinstance(step, tree.Repeat) else step.values if isinstance(step, tree.For) else None
        if at is not None and not copies_fit(context, 1, total, at.span):
            return False
    return True


def ahead(context: Context, value: tree.Value) -> Constant | None:
    """A compile-time value where it is known so far; nothing is reported and nothing is made."""
    with context.report.silence():
        return evaluate.constant(context.only_constants("a count").within(context.scope.inner()), value, "a count")


# -- blocks and fns ----------------------------------------------------------------------------------


def called_size(context: Context, name: str) -> int:
    """Layers that one call of this name writes out, at least 1."""
    bound = context.scope.find(name)
    meaning = None if bound is None else bound.meaning
    if isinstance(meaning, LayerChoice):
        return layers_in(meaning.context, meaning.step)
    return size_of(meaning) if isinstance(meaning, Definition) else 1


def size_of(definition: Definition) -> int:
    """What a call of the block or fn writes out at least; every definition is counted once."""
    sizes, key = definition.home.effort.sizes, id(definition.item)
    if key in definition.home.effort.circular:
        return 1
    if key not in sizes:
        sizes[key] = 1  # what uses itself is refused elsewhere
        inner = definition.home.scope.inner()
        for parameter in definition.item.parameters:
            inner.names[parameter.name.text] = Bound(UNKNOWN, parameter.span)
        context = definition.home.within(inner)
        sizes[key] = max(1, sum(value_size(context, value) for value in values_of(definition.item)))
    return sizes[key]


def operations_of(definition: Definition) -> int:
    """Operators that a call of the block or fn writes out at least, those of what it calls included."""
    operations, key = definition.home.effort.operations, id(definition.item)
    if key in definition.home.effort.circular:
        return 0
    if key not in operations:
        operations[key] = 0
        operations[key] = sum(value_operations(definition.home, value) for value in values_of(definition.item))
    return operations[key]


def value_operations(context: Context, value: tree.Value) -> int:
    total, left = 0, [value]
    while left:
        part = left.pop()
        if isinstance(part, tree.Choice):
            total += min(value_operations(context, part.then), value_operations(context, part.otherwise))
        elif isinstance(part, tree.Call):
            bound = context.scope.find(part.name.text)
            own = bound is not None and isinstance(bound.meaning, Definition)
            total += operations_of(bound.meaning) if own else 1  # type: ignore[union-attr, arg-type]
            left.extend(argument.value for argument in part.arguments)
        elif isinstance(part, tree.Binary):
            total += 1
            left += [part.left, part.right]
        elif isinstance(part, (tree.Unary, tree.Parens, tree.Index)):
            left.append(part.value)
        elif isinstance(part, tree.Pipe):
            left.append(part.source)
    return total


def values_of(item: tree.Block | tree.Fn) -> list[tree.Value]:
    found: list[tree.Value] = []
    for statement in item.body:
        if isinstance(statement, tree.Return):
            found.extend(statement.values)
        elif isinstance(statement, tree.Let):
            found.append(statement.value)
    return found


def value_size(context: Context, value: tree.Value) -> int:
    total, left = 0, [value]
    while left:
        part = left.pop()
        if isinstance(part, tree.Choice):
            total += min(value_size(context, part.then), value_size(context, part.otherwise))
        elif isinstance(part, tree.Pipe):
            left.append(part.source)
            total += sum(layers_in(context, step) for step in part.steps)
        elif isinstance(part, tree.Call):
            total += called_size(context, part.name.text)
            left.extend(argument.value for argument in part.arguments)
        elif isinstance(part, tree.Binary):
            left += [part.left, part.right]
        elif isinstance(part, (tree.Unary, tree.Parens, tree.Index)):
            left.append(part.value)
        elif isinstance(part, tree.Tuple):
            left.extend(part.items)
        elif isinstance(part, tree.ListOf):
            left.extend(item.value if isinstance(item, tree.Argument) else item for item in part.items)
    return total


# -- limits ------------------------------------------------------------------------------------------


def copies_fit(context: Context, copies: int, layers: int, at: Span) -> bool:
    """Whether so many copies of so many layers stay within the limit; reports it otherwise, and stops growing."""
    made = 0 if context.work is None else len(context.work.layers)
    total = copies * layers
    if made + total <= MOST_LAYERS:
        return True
    amount = f"{total:_}" if total < 10**18 else "far too many"
    message = f"this makes {amount} layers, and a model has at most {MOST_LAYERS:_}"
    if total <= MOST_LAYERS:
        message = f"with this the model has more than {MOST_LAYERS:_} layers"
    too_many(context, message, at, "is a count wrong? copies inside copies multiply")
    return False


def may_enter(context: Context, definition: Definition, at: Span) -> bool:
    """Whether one more call of a block or fn can be written out; reports it otherwise."""
    effort = context.effort
    if id(definition.item) in effort.circular or effort.told or (context.work is not None and context.work.exhausted):
        return False
    if context.depth >= DEEPEST:
        name = definition.item.name.text
        message = f"`{name}` stands in more than {DEEPEST} blocks and formulas around each other"
        too_many(context, message, at, "use fewer of them within each other")
        return False
    if not copies_fit(context, 1, size_of(definition), at):
        return False
    effort.calls += 1
    nodes = 0 if context.work is None else len(context.work.build.nodes) + operations_of(definition)
    if effort.calls > MOST_CALLS or nodes > MOST_NODES:
        amount = f"{MOST_NODES:_} operations" if nodes > MOST_NODES else f"{MOST_CALLS:_} calls of blocks and formulas"
        too_many(context, f"this file makes more than {amount}", at, "calls inside calls multiply")
        return False
    return True


def too_many(context: Context, message: str, at: Span, help: str) -> None:
    if not (context.unsized and context.effort.limited):  # what nothing calls has most likely the same cause
        context.report.error("E406", message, at, help=help)
    context.effort.limited = True
    if context.work is not None:
        context.work.exhausted = True
    else:
        context.effort.told = True
