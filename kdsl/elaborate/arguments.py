"""The arguments of a call, matched with declared parameters and converted to what ops, losses and optimizers take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.elaborate import foreign
from kdsl.elaborate.context import Context
from kdsl.elaborate.convert import FAILED, convert
from kdsl.elaborate.words import joined, listed, question
from kdsl.ops.registry import Param
from kdsl.records import dataclass
from kdsl.source import Span
from kdsl.syntax import tree

AXIS_IS_NAMED = frozenset(["min", "max"])


@dataclass(frozen=True)
class Arguments:
    """Every parameter's value, defaults included; the places of those given; and the call reprinted with its values."""

    values: dict[str, Any]
    spans: dict[str, Span]
    text: str


@dataclass(frozen=True)
class Callee:
    """What is called. `call` is the whole of it in the source, `place` its name.

    `ordered`: arguments without a name are the parameters in the order declared, as in `clip(x, 0, 1)`.
    """

    name: str
    parameters: Mapping[str, Param]
    place: Span
    call: Span
    step: bool = False  # stands after an arrow, so that steps can follow it
    ordered: bool = False

    @property
    def in_order(self) -> bool:
        """`max(x, 0)` is left out: NumPy's maximum along axis 0, or Python's of two values? The reader could not tell."""
        return self.ordered and self.name not in AXIS_IS_NAMED

    @property
    def positional(self) -> str | None:
        return next((key for key, parameter in self.parameters.items() if parameter.positional), None)


def bind(context: Context, callee: Callee, arguments: Sequence[tree.Argument]) -> Arguments | None:
    """None where something is wrong, which has been reported; all arguments are looked at."""
    given: dict[str, tree.Argument] = {}
    sound = True
    for argument in arguments:
        key = parameter_of(context, callee, arguments, argument)
        if key is None:
            sound = False
        elif key in given:
            twice(context, key, given[key], argument)
            sound = False
        else:
            given[key] = argument
    values: dict[str, Any] = {}
    for key, parameter in callee.parameters.items():
        if key in given:
            values[key] = convert(context, callee.name, key, parameter, given[key].value)
            sound = sound and values[key] is not FAILED
        elif not parameter.required:
            values[key] = parameter.default
        elif sound:
            missing(context, callee, key, parameter)
            sound = False
    if not sound:
        return None
    return Arguments(values, {key: given[key].value.span for key in given}, reprinted(callee, values, given))


def parameter_of(
    context: Context, callee: Callee, arguments: Sequence[tree.Argument], argument: tree.Argument
) -> str | None:
    """The parameter an argument is for; None where there is none, which is reported."""
    positional = callee.positional
    if argument.name is None:
        unnamed = [each for each in arguments if each.name is None]
        if callee.in_order and unnamed.index(argument) < len(callee.parameters):
            return list(callee.parameters)[unnamed.index(argument)]
        if positional is not None and unnamed[0] is argument:
            return positional
        most = len(callee.parameters) if callee.in_order else positional is not None
        if unnamed.index(argument) == most:  # the first too many speaks for the others
            too_many(context, callee, arguments, argument)
        return None
    key = argument.name.text
    if key == positional and callee.parameters[key].kind in ("size", "shape") and not callee.in_order:
        unknown_argument(context, callee, arguments, argument)
        return None
    if key in callee.parameters:
        return key
    unknown_argument(context, callee, arguments, argument)
    return None


def too_many(context: Context, callee: Callee, arguments: Sequence[tree.Argument], argument: tree.Argument) -> None:
    named = fitting(callee, argument.value)
    if not callee.parameters:
        message = f"`{callee.name}` takes no {'other ' * callee.in_order}arguments"
    elif callee.in_order:
        message = f"`{callee.name}` takes {listed(list(callee.parameters), 'and')}, and nothing behind them"
    elif callee.positional is None:
        message = f"`{callee.name}` takes no argument without a name"
    else:
        message = f"`{callee.name}` takes one argument without a name, its {callee.positional}"
    help, edits = "", []
    sizes = all(a.name is None and isinstance(a.value, (tree.Number, tree.Path)) for a in arguments)
    if callee.ordered and not callee.in_order:
        given = foreign.bare(argument.value)
        help = (
            f"along an axis it is `{callee.name}(axis = {given})`, element by element `{callee.name}imum(x, {given})`"
        )
    elif callee.name == "dense" and len(arguments) == 2 and sizes:
        help = f"the size that comes in is inferred: `dense({foreign.bare(arguments[1].value)})`"
        edits = [Edit(callee.call, f"dense({foreign.bare(arguments[1].value)})")]
    elif named[:1] == ["lr"]:  # what every other library takes first
        help = f"write `lr = {foreign.bare(argument.value)}`"
        edits = [Edit(argument.span, f"lr = {argument.span.text}")]
    elif named:
        help = f"say which it is: {listed(named)}, as in `{named[0]} = {foreign.bare(argument.value)}`"
        edits = [Edit(argument.span, f"{named[0]} = {argument.span.text}")] if len(named) == 1 else []
    context.report.error("E308", message, argument.span, help=help, edits=edits)


def fitting(callee: Callee, value: tree.Value) -> list[str]:
    """Parameters with a name that such a value could be for: `true` is for a `bool`. Those that must be given go first."""
    truth = isinstance(value, tree.Bool)
    number = isinstance(value, tree.Number)
    found = [
        key
        for key, parameter in callee.parameters.items()
        if key != callee.positional
        and (not truth or parameter.kind == "bool")
        and (not number or parameter.kind in ("size", "sizes", "int", "number", "numbers", "axis", "axes"))
    ]
    return [key for key in found if callee.parameters[key].required] or found


