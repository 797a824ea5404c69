"""The library that comes with kdsl, written in the language: `import SqueezeExcite from "kdsl:blocks"`."""

from __future__ import annotations

import re

from kdsl._resources import folder, read_text
from kdsl.source import Source

PREFIX = "kdsl:"
SUFFIX = ".kmodel"
DEFINES = re.compile(r"^(?:block|fn) ([A-Za-z_]\w*)", re.MULTILINE)


def files() -> list[str]:
    """What imports call them: `kdsl:attention`, `kdsl:blocks` ..."""
    names = (entry.name for entry in folder("library").iterdir())
    return sorted(PREFIX + name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))


def source_of(written: str) -> Source | None:
    """The text of a library file; None where there is none of that name."""
    if written not in files():
        return None
    return Source(written, read_text("library", written.removeprefix(PREFIX) + SUFFIX))


def defined_in(written: str) -> list[str]:
    """The blocks and fns of a library file."""
    source = source_of(written)
    return [] if source is None else DEFINES.findall(source.text)


def import_of(name: str) -> str:
    """The line that imports a block or fn of the library; empty where the library has none of that name."""
    for file in files():
        if name in defined_in(file):
            return f'import {name} from "{file}"'
    return ""
