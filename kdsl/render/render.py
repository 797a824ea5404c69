"""The text of a file with all defaults written out. It means what the file means: the same graph comes out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kdsl.elaborate import elaborate
from kdsl.elaborate.train import NUMBERS
from kdsl.format import FormatterBug, format_source
from kdsl.render.calls import completed
from kdsl.render.defaults import left_out, written
from kdsl.render.edit import Change, changed, end_of_statement
from kdsl.render.remarks import Remarks
from kdsl.source import Source
from kdsl.syntax import parse, tree
from kdsl.training.registry import OPTIMIZERS

OPTIMIZER = "adam"  # the one that a train block without one has


def render(source: Source, settings: Mapping[str, str] | None = None) -> str:
    """The text anew, of a file without errors. `settings` are the values that `--set` gives; they are written into it."""
    file = parse(source).tree
    changes = [*_given(file, settings or {}), *completed(file)]
    for item in file.items:
        if isinstance(item, tree.Train):
            changes += _missing(item)
    whole = Source(source.name, changed(source.text, changes))
    again = parse(whole).tree
    text = changed(whole.text, Remarks(again, elaborate(again).models).changes())
    try:
        return format_source(Source(source.name, text)).text
    except FormatterBug:  # laid out less well, it still means the same
        return text


def _given(file: tree.File, settings: Mapping[str, str]) -> Iterator[Change]:
    """Values of dims and of models' parameters that were set."""
    for item in file.items:
        if isinstance(item, tree.Dim) and item.name.text in settings:
            yield Change(item.value.span.start, item.value.span.stop, settings[item.name.text])
        elif isinstance(item, tree.Model):
            for parameter in item.parameters or ():
                value = settings.get(parameter.name.text)
                if value is not None and parameter.default is not None:
                    yield Change(parameter.default.span.start, parameter.default.span.stop, value)
                elif value is not None:
                    yield Change(parameter.span.stop, parameter.span.stop, f" = {value}")


def _missing(train: tree.Train) -> Iterator[Change]:
    """Settings that a train block leaves to their defaults, behind those it has."""
    names = {name.text for statement in train.body if isinstance(statement, tree.Let) for name in statement.names}
    lines = []
    if "optimizer" not in names:
        lines.append(f"optimizer = {OPTIMIZER}({', '.join(left_out(OPTIMIZERS[OPTIMIZER], ())[1])})")
    for name, parameter in NUMBERS.items():
        if name not in names:
            lines.append(f"{name} = {written(parameter, parameter.default)}")
    if lines and train.body:
        at = end_of_statement(train.span.source.text, train.body[-1].span.stop)
        yield Change(at, at, "".join(f"\n  {line}" for line in lines))
