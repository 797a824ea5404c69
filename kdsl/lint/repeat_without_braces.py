"""W609: `repeat 2 dense(64) -> relu` repeats `dense` alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.subject import Subject, nodes_of
from kdsl.ops.registry import LAYERS, Layer
from kdsl.source import Span
from kdsl.syntax import tree


def check(subject: Subject) -> Iterator[Diagnostic]:
    for part in nodes_of(subject.model.body):
        if isinstance(part, (tree.Pipe, tree.Chain)):
            for number, step in enumerate(part.steps):
                if isinstance(step, (tree.Repeat, tree.For)) and weighted(step.body):
                    yield from alone(step, part.steps[number + 1 :])


def alone(step: tree.Repeat | tree.For, behind: Sequence[tree.Step]) -> Iterator[Diagnostic]:
    """Steps without weights right behind a single repeated layer: they were probably meant to be repeated too."""
    meant: list[tree.Layer] = []
    for each in behind:
        if not isinstance(each, tree.Layer) or each.name.text not in LAYERS or weighted(each):
            break
        meant.append(each)
    if not meant or not isinstance(step.body, tree.Layer):
        return
    first, last = step.body.span, meant[-1].span
    text = f"{{ {first.source.text[first.start : last.stop]} }}"
    word = "repeat" if isinstance(step, tree.Repeat) else "for"
    yield Diagnostic(
        "W609",
        f"`{word}` repeats `{step.body.name.text}` alone, and `{meant[0].name.text}` runs once behind all copies",
        Label(step.body.span, "repeated"),
        (Label(meant[0].span, "runs once"),),
        help=f"put the steps in braces; if this is meant, write `{{ {' '.join(first.text.split())} }}`",
        edits=(Edit(Span(first.source, first.start, last.stop), text),),
    )


def weighted(step: tree.Step) -> bool:
    return (
        isinstance(step, tree.Layer)
        and step.name.text in LAYERS
        and LAYERS[step.name.text].weights is not Layer.weights
    )
