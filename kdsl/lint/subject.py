"""What a rule is, and what it looks at: the tree of a file, or one model as written and as elaborated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.elaborate.program import Elaborated, ModelProgram
from kdsl.graph.graph import Node
from kdsl.records import dataclass
from kdsl.syntax import tree
from kdsl.training import LOSSES, METRICS


@dataclass(frozen=True)
class Subject:
    file: tree.File
    model: tree.Model
    train: tree.Train | None
    program: ModelProgram

    def comparisons(self) -> Iterator[tree.Call]:
        """The calls of the loss and the metrics."""
        for statement in self.train.body if self.train is not None else ():
            if not isinstance(statement, tree.Let) or statement.names[0].text not in ("loss", "metrics"):
                continue
            for part in nodes_of(statement.value):
                if isinstance(part, tree.Call) and (part.name.text in LOSSES or part.name.text in METRICS):
                    yield part

    def made_by(self, call: tree.Call, op: str) -> Node | None:
        """The node of this op that a call became."""
        return next((n for n in self.program.graph if n.op == op and n.origin and n.origin[0] == call.span), None)

    def maker(self, value: str) -> Node:
        """The node that computed a value, seen through ops that only move numbers."""
        node = self.program.graph[value]
        while node.op in ("reshape", "cast") and node.inputs:
            node = self.program.graph[node.inputs[0]]
        return node


@dataclass(frozen=True)
class Rule:
    """One code and how it is found: in each elaborated model, or in the tree of the file.

    `fix` says what its edits are: "safe" ones leave what the model computes and the names of its weights as they were.
    """

    code: str
    model: Callable[[Subject], Iterator[Diagnostic]] | None = None
    file: Callable[[tree.File], Iterator[Diagnostic]] | None = None
    default: bool = True
    fix: Literal["", "safe", "unsafe"] = ""


def subjects(file: tree.File, elaborated: Elaborated) -> Iterator[Subject]:
    models = {item.name.text: item for item in reversed(file.items) if isinstance(item, tree.Model)}
    trains = {item.path.text: item for item in reversed(file.items) if isinstance(item, tree.Train)}
    for program in elaborated.models:
        yield Subject(file, models[program.name], trains.get(program.name), program)


def nodes_of(root: Any) -> Iterator[Any]:
    """A part of the tree and every part inside it, in the order of the text."""
    left = [root]
    while left:
        part = left.pop()
        if isinstance(part, tuple):
            left.extend(reversed(part))
        elif type(part).__module__ == tree.__name__:
            yield part
            left.extend(getattr(part, name) for name in reversed(type(part).__slots__))


def names_used(*roots: Any) -> set[str]:
    """Every name that is read: in values, as a step, as an output."""
    found: set[str] = set()
    for root in roots:
        for part in nodes_of(root):
            if isinstance(part, tree.Path):
                found.add(part.names[0].text)
            elif isinstance(part, (tree.Layer, tree.Call)):
                found.add(part.name.text)
            elif isinstance(part, tree.Output):
                found.update(name.text for name in part.names)
    return found


def trains_of(file: tree.File, model: tree.Model) -> tuple[tree.Train, ...]:
    """The `train` blocks of a model, those for its parts included."""
    trains = (item for item in file.items if isinstance(item, tree.Train))
    return tuple(train for train in trains if train.path.names[0].text == model.name.text)


def has_model(file: tree.File) -> bool:
    """It is more than a collection of blocks for other files."""
    return any(isinstance(item, tree.Model) for item in file.items)
