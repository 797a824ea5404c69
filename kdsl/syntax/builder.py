"""From grammar rules to the tree: one small method per rule, called as the parser reduces it, so nothing recurses.

A method gets the values of its rule in order, tokens included, and the span from the first to the last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeVar

from kdsl.records import dataclass
from kdsl.source import Source, Span
from kdsl.syntax import tree
from kdsl.syntax.tokens import NAME_WORDS, Token

T = TypeVar("T")
BRACKETS = frozenset({"LPAR", "RPAR", "LSQB", "RSQB", "LBRACE", "RBRACE"})


@dataclass(frozen=True, slots=True)
class Several:
    """What one rule gathered for the rule around it: names, parameters, arguments, statements ..."""

    items: tuple[Any, ...]
    span: Span


def only(kind: type[T], values: Sequence[Any]) -> list[T]:
    return [value for value in values if isinstance(value, kind)]


def nodes(values: Sequence[Any]) -> list[Any]:
    """The values that are not tokens."""
    return [value for value in values if not isinstance(value, Token)]


def has(values: Sequence[Any], kind: str) -> bool:
    return any(isinstance(value, Token) and value.kind == kind for value in values)


def after(values: Sequence[Any], kind: str) -> Any:
    """The node behind the token of this kind, or None."""
    for i, value in enumerate(values[:-1]):
        if isinstance(value, Token) and value.kind == kind:
            return values[i + 1]
    return None


class Builder:
    """Makes the nodes of one file. `docs` are its doc comments by the offset of what they document."""

    def __init__(self, source: Source, docs: Mapping[int, str]) -> None:
        self.source = source
        self.docs = docs
        self.actions: dict[str, Callable[[list[Any], Span], Any]] = {
            name.removeprefix("on_"): getattr(self, name) for name in dir(self) if name.startswith("on_")
        }

    def build(self, action: str, values: list[Any], span: Span) -> Any:
        return self.actions[action.strip("_")](values, span)

    def doc(self, span: Span) -> str:
        return self.docs.get(span.start, "")

    # -- the file and its items

    def on_start(self, values: list[Any], span: Span) -> tree.File:
        return tree.File(self.source, tuple(nodes(values)), self.source.span(0, len(self.source.text)))

    def on_import(self, values: list[Any], span: Span) -> tree.Import:
        names = tuple(value.items for value in only(Several, values))
        return tree.Import(names, self.quoted(values[-1]), span, self.doc(span))

    def on_imported(self, values: list[Any], span: Span) -> Several:
        return Several((values[0], after(values, "AS")), span)

    def on_dim(self, values: list[Any], span: Span) -> tree.Dim:
        return tree.Dim(values[1], values[3], span, self.doc(span))

    def on_fn(self, values: list[Any], span: Span) -> tree.Fn:
        formula = after(values, "EQUAL")
        if formula is None:
            body: tuple[tree.Statement, ...] = values[3].items
        else:
            body = (tree.Return((formula,), formula.span),)
        return tree.Fn(values[1], values[2].items, body, span, self.doc(span))

    def on_block(self, values: list[Any], span: Span) -> tree.Block:
        results = tuple(only(tree.TypeRef, values))
        return tree.Block(values[1], values[2].items, results, values[-1].items, span, self.doc(span))

    def on_model(self, values: list[Any], span: Span) -> tree.Model:
        parameters = values[2].items if len(values) == 4 else None
        return tree.Model(values[1], parameters, values[-1].items, span, self.head(span, values[-2]), self.doc(span))

    def on_train(self, values: list[Any], span: Span) -> tree.Train:
        return tree.Train(values[1], values[2].items, span, self.head(span, values[1]), self.doc(span))

    def head(self, span: Span, last: Any) -> Span:
        """The first line of an item: up to what stands before its `{`."""
        return self.source.span(span.start, last.span.stop)

    def on_params(self, values: list[Any], span: Span) -> Several:
        return Several(tuple(nodes(values)), span)

    def on_param(self, values: list[Any], span: Span) -> tree.Parameter:
        return tree.Parameter(values[0], after(values, "COLON"), after(values, "EQUAL"), span)

    # -- statements

    def on_body(self, values: list[Any], span: Span) -> Several:
        return Several(tuple(nodes(values)), span)

    def on_input(self, values: list[Any], span: Span) -> tree.Input:
        return tree.Input(values[1], values[3], span, self.doc(span))

    def on_target(self, values: list[Any], span: Span) -> tree.Target:
        return tree.Target(values[1], values[3], span, self.doc(span))

    def on_weight(self, values: list[Any], span: Span) -> tree.Weight:
        frozen = values[0].kind == "FROZEN"
        name = only(tree.Name, values)[0]
        return tree.Weight(name, after(values, "COLON"), after(values, "EQUAL"), frozen, span, self.doc(span))

    def on_output(self, values: list[Any], span: Span) -> tree.Output:
        if len(values) == 2:
            return tree.Output(values[1].items, None, span, self.doc(span))
        return tree.Output((values[1],), values[3], span, self.doc(span))

    def on_return(self, values: list[Any], span: Span) -> tree.Return:
        return tree.Return(tuple(nodes(values)), span, self.doc(span))

    def on_let(self, values: list[Any], span: Span) -> tree.Let:
        return tree.Let(values[0].items, values[2], span, self.doc(span))

    def on_group(self, values: list[Any], span: Span) -> tree.Group:
        pattern = self.quoted(values[1]) if isinstance(values[1], Token) else None
        return tree.Group(values[0], pattern, values[-1].items, span, self.doc(span))

    # -- types

    def on_type(self, values: list[Any], span: Span) -> tree.TypeRef:
        shape = next((value.items for value in only(Several, values)), None)
        return tree.TypeRef(self.name(values[0]), after(values, "LPAR"), shape, span)

    def on_shape(self, values: list[Any], span: Span) -> Several:
        return Several(tuple(nodes(values)), span)

    # -- flows and steps

    def on_pipe(self, values: list[Any], span: Span) -> tree.Pipe:
        source, *steps = nodes(values)
        return tree.Pipe(source, tuple(steps), span)

    def on_tuple(self, values: list[Any], span: Span) -> tree.Tuple:
        return tree.Tuple(tuple(nodes(values)), span)

    def on_choice(self, values: list[Any], span: Span) -> tree.Choice:
        return tree.Choice(values[1], values[3], values[5], span)

    def on_layer(self, values: list[Any], span: Span) -> tree.Layer:
        arguments = next((value.items for value in only(Several, values)), None)
        return tree.Layer(values[0], arguments, after(values, "AS"), span)

    def on_repeat(self, values: list[Any], span: Span) -> tree.Repeat:
        return tree.Repeat(values[1], has(values, "SHARED"), values[-1], span)

    def on_for(self, values: list[Any], span: Span) -> tree.For:
        return tree.For(values[1].items, values[3], values[4], False, span)

    def on_each(self, values: list[Any], span: Span) -> tree.For:
        return tree.For(values[1].items, values[3], values[4], True, span)

    def on_choose(self, values: list[Any], span: Span) -> tree.Choose:
        return tree.Choose(values[1], values[3], values[5], span)

    def on_chain(self, values: list[Any], span: Span) -> tree.Chain:
        alias = after(values, "AS")
        steps = nodes(values)
        return tree.Chain(tuple(steps[:-1] if alias is not None else steps), alias, span)

    def on_names(self, values: list[Any], span: Span) -> Several:
        return Several(tuple(nodes(values)), span)

    # -- values

    def on_or(self, values: list[Any], span: Span) -> tree.Binary:
        return self.infix(values)

    on_and = on_comparison = on_sum = on_product = on_power = on_or

    def infix(self, values: list[Any]) -> tree.Binary:
        """`a + b - c` from the left."""
        result = values[0]
        for operator, right in zip(values[1::2], values[2::2], strict=True):
            result = tree.Binary(operator.text, result, right, result.span.to(right.span))
        assert isinstance(result, tree.Binary)
        return result

    def on_negation(self, values: list[Any], span: Span) -> tree.Unary:
        return tree.Unary(values[0].text, values[1], span)

    on_minus = on_negation

    def on_index(self, values: list[Any], span: Span) -> tree.Index:
        value, *items = nodes(values)
        return tree.Index(value, tuple(items), span)

    def on_slice(self, values: list[Any], span: Span) -> tree.Slice:
        parts: list[Any] = [None, None, None]
        place = 0
        for value in values:
            if isinstance(value, Token):
                place += 1
            else:
                parts[place] = value
        return tree.Slice(parts[0], parts[1], parts[2], span)

    def on_number(self, values: list[Any], span: Span) -> tree.Number:
        token = values[0]
        return tree.Number(Fraction(token.text.replace("_", "")), token.kind == "FLOAT", span)

    def on_quantity(self, values: list[Any], span: Span) -> tree.Quantity:
        number, unit = values[0].text.split()
        return tree.Quantity(Fraction(number.replace("_", "")), unit if unit.endswith("s") else unit + "s", span)

    def on_text(self, values: list[Any], span: Span) -> tree.Text:
        return self.quoted(values[0])

    def on_bool(self, values: list[Any], span: Span) -> tree.Bool:
        return tree.Bool(values[0].kind == "TRUE", span)

    def on_path(self, values: list[Any], span: Span) -> tree.Path:
        return tree.Path(tuple(nodes(values)), span)

    def on_call(self, values: list[Any], span: Span) -> tree.Call:
        return tree.Call(values[0], values[1].items, span)

    def on_list(self, values: list[Any], span: Span) -> tree.ListOf:
        return tree.ListOf(tuple(nodes(values)), span)

    def on_parens(self, values: list[Any], span: Span) -> tree.Parens:
        return tree.Parens(values[1], span)

    def on_args(self, values: list[Any], span: Span) -> Several:
        return Several(tuple(self.argument(value) for value in nodes(values)), span)

    def argument(self, value: Any) -> tree.Argument:
        return value if isinstance(value, tree.Argument) else tree.Argument(None, value, value.span)

    def on_keyword(self, values: list[Any], span: Span) -> tree.Argument:
        return tree.Argument(values[0], values[2], span)

    def on_name(self, values: list[Any], span: Span) -> tree.Name:
        return self.name(values[0])

    def name(self, token: Token) -> tree.Name:
        return tree.Name(token.text, token.span(self.source))

    def quoted(self, token: Token) -> tree.Text:
        return tree.Text(token.text[1:-1], token.span(self.source))

    # -- what could not be read

    def on_broken(self, values: list[Any], span: Span) -> tree.Broken:
        return values[0] if isinstance(values[0], tree.Broken) else tree.Broken((), span, self.doc(span))

    def on_broken_item(self, values: list[Any], span: Span) -> tree.BrokenItem:
        return tree.BrokenItem(values[0].name, values[1].items, span, self.doc(span))


def binds(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The names a broken statement seems to bind: before its `=` or `:`, and after `as`; all those of an import."""
    if tokens and tokens[0].kind == "IMPORT":
        return tuple(dict.fromkeys(token.text for token in tokens[1:] if token.kind == "NAME"))
    words = tokens[1:] if len(tokens) > 1 and tokens[0].kind != "NAME" and tokens[1].kind in NAME_WORDS else tokens
    found: list[str] = []
    for token in words:
        if token.kind not in NAME_WORDS and token.kind != "COMMA":
            break
        if token.kind in NAME_WORDS:
            found.append(token.text)
    aliased = [b.text for a, b in pairwise(tokens) if a.kind == "AS" and b.kind in NAME_WORDS]
    return tuple(dict.fromkeys(found + aliased))
