"""A value printed on one line in the language's style, without the user's spacing and comments."""

from __future__ import annotations

from kdsl.syntax import tree


def reprint(value: tree.Value) -> str:
    """`0.3 * mse(guess, price)`. Steps with braces inside are `...`."""
    if isinstance(value, tree.Binary):
        return chain(value)
    if isinstance(value, tree.Parens):
        return f"({reprint(value.value)})"
    if isinstance(value, tree.Unary):
        return f"{value.operator}{' ' * value.operator.isalpha()}{reprint(value.value)}"
    if isinstance(value, tree.Call):
        return f"{value.name.text}({', '.join(map(argument, value.arguments))})"
    if isinstance(value, tree.ListOf):
        return f"[{', '.join(argument(i) if isinstance(i, tree.Argument) else reprint(i) for i in value.items)}]"
    if isinstance(value, tree.Tuple):
        return f"({', '.join(map(reprint, value.items))})"
    if isinstance(value, tree.Index):
        return f"{reprint(value.value)}[{', '.join(map(item, value.items))}]"
    if isinstance(value, tree.Choice):
        parts = map(reprint, (value.condition, value.then, value.otherwise))
        return "if {} then {} else {}".format(*parts)
    if isinstance(value, tree.Pipe):
        return " -> ".join([reprint(value.source), *map(step, value.steps)])
    return " ".join(value.span.text.split())


def chain(value: tree.Binary) -> str:
    """Long sums lean to the left: they are walked, not recursed into."""
    behind: list[str] = []
    left: tree.Value = value
    while isinstance(left, tree.Binary):
        behind.append(f" {left.operator} {reprint(left.right)}")
        left = left.left
    return reprint(left) + "".join(reversed(behind))


def argument(given: tree.Argument) -> str:
    text = reprint(given.value)
    return text if given.name is None else f"{given.name.text} = {text}"


def item(value: tree.Value | tree.Slice) -> str:
    if not isinstance(value, tree.Slice):
        return reprint(value)
    ends = ["" if end is None else reprint(end) for end in (value.start, value.stop)]
    return ":".join([*ends, *([reprint(value.step)] if value.step is not None else [])])


def step(value: tree.Step) -> str:
    if not isinstance(value, tree.Layer):
        return "..."
    inside = "" if value.arguments is None else f"({', '.join(map(argument, value.arguments))})"
    return f"{value.name.text}{inside}{f' as {value.alias.text}' if value.alias else ''}"
