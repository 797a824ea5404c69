"""`tune "stem.*" { lr_scale = 0.1 }`: settings of single weights, by name. Of several blocks for a weight the last wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate.context import Context
from kdsl.elaborate.convert import FAILED, convert
from kdsl.elaborate.patterns import matching
from kdsl.elaborate.program import Tuned
from kdsl.elaborate.words import listed
from kdsl.graph.graph import attributes_of
from kdsl.ops.registry import Param
from kdsl.records import replace
from kdsl.source import Span
from kdsl.syntax import tree

SETTINGS = {
    "lr_scale": Param("number", "what the learning rate is multiplied by", 1.0, low=0.0),
    "weight_decay": Param("number", "instead of the optimizer's", None, low=0.0),
    "frozen": Param("bool", "not trained", False),
}
THEIRS = {
    "lr": "`lr_scale` multiplies the optimizer's rate: `lr_scale = 0.1`",
    "learning_rate": "`lr_scale` multiplies the optimizer's rate: `lr_scale = 0.1`",
    "lr_mult": "it is called `lr_scale` here",
    "decay": "it is called `weight_decay` here",
    "trainable": "to stop training them, write `frozen = true`",
    "requires_grad": "to stop training them, write `frozen = true`",
    "freeze": "it is called `frozen` here",
}


def tune(context: Context, groups: Sequence[tree.Group]) -> tuple[Tuned, ...]:
    """Freezes what is to be frozen -> the weights whose rate or decay is their own."""
    assert context.work is not None
    found: dict[str, dict[str, Any]] = {}
    for group in groups:
        settings = settings_of(context, group)
        if group.pattern is None:  # the parser says so
            continue
        for name in matching(context, group.pattern.value, group.pattern.span):
            found.setdefault(name, {}).update(settings)
    freeze(context, frozenset(name for name, settings in found.items() if settings.get("frozen")))
    tuned = []
    for name in context.work.weights:
        settings = found.get(name, {})
        own = Tuned(name, settings.get("lr_scale", 1.0), settings.get("weight_decay"))
        if own != Tuned(name) and context.work.weights[name].trainable:
            tuned.append(own)
    return tuple(tuned)


def freeze(context: Context, names: frozenset[str]) -> None:
    """Makes weights untrained: no gradient is computed for them."""
    work = context.work
    assert work is not None
    for place, node in enumerate(work.build.nodes):
        if node.op == "weight" and node.name in names:
            work.build.exchange(place, replace(node, attributes=attributes_of({**node.keywords, "trainable": False})))
            work.weights[node.name] = replace(work.weights[node.name], trainable=False)


def settings_of(context: Context, group: tree.Group) -> dict[str, Any]:
    """The settings of one block; what is wrong is reported."""
    found: dict[str, Any] = {}
    places: dict[str, Span] = {}
    for statement in group.body:
        if not isinstance(statement, tree.Let) or len(statement.names) != 1:
            continue  # the parser says so
        name = statement.names[0]
        if name.text not in SETTINGS:
            unknown(context, name)
            continue
        if name.text in places:
            twice = [Label(places[name.text], "set here")]
            context.report.error("E506", f"`{name.text}` is set twice", name.span, secondary=twice, help="keep one")
            continue
        places[name.text] = name.span
        value = convert(context, "tune", name.text, SETTINGS[name.text], statement.value)
        if value is not FAILED:
            found[name.text] = value
    return found


def unknown(context: Context, name: tree.Name) -> None:
    near = nearest(name.text, SETTINGS)
    help = THEIRS.get(name.text, "") or (f"did you mean {listed(near)}?" if near else f"it takes {', '.join(SETTINGS)}")
    edits = [Edit(name.span, near[0])] if len(near) == 1 and name.text not in THEIRS else []
    context.report.error("E521", f"`tune` has no setting `{name.text}`", name.span, help=help, edits=edits)
