"""Arguments that a call leaves out, written as the language writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kdsl.ops.registry import Declared, Layer, Param
from kdsl.render.edit import Change
from kdsl.syntax import tree
from kdsl.training.registry import INITIALIZERS


def written(parameter: Param, value: Any) -> str:
    """`true`, `0.5`, `[2, 2]`, `glorot_uniform`, `5 epochs`."""
    if parameter.kind == "initializer":
        name, settings = value
        return initializer(name, dict(settings))
    if parameter.kind == "time":
        return f"{number(value[0])} {value[1]}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if parameter.kind == "text" else value
    if isinstance(value, tuple):
        items = [number(item) for item in value]
        return items[0] if parameter.kind == "axes" and len(items) == 1 else f"[{', '.join(items)}]"
    return number(value)


def initializer(name: str, settings: Mapping[str, Any]) -> str:
    """With every setting that it has."""
    parameters = INITIALIZERS[name].parameters
    values = {key: settings.get(key, parameter.default) for key, parameter in parameters.items()}
    texts = [f"{key} = {written(parameters[key], value)}" for key, value in values.items() if value is not None]
    return f"{name}({', '.join(texts)})" if texts else name


def number(value: Any) -> str:
    whole = isinstance(value, float) and value == int(value) and abs(value) < 1e15
    return str(int(value)) if whole else repr(value)


def left_out(
    declared: type[Declared], arguments: Sequence[tree.Argument], inputs: int = 0
) -> tuple[list[str], list[str]]:
    """The texts of what a call leaves out: arguments without a name, and those with one. `inputs` are the values that
    stand before the arguments."""
    named = {argument.name.text for argument in arguments if argument.name is not None}
    unnamed = sum(argument.name is None for argument in arguments) - inputs
    bare: list[str] = []
    others: list[str] = []
    for key, parameter in declared.parameters.items():
        given = key in named or (parameter.positional and unnamed > 0)
        if given or parameter.required or parameter.default is None:
            continue
        text = written(parameter, parameter.default)
        if parameter.positional and parameter.kind in ("size", "shape"):
            bare.append(text)
        else:
            others.append(f"{key} = {text}")
    return bare, others


def completed_step(step: tree.Layer, declared: type[Declared]) -> list[Change]:
    """`dense(10)` -> `dense(10, bias = true, ...)`."""
    bare, named = left_out(declared, step.arguments or ())
    return insertion(step.name, step.arguments, bare + named)


def completed_call(call: tree.Call, declared: type[Declared], inputs: int | None = None) -> list[Change]:
    if inputs is None:
        inputs = declared.arity[0] if issubclass(declared, Layer) else 2
    bare, named = left_out(declared, call.arguments, inputs)
    return insertion(call.name, call.arguments, bare + named)


def completed_word(path: tree.Path, declared: type[Declared]) -> list[Change]:
    """`adam` -> `adam(lr = 0.001, ...)`."""
    bare, named = left_out(declared, ())
    return insertion(path.names[0], None, bare + named)


def insertion(name: tree.Name, arguments: Sequence[tree.Argument] | None, texts: list[str]) -> list[Change]:
    if not texts:
        return []
    inner = ", ".join(texts)
    if arguments:
        stop = arguments[-1].span.stop
        return [Change(stop, stop, f", {inner}")]
    stop = name.span.stop
    if arguments is None:
        return [Change(stop, stop, f"({inner})")]
    opening = name.span.source.text.index("(", stop) + 1
    return [Change(opening, opening, inner)]
