"""Weights of one's own: `weight gain: f32[D] = ones`, and the weights of a named step: `tokens.embeddings`."""

from __future__ import annotations

from math import prod
from typing import Any

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate import evaluate, optimizers
from kdsl.elaborate.constants import Word, is_number, kind_of
from kdsl.elaborate.context import MOST_BYTES, Context
from kdsl.elaborate.names import bind_once, look_up
from kdsl.elaborate.patterns import incomplete
from kdsl.elaborate.program import WeightRecord
from kdsl.elaborate.scope import UNKNOWN, Link, Meaning, NamedStep, Tensor, Unknown
from kdsl.elaborate.sizes import in_bytes
from kdsl.elaborate.types import tensor_type
from kdsl.elaborate.words import listed, question, short
from kdsl.graph.types import TensorType
from kdsl.records import replace
from kdsl.syntax import tree
from kdsl.training.registry import INITIALIZERS

Initializer = tuple[str, tuple[tuple[str, Any], ...]]
DEFAULT: Initializer = ("glorot_uniform", ())  # as Keras's add_weight


def declare_weight(context: Context, statement: tree.Weight) -> None:
    """Makes the weight, or where its body runs again finds it, and binds its name."""
    bind_once(context, statement.name, weight(context, statement))


def weight(context: Context, statement: tree.Weight) -> Tensor | Unknown:
    work = context.work
    assert work is not None
    type = tensor_type(context, statement.type, f"the weight `{statement.name.text}`")
    initializer = DEFAULT if statement.init is None else initializer_of(context, statement.init)
    if type is None or initializer is None or work.exhausted:
        return UNKNOWN
    if type.dtype != "f32":
        context.report.error(
            "E318",
            f"a weight is f32, not {statement.type.name.text}",
            statement.type.span,
            help="weights follow gradients, which only real numbers have",
        )
        return UNKNOWN
    type = replace(type, batched=False)
    path = f"{context.place.weight_root}.{statement.name.text}".lstrip(".")
    if path not in work.weights and not make(context, statement, path, type, initializer):
        return UNKNOWN
    if work.weights[path].shape != type.shape:
        return shared_sizes(context, statement, path, type)
    link = Link(statement.name.text, type, statement.name.span, sized=statement.type.span)
    return Tensor(path, type, link)


def make(context: Context, statement: tree.Weight, path: str, type: TensorType, initializer: Initializer) -> bool:
    """The weight added to the model, if there is room for it."""
    work = context.work
    assert work is not None
    work.bytes += 4 * prod(type.shape)
    if work.bytes > MOST_BYTES:
        work.exhausted = True
        context.report.error(
            "E409",
            f"with `{statement.name.text}`, {type.dims}, the weights need {in_bytes(work.bytes)} of memory",
            statement.span,
            help=f"the limit is {in_bytes(MOST_BYTES)}: is a size wrong, or multiplied by mistake?",
        )
        return False
    trainable = not statement.frozen
    with work.build.at(statement.span, layer=context.place.root):
        work.build.source("weight", path, type, {"trainable": trainable})
    work.weights[path] = WeightRecord(path, type.shape, initializer, trainable, statement.span)
    work.owners[path] = context.place.root
    return True


def shared_sizes(context: Context, statement: tree.Weight, path: str, type: TensorType) -> Unknown:
    work = context.work
    assert work is not None
    before = TensorType("f32", work.weights[path].shape).dims
    context.report.error(
        "E408",
        f"`{path}` cannot be shared: it would be {before} and {type.dims}",
        statement.span,
        help="what flows into a shared step has the same size each time",
    )
    return UNKNOWN


def initializer_of(context: Context, value: tree.Value) -> Initializer | None:
    """`ones`, `normal(stddev = 0.02)`, a number, or a parameter that holds a number or word."""
    if isinstance(value, tree.Path) and len(value.names) == 1:
        bound = context.scope.find(value.text)
        if bound is None or (value.text in INITIALIZERS and not isinstance(bound.meaning, (Word, float))):
            return optimizers.initializer_of(context, "weight", value)
        if isinstance(bound.meaning, Word):
            word = tree.Path((tree.Name(bound.meaning.text, value.span),), value.span)
            return optimizers.initializer_of(context, "weight", word)
    if isinstance(value, (tree.Call, tree.Text)):
        return optimizers.initializer_of(context, "weight", value)
    found = evaluate.constant(context.only_constants("a first value"), value, "a first value")
    if found is None:
        return None
    if is_number(found):
        return "constant", (("value", float(found)),)  # type: ignore[arg-type]
    context.report.error(
        "E306",
        f"a weight starts with a number or an initializer, not {kind_of(found)}",
        value.span,
        help="for instance `= ones`, `= normal(stddev = 0.02)` or `= 0.5`",
    )
    return None


# -- weights of named steps --------------------------------------------------------------------------


def dotted(context: Context, value: tree.Path) -> Meaning:
    """`tokens.embeddings`: a weight of the step that was named `tokens`."""
    first = value.names[0]
    bound = context.scope.find(first.text)
    meaning = look_up(context, first) if bound is None else bound.meaning
    if isinstance(meaning, Unknown):
        return UNKNOWN
    if not isinstance(meaning, NamedStep):
        no_step(context, value)
        return UNKNOWN
    if context.work is None:
        context.report.error(
            "E313",
            f"{context.what} must be known when the model is compiled: `{short(value.text)}` is a weight",
            value.span,
        )
        return UNKNOWN
    made = Label(meaning.step.span, "made here")
    if meaning.copies:
        context.report.error(
            "E204",
            f"`{first.text}` has a copy for each round of its loop, and the name does not say which",
            first.span,
            secondary=[made],
            help="`repeat n shared` gives all copies one set of weights",
        )
        return UNKNOWN
    rest = ".".join(name.text for name in value.names[1:])
    path = f"{meaning.path}.{rest}"
    record = context.work.weights.get(path)
    if record is not None:
        type = TensorType("f32", record.shape, batched=False)
        return Tensor(path, type, Link(value.text, type, value.span))
    own = [
        each.removeprefix(f"{meaning.path}.") for each in context.work.weights if each.startswith(f"{meaning.path}.")
    ]
    if not context.work.exhausted and not context.unsized:
        no_weight(context, value, rest, own, made)
    return UNKNOWN


def no_weight(context: Context, value: tree.Path, rest: str, own: list[str], made: Label) -> None:
    near = nearest(rest, own)
    if not near and incomplete(context):
        return
    has = f"it has {listed(own[:8], 'and')}" if own else "it has no weights"
    context.report.error(
        "E428",
        f"`{value.names[0].text}` has no weight called `{rest}`",
        value.span,
        secondary=[made],
        help=question(rest, own) if near else has,
        edits=[Edit(value.names[1].span.to(value.names[-1].span), near[0])] if len(near) == 1 else [],
    )


def no_step(context: Context, value: tree.Path) -> None:
    """Dots after something that is no step named with `as`."""
    name = value.names[0].text
    step = "_".join([name, "layer"])
    context.report.error(
        "E428",
        f"`{name}` is not a step, so it has no weight `{'.'.join(each.text for each in value.names[1:])}`",
        value.span,
        help=f"`as` names a step: `x -> dense(8) as {step}`, and then `{step}.kernel` is its weight",
    )
