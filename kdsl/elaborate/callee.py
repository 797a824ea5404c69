"""A call of a block or fn as written, and which of its parameters are known when compiled."""

from __future__ import annotations

from typing import Union

from kdsl.elaborate.scope import Definition, Meaning, Named
from kdsl.records import dataclass
from kdsl.source import Span
from kdsl.syntax import tree

CONSTANTS = ("int", "float", "bool", "word", "list", "layer")
Argument = Union[Meaning, Named]


@dataclass(frozen=True)
class Call:
    """One call as written: what is called, its name and the whole of it in the source."""

    definition: Definition
    arguments: tuple[tree.Argument, ...]
    place: Span
    span: Span

    @property
    def name(self) -> str:
        return self.definition.item.name.text


def is_constant(parameter: tree.Parameter) -> bool:
    """Whether a parameter is known when compiled, and not a tensor that flows in."""
    return parameter.type is not None and parameter.type.name.text in CONSTANTS and parameter.type.shape is None


def flow_into(call: Call) -> str:
    """`(x, skip) -> Up(...)`: how a block is fed."""
    item = call.definition.item
    inputs = [each.name.text for each in item.parameters if not is_constant(each)]
    source = inputs[0] if len(inputs) == 1 else f"({', '.join(inputs)})"
    rest = "(...)" if len(inputs) < len(item.parameters) else ""
    return f"{source} -> {call.name}{rest}"
