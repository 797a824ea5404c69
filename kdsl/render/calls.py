"""Finds the calls of a file whose arguments are known, and completes each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from kdsl.elaborate import constants
from kdsl.ops.registry import LAYERS, Declared
from kdsl.render.defaults import completed_call, completed_step, completed_word
from kdsl.render.edit import Change
from kdsl.syntax import tree
from kdsl.training.registry import (
    AUGMENTATIONS,
    INITIALIZERS,
    LOSSES,
    METRICS,
    OPTIMIZERS,
    REGULARIZERS,
    SCHEDULES,
)

SETTINGS: Mapping[str, Mapping[str, type[Declared]]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "regularize": REGULARIZERS,
    "augment": AUGMENTATIONS,
    "metrics": METRICS,
}


def completed(file: tree.File) -> Iterator[Change]:
    """Every argument left out, all over the file."""
    own = frozenset(_own_names(file))
    for item in file.items:
        if isinstance(item, tree.Train):
            for statement in item.body:
                yield from _setting(statement, own)
        elif isinstance(item, (tree.Model, tree.Block, tree.Fn)):
            for statement in item.body:
                if isinstance(statement, tree.Weight):
                    yield from _of(statement.init, INITIALIZERS)
                else:
                    yield from _inside(statement, LAYERS, own)


def _own_names(node: Any) -> Iterator[str]:
    """What the file itself calls by a name: blocks, fns, imports, steps. These are no layers of ours."""
    if isinstance(node, (tree.Block, tree.Fn)):
        yield node.name.text
    elif isinstance(node, tree.Import):
        yield from ((alias or name).text for name, alias in node.names)
    elif isinstance(node, tree.Parameter):
        yield node.name.text
    if isinstance(node, (tree.Layer, tree.Chain)) and node.alias is not None:
        yield node.alias.text
    for inner in _children(node):
        yield from _own_names(inner)


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple):
        yield from node
    elif dataclasses.is_dataclass(node) and type(node).__module__ == tree.__name__:
        for field in dataclasses.fields(node):
            yield getattr(node, field.name)


def _setting(statement: tree.Statement, own: frozenset[str]) -> Iterator[Change]:
    """A setting of a `train` block."""
    if not isinstance(statement, tree.Let) or len(statement.names) != 1:
        return
    name = statement.names[0].text
    if name in ("loss", "metrics"):
        found = LOSSES if name == "loss" else METRICS
        yield from _inside(statement.value, {**LAYERS, **found}, own, found)
    elif name in SETTINGS:
        values = statement.value.items if isinstance(statement.value, tree.ListOf) else (statement.value,)
        for value in values:
            yield from _of(value, SETTINGS[name])


def _of(value: Any, registry: Mapping[str, type[Declared]]) -> Iterator[Change]:
    """A name of a registry, alone or called."""
    if isinstance(value, tree.Call) and value.name.text in registry:
        yield from completed_call(value, registry[value.name.text], 0)
    elif isinstance(value, tree.Path) and value.text in registry:
        yield from completed_word(value, registry[value.text])


def _inside(
    node: Any,
    registry: Mapping[str, type[Declared]],
    own: frozenset[str],
    compared: Mapping[str, type[Declared]] = {},
) -> Iterator[Change]:
    """Steps and calls in a value. `compared` are losses or metrics, whose inputs are two."""
    if isinstance(node, tree.Layer) and node.name.text in LAYERS and node.name.text not in own:
        declared = LAYERS[node.name.text]
        for argument in node.arguments or ():  # what lies inside first: it ends no later
            if argument.name is not None and _is_initializer(declared, argument.name.text):
                yield from _of(argument.value, INITIALIZERS)
            else:
                yield from _inside(argument.value, registry, own, compared)
        yield from completed_step(node, declared)
        return
    for inner in _children(node):
        yield from _inside(inner, registry, own, compared)
    known = isinstance(node, tree.Call) and node.name.text in registry and node.name.text not in own
    if known and node.name.text not in constants.FUNCTIONS:  # `max(2, 3)` of numbers has no `axis`
        inputs = 2 if node.name.text in compared else None
        yield from completed_call(node, registry[node.name.text], inputs)


def _is_initializer(declared: type[Declared], key: str) -> bool:
    return key in declared.parameters and declared.parameters[key].kind == "initializer"
