"""A prediction that does not fit its target: reported where it went wrong, which is often far above the loss."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.elaborate.arguments import Arguments
from kdsl.elaborate.context import Context
from kdsl.elaborate.scope import Link, Tensor
from kdsl.elaborate.trail import shapes
from kdsl.elaborate.words import short
from kdsl.ops.registry import Refused
from kdsl.source import Span
from kdsl.syntax import tree

SAMPLES = frozenset({"image", "picture", "photo", "text", "sentence", "sequence", "signal", "series"})


def report_mismatch(
    context: Context, refused: Refused, call: tree.Call, arguments: Arguments, prediction: Tensor, target: Tensor
) -> None:
    """`refused` names the prediction and the target already."""
    kept = keeps_axes(prediction, target)
    if kept is not None:
        missing_flatten(context, refused, call, prediction, target, kept)
    elif refused.code == "E501":
        classes_differ(context, refused, call, prediction, target)
    else:
        at = arguments.spans.get(refused.argument, call.span) if refused.argument else call.span
        notes = [shapes(prediction.trail)] if refused.code == "E510" else []
        secondary = [Label(target.trail.sized, "declared here")] if target.trail.sized is not None else []
        context.report.error(refused.code, refused.message, at, "", secondary=secondary, notes=notes, help=refused.help)


def keeps_axes(prediction: Tensor, target: Tensor) -> Link | None:
    """The first `dense` that kept axes which a `flatten` before it would have joined, if that is the mistake."""
    got, wanted = prediction.type.shape, target.type.shape
    if target.type.dtype == "index":
        too_many = len(got) > 1 and wanted == ()
    else:
        too_many = len(got) > 1 and (wanted == got[-1:] or (wanted == () and got[-1] == 1))
    if not too_many:
        return None
    return next((link for link in prediction.trail.chain() if link.layer == "dense" and link.type.rank > 1), None)


def missing_flatten(
    context: Context, refused: Refused, call: tree.Call, prediction: Tensor, target: Tensor, kept: Link
) -> None:
    """The primary place is the layer that kept the axes; the edit puts `flatten` before it."""
    first = prediction.trail.chain()[0]
    name = short(call.arguments[0].value.span.text)
    aim = short(call.arguments[1].value.span.text)
    noun = first.label if first.label in SAMPLES else "sample"
    rows = " x ".join(map(str, prediction.type.shape[:-1]))
    thing = "a class" if target.type.dtype == "index" else "an answer"
    message = f"`{name}` has {thing} for each of {rows} rows, `{aim}` has one for the whole {noun}"
    before = kept.before
    secondary = []
    if target.trail.layer == "":
        classes = target.type.classes
        what = (
            f"one class of {classes}"
            if classes is not None
            else "one number"
            if not target.type.shape
            else f"one {target.type}"
        )
        secondary.append(Label(target.trail.span, what))
    secondary.append(Label(call.span, "compared here"))
    source = before.label if before is not None and before.layer == "" else "..."
    incoming = before.type.dims if before is not None else ""
    context.report.error(
        "E502",
        message,
        kept.span,
        f"works on the last axis only: {incoming} becomes {kept.type.dims}",
        secondary=secondary,
        notes=[shapes(prediction.trail)],
        help=f"put `flatten` before it: `{source} -> flatten -> {short(kept.span.text)}`",
        edits=[Edit(Span(kept.span.source, kept.span.start, kept.span.start), "flatten -> ")],
    )


def classes_differ(context: Context, refused: Refused, call: tree.Call, prediction: Tensor, target: Tensor) -> None:
    """The two places that say how many classes there are; the edit changes the last layer's size where it is a number."""
    secondary: list[Label] = []
    edits: list[Edit] = []
    last = next((link for link in reversed(prediction.trail.chain()) if link.weighted), None)
    if last is not None and last.type.shape[-1:] == prediction.type.shape[-1:]:
        secondary.append(Label(last.span, f"{prediction.type.shape[-1]} classes"))
        wanted = target.type.classes if target.type.classes is not None else target.type.shape[-1]
        if last.sized is not None and last.sized.text.isdigit():
            edits.append(Edit(last.sized, str(wanted)))
    if target.trail.sized is not None:
        classes = target.type.classes if target.type.classes is not None else target.type.shape[-1]
        secondary.append(Label(target.trail.sized, f"{classes} classes"))
    context.report.error(
        "E501",
        refused.message,
        call.span,
        secondary=secondary,
        help=refused.help,
        edits=edits,
    )
