"""One argument, converted to the kind its parameter declares and held against its bounds."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from kdsl.diagnostics.diagnostic import Edit
from kdsl.elaborate import evaluate, optimizers
from kdsl.elaborate.constants import Constant, Text, Time, Word, is_number, kind_of, show
from kdsl.elaborate.context import Context
from kdsl.elaborate.names import near_edit
from kdsl.elaborate.sizes import size, whole
from kdsl.elaborate.words import listed, question, short
from kdsl.ops.registry import Param
from kdsl.syntax import tree

FAILED: Any = object()
WANTED = {
    "size": "a whole number",
    "int": "a whole number",
    "axis": "a whole number",
    "axes": "a whole number or a list of them",
    "ints": "a list of whole numbers",
    "pairs": "a number, a pair [before, after] or a list of pairs",
    "text": "a quoted text",
    "number": "a number",
    "numbers": "a number or a list of numbers",
    "bool": "true or false",
    "shape": "a list of sizes",
    "sizes": "a size or a list of them",
    "time": "a time, such as `5 epochs`",
    "times": "a list of times, such as `[30 epochs, 60 epochs]`",
    "word": "a word",
    "initializer": "the name of an initializer",
}


def convert(context: Context, owner: str, key: str, parameter: Param, node: tree.Value) -> Any:
    """The value as ops take it, or FAILED, and then it has been reported."""
    if parameter.kind == "word":
        return word(context, key, parameter, node)
    if parameter.kind == "initializer":
        found_initializer = optimizers.initializer_of(context, key, node)
        return FAILED if found_initializer is None else found_initializer
    taker = f"`{owner}`" if parameter.positional else f"`{key}`"
    if isinstance(node, tree.Text) and parameter.kind == "text":
        return node.value
    if isinstance(node, tree.Text):
        wrong_kind(context, taker, parameter, Text(node.value), node)
        return FAILED
    full = f"the {key} of `{owner}`" if owner != "train" else f"`{key}`"
    value = evaluate.constant(context, node, full)
    if value is None:
        return FAILED
    found = of_kind(context, taker, parameter, value, node)
    if found is FAILED or not within_bounds(context, full, parameter, found, node):
        return FAILED
    return found


def of_kind(context: Context, taker: str, parameter: Param, value: Constant, node: tree.Value) -> Any:
    kind = parameter.kind
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "time" and isinstance(value, Time):
        return float(value.amount), value.unit
    if kind == "times" and isinstance(value, tuple) and value and all(isinstance(item, Time) for item in value):
        return tuple((float(item.amount), item.unit) for item in value if isinstance(item, Time))
    if kind == "shape" and isinstance(value, tuple):
        return shape(context, value, node)
    if kind == "sizes" and isinstance(value, tuple) and value and all(map(is_number, value)):
        sizes = [or_failed(size(context, v, at, taker)) for v, at in zip(value, places(node, value), strict=True)]
        return FAILED if FAILED in sizes else tuple(sizes)
    if kind in ("axes", "ints") and isinstance(value, tuple) and all(map(is_number, value)):
        return wholes(context, value, node, taker)
    if kind == "axes" and is_number(value):
        return wholes(context, (value,), node, taker)
    if kind == "pairs" and (given := pairs(value)) is not None:
        found = [wholes(context, pair, node, taker) for pair in given]
        return FAILED if FAILED in found else tuple(found)
    if kind == "numbers" and isinstance(value, tuple) and value and all(map(is_number, value)):
        numbers = [number(context, taker, item, node) for item in value]
        return FAILED if FAILED in numbers else tuple(numbers)
    if is_number(value):
        if kind in ("number", "numbers"):
            return number(context, taker, value, node)
        if kind in ("int", "axis"):
            return or_failed(whole(context, value, node, taker))
        if kind in ("size", "sizes"):
            return or_failed(size(context, value, node, taker))
    wrong_kind(context, taker, parameter, value, node)
    return FAILED


def or_failed(value: int | None) -> Any:
    return FAILED if value is None else value


def wholes(context: Context, values: tuple[Constant, ...], node: tree.Value, taker: str) -> Any:
    """Whole numbers; what is none is reported at its own place in the list."""
    found = [
        or_failed(whole(context, value, at, taker)) for value, at in zip(values, places(node, values), strict=True)
    ]
    return FAILED if FAILED in found else tuple(found)


def places(node: tree.Value, values: tuple[Constant, ...]) -> list[Any]:
    """Where the items of a list stand; the list's own place where it is not written out."""
    while isinstance(node, tree.Parens):
        node = node.value
    written = isinstance(node, tree.ListOf) and len(node.items) == len(values)
    nodes = node.items if isinstance(node, tree.ListOf) and written else (node,) * len(values)
    return [node if isinstance(place, tree.Argument) else place for place in nodes]


def pairs(value: Constant) -> list[tuple[Constant, ...]] | None:
    """`2`, `[1, 2]` and `[[0, 1], 2]` as pairs [before, after]; None where they are none."""
    if is_number(value):
        return [(value, value)]
    if not isinstance(value, tuple) or not value:
        return None
    if len(value) == 2 and all(map(is_number, value)):
        return [value]
    found = [(item, item) if is_number(item) else item for item in value]
    fit = all(isinstance(item, tuple) and len(item) == 2 and all(map(is_number, item)) for item in found)
    return found if fit else None  # type: ignore[return-value]


