"""What was inferred, as comments: types behind steps and inputs, names and shapes of weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kdsl.elaborate.program import CallRecord, LayerRecord, ModelProgram, WeightRecord
from kdsl.render.edit import Change, remark
from kdsl.source import Span
from kdsl.syntax import tree

MOST = 4  # types in one comment


class Remarks:
    """What the models of a file know of its places."""

    def __init__(self, file: tree.File, programs: Sequence[ModelProgram]) -> None:
        self.file, self.text = file, file.source.text
        self.layers = [layer for program in programs for layer in program.layers]
        self.calls = [call for program in programs for call in program.calls]
        self.weights: dict[str, WeightRecord] = {w.name: w for program in programs for w in program.weights}
        self.ports = [port for program in programs for port in (*program.inputs, *program.targets)]

    def changes(self) -> Iterator[Change]:
        for item in self.file.items:
            if isinstance(item, (tree.Model, tree.Block)):
                for statement in item.body:
                    yield from self._statement(statement)

    def _statement(self, statement: tree.Statement) -> Iterator[Change]:
        if isinstance(statement, (tree.Input, tree.Target)):
            types = [str(port.type) for port in self.ports if port.span == statement.span]
            if types and types[0] != statement.type.span.text:
                yield from self._remark(statement.span.stop, _distinct(types))
        elif isinstance(statement, tree.Weight):
            yield from self._weight(statement)
        elif isinstance(statement, (tree.Let, tree.Output)) and isinstance(statement.value, tree.Pipe):
            yield from self._pipe(statement.value)
        elif isinstance(statement, tree.Return) and len(statement.values) == 1:
            value = statement.values[0]
            if isinstance(value, tree.Pipe):
                yield from self._pipe(value)
        elif isinstance(statement, (tree.Let, tree.Output)) and isinstance(statement.value, tree.Call):
            yield from self._remark(statement.span.stop, self._words(statement.value.span))

    def _pipe(self, pipe: tree.Pipe) -> Iterator[Change]:
        """Each step of a flow of several in a line of its own, its type behind it."""
        if len(pipe.steps) > 1:
            yield from self._break(pipe.source.span.stop, pipe.steps[0].span.start, "")
        for number, step in enumerate(pipe.steps):
            words = self._words(step.span)
            if number + 1 < len(pipe.steps):
                yield from self._break(step.span.stop, pipe.steps[number + 1].span.start, words)
            else:
                yield from self._remark(step.span.stop, words)

    def _break(self, stop: int, start: int, words: str) -> Iterator[Change]:
        """Between a step and the next one, whose arrow stands before `start`."""
        if "\n" in self.text[stop:start]:
            yield from self._remark(stop, words)
            return
        arrow = self.text.index("->", stop, start)
        yield Change(stop, arrow, (f"  # {words}" if words else "") + "\n    ")

    def _remark(self, stop: int, words: str) -> Iterator[Change]:
        found = remark(self.text, stop, words) if words else None
        if found is not None:
            yield found

    def _words(self, place: Span) -> str:
        """The type at the end of a step, and the weights made in it."""
        layers = [layer for layer in self.layers if _within(layer.span, place)]
        calls = [call for call in self.calls if _within(call.span, place)]
        ends: list[LayerRecord | CallRecord] = [*layers, *calls]
        last = max((record.span.stop for record in ends), default=0)
        types = [", ".join(map(str, _types(record))) for record in ends if record.span.stop == last]
        sizes = _distinct([", ".join(f"{name} = {size}" for name, size in call.sizes) for call in calls if call.sizes])
        made: dict[int, list[LayerRecord]] = {}
        for layer in layers:
            if layer.weights:
                made.setdefault(layer.span.start, []).append(layer)
        weights = [self._of_layers(copies) for copies in made.values()]
        return "; ".join(text for text in (_distinct(types), sizes, *weights) if text)

    def _of_layers(self, copies: Sequence[LayerRecord]) -> str:
        """`stem: kernel [3, 16], bias [16]`; of copies `logits.Residual.*.main.dense: ...`."""
        shapes: dict[str, list[str]] = {}
        for layer in copies:
            for name in layer.weights:
                shapes.setdefault(name.rpartition(".")[2], []).append(str(list(self.weights[name].shape)))
        makers = [layer.weights[0].rpartition(".")[0] for layer in copies]
        return f"{_pattern(makers)}: " + ", ".join(f"{name} {_distinct(each)}" for name, each in shapes.items())

    def _weight(self, statement: tree.Weight) -> Iterator[Change]:
        made = [weight for weight in self.weights.values() if weight.span == statement.span]
        if made:
            yield from self._remark(statement.span.stop, _weights(made))


def _types(record: LayerRecord | CallRecord) -> Sequence[object]:
    return (record.type,) if isinstance(record, LayerRecord) else record.types


def _distinct(texts: Sequence[str]) -> str:
    """Each once, in order; the end left out where there are many."""
    found = list(dict.fromkeys(texts))
    return " | ".join(found if len(found) <= MOST else [*found[:MOST], "..."])


def _weights(made: Sequence[WeightRecord]) -> str:
    """Of a weight declared by `weight`: its path and shape, in all copies of its block."""
    return f"{_pattern([weight.name for weight in made])} {_distinct([str(list(weight.shape)) for weight in made])}"


def _pattern(paths: Sequence[str]) -> str:
    """`logits.Residual.*.main` for paths that differ in the number of a copy; else the first of them."""
    words = [path.split(".") for path in dict.fromkeys(paths)]
    if len({len(each) for each in words}) > 1:
        return f"{paths[0]}, ..."
    return ".".join(each[0] if len(set(each)) == 1 else "*" for each in zip(*words, strict=True))


def _within(span: Span, outer: Span) -> bool:
    return span.source is outer.source and outer.start <= span.start and span.stop <= outer.stop
