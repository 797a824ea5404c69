"""What the register tile can do to a product before it is stored: bias, relu, the gate of a relu's gradient, a factor."""

from __future__ import annotations

from dataclasses import dataclass, field

from kdsl.graph.graph import Node
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import Layout
from kdsl.plan.lowering import Lowering, outside_values
from kdsl.plan.places import Number, Place


@dataclass(slots=True)
class Epilogue:
    """`value` is the last value that the tile makes, `rest` what is left for a map in place, `reads` the buffers read."""

    value: str
    rest: list[Node]
    bias: str = "ZEROS"
    floor: str = "LOWEST"
    gate: Buffer | None = None
    factor: float = 1.0
    reads: list[Buffer] = field(default_factory=list)


def epilogue(lowering: Lowering, product: Node, rest: list[Node], layout: Layout) -> Epilogue:
    """Takes from the nodes behind a product what the tile can do; the gate is read in the product's layout."""
    found = Epilogue(product.name, rest)
    if rest and rest[0].op == "add_bias" and rest[0].inputs[0] == found.value:
        vector = lowering.read(rest[0].inputs[1])
        found.bias, found.value = vector.name, rest.pop(0).name
        found.reads.append(vector)
    if rest and rest[0].op == "relu":
        found.floor, found.value = "0.0", rest.pop(0).name
    while rest:
        following = rest[0]
        others = [name for name in following.inputs if name != found.value]
        literal = _literal(lowering.places[others[0]]) if len(others) == 1 else None
        if following.op == "multiply" and literal is not None:
            found.factor *= literal
        elif following.op == "relu_gradient" and following.inputs[0] == found.value and found.gate is None:
            found.gate = lowering.read(following.inputs[1], layout)
            found.reads.append(found.gate)
        else:
            break
        found.value = rest.pop(0).name
    return found


def finish_in_place(lowering: Lowering, node: Node, found: Epilogue, made: Buffer) -> None:
    """What the tile could not do."""
    if found.rest:
        outside = [name for name in outside_values(tuple(found.rest)) if name != found.value]
        operands = [(name, lowering.operand(name, made.layout, node)) for name in outside]
        lowering.map(tuple(found.rest), operands, node, made, own=found.value)


def _literal(place: Place) -> float | None:
    return place.literal if isinstance(place, Number) else None
