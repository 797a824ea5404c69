"""Statements in whose lines the parser had to guess are taken for unreadable: what follows from a guess is not said."""

from __future__ import annotations

from kdsl.elaborate.statements import bound_names
from kdsl.records import replace
from kdsl.source import Source
from kdsl.syntax import tree


def without_doubts(file: tree.File) -> tree.File:
    """The file with doubtful statements broken; they still bind their names, to what is unknown."""
    if not file.doubtful:
        return file
    lines = doubtful_lines(file)
    return replace(file, items=tuple(item_without(item, lines, file.source) for item in file.items))


def doubtful_lines(file: tree.File) -> frozenset[int]:
    return frozenset(span.line for span in file.doubtful)


def item_without(item: tree.Item, lines: frozenset[int], source: Source) -> tree.Item:
    if isinstance(item, (tree.Fn, tree.Block)) and lines.intersection(header_lines(item, source)):
        return tree.BrokenItem(item.name.text, item.body, item.span, item.doc)
    if isinstance(item, (tree.Fn, tree.Block, tree.Model, tree.Train)):
        body = tuple(statement_without(each, lines, source) for each in item.body)
        return item if body == item.body else replace(item, body=body)
    if isinstance(item, tree.Dim) and is_doubtful(item, lines, source):
        return tree.Broken((item.name.text,), item.span, item.doc)
    return item


def header_lines(item: tree.Fn | tree.Block, source: Source) -> range:
    """The lines that say what a block or formula takes and gives."""
    spans = [item.name.span, *(parameter.span for parameter in item.parameters)]
    spans += [result.span for result in item.results] if isinstance(item, tree.Block) else []
    stop = max(span.stop for span in spans)
    return range(source.position(item.span.start)[0], source.position(stop)[0] + 1)


def statement_without(statement: tree.Statement, lines: frozenset[int], source: Source) -> tree.Statement:
    if isinstance(statement, tree.Group):
        return replace(statement, body=tuple(statement_without(each, lines, source) for each in statement.body))
    if isinstance(statement, tree.Broken) or not is_doubtful(statement, lines, source):
        return statement
    return tree.Broken(tuple(name.text for name in bound_names([statement])), statement.span)


def is_doubtful(part: tree.Statement | tree.Dim, lines: frozenset[int], source: Source) -> bool:
    first, last = source.position(part.span.start)[0], source.position(max(part.span.start, part.span.stop - 1))[0]
    return any(first <= line <= last for line in lines)
