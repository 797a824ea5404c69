"""`augment = [flip_horizontal, pad_crop(4)]`: changes of the model's image, between the data and the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kdsl.elaborate.context import Context
from kdsl.elaborate.not_yet import not_yet
from kdsl.elaborate.optimizers import configured
from kdsl.elaborate.words import listed
from kdsl.graph.builder import Builder
from kdsl.graph.graph import Graph, Node
from kdsl.graph.types import TensorType
from kdsl.ops.augmentation_layers import BYTE
from kdsl.ops.registry import OPS, Refused
from kdsl.source import Span
from kdsl.syntax import tree
from kdsl.training.registry import AUGMENTATIONS, Augmentation


@dataclass(frozen=True)
class Change:
    """One of the list, with its arguments."""

    declared: type[Augmentation]
    arguments: Mapping[str, Any]
    at: Span


def augment(context: Context, value: tree.Value, at: Span) -> tuple[Change, ...]:
    """What is to be done to images, in order; what is wrong with it is reported. `at` is the setting's name."""
    changes: list[Change] = []
    sound = True
    for each in value.items if isinstance(value, tree.ListOf) else (value,):
        written = each.value if isinstance(each, tree.Argument) else each
        declared, bound = configured(context, written, AUGMENTATIONS, "an augmentation", {})
        if declared is None or bound is None:
            sound = False
            continue
        if not declared.compiled:
            not_yet(
                context.report, f"`{declared.name}`", written.span, "train without it, or prepare the data before `fit`"
            )
            continue
        changes.append(Change(declared, dict(bound.values), written.span))
    assert context.work is not None
    images = [node for node in context.work.build.nodes if _is_image(node)]
    if changes and sound and len(images) != 1:
        _no_image(context, images, at)
    return tuple(changes)


def _is_image(node: Node) -> bool:
    return node.op == "input" and node.type.dtype in ("u8", "f32") and node.type.rank in (2, 3)


def _no_image(context: Context, images: list[Node], at: Span) -> None:
    several = f"this model has {len(images)} ({listed([node.name for node in images], 'and')})"
    context.report.error(
        "E524",
        f"`augment` changes the image that a model gets, and {several if images else 'this model gets none'}",
        at,
        help="as layers behind one of them they are `random_flip`, `random_rotation` ..."
        if images
        else "an image is an input `u8` or `f32` of shape [height, width] or [height, width, channels]",
    )


class WantsWholeNumbers(Exception):
    """A node reads the image and cannot read fractions of its values."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.name)
        self.node = node


def augmented(graph: Graph, changes: tuple[Change, ...]) -> Graph:
    """The graph with the changes behind its image: whatever read the image reads what became of it, as f32.

    Raises WantsWholeNumbers where something that reads the image is for classes or places.
    """
    image = next(node for node in graph if _is_image(node))
    made, value = _made(graph, image, changes)
    names, types = {image.name: value}, {node.name: node.type for node in made}
    nodes: list[Node] = []
    for original in graph:
        node = original.renamed(names)
        if node.op == "cast" and node.inputs == (value,):
            names[node.name] = value
            continue
        if any(types[name] != graph[before].type for name, before in zip(node.inputs, original.inputs, strict=True)):
            node = replace(node, type=_type_of(node, [types[name] for name in node.inputs]))
        types[node.name] = node.type
        nodes += [node, *made] if original is image else [node]
    return graph.with_results(names, tuple(nodes))


def _type_of(node: Node, types: list[TensorType]) -> TensorType:
    try:
        return OPS[node.op].infer(types, node.keywords)
    except (Refused, ValueError) as error:
        raise WantsWholeNumbers(node) from error


def _made(graph: Graph, image: Node, changes: tuple[Change, ...]) -> tuple[list[Node], str]:
    """The changes' nodes, with streams behind those that the model draws from, and the value of the last."""
    build, value, byte = Builder(graph.nodes), image.name, image.type.dtype == "u8"
    for change in changes:
        with build.at(change.at):
            if byte and value == image.name:
                value = build.add("cast", [value], name=f"{image.name}.pixels")
            value = change.declared.lower(build, change.arguments, value, BYTE if byte else 0.0)
    return build.nodes[len(graph.nodes) :], value
