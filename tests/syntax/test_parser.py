"""Trees: what each construct becomes, where its nodes are, and what is left of a damaged file."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from syntax_corpus import GOOD, nodes, parse_text, shape

from kdsl.source import Source, Span
from kdsl.syntax import parse, tree


def value(text: str) -> Any:
    """The value that `text` is read as."""
    parsed = parse_text(f"fn f(x) = {text}\n")
    assert not parsed.diagnostics, parsed.diagnostics[0].message
    item = parsed.tree.items[0]
    assert isinstance(item, tree.Fn) and isinstance(item.body[0], tree.Return)
    return item.body[0].values[0]


def infix(node: Any) -> str:
    """A value with all its brackets: how the operators bind."""
    if isinstance(node, tree.Binary):
        return f"({infix(node.left)} {node.operator} {infix(node.right)})"
    if isinstance(node, tree.Unary):
        return f"({node.operator} {infix(node.value)})"
    return node.span.text


def step(text: str) -> Any:
    pipe = value(f"x -> {text}")
    assert isinstance(pipe, tree.Pipe)
    return pipe.steps[0]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_has_no_problems_however_it_is_saved(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parsed = parse_text(text)
    assert parsed.diagnostics == ()
    for variant in (text.replace("\n", "\r\n"), "\ufeff" + text, text.rstrip("\n"), text + "\n\n", "\n" + text):
        again = parse_text(variant)
        assert again.diagnostics == ()
        assert shape(again.tree) == shape(parsed.tree)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_every_node_lies_inside_the_one_around_it(path: Path) -> None:
    source = Source(path.name, path.read_text(encoding="utf-8"))
    for node in nodes(parse(source).tree):
        assert node.span.text == node.span.text.strip() or isinstance(node, tree.File)
        for field in fields(node):
            children = getattr(node, field.name)
            for child in children if isinstance(children, tuple) else (children,):
                if isinstance(getattr(child, "span", None), Span):
                    assert node.span.start <= child.span.start <= child.span.stop <= node.span.stop


def test_good_files_cover_the_tree() -> None:
    seen = {type(node) for path in GOOD for node in nodes(parse_text(path.read_text(encoding="utf-8")).tree)}
    classes = {c for c in vars(tree).values() if isinstance(c, type) and c.__module__ == tree.__name__}
    assert classes - seen == {tree.Broken, tree.BrokenItem}


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b / c @ d", "(((a / b) / c) @ d)"),
        ("-x ** 2", "(- (x ** 2))"),
        ("2 ** -1", "(2 ** (- 1))"),
        ("2 ** 3 ** 4", "(2 ** (3 ** 4))"),
        ("a + b < c * d", "((a + b) < (c * d))"),
        ("not a == b and c or d", "(((not (a == b)) and c) or d)"),
        ("a or b or c", "((a or b) or c)"),
        ("- -x[0]", "(- (- x[0]))"),
    ],
)
def test_operators_bind_as_in_python(text: str, bound: str) -> None:
    assert infix(value(text)) == bound


def test_numbers_are_exact() -> None:
    assert value("20_000").value == 20000 and not value("20_000").is_float
    assert value("0.1").value == Fraction(1, 10) and value("0.1").is_float
    assert value("1.5e-3").value == Fraction(3, 2000)
    assert value("1e3").is_float
    assert (value("1 epoch").value, value("1 epoch").unit) == (1, "epochs")
    assert (value("0.5  epochs").value, value("200 steps").unit) == (Fraction(1, 2), "steps")


def test_values() -> None:
    assert [name.text for name in value("tokens.embeddings").names] == ["tokens", "embeddings"]
    assert value('"stem.*"').value == "stem.*"
    assert value("true").value is True
    assert [type(item) for item in value("[1, [2], a -> f]").items] == [tree.Number, tree.ListOf, tree.Pipe]
    assert value("[]").items == ()
    named = value("f(1, k = 3,)").arguments
    assert [(a.name and a.name.text, a.span.text) for a in named] == [(None, "1"), ("k", "k = 3")]
    choice = value("if a then b else c -> f")
    assert isinstance(choice.otherwise, tree.Pipe)
    both = value("(a, b -> f) -> concat")
    assert isinstance(both.source, tree.Tuple) and isinstance(both.source.items[1], tree.Pipe)


def test_indices() -> None:
    first, last = value("x[-1, 0:4]").items
    assert isinstance(first, tree.Unary) and isinstance(last, tree.Slice)
    whole, stepped, upto = value("x[:, 1::2, :3]").items
    assert (whole.start, whole.stop, whole.step) == (None, None, None)
    assert (stepped.start.value, stepped.stop, stepped.step.value) == (1, None, 2)
    assert (upto.start, upto.stop.value) == (None, 3)
    assert isinstance(value("x[0][1]").value, tree.Index)


def test_steps() -> None:
    plain, called = step("relu"), step("dense(10) as head")
    assert plain.arguments is None and called.arguments[0].name is None and called.alias.text == "head"
    assert step("relu()").arguments == ()
    repeat = step("repeat depth - 1 shared { a -> b } as deep")
    assert repeat.shared and isinstance(repeat.count, tree.Binary)
    assert [s.name.text for s in repeat.body.steps] == ["a", "b"] and repeat.body.alias.text == "deep"
    assert not step("repeat 3 shared").shared
    loop = step("for w, s in [[1, 2]] conv(w)")
    assert [name.text for name in loop.names] == ["w", "s"] and not loop.each
    assert isinstance(loop.body, tree.Layer)
    choose = step("if a == 1 then f else if b then g else { h -> i }")
    assert isinstance(choose.otherwise, tree.Choose) and isinstance(choose.otherwise.otherwise, tree.Chain)


def test_each_is_a_step_before_a_name_and_a_name_elsewhere() -> None:
    branches = step("each k in [3, 5] { conv(8, kernel = k) -> relu }")
    assert branches.each and isinstance(branches.body, tree.Chain)
    assert step("each").name.text == "each"
    assert step("each(3) as each").alias.text == "each"
    assert value("each + each.each").left.text == "each"
    assert isinstance(parse_text("dim each = 3\n").tree.items[0], tree.Dim)


def test_metrics_may_have_names() -> None:
    parsed = parse_text("train M {\n  metrics = [accuracy(y, t), top5 = top_k(y, t, k = 5)]\n}\n")
    assert not parsed.diagnostics
    train = parsed.tree.items[0]
    assert isinstance(train, tree.Train) and isinstance(train.body[0], tree.Let)
    first, second = train.body[0].value.items
    assert isinstance(first, tree.Call)
    assert isinstance(second, tree.Argument) and second.name.text == "top5" and isinstance(second.value, tree.Call)


def test_items_and_statements() -> None:
    text = """\
