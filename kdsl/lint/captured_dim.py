"""W616: a size in a block's types that is a `dim` of the file, not free."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import nodes_of
from kdsl.syntax import tree


def check(file: tree.File) -> Iterator[Diagnostic]:
    dims = {item.name.text: item.name for item in file.items if isinstance(item, tree.Dim)}
    for block in file.items:
        if not isinstance(block, tree.Block):
            continue
        seen: set[str] = set()
        for parameter in block.parameters:
            for part in nodes_of(parameter.type.shape if parameter.type is not None else None):
                name = part.names[0].text if isinstance(part, tree.Path) else ""
                if name in dims and name not in seen:
                    seen.add(name)
                    yield Diagnostic(
                        "W616",
                        f"`{name}` in `{block.name.text}` is the dim of the file: the block takes no other size",
                        Label(part.span),
                        (Label(dims[name].span, "the dim"),),
                        help="for a size that each call binds choose another name",
                    )
