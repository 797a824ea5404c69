"""What leaves a graph: outputs for the caller, the loss and the metrics, values that the update of the weights reads."""

from __future__ import annotations

from collections.abc import Iterable

from kdsl.plan.launch import Buffer, Stages
from kdsl.plan.lowering import Lowering
from kdsl.plan.parts import bare
from kdsl.plan.places import Sum, Unsupported


def deliver(lowering: Lowering, name: str, value: str, text: str) -> None:
    """Copies an output, without padding, to the caller's array, whose address has this text."""
    node = lowering.graph[value]
    rows = lowering.made.rows[lowering.levels.of[value] if node.type.batched else -1]
    place = lowering.places[value]
    held = place if isinstance(place, Buffer) else lowering.read(value, lowering.layouts[value])
    lowering.part, lowering.home, lowering.rows = rows, "scratch", "count"
    lowering.launch(
        "deliver",
        node,
        (held,),
        None,
        rows="count",
        size=node.type.size,
        x=held.name,
        x_row=held.layout.row if held.batched else 0,
        width=held.layout.width,
        step=held.layout.step,
        result=text,
        at="start",
        comment_=f"output {name}",
    )


def finish(lowering: Lowering, wanted: Iterable[str]) -> Stages:
    """Keeps what is wanted in buffers, the last axis as the line, and says how the loss and the metrics are made."""
    for value in wanted:
        found = lowering.made.places[value] = lowering.read(value)
        found.home = "kept" if found.batched else found.home
    for value, body in lowering.levels.own.items():
        lowering.made.own[value] = lowering.for_pieces(body)
    for weight, value in lowering.graph.updates:
        _moved(lowering, weight, value)
    if lowering.graph.loss:
        _results(lowering, [lowering.graph.loss, *(value for _, value in lowering.graph.metrics)])
    return lowering.made


def _moved(lowering: Lowering, weight: str, value: str) -> None:
    """A weight that is no trained one gets a new value once the step is done."""
    held = lowering.read(value)
    lowering.part, lowering.home, lowering.rows = lowering.made.after, "fixed", "1"
    arguments = {"count": held.layout.row, "x": held.name, "out": lowering.outside.weight(weight)}
    lowering.launch("copy_numbers", lowering.graph[value], (held,), None, **arguments, comment_=f"{weight} moves")


def _results(lowering: Lowering, values: list[str]) -> None:
    last = lowering.made.close[-1]
    lowering.part, lowering.home, lowering.rows = last, "fixed", "1"
    for value in values:
        place = lowering.places[value]
        single = place.single if isinstance(place, Sum) else None
        if isinstance(place, Sum) and single is not None and place.stage == last.stage:
            lowering.made.results.append(f"sum_{single}")
            continue
        text = lowering.number(value)
        if text is None:
            raise Unsupported(f"the loss or metric {value} is no number")
        lowering.made.linear = lowering.made.linear and single is not None
        lowering.made.results.append(f"{bare(text)} * rows")
