"""What is said about a step that is no layer: Keras's and PyTorch's names, layers to come, values, losses, misspellings."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate import foreign, library
from kdsl.elaborate.constants import kind_of
from kdsl.elaborate.context import Context
from kdsl.elaborate.layers import call_span
from kdsl.elaborate.not_yet import LAYERS as LATER
from kdsl.elaborate.not_yet import not_yet
from kdsl.elaborate.scope import UNKNOWN, Bound, Named, Tensor, Unknown
from kdsl.elaborate.words import listed
from kdsl.ops.registry import LAYERS
from kdsl.syntax import tree


def unknown_layer(context: Context, step: tree.Layer, bound: Bound | None) -> None:
    """Reports the step, unless what it names could not be read."""
    name = step.name.text
    if bound is not None:
        if not isinstance(bound.meaning, (Unknown, Named)):
            not_a_step(context, step, bound)
        return
    if context.items.later_feature(name) or (context.items.any_unread and name[:1].isupper()):
        return
    later = context.scope.bound_later(name)
    if later is not None:
        label = Label(later, "bound here")
        context.report.error("E206", f"`{name}` is used before it is bound", step.name.span, secondary=[label])
    elif foreign.later_layer(name) == name:
        not_yet(context.report, f"`{name}` layers", step.name.span, LATER[name])
    elif not (context.scope.is_porous() and not foreign_or_near(context, name)):
        say_unknown(context, step)


def foreign_or_near(context: Context, name: str) -> bool:
    """Whether the name is one we know something about, so that it is not one of an unread statement."""
    return bool(foreign.layer_here(name)[0] or foreign.later_layer(name) or nearest(name, LAYERS))


def not_a_step(context: Context, step: tree.Layer, bound: Bound) -> None:
    name = step.name.text
    assert not isinstance(bound.meaning, (Unknown, Named))
    what = "a value" if isinstance(bound.meaning, Tensor) else kind_of(bound.meaning)
    help = "after an arrow stands a layer, or a step named with `as`"
    if isinstance(bound.meaning, Tensor) and step.arguments is None:
        help += f"; to feed two values into one layer write `(a, {name}) -> layer`"
    context.report.error(
        "E211",
        f"`{name}` is {what}, not a step",
        step.name.span,
        secondary=[Label(bound.span, "bound here")],
        help=help,
    )


def say_unknown(context: Context, step: tree.Layer) -> None:
    name, call = step.name.text, call_span(step)
    message = f"I do not know a layer called `{name}`"
    ours, whose = foreign.layer_here(name)
    lower = foreign.lowered(name)
    if not ours and lower != name and lower in LAYERS:
        ours = lower
    if ours:
        rewritten = foreign.translated(ours, LAYERS[ours].parameters, step.arguments, whose)
        text = rewritten[0] + rewritten[1] if rewritten else ours
        own_style = ours in (lower, name.lower()) and not any(letter.isdigit() for letter in name)
        help = (
            f"layers of the language are lower case: `{text}`; names with a capital are your own blocks"
            if own_style
            else f"{whose}'s `{name}` is `{ours}` here: `{text}`"
        )
        edits = [Edit(call, text)] if rewritten else []
        context.report.error("E201", message, step.name.span, help=help, edits=edits)
        return
    line = library.import_of(name)
    if line:
        context.report.error("E201", message, step.name.span, help=f"it is in the library: `{line}`")
        return
    later = foreign.later_layer(name) or foreign.later_layer(lower)
    if later:
        help = f"Keras's `{name}` is `{later}` here, and kdsl has no `{later}` yet; {LATER[later]}"
        context.report.error("E201", message, step.name.span, help=help)
        return
    loss = name if name in foreign.LOSSES else foreign.here(name, foreign.LOSSES)
    if loss:
        help = f"`{loss}` is a loss: it stands in `train`, as `loss = {loss}(...)`"
        context.report.error("E201", message, step.name.span, help=help)
        return
    near = nearest(name, [*LAYERS, *named_steps(context), *LATER])
    edits = [Edit(step.name.span, near[0])] if near and near[0] not in LATER else []
    help = f"did you mean {listed(near)}?" if near else "`kdsl explain E201` lists the layers there are"
    if name[:1].isupper() and not near:
        help = "no block of this name is defined here or imported"
        if name in context.items.models:
            help = "it is a model: what several models are made of is a block"
        *_, outermost = context.scope.outwards()
        outermost.names.setdefault(name, Bound(UNKNOWN, step.name.span, missing=True))  # once is enough
    context.report.error("E201", message, step.name.span, help=help, edits=edits)


def named_steps(context: Context) -> list[str]:
    names = (item for scope in context.scope.outwards() for item in scope.names.items())
    return [name for name, bound in names if isinstance(bound.meaning, Named)]
