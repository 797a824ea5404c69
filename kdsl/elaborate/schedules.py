"""`schedule = cosine(warmup = 5 epochs)`: how the learning rate changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kdsl.elaborate.context import Context
from kdsl.elaborate.optimizers import configured
from kdsl.elaborate.program import Schedule
from kdsl.ops.registry import Param, Refused
from kdsl.records import replace
from kdsl.syntax import tree
from kdsl.training.registry import SCHEDULES


def schedule_of(context: Context, value: tree.Value, watched: Mapping[str, bool]) -> Schedule | None:
    """None where something is wrong, which has been reported. `watched`: the numbers an epoch gives, and whether larger
    ones are better."""

    def parameters(declared: type[Any]) -> Mapping[str, Param]:
        own: Mapping[str, Param] = declared.parameters
        return {**own, "on": replace(own["on"], words=tuple(watched))} if declared.watches else own

    declared, bound = configured(context, value, SCHEDULES, "a schedule", {}, parameters)
    if declared is None or bound is None:
        return None
    try:
        declared.guard(bound.values)
    except Refused as refused:
        place = bound.spans.get(refused.argument, value.span) if refused.argument else value.span
        context.report.error(refused.code, refused.message, place, refused.label, help=refused.help)
        return None
    on = str(bound.values["on"]) if declared.watches else ""
    return Schedule(declared.name, bound.text, tuple(bound.values.items()), value.span, on, bool(on) and watched[on])
