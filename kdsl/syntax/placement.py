"""Which statement belongs in which body, and the order of arguments: checked on the tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.records import replace
from kdsl.source import Span
from kdsl.syntax import tree

ALLOWED: dict[str, tuple[type, ...]] = {
    "model": (tree.Input, tree.Target, tree.Weight, tree.Output, tree.Let, tree.Broken),
    "block": (tree.Weight, tree.Let, tree.Return, tree.Broken),
    "fn": (tree.Let, tree.Return, tree.Broken),
    "train": (tree.Let, tree.Group, tree.Broken),
}
INSTEAD = {
    ("model", "return"): "a model gives its results with `output`",
    ("model", "group"): "settings belong in `train Name { ... }`",
    ("block", "input"): "the inputs of a block are its parameters: `block Name(x: f32[C]) -> ...`",
    ("block", "target"): "targets belong in a model",
    ("block", "output"): "a block gives its result with `return`",
    ("block", "group"): "settings belong in `train Name { ... }`",
    ("fn", "input"): "the inputs of a formula are its parameters: `fn f(x) = ...`",
    ("fn", "target"): "targets belong in a model",
    ("fn", "weight"): "what has weights is a block: `block Name(x: f32[C]) -> f32[C] { ... }`",
    ("fn", "output"): "a formula gives its result with `return`",
    ("fn", "group"): "settings belong in `train Name { ... }`",
    ("train", "input"): "inputs belong in a model",
    ("train", "target"): "targets belong in a model",
    ("train", "output"): "outputs belong in a model",
    ("train", "weight"): "weights belong in a model or block",
    ("train", "return"): "settings are `name = value`",
}
OTHER_WORD = {("model", tree.Return): "output", ("block", tree.Output): "return", ("fn", tree.Output): "return"}
ITEM = (tree.Import, tree.Dim, tree.Fn, tree.Block, tree.Model, tree.Train, tree.BrokenItem, tree.Broken)
OUTSIDE = "put it inside `model Name { ... }`"


def place(file: tree.File, earlier: list[Diagnostic]) -> tuple[tree.File, list[Diagnostic]]:
    """The file without what stands outside its items, and what is said about that and about misplaced statements.

    A stray `}` among the earlier problems that only ends what stands outside is taken back.
    """
    found: list[Diagnostic] = []
    kept: list[tree.Item] = []
    outside = False
    for item in file.items:
        if isinstance(item, ITEM):
            outside = outside and isinstance(item, tree.Broken)
            kept.append(item)
            found += in_item(item)
        elif isinstance(item, tree.Group):
            outside = False
            kept.append(tree.BrokenItem(item.name.text, item.body, item.span, item.doc))
            found.append(headless(item, file.items))
        elif not outside:
            outside = True
            problem = misplaced(item, f"{called(item)} stands outside a model", OUTSIDE)
            found.append(problem)
            stray = next((p for p in earlier if closes_outside(p, problem)), None)
            if stray is not None:
                earlier.remove(stray)
    found += arguments(kept)
    return replace(file, items=tuple(kept)), found


def headless(item: tree.Group, items: Sequence[Any]) -> Diagnostic:
    """`Digits { ... }`, `train { ... }`."""
    name = item.name.text
    source, span = item.span.source, item.name.span
    models = [other.name.text for other in items if isinstance(other, tree.Model)]
    if name == "train":
        message = "this `train` does not say which model it trains"
        last = item.pattern.span if item.pattern is not None else span
        edits = (Edit(source.span(span.stop, last.stop), f" {models[0]}"),) if len(models) == 1 else ()
        help = f"write `train {models[0] if models else 'Name'} {{ ... }}`"
        return Diagnostic("E113", message, Label(span), help=help, edits=edits)
    if name in ("model", "block", "fn"):
        return Diagnostic("E113", f"this `{name}` has no name", Label(span), help=f"write `{name} Name`")
    trained = name in models
    word = "train" if trained else "model"
    edits = (Edit(source.span(span.start, span.start), f"{word} "),) if item.pattern is None else ()
    message = f"`{name} {{ ... }}` needs a word before it"
    return Diagnostic("E112", message, Label(span), help=f"did you mean `{word} {name}`?", edits=edits)


def closes_outside(earlier: Diagnostic, problem: Diagnostic) -> bool:
    return earlier.code == "E104" and earlier.span.text == "}" and earlier.span.start > problem.span.start


def in_item(item: tree.Item) -> Iterator[Diagnostic]:
    kind = type(item).__name__.lower()
    if isinstance(item, (tree.Fn, tree.Block, tree.Model, tree.Train)):
        yield from statements(item.body, kind)
    if isinstance(item, (tree.Block, tree.Model)):
        for parameter in item.parameters or ():
            if parameter.type is None:
                yield untyped(parameter, kind)


def statements(body: Sequence[tree.Statement], kind: str) -> Iterator[Diagnostic]:
    for statement in body:
        if isinstance(statement, tree.Group) and kind == "train":
            yield from statements(statement.body, kind)
        elif not isinstance(statement, ALLOWED[kind]):
            help = INSTEAD.get((kind, type(statement).__name__.lower()), "")
            word = OTHER_WORD.get((kind, type(statement)), "")
            yield misplaced(statement, f"{called(statement)} does not belong in a `{kind}`", help, word)


def misplaced(statement: Any, message: str, help: str, word: str = "") -> Diagnostic:
    """`word` is what the statement starts with where it belongs; it may, where it gives names."""
    first = first_word(statement.span)
    values = statement.values if isinstance(statement, tree.Return) else getattr(statement, "names", ())
    names = all(isinstance(value, (tree.Path, tree.Name)) for value in values) and not getattr(statement, "value", None)
    edits = (Edit(first, word),) if word and names else ()
    return Diagnostic("E130", message, Label(first), help=help, edits=edits)


def untyped(parameter: tree.Parameter, kind: str) -> Diagnostic:
    name, default = parameter.name.text, parameter.default
    type_ = ""
    if isinstance(default, tree.Number):
        type_ = "float" if default.is_float else "int"
    elif isinstance(default, tree.Bool):
        type_ = "bool"
    elif default is not None:
        type_ = "list" if isinstance(default, tree.ListOf) else "int"
    edits = (Edit(parameter.name.span.source.span(parameter.name.span.stop, parameter.name.span.stop), f": {type_}"),)
    message = f"the parameter `{name}` of a {kind} has no type"
    help = f"write `{name}: {type_}`" if type_ else f"`{name}: int` or `{name}: f32[C]`"
    return Diagnostic("E131", message, Label(parameter.name.span), help=help, edits=edits if type_ else ())


def called(statement: Any) -> str:
    """What a message calls a statement."""
    if isinstance(statement, tree.Let):
        return f"`{statement.names[0].text} = ...`"
    if isinstance(statement, tree.Group):
        return f"`{statement.name.text} {{ ... }}`"
    return f"`{type(statement).__name__.lower()}`"


def first_word(span: Span) -> Span:
    """The word that a statement starts with."""
    text = span.text
    stop = next((i for i, character in enumerate(text) if not (character.isalnum() or character == "_")), len(text))
    return span.source.span(span.start, span.start + max(stop, 1))


# -- the order of arguments, and names in lists


def arguments(items: Sequence[Any]) -> list[Diagnostic]:
    """Arguments without a name behind named ones; named items of lists outside the settings of `train`."""
    found: list[Diagnostic] = []
    stack: list[tuple[Any, bool]] = [(item, False) for item in reversed(items)]
    while stack:
        node, setting = stack.pop()
        if isinstance(node, (tree.Call, tree.Layer)) and node.arguments:
            found += unnamed_last(node.arguments)
        elif isinstance(node, tree.ListOf) and not setting:
            found += named_items(node)
        settings = isinstance(node, (tree.Train, tree.BrokenItem))
        for child, is_setting in children(node, settings, setting):
            stack.append((child, is_setting))
    return found


def children(node: Any, settings: bool, setting: bool) -> Iterator[tuple[Any, bool]]:
    """The nodes directly inside, each with whether it is the value of a setting."""
    for name in type(node).__slots__:
        value = getattr(node, name)
        for child in value if isinstance(value, tuple) else (value,):
            if type(child).__module__ == tree.__name__:
                inherited = settings or (setting and isinstance(node, (tree.Group, tree.Let)))
                yield child, inherited and isinstance(child, (tree.Let, tree.Group, tree.ListOf))


def unnamed_last(given: Sequence[tree.Argument]) -> list[Diagnostic]:
    named = next((i for i, argument in enumerate(given) if argument.name is not None), len(given))
    late = next((i for i in range(named, len(given)) if given[i].name is None), None)
    if late is None:
        return []
    argument, before = given[late], given[late - 1]
    source = argument.span.source
    first = given[0].span
    gone = source.span(before.span.stop, argument.span.stop)
    edits = (Edit(source.span(first.start, first.start), argument.span.text + ", "), Edit(gone, ""))
    message = "an argument without a name follows one with a name"
    help = "the size comes first, then `name = value`"
    return [Diagnostic("E132", message, Label(argument.span), help=help, edits=edits if named == 0 else ())]


def named_items(node: tree.ListOf) -> list[Diagnostic]:
    named = next((item for item in node.items if isinstance(item, tree.Argument) and item.name is not None), None)
    if named is None or named.name is None:
        return []
    message = f"an item of this list is given a name, `{named.name.text}`"
    edit = Edit(named.span.source.span(named.span.start, named.value.span.start), "")
    help = "only lists of settings in `train`, such as `metrics`, name their items"
    return [Diagnostic("E133", message, Label(named.span), help=help, edits=(edit,))]
