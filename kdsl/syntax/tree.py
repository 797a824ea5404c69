"""The syntax tree: frozen, and every node knows its place.

The parser always gives a tree. A statement that could not be read is a `Broken`, which remembers the names it would
have bound, so that later stages stay silent about them.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Union

from kdsl.records import dataclass
from kdsl.source import Source, Span


def parts(node: object) -> tuple[object, ...]:
    """The values of a node's fields, in order; of what is no node, none."""
    if type(node).__module__ != __name__:
        return ()
    return tuple(getattr(node, name) for name in node.__match_args__)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Name:
    """A word as written: the name something is bound to, or is called by."""

    text: str
    span: Span


# -- values ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """`128`, `20_000`, `0.5`, `1e-3`: kept exactly. `is_float` says it was written with a point or an exponent."""

    value: Fraction
    is_float: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Quantity:
    """`5 epochs`, `200 steps`. `unit` is always the plural."""

    value: Fraction
    unit: str
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """`"..."`, without its quotes."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Bool:
    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Path:
    """`logits`, `tokens.embeddings`: one name, or several with dots."""

    names: tuple[Name, ...]
    span: Span

    @property
    def text(self) -> str:
        return ".".join(name.text for name in self.names)


@dataclass(frozen=True, slots=True)
class Argument:
    """`10` (name is None) or `kernel = 3`."""

    name: Name | None
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`softmax(logits)`."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[32, 64]`; in `metrics` an item may have a name: `[top5 = top_k(logits, label, k = 5)]`."""

    items: tuple[Value | Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Parens:
    """`(a + b)`."""

    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Tuple:
    """`(a, b)`, which stands only before an arrow."""

    items: tuple[Value, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Slice:
    """`0:4`, `::2` inside an index."""

    start: Value | None
    stop: Value | None
    step: Value | None
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """`x[-1]`, `x[:, 0:4]`."""

    value: Value
    items: tuple[Value | Slice, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `not x`; `operator` is as written."""

    operator: str
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`a + b`; `operator` is one of `+ - * / ** @ == != < <= > >= and or`."""

    operator: str
    left: Value
    right: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Choice:
    """`if c then a else b` as a value."""

    condition: Value
    then: Value
    otherwise: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Pipe:
    """`source -> step -> step`."""

    source: Value
    steps: tuple[Step, ...]
    span: Span


Value = Union[Number, Quantity, Text, Bool, Path, Call, ListOf, Parens, Tuple, Index, Unary, Binary, Choice, Pipe]


# -- steps: what stands after an arrow ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layer:
    """`dense(10) as head`. `arguments` is None where no parentheses were written."""

    name: Name
    arguments: tuple[Argument, ...] | None
    alias: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class Repeat:
    """`repeat 3 Step`, `repeat n shared { ... }`."""

    count: Value
    shared: bool
    body: Step
    span: Span


@dataclass(frozen=True, slots=True)
class For:
    """`for width, stride in [[16, 1]] { ... }`; `each` is True for `each k in [...] { ... }` (parallel branches)."""

    names: tuple[Name, ...]
    values: Value
    body: Step
    each: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Choose:
    """`if c then Step else Step`."""

    condition: Value
    then: Step
    otherwise: Step
    span: Span


@dataclass(frozen=True, slots=True)
class Chain:
    """`{ step -> step } as name`."""

    steps: tuple[Step, ...]
    alias: Name | None
    span: Span


Step = Union[Layer, Repeat, For, Choose, Chain]


# -- types -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TypeRef:
    """`u8[28, 28]`, `index(10)`, `int`. `argument` is the value in parentheses, `shape` None where none is written."""

    name: Name
    argument: Value | None
    shape: tuple[Value, ...] | None
    span: Span


# -- statements --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Input:
    name: Name
    type: TypeRef
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    name: Name
    type: TypeRef
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    name: Name
    type: TypeRef
    init: Value | None
    frozen: bool
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """`output a, b` (value is None) or `output p = flow` (one name)."""

    names: tuple[Name, ...]
    value: Value | None
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    values: tuple[Value, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Let:
    """`h = flow`, `mean, log_var = flow`; in a `train` body a setting."""

    names: tuple[Name, ...]
    value: Value
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """`tune "stem.*" { lr_scale = 0.1 }`."""

    name: Name
    pattern: Text | None
    body: tuple[Statement, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A statement or item that could not be read; `binds` are the names it seems to bind."""

    binds: tuple[str, ...]
    span: Span
    doc: str = ""


Statement = Union[Input, Target, Weight, Output, Return, Let, Group, Broken]


# -- items -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parameter:
    name: Name
    type: TypeRef | None
    default: Value | None
    span: Span


@dataclass(frozen=True, slots=True)
class Import:
    """`import A, B as C from "blocks/conv.kmodel"`; names are (name, alias or None)."""

    names: tuple[tuple[Name, Name | None], ...]
    path: Text
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Dim:
    name: Name
    value: Value
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Fn:
    """`fn f(x) = formula` (body is one Return) or `fn f(x) { ... return ... }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    name: Name
    parameters: tuple[Parameter, ...]
    results: tuple[TypeRef, ...]
    body: tuple[Statement, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """`head` is the span of the first line up to `{`; parameters is None where no parentheses were written."""

    name: Name
    parameters: tuple[Parameter, ...] | None
    body: tuple[Statement, ...]
    span: Span
    head: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Train:
    path: Path
    body: tuple[Statement, ...]
    span: Span
    head: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class BrokenItem:
    """A model, block, train ... whose first line is damaged; its body was still read. `name` where one was seen."""

    name: str | None
    body: tuple[Statement, ...]
    span: Span
    doc: str = ""


Item = Union[Import, Dim, Fn, Block, Model, Train, BrokenItem, Broken]


@dataclass(frozen=True, slots=True)
class File:
    """A whole file. Items stand in any order; statements that stand outside every item are not in the tree."""

    source: Source
    items: tuple[Item, ...]
    span: Span
    doubtful: tuple[Span, ...] = ()  # where the parser mended what may have been meant otherwise
