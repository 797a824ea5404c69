"""One layer applied: its arguments, its guard, its weights, its ops, and the record of all that."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Union

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.elaborate.arguments import Arguments, Callee, bind
from kdsl.elaborate.context import MOST_BYTES, MOST_LAYERS, Context
from kdsl.elaborate.program import LayerRecord, WeightRecord
from kdsl.elaborate.scope import UNKNOWN, Link, Tensor, Unknown
from kdsl.elaborate.sizes import fits, in_bytes
from kdsl.elaborate.trail import longest, shapes
from kdsl.elaborate.words import counted, short
from kdsl.graph.types import TensorType
from kdsl.ops.registry import LAYERS, Layer, Refused, WeightSpec
from kdsl.source import Span
from kdsl.syntax import tree

Values = tuple[Union[Tensor, Unknown], ...]


def call_span(step: tree.Layer) -> Span:
    """The step without its `as name`."""
    if step.alias is None:
        return step.span
    if not step.arguments:
        before = step.span.source.text[step.span.start : step.alias.span.start].rstrip()
        return Span(step.span.source, step.span.start, step.span.start + len(before.removesuffix("as").rstrip()))
    closing = step.span.source.text.find(")", step.arguments[-1].span.stop)
    return Span(step.span.source, step.span.start, closing + 1)


def layer_step(
    context: Context, step: tree.Layer, values: Values, path: str, weights: str, again: Span | None = None
) -> Values:
    """A layer after an arrow; `again` is the place where it runs again under its name."""
    layer = LAYERS[step.name.text]
    place, call = (step.name.span, call_span(step)) if again is None else (again, again)
    callee = Callee(layer.name, layer.parameters, place, call, step=True, ordered=layer.function)
    arguments = bind(context, callee, step.arguments or ())
    return apply(context, layer, callee, arguments, values, path, weights)


def apply(
    context: Context,
    layer: type[Layer],
    callee: Callee,
    arguments: Arguments | None,
    values: Values,
    path: str,
    weights: str,
) -> Values:
    """The layer's ops added to the graph -> its values, mostly one. What does not fit is reported."""
    work = context.work
    assert work is not None
    inputs = [value for value in values if isinstance(value, Tensor)]
    if arguments is None or len(inputs) < len(values) or not takes(context, layer, callee, inputs):
        return (UNKNOWN,)
    if not layer.arity[1] and layer.arity[1] is not None and not any(node.op == "input" for node in work.build.nodes):
        without_input(context, callee)
        return (UNKNOWN,)
    if len(work.layers) >= MOST_LAYERS:
        work.exhausted = True
        context.report.error("E406", f"this model has more than {MOST_LAYERS:_} layers", callee.call)
        return (UNKNOWN,)
    if context.formula:
        path = context.place.root  # the ops of a formula belong to its call
    types = [value.type for value in inputs]
    if layer.samples and not types[0].batched:
        without_samples(context, callee, inputs[0])
        return (UNKNOWN,)
    try:
        layer.guard(arguments.values, types)
        specs = layer.weights(arguments.values, types)
        if specs and context.formula:
            weights_in_a_formula(context, callee)
            return (UNKNOWN,)
        made = make_weights(context, callee, specs, weights, inputs)
        if made is None:
            return (UNKNOWN,)
        with work.build.at(callee.call, layer=path):
            lowered = layer.lower(work.build, arguments.values, [each.value for each in inputs], made)
    except Refused as refused:
        report_refused(context, refused, callee, arguments, inputs)
        return (UNKNOWN,)
    found = (lowered,) if isinstance(lowered, str) else tuple(lowered)
    types = [work.build.type_of(value) for value in found]
    if not all(fits(context, type, callee.call, "one value") for type in types):
        return (UNKNOWN,)
    sized = arguments.spans.get(callee.positional or "")
    way = longest(*inputs) if inputs else None
    new = tuple(name for name in made.values() if work.owners.setdefault(name, path) == path)
    if (callee.step or not layer.function) and not context.formula:
        record = LayerRecord(
            path, layer.name, arguments.text, tuple(i.value for i in inputs), found[0], types[0], new, callee.call
        )
        work.layers.append(record)
    target = next((each.target for each in inputs if each.target), "")
    links = [Link(callee.name, type, callee.call, layer.name, bool(specs), sized, way) for type in types]
    return tuple(Tensor(value, link.type, link, target) for value, link in zip(found, links, strict=True))


def weights_in_a_formula(context: Context, callee: Callee) -> None:
    context.report.error(
        "E429",
        f"`{callee.name}` has weights, and a formula has none",
        callee.call,
        help=f"what has weights is a block: `block {context.formula[:1].upper()}{context.formula[1:]}(x: f32[D]) -> f32[_] {{ ... }}`",
    )


