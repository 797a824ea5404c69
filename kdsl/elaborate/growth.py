"""How many layers a step will write out: asked before anything is written out."""

from __future__ import annotations

from kdsl.elaborate import evaluate
from kdsl.elaborate.constants import Constant, is_number
from kdsl.elaborate.context import MOST_LAYERS, Context
from kdsl.elaborate.scope import UNKNOWN
from kdsl.source import Span
from kdsl.syntax import tree


def layers_in(context: Context, step: tree.Step) -> int:
    """At least so many layers, and at least 1; counts that depend on a `for` are taken for 1."""
    if isinstance(step, tree.Layer):
        return 1
    if isinstance(step, tree.Chain):
        return sum(layers_in(context, each) for each in step.steps)
    if isinstance(step, tree.Choose):
        return min(layers_in(context, step.then), layers_in(context, step.otherwise))
    if isinstance(step, tree.Repeat):
        count = ahead(context, step.count)
        times = int(count) if is_number(count) and count == int(count) else 1  # type: ignore[arg-type]
        return max(1, times) * layers_in(context, step.body)
    values = ahead(context, step.values)
    inner = context.scope.inner()
    for name in step.names:
        context.within(inner).bind(name.text, UNKNOWN, name.span)
    times = len(values) if isinstance(values, tuple) else 1
    return max(1, times) * layers_in(context.within(inner), step.body)


def ahead(context: Context, value: tree.Value) -> Constant | None:
    """A compile-time value where it is known so far; nothing is reported and nothing is made."""
    with context.report.silence():
        return evaluate.constant(context.only_constants("a count"), value, "a count")


def copies_fit(context: Context, copies: int, layers: int, at: Span) -> bool:
    """Whether so many copies of so many layers stay within the limit; reports it otherwise, and stops growing."""
    assert context.work is not None
    total = copies * layers
    if len(context.work.layers) + total <= MOST_LAYERS:
        return True
    amount = f"{total:_}" if total < 10**18 else "far too many"
    limit = f"a model has at most {MOST_LAYERS:_}"
    context.report.error("E406", f"this makes {amount} layers, and {limit}", at, help="copies inside copies multiply")
    context.work.exhausted = True
    return False
