"""How values become Python text. Strings of users enter a module through `pyrepr` or `docstring`, and in no other way."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from kdsl.elaborate.program import ModelProgram
from kdsl.graph.graph import Node
from kdsl.source import Span

WIDTH = 120


def pyrepr(value: object) -> str:
    """A literal: strings in ASCII, floats finite or as NumPy's names."""
    if isinstance(value, str):
        return ascii(value).replace("'", '"') if "'" not in value and '"' not in value else ascii(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    if isinstance(value, tuple):
        return f"({', '.join(map(pyrepr, value))}{',' if len(value) == 1 else ''})"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    raise TypeError(f"no literal for {value!r}")


def docstring(text: str, indent: int = 0) -> str:
    """A triple-quoted literal that says `text`, its later lines indented; what does not print is escaped."""
    lines = [line.rstrip(" ") for line in text.strip().split("\n")]
    said = ("\n" + " " * indent).join(lines).replace("\n" + " " * indent + "\n", "\n\n")
    said += "\n" + " " * indent if len(lines) > 1 else ""
    body = "".join(_escaped(character) for character in said).replace('"""', '\\"\\"\\"')
    body += "\\n" if body.endswith("\\") else ""
    literal = f'"""{body[:-1]}\\""""' if body.endswith('"') and not body.endswith('\\"') else f'"""{body}"""'
    return literal if ast.literal_eval(literal) == said else pyrepr(said)


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    return character if character == "\n" or character.isprintable() else ascii(character)[1:-1]


def comment(text: str) -> str:
    """Text fit for a `#` comment: printable ASCII, on one line."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def basename(source: str) -> str:
    """The name of a source without its folders: a module must not depend on where it was built."""
    return PurePosixPath(source.replace("\\", "/")).name


def place(span: Span) -> str:
    """`fashion.kmodel:9`."""
    return f"{basename(span.source.name)}:{span.line}"


def origin_of(node: Node, program: ModelProgram) -> str:
    """The comment behind a node's line: where it comes from, and the layer as the elaborator prints it."""
    text = place(node.origin[0])
    call = next((layer.text for layer in program.layers if layer.path == node.layer), "")
    if program.training is not None and node.name == program.graph.loss:
        call = program.training.loss
    return comment(f"{text}  -> {call}" if call else text)


def call(head: str, arguments: Sequence[str], tail: str = ")", used: int = 0) -> str:
    """`head(a, b)` on one line where it fits, else an argument on each. `used` columns are taken before and after."""
    line = f"{head}{', '.join(arguments)}{tail}"
    if used + len(line) <= WIDTH and "\n" not in line:
        return line
    return f"{head}\n" + "".join(f"{indented(argument, 4)},\n" for argument in arguments) + tail


def indented(text: str, indent: int) -> str:
    return "\n".join(" " * indent + line if line else "" for line in text.split("\n"))


def joined_tuple(items: Iterable[str]) -> str:
    """`(a, b)`, `(a,)`, `()` of texts."""
    texts = list(items)
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def spaced(texts: Sequence[str]) -> str:
    """Statements one after the other: two lines between functions and classes, none between assignments."""
    result = texts[0]
    for before, text in itertools.pairwise(texts):
        tall = any("\n" in t and ("def " in t or "class " in t) for t in (before, text))
        result += ("\n\n\n" if tall or text.lstrip().startswith("#") else "\n") + text
    return result