def without_input(context: Context, callee: Callee) -> None:
    """`normal([4])` makes a value for every sample, as many as flow into the model."""
    if not context.unsized:
        context.report.error(
            "E220",
            f"`{callee.name}` makes a value for every sample, and no input stands above it",
            callee.call,
            help="the `input` lines of a model come first",
        )


def without_samples(context: Context, callee: Callee, value: Tensor) -> None:
    """A weight, or what is made of weights and numbers alone."""
    label = value.trail.label
    what = f"`{label}`" if label.isidentifier() else "what flows in"
    context.report.error(
        "E433",
        f"`{callee.name}` works on each sample, and {what} is one value for all of them",
        callee.place,
        notes=[shapes(value.trail, callee.name)],
        help=f"what flows into `{callee.name}` is made of an input",
    )


def takes(context: Context, layer: type[Layer], callee: Callee, inputs: Sequence[Tensor]) -> bool:
    """Whether the layer takes so many inputs."""
    fewest, most = layer.arity
    if len(inputs) >= fewest and (most is None or len(inputs) <= most):
        return True
    wanted = counted(fewest, "input") if fewest == most else f"{fewest} {f'to {most}' if most else 'or more'} inputs"
    joined = fewest == most == 1 and len(inputs) > 1
    help = f"join them first: `-> concat -> {layer.name}`, or `-> add -> {layer.name}`" if joined else ""
    context.report.error("E407", f"`{layer.name}` takes {wanted}, not {len(inputs)}", callee.call, help=help)
    return False


def one_value(context: Context, at: Span, values: Values) -> Tensor | Unknown:
    """The value of a flow that is used as one."""
    if len(values) == 1:
        return values[0]
    if any(isinstance(value, Unknown) for value in values):
        return UNKNOWN
    text = short(at.text, 40)
    names = ", ".join("abcdefgh"[: len(values)]) if len(values) <= 8 else "a, b, ..."
    context.report.error(
        "E426",
        f"this gives {counted(len(values), 'value')}, and one is wanted",
        at,
        help=f"take them apart, `{names} = {text}`, or join them, `-> concat`",
    )
    return UNKNOWN


def make_weights(
    context: Context, callee: Callee, specs: Sequence[WeightSpec], path: str, inputs: Sequence[Tensor]
) -> dict[str, str] | None:
    """Weight's own name -> its path. A weight that exists is used again; None where it does not fit or is too large."""
    work = context.work
    assert work is not None
    made = {}
    for spec in specs:
        name = f"{path}.{spec.name}"
        before = work.weights.get(name)
        if before is not None and before.shape != spec.shape:
            shown = " and ".join(TensorType("f32", shape).dims for shape in (before.shape, spec.shape))
            context.report.error(
                "E408",
                f"`{path}` cannot share its weights: {spec.name} would be {shown}",
                callee.call,
                secondary=[Label(before.span, "made here")] if before.span != callee.call else [],
                notes=[shapes(inputs[0].trail, callee.name)],
                help="what flows into a shared step has the same size each time",
            )
            return None
        if before is None and not room_for(context, callee, spec, inputs):
            return None
        made[spec.name] = name
        if before is None:
            type = TensorType("f32", spec.shape, batched=False)
            with work.build.at(callee.call, layer=path):
                work.build.source("weight", name, type, {"trainable": spec.trainable})
            work.weights[name] = WeightRecord(name, spec.shape, spec.initializer, spec.trainable, callee.call)
    return made


def room_for(context: Context, callee: Callee, spec: WeightSpec, inputs: Sequence[Tensor]) -> bool:
    """Whether the weight still fits in a computer beside those before it."""
    work = context.work
    assert work is not None
    own = 4 * prod(spec.shape)
    work.bytes += own
    if work.bytes <= MOST_BYTES:
        return True
    shown = TensorType("f32", spec.shape).dims
    what = f"the {spec.name} of `{callee.name}`, {shown},"
    message = (
        f"{what} needs {in_bytes(own)}" if own > MOST_BYTES else f"with {what} the weights need {in_bytes(work.bytes)}"
    )
    context.report.error(
        "E409",
        f"{message} of memory",
        callee.call,
        notes=[shapes(inputs[0].trail, callee.name)],
        help=f"the limit is {in_bytes(MOST_BYTES)}: is a size wrong, or multiplied by mistake?",
    )
    work.exhausted = True
    return False


def report_refused(
    context: Context, refused: Refused, callee: Callee, arguments: Arguments, inputs: Sequence[Tensor]
) -> None:
    """A guard's verdict, with its place and the shapes on the way there."""
    refused = refused.named(*(value.trail.label for value in inputs))
    at = arguments.spans.get(refused.argument, callee.place) if refused.argument else callee.place
    edits = []
    if refused.insert and callee.step:
        edits = [Edit(Span(callee.call.source, callee.call.start, callee.call.start), refused.insert)]
    notes = [shapes(inputs[0].trail, callee.name)] if inputs else []
    context.report.error(refused.code, refused.message, at, refused.label, notes=notes, help=refused.help, edits=edits)
