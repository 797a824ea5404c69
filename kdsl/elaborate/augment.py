"""`augment = [flip_horizontal, pad_crop(4), mixup]`: changes of the model's image, and mixtures, between the data and the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kdsl.elaborate.context import Context
from kdsl.elaborate.mixing import MOVES, Targets, WantsWholeNumbers, conditions
from kdsl.elaborate.optimizers import configured
from kdsl.elaborate.words import listed
from kdsl.graph.builder import Builder
from kdsl.graph.graph import Graph, Node
from kdsl.graph.types import TensorType
from kdsl.ops.augmentation_layers import BYTE
from kdsl.ops.registry import OPS, Refused
from kdsl.records import dataclass, replace
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
        changes.append(Change(declared, dict(bound.values), written.span))
    assert context.work is not None
    images = [node for node in context.work.build.nodes if is_image(node)]
    if sound and len(images) != 1 and not all(change.declared.mixes for change in changes):
        _no_image(context, images, at)
    return tuple(changes)


def is_image(node: Node) -> bool:
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


def augmented(graph: Graph, changes: tuple[Change, ...]) -> Graph:
    """The graph with the changes behind its inputs: whatever read an image reads what became of it, as f32. Where rows are
    mixed, so are all inputs and targets.

    Raises WantsWholeNumbers where something that reads one of them is for classes or places.
    """
    build = Builder(graph.nodes)
    targets = Targets(build)
    names = _changed(build, graph, changes, targets)
    nodes = [*graph.of("input"), *build.nodes[len(graph.nodes) :]]
    types = {node.name: node.type for node in nodes}
    sources = {value: name for name, value in names.items()}
    for original in graph:
        if original.op == "input":
            continue
        known = len(build.nodes)
        node = targets.read_by(original) if targets.shares else original
        made = build.nodes[known:]
        types |= {each.name: each.type for each in made}
        node = node.renamed(names)
        source = next((sources[name] for name in node.inputs if name in sources), "")
        if node.op == "cast" and source:
            names[node.name] = node.inputs[0]
            continue
        if any(name in sources for name in conditions(node)):
            raise WantsWholeNumbers(node, source)
        now = [types[name] for name in node.inputs]
        if now != [graph[name].type for name in original.inputs]:
            node = replace(node, type=_type_of(node, now, source))
        if source and (node.op in MOVES or node.type != original.type):
            sources[node.name] = source
        types[node.name] = node.type
        nodes += [*made, node]
    return graph.with_results(names, tuple(nodes))


def _type_of(node: Node, types: list[TensorType], source: str) -> TensorType:
    try:
        return OPS[node.op].infer(types, node.keywords)
    except (Refused, ValueError) as error:
        raise WantsWholeNumbers(node, source) from error


def _changed(build: Builder, graph: Graph, changes: tuple[Change, ...], targets: Targets) -> dict[str, str]:
    """Adds the changes' nodes, with streams behind those that the model draws from: input -> what became of it."""
    inputs = graph.of("input")
    mixed = any(change.declared.mixes for change in changes)
    values = {node.name: node.name for node in inputs if mixed or is_image(node)}
    for change in changes:
        with build.at(change.at):
            if change.declared.mixes:
                share = change.declared.lower(build, change.arguments, inputs[0].name, 0.0)
                targets.shares.append((share, change.at))
                for name, value in values.items():
                    values[name] = build.add("mix_rows", [_numbers(build, name, value), share], name=f"{name}.mixed")
            else:
                image = next(node for node in inputs if is_image(node))
                limit = BYTE if image.type.dtype == "u8" else 0.0
                value = _numbers(build, image.name, values[image.name])
                values[image.name] = change.declared.lower(build, change.arguments, value, limit)
    return values


def _numbers(build: Builder, name: str, value: str) -> str:
    """What became of an input, as f32."""
    return value if build.type_of(value).dtype == "f32" else build.add("cast", [value], name=f"{name}.numbers")
