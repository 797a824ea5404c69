"""`docs/library.md`: the blocks and formulas written in the language."""

from __future__ import annotations

import re

from kdsl.docs.markdown import code, fenced, link, page, table
from kdsl.elaborate.library import defined_in, files, source_of
from kdsl.syntax import parse, tree

INTRODUCTION = """\
Blocks and formulas that come with kdsl, each written in the language: `import SqueezeExcite, Highway from "kdsl:blocks"`. They
compile like your own, so the source below is all there is to know about them, and a place to copy from. Capital names such as
`H`, `W`, `C` are sizes that a call binds; a block called with `x -> SqueezeExcite(ratio = 8)` says only what it changes.

A layer for one vector, such as `GatedLinear(x: f32[D])`, takes vectors only. A formula works element by element, or as its text says."""


def library_page() -> str:
    contents = table(
        ["file", "blocks and formulas"],
        [[link(code(file), file), ", ".join(link(code(name), name) for name in defined_in(file))] for file in files()],
    )
    return page("The library", INTRODUCTION, contents, *(part for file in files() for part in file_parts(file)))


def file_parts(file: str) -> list[str]:
    source = source_of(file)
    assert source is not None
    parts = [f"## {file}"]
    for item in parse(source).tree.items:
        if isinstance(item, (tree.Block, tree.Fn)):
            parts.append(definition(file, item, source.text))
    return parts


def definition(file: str, item: tree.Block | tree.Fn, text: str) -> str:
    name = item.name.text
    doc, source = cited(item.doc or "")
    return "\n\n".join(
        filter(
            None,
            [
                f"### {name}",
                doc,
                source,
                fenced(f'import {name} from "{file}"', "text"),
                fenced(text[item.span.start : item.span.stop]),
            ],
        )
    )


def cited(doc: str) -> tuple[str, str]:
    """(what it does, where it comes from): the doc comment cut before a name followed by a year."""
    found = re.search(
        r"(?:^|(?<=[.:] ))(?=[A-Z][\w.'-]*(?: (?:and|et al\.)[^.:]*)? (?:19|20)\d\d)|(?<=\. )(?=keras/)",
        doc.replace("\n", " "),
    )
    plain = doc.replace("\n", " ").strip()
    if found is None:
        return plain, ""
    return plain[: found.start()].strip(), f"Source: {plain[found.start() :].strip()}"