def unknown_argument(
    context: Context, callee: Callee, arguments: Sequence[tree.Argument], argument: tree.Argument
) -> None:
    """Each of Keras's habits has its own answer; the edit writes the whole call anew where all of it is understood."""
    assert argument.name is not None
    word, positional = argument.name.text, callee.positional
    rewritten = foreign.translated(callee.name, callee.parameters, arguments)
    whole = "".join(rewritten) if rewritten is not None and (callee.step or not rewritten[1]) else ""
    ours = foreign.renamed(word, callee.parameters)
    others = [key for key in callee.parameters if key not in (positional, ours)]
    also = f"`{callee.name}` also takes {', '.join(others)}" if 0 < len(others) <= 6 else ""
    if word.endswith("_regularizer"):
        given = foreign.bare(argument.value) if isinstance(argument.value, tree.Call) else "l2(1e-4)"
        weight = word.removesuffix("_regularizer")
        text = given if "weights" in given else f'{given.removesuffix(")")}, weights = "*.{weight}")'
        help = f"regularizers stand in `train`, for weights by their names: `regularize = {text}`"
    elif word == "activation":
        help = "an activation is a step of its own" + (f": `-> {whole}`" if whole else ": `-> relu`")
    elif ours == positional and ours is not None:
        size = "size" if callee.parameters[ours].kind in ("size", "shape") else ours
        help = f"its {size} comes first, without a name" + (f": `{rewritten[0]}`" if rewritten else "")
    elif ours == "":
        help = f"leave it out: {foreign.LEFT_OUT.get(word, 'sizes flow')}"
    elif ours is not None:
        help = joined(f"Keras's `{word}` is `{ours}` here", also)
    else:
        takes = f"`{callee.name}` takes {', '.join(callee.parameters)}" if callee.parameters else ""
        near = question(word, callee.parameters)
        help = joined(near, takes or f"`{callee.name}` takes no others")
    edits = near_edit(callee, argument)
    if whole:
        edits = [Edit(callee.call, whole) if callee.step else within(callee, arguments, whole)]
    context.report.error(
        "E302", f"`{callee.name}` has no argument `{word}`", argument.name.span, help=help, edits=edits
    )


def within(callee: Callee, arguments: Sequence[tree.Argument], whole: str) -> Edit:
    """The edit that makes the arguments of a call those of `whole`; what it computes with stands before them."""
    inside = whole[len(callee.name) + 1 : -1]
    source, start, stop = callee.call.source, arguments[0].span.start, arguments[-1].span.stop
    before = source.text[:start].rstrip()
    if not inside and before.endswith(","):
        start = len(before) - 1
    return Edit(Span(source, start, stop), inside)


def near_edit(callee: Callee, argument: tree.Argument) -> list[Edit]:
    from kdsl.diagnostics.suggest import nearest

    assert argument.name is not None
    names = nearest(argument.name.text, callee.parameters, 1)
    return [Edit(argument.name.span, names[0])] if names and names[0] != callee.positional else []


def twice(context: Context, key: str, first: tree.Argument, second: tree.Argument) -> None:
    context.report.error(
        "E309", f"`{key}` is given twice", second.span, secondary=[Label(first.span, "given here")], help="keep one"
    )


def missing(context: Context, callee: Callee, key: str, parameter: Param) -> None:
    sample = {"size": "64", "number": "0.5", "shape": "[8, 8]", "bool": "true", "text": '"ij,jk->ik"'}.get(
        parameter.kind, "3"
    )
    if parameter.words:
        sample = parameter.words[0]
    written = f"{callee.name}({sample})" if parameter.positional else f"{callee.name}({key} = {sample})"
    context.report.error(
        "E301",
        f"`{callee.name}` needs its {'size' if parameter.kind == 'size' else f'`{key}`'}",
        callee.place,
        help=f"for instance `{written}`: {parameter.doc}",
    )


def reprinted(callee: Callee, values: Mapping[str, Any], given: Mapping[str, tree.Argument]) -> str:
    """`dense(128, bias = false)`: what was given, the positional argument first."""
    texts = {key: printed(values[key], callee.parameters[key].kind) for key in given}
    inside = [text for key, text in texts.items() if key == callee.positional]
    inside += [f"{key} = {texts[key]}" for key in callee.parameters if key in given and key != callee.positional]
    return f"{callee.name}({', '.join(inside)})" if inside else callee.name


def printed(value: Any, kind: str = "") -> str:
    """A converted value as kdsl writes it; `kind` is its parameter's."""
    if kind == "text":
        return f'"{value}"'
    if kind == "axes" and isinstance(value, tuple) and len(value) == 1:
        return printed(value[0])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        name, settings = value
        inside = ", ".join(f"{key} = {printed(item)}" for key, item in settings)
        return f"{name}({inside})" if inside else name
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str):
        return f"{printed(value[0])} {value[1] if value[0] != 1 else value[1].rstrip('s')}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(printed, value))}]"
    return decimal_or_fraction(value) if isinstance(value, float) else str(value)


def decimal_or_fraction(value: float) -> str:
    """`0.5`, `1e-05`, `1 / 255`: the shortest that is exactly this float."""
    if float(f"{value:.6g}") == value:
        return f"{value:.6g}"
    ratio = Fraction(value).limit_denominator(10_000)
    return f"{ratio.numerator} / {ratio.denominator}" if float(ratio) == value else str(value)