def number(context: Context, taker: str, value: Any, node: tree.Value) -> Any:
    try:
        return float(value)
    except OverflowError:
        context.report.error("E307", f"{taker} cannot be as large as {show(value)}", node.span)
        return FAILED


def shape(context: Context, value: tuple[Constant, ...], node: tree.Value) -> Any:
    """Sizes; one of them may be -1, which is worked out from the others."""
    sizes: list[Any] = []
    for item, at in zip(value, places(node, value), strict=True):
        if item == -1 and -1 not in sizes:
            sizes.append(-1)
        elif item == -1:
            context.report.error("E410", "only one size of a shape can be -1", at.span)
            return FAILED
        else:
            sizes.append(or_failed(size(context, item, at, "a shape")))
    return FAILED if FAILED in sizes else tuple(sizes)


def word(context: Context, key: str, parameter: Param, node: tree.Value) -> Any:
    """A bare word of the parameter's own set, else a `word` parameter of the model."""
    if isinstance(node, tree.Path) and node.text in parameter.words:
        return node.text
    if isinstance(node, tree.Text):
        help, edits = f"it is one of {listed(parameter.words)}", []
        if node.value in parameter.words:
            help = f"leave the quotes out: `{key} = {node.value}`"
            edits = [Edit(node.span, node.value)]
        context.report.error("E304", f"`{key}` takes a word, not text", node.span, help=help, edits=edits)
        return FAILED
    if isinstance(node, tree.Path) and context.scope.find(node.text) is None:
        not_a_word(context, key, parameter, node.text, node)
        return FAILED
    value = evaluate.constant(context, node, f"`{key}`")
    if value is None:
        return FAILED
    if isinstance(value, Word) and value.text in parameter.words:
        return value.text
    not_a_word(context, key, parameter, short(show(value)), node)
    return FAILED


def not_a_word(context: Context, key: str, parameter: Param, given: str, node: tree.Value) -> None:
    near = question(given, parameter.words)
    one_of = f"`{key}` is one of {', '.join(f'`{w}`' for w in parameter.words)}"
    edits = near_edit(node.span, given, list(parameter.words))
    context.report.error(
        "E303", f"`{key}` cannot be `{given}`", node.span, help=f"{near} {one_of}".strip(), edits=edits
    )


def wrong_kind(context: Context, taker: str, parameter: Param, value: Constant, node: tree.Value) -> None:
    help, edits = "", []
    if parameter.kind == "shape" and is_number(value):
        help = f"`[{short(node.span.text)}]`"
        edits = [Edit(node.span, f"[{node.span.text}]")]
    elif parameter.kind == "bool" and value in (0, 1) and not isinstance(value, bool):
        help = f"write `{'true' if value else 'false'}`"
        edits = [Edit(node.span, "true" if value else "false")]
    elif parameter.kind == "time" and is_number(value):
        text = f"{show(value)} epochs"
        help = f"say of what: `{text}` or `{show(value)} steps`"
    elif parameter.kind == "times" and isinstance(value, (tuple, Time)):
        listed_times = value if isinstance(value, tuple) else (value,)
        texts = [show(item) if isinstance(item, Time) else f"{show(item)} epochs" for item in listed_times]
        help = f"`[{', '.join(texts)}]`"
    elif isinstance(value, Time):
        help = f"leave the unit out: `{show(value.amount)}`"
        edits = [Edit(node.span, show(value.amount))]
    elif isinstance(value, Text) and value.value.replace(".", "", 1).isdigit():
        help = f"leave the quotes out: `{value.value}`"
        edits = [Edit(node.span, value.value)]
    given = kind_of(value)
    wanted = Time if parameter.kind == "times" else (Fraction, float)
    if parameter.kind in ("numbers", "times", "axes", "ints") and isinstance(value, tuple):
        odd = (item for item in value if not isinstance(item, wanted) or isinstance(item, bool))
        given = next((f"a list with {kind_of(item)} in it" for item in odd), "an empty list")
    context.report.error(
        "E306", f"{taker} takes {WANTED[parameter.kind]}, not {given}", node.span, help=help, edits=edits
    )


def within_bounds(context: Context, taker: str, parameter: Param, value: Any, node: tree.Value) -> bool:
    values = value if isinstance(value, tuple) and parameter.kind == "numbers" else (value,)
    for item in values:
        if isinstance(item, bool) or not isinstance(item, (int, float)):
            continue
        low, high = parameter.low, parameter.high
        too_low = low is not None and (item < low or (item == low and parameter.open in ("low", "both")))
        too_high = high is not None and (item > high or (item == high and parameter.open in ("high", "both")))
        if too_low or too_high:
            context.report.error("E307", f"{taker} is {bounds(parameter)}, not {item:g}", node.span)
            return False
    return True


def bounds(parameter: Param) -> str:
    """`at least 0 and less than 1`."""
    parts = []
    if parameter.low is not None:
        parts.append(f"{'more than' if parameter.open in ('low', 'both') else 'at least'} {plain(parameter.low)}")
    if parameter.high is not None:
        parts.append(f"{'less than' if parameter.open in ('high', 'both') else 'at most'} {plain(parameter.high)}")
    return " and ".join(parts)


def plain(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"
