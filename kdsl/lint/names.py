"""W620: names that are not written the usual way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.shadowing import bound
from kdsl.syntax import tree

CAPITALISED = re.compile(r"_?[A-Z][A-Za-z0-9]*")
SNAKE = re.compile(r"_*[a-z][a-z0-9]*(_[a-z0-9]+)*_?|_")
UPPER = re.compile(r"_?[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def check(file: tree.File) -> Iterator[Diagnostic]:
    for item in file.items:
        if isinstance(item, tree.Dim):
            yield from wanted(item.name, UPPER, "dims are written in capitals", item.name.text.upper())
        elif isinstance(item, (tree.Model, tree.Block)):
            kind = "models" if isinstance(item, tree.Model) else "blocks"
            yield from wanted(item.name, CAPITALISED, f"{kind} begin with a capital", camel(item.name.text))
        if isinstance(item, (tree.Model, tree.Block, tree.Fn)):
            for name in [*(parameter.name for parameter in item.parameters or ()), *bound(item)]:
                yield from wanted(name, SNAKE, "values are written in small letters", snake(name.text))


def wanted(name: tree.Name, pattern: re.Pattern[str], rule: str, instead: str) -> Iterator[Diagnostic]:
    if not pattern.fullmatch(name.text):
        help = f"`{instead}`" if pattern.fullmatch(instead) else ""
        yield Diagnostic("W620", f"{rule}: `{name.text}`", Label(name.span), help=help)


def camel(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in text.split("_"))


def snake(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()
