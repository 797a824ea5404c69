"""`regularize = l2(1e-4, weights = "*.kernel")`: what is added to the loss for the weights that a pattern names."""

from __future__ import annotations

from kdsl.elaborate.context import Context
from kdsl.elaborate.optimizers import configured
from kdsl.elaborate.patterns import matching
from kdsl.ops.registry import Refused
from kdsl.syntax import tree
from kdsl.training.registry import REGULARIZERS


def regularized(context: Context, value: tree.Value, loss: str) -> tuple[str, tuple[str, ...]]:
    """The loss with all regularizers added, and their calls reprinted. What is wrong is reported."""
    work = context.work
    assert work is not None
    texts: list[str] = []
    for each in value.items if isinstance(value, tree.ListOf) else (value,):
        written = each.value if isinstance(each, tree.Argument) else each
        declared, bound = configured(context, written, REGULARIZERS, "a regularizer", {})
        if declared is None or bound is None:
            continue
        texts.append(bound.text)
        at = bound.spans.get("weights", written.span)
        matched = matching(context, str(bound.values["weights"]), at)
        trained = [name for name in matched if work.weights[name].trainable]
        if matched and not trained:
            context.report.error("E520", "all weights that this pattern names are frozen", at)
        for name in trained:
            try:
                declared.guard(bound.values, work.build.type_of(name))
            except Refused as refused:
                named = refused.named(name)
                context.report.error(named.code, named.message, at, named.label, help=named.help)
                break
            with work.build.at(written.span, layer=f"regularize.{declared.name}.{name}"):
                part = declared.lower(work.build, bound.values, name)
            with work.build.at(written.span, layer="loss"):
                loss = work.build.add("add", [loss, part], name=f"loss.{declared.name}.{name}")
    return loss, tuple(texts)