import A, B as C from "x.kmodel"
block Two(x: f32[H, W], n: int = 3, y: index(V)[T]) -> f32[_, n], bool { return x, y }
model M { frozen weight w: f32[3] = ones
  output a, b
  output c = w
}
model N() {}
train M.part { tune "stem.*" { frozen = true } }
"""
    parsed = parse_text(text)
    assert not parsed.diagnostics
    imported, block, model, empty, train = parsed.tree.items
    assert isinstance(imported, tree.Import) and imported.path.value == "x.kmodel"
    assert [(n.text, alias and alias.text) for n, alias in imported.names] == [("A", None), ("B", "C")]
    assert isinstance(block, tree.Block)
    assert [p.name.text for p in block.parameters] == ["x", "n", "y"]
    assert block.parameters[1].default is not None and block.parameters[1].type.shape is None
    assert block.parameters[2].type.argument.text == "V" and len(block.parameters[2].type.shape) == 1
    assert [t.name.text for t in block.results] == ["f32", "bool"]
    assert isinstance(model, tree.Model) and model.parameters is None and model.head.text == "model M"
    weight, names, bound = model.body
    assert isinstance(weight, tree.Weight) and weight.frozen and weight.init.text == "ones"
    assert isinstance(names, tree.Output) and names.value is None and len(names.names) == 2
    assert isinstance(bound, tree.Output) and bound.value.text == "w"
    assert isinstance(empty, tree.Model) and empty.parameters == () and empty.head.text == "model N()"
    assert isinstance(train, tree.Train) and train.path.text == "M.part" and train.head.text == "train M.part"
    group = train.body[0]
    assert isinstance(group, tree.Group) and group.pattern.value == "stem.*" and len(group.body) == 1


def test_doc_comments_belong_to_the_statement_below() -> None:
    text = """\
## A file-level line of its own.

## One model.
##  Two lines.
model M {
  ## The picture.
  input x: f32[3]  ## not a doc comment
  y = x
  # no doc comment
  z = x
}
## A size.
dim T = 3
"""
    model, dim = parse_text(text).tree.items
    assert model.doc == "One model.\nTwo lines."
    assert [s.doc for s in model.body] == ["The picture.", "", ""]
    assert dim.doc == "A size."


def test_a_broken_statement_keeps_its_names() -> None:
    text = "model M {\n  input x: f32[3\n  a, b = x -> -> f\n  y = x -> dense(3) as head -> -> g\n  output y\n}\n"
    model = parse_text(text).tree.items[0]
    assert isinstance(model, tree.Model)
    given, pair, head, output = model.body
    assert isinstance(given, tree.Input)
    assert isinstance(pair, tree.Broken) and pair.binds == ("a", "b")
    assert isinstance(head, tree.Broken) and head.binds == ("y", "head")
    assert isinstance(output, tree.Output)


def test_a_broken_first_line_keeps_its_body() -> None:
    broken, dim = parse_text("model M(a: ) {\n  input x: f32[3]\n  output x\n}\ndim T = 3\n").tree.items
    assert isinstance(broken, tree.BrokenItem) and broken.name == "M" and len(broken.body) == 2
    assert isinstance(dim, tree.Dim)


def test_statements_outside_an_item_are_reported_once_and_not_in_the_tree() -> None:
    parsed = parse_text("x = 3\ny = 4\ndim T = 3\nz = 5\n")
    assert [(d.code, d.span.line) for d in parsed.diagnostics] == [("E130", 1), ("E130", 4)]
    assert len(parsed.tree.items) == 1


def test_columns_count_code_points_behind_a_byte_order_mark() -> None:
    problem = parse_text("\ufeffdim T = $\n").diagnostics[0]
    assert problem.span.text == "$"


def test_the_tokens_are_those_of_the_text() -> None:
    text = "dim T := 3  # a size\n"
    tokens = parse_text(text).tokens
    assert [text[token.start : token.stop] for token in tokens] == ["dim", "T", ":=", "3", "\n"]
