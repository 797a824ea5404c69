"""Operators on tensors: `x + bias`, `-x`, `score > 0 and known`. Each becomes ops of the graph, with NumPy's broadcasting."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.elaborate.constants import Constant, Number, is_number, kind_of, show
from kdsl.elaborate.context import Context, Work
from kdsl.elaborate.scope import UNKNOWN, Link, Meaning, Tensor, Unknown
from kdsl.elaborate.sizes import fits
from kdsl.elaborate.trail import longest, shapes
from kdsl.elaborate.words import short
from kdsl.ops.registry import LAYERS, Refused
from kdsl.source import Span
from kdsl.syntax import tree

COMMUTE = frozenset(["+", "*", "==", "!=", "and", "or"])


def unary(context: Context, node: tree.Unary, operand: Tensor) -> Meaning:
    """`-x`, `not mask`."""
    from kdsl.ops import operators

    work = growing(context, node.span)
    if work is None:
        return UNKNOWN
    try:
        with work.build.at(node.span, layer=context.place.path):
            value = operators.unary(work.build, node.operator, operand.value)
    except Refused as refused:
        refused_operator(context, node.span, refused, (operand, node.value))
        return UNKNOWN
    return made(context, value, node.span, node.operator, node.operator, operand, (operand,))


def binary(context: Context, node: tree.Binary, left: Meaning, right: Meaning) -> Meaning:
    """An operator with at least one tensor; numbers and lists of numbers become constants."""
    from kdsl.ops import operators

    work = growing(context, node.span)
    if work is None:
        return UNKNOWN
    first = operand(context, work, node, left, node.left)
    second = operand(context, work, node, right, node.right)
    if first is None or second is None:
        return UNKNOWN
    try:
        with work.build.at(node.span, layer=context.place.path):
            value = operators.binary(work.build, node.operator, first.value, second.value)
    except Refused as refused:
        if refused.code == "E402" and node.operator != "@":
            shapes_differ(context, node, first, second)
        else:
            refused_operator(context, node.span, refused, (first, node.left), (second, node.right))
        return UNKNOWN
    base = first if longest(first, second) is first.trail else second
    return made(context, value, node.span, node.operator, entry(node, base is first), base, (first, second))


def growing(context: Context, at: Span) -> Work | None:
    """The graph, where it may grow; reports a place that must be known when compiled."""
    if context.work is None:
        context.report.error(
            "E313",
            f"{context.what} must be known when the model is compiled: `{short(at.text)}` computes with data",
            at,
        )
        return None
    return None if context.work.exhausted else context.work


def operand(context: Context, work: Work, node: tree.Binary, found: Meaning, at: tree.Value) -> Tensor | None:
    """A tensor, or a constant made one; reports what is neither."""
    if isinstance(found, Tensor):
        return found
    if isinstance(found, Unknown):
        return None
    if numeric(found):
        return constant(context, work, found, at.span)
    what = "a list that is not one of numbers" if isinstance(found, tuple) else kind_of(found)
    help = "a list of numbers becomes a vector along the last axis" if isinstance(found, tuple) else ""
    if isinstance(found, bool):
        help = "write the condition itself, or `not` before it"
    context.report.error(
        "E430", f"`{node.operator}` of tensors takes tensors and numbers, and this is {what}", at.span, help=help
    )
    return None


def numeric(value: Constant) -> bool:
    """A number, or a list of numbers: what becomes a constant beside tensors."""
    return is_number(value) or (isinstance(value, tuple) and len(value) > 0 and all(map(is_number, value)))


def constant(context: Context, work: Work, value: Constant, at: Span) -> Tensor | None:
    """A number, or a list of numbers as a vector along the last axis."""
    numbers: tuple[Number, ...] = value if isinstance(value, tuple) else (value,)  # type: ignore[assignment]
    try:
        plain = tuple(map(float, numbers))
    except OverflowError:
        context.report.error("E307", f"{show(value)} is too large for a tensor", at)
        return None
    with work.build.at(at, layer=context.place.path):
        name = work.build.constant(plain if isinstance(value, tuple) else plain[0])
    type = work.build.type_of(name)
    return Tensor(name, type, Link(short(at.text, 16), type, at))


def made(
    context: Context, value: str, at: Span, operator: str, label: str, base: Tensor, operands: tuple[Tensor, ...]
) -> Meaning:
    """The result: its trail goes on from the operand with the longest one."""
    assert context.work is not None
    type = context.work.build.type_of(value)
    if not fits(context, type, at, "one value"):
        return UNKNOWN
    target = next((each.target for each in operands if each.target), "")
    return Tensor(value, type, Link(label, type, at, operator, before=base.trail), target)


def entry(node: tree.Binary, from_left: bool) -> str:
    """How a trail shows the operator: `+ skip`, behind the operand that it goes on from."""
    if from_left or node.operator in COMMUTE:
        return f"{node.operator} {short((node.right if from_left else node.left).span.text, 16)}"
    return short(node.span.text, 24)


# -- what is said ------------------------------------------------------------------------------------


def refused_operator(context: Context, at: Span, refused: Refused, *sides: tuple[Tensor, tree.Value]) -> None:
    """Another verdict than different shapes: its own words, with the way of each operand."""
    named = refused.named(*(short(written.span.text) for _, written in sides))
    secondary = sources(context, at, *sides)
    notes = [way for tensor, written in sides for way in way_of(tensor, written)]
    context.report.error(named.code, named.message, at, named.label, secondary=secondary, notes=notes, help=named.help)


def shapes_differ(context: Context, node: tree.Binary, left: Tensor, right: Tensor) -> None:
    """Both shapes where they come from, how they came about, and what would bring them together."""
    pairs = {(left.value, right.type.dims), (right.value, left.type.dims)}
    if context.work is not None:
        if pairs & context.work.mismatched:  # the same value does not fit the same shape again
            return
        context.work.mismatched |= pairs
    help, edits = together(node, left, right)
    context.report.error(
        "E402",
        f"the two sides of `{node.operator}` have different shapes: {left.type.dims} and {right.type.dims}",
        node.span,
        secondary=sources(context, node.span, (left, node.left), (right, node.right)),
        notes=[*way_of(left, node.left), *way_of(right, node.right)],
        help=help,
        edits=edits,
    )


def sources(context: Context, at: Span, *sides: tuple[Tensor, tree.Value]) -> list[Label]:
    """Where the operands were bound, each with its shape. What is not a name stands at the marked place itself."""
    found = []
    for tensor, written in sides:
        bound = context.scope.find(written.text) if isinstance(written, tree.Path) else None
        if bound is not None or written.span.line != at.line:
            found.append(Label(written.span if bound is None else bound.span, tensor.type.dims))
    return found


def way_of(tensor: Tensor, written: tree.Value) -> list[str]:
    """The shape trail of an operand, where it has more than its beginning."""
    return [] if tensor.trail.before is None else [shapes(tensor.trail, name=f"`{short(written.span.text, 24)}`")]


def together(node: tree.Binary, left: Tensor, right: Tensor) -> tuple[str, list[Edit]]:
    """What would make the shapes fit, and an edit where that is certain."""
    one, other = left.type.shape, right.type.shape
    for mine, theirs, written in ((left.type, right.type, node.left), (right.type, left.type, node.right)):
        if 0 < mine.rank < theirs.rank and theirs.shape[: mine.rank] == mine.shape:
            ones = ", ".join(["1"] * (theirs.rank - mine.rank))
            text = f"reshape({written.span.text}, [{', '.join(map(str, mine.shape))}, {ones}])"
            plain = isinstance(written, (tree.Path, tree.Call)) and mine.batched
            edits = [Edit(written.span, text)] if plain else []
            return (
                f"shapes are aligned at their last axes; to align the first ones, write `{short(text)}`",
                edits,
            )
    if node.operator in ("+", "-") and len(one) == len(other) and one and one[:-1] == other[:-1]:
        help = projected(node, left, right)
        if help:
            return help, []
    return "shapes are aligned at their last axes; two sizes fit where they are equal, or one of them is 1", []


def projected(node: tree.Binary, left: Tensor, right: Tensor) -> str:
    """The operand with the shorter way, the shortcut, brought to the width of the other. Nothing where that has no weights."""
    main_is_left = longest(left, right) is left.trail
    main, written = (left, node.right) if main_is_left else (right, node.left)
    if not any(link.weighted for link in main.trail.chain()):
        return ""
    layer = "conv({}, kernel = 1)" if "conv" in LAYERS and main.type.rank > 2 else "dense({})"
    step = layer.format(main.type.shape[-1])
    return f"project the shortcut to the same width: `{short(written.span.text)} -> {step}`"
