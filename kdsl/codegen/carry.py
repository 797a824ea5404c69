"""Real Python carried into a generated module: whole files of `kdsl/runtime`, and functions with what they call."""

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Carried:
    """A file: its docstring, its import statements from outside kdsl (one name each), and the rest as it is."""

    title: str
    imports: tuple[str, ...]
    text: str


@cache
def carried_module(module: ModuleType) -> Carried:
    """The file of a module without its docstring and imports: in a generated module they stand at the head."""
    source = inspect.getsource(module)
    tree = ast.parse(source)
    lines = source.split("\n")
    imports: list[str] = []
    dropped: list[ast.stmt] = []
    for index, statement in enumerate(tree.body):
        if index == 0 and isinstance(statement, ast.Expr):
            dropped.append(statement)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            dropped.append(statement)
            imports += single_imports(statement)
        elif only_for_checking(statement):
            dropped.append(statement)
    for statement in reversed(dropped):
        del lines[statement.lineno - 1 : statement.end_lineno]
    text = re.sub("\n{3,}", "\n\n\n", "\n".join(lines)).strip("\n")
    return Carried(ast.get_docstring(tree) or "", tuple(imports), text)


def only_for_checking(statement: ast.stmt) -> bool:
    """Whether it is `if TYPE_CHECKING:` and what stands below."""
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"


def single_imports(statement: ast.Import | ast.ImportFrom) -> list[str]:
    """Import statements of one name each, without those from kdsl: a generated module has no use for them."""
    if isinstance(statement, ast.Import):
        return [f"import {_alias(name)}" for name in statement.names]
    module = statement.module or ""
    if module == "__future__" or module.split(".")[0] == "kdsl":
        return []
    return [f"from {module} import {_alias(name)}" for name in statement.names if name.name != "TYPE_CHECKING"]


def _alias(name: ast.alias) -> str:
    return f"{name.name} as {name.asname}" if name.asname else name.name


def merged_imports(statements: Iterable[str]) -> str:
    """Import statements of one name each -> sorted lines: the standard library, then packages."""
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    for statement in statements:
        if statement.startswith("import "):
            plain.add(statement)
        else:
            _, module, names = re.split("^from (.*) import ", statement)[0:3]
            named.setdefault(module, set()).update(part.strip() for part in names.split(","))
    lines = sorted(plain) + [_from(module, sorted(names)) for module, names in sorted(named.items())]
    packages = [line for line in lines if re.split("[ .]", line)[1] in ("numpy", "numba", "llvmlite")]
    standard = [line for line in lines if line not in packages]
    return "\n\n".join("\n".join(group) for group in (standard, packages) if group)


def _from(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 120:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def function_text(function: Callable[..., Any], name: str, doc: str = "") -> str:
    """The text of a function under another name, with `doc` as its docstring where it has none."""
    text = textwrap.dedent(inspect.getsource(function))
    tree = ast.parse(text).body[0]
    assert isinstance(tree, ast.FunctionDef)
    lines = text.rstrip("\n").split("\n")[tree.lineno - 1 :]  # without decorators
    lines[0] = re.sub(rf"^def {tree.name}\(", f"def {name}(", lines[0])
    if doc and ast.get_docstring(tree) is None:
        first = tree.body[0].lineno - tree.lineno
        lines.insert(first, textwrap.indent(f'"""{doc}"""', "    "))
    return "\n".join(lines)


def needed_by(functions: Iterable[Callable[..., Any]]) -> tuple[list[str], list[tuple[str, str]]]:
    """What functions use from their modules -> (imports, (name, text) pairs), a text after those that it uses.

    Functions of kdsl come as text and numbers as constants. `np` is always there; other modules become imports.
    """
    imports: list[str] = []
    found: dict[str, str] = {}

    def visit(function: Callable[..., Any]) -> None:
        known = inspect.unwrap(function).__globals__
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        for name in _names_used(tree):
            value = known.get(name)
            if name in found or value is None or name in ("np", "Array"):
                continue
            if isinstance(value, ModuleType):
                imports.append(f"import {value.__name__}" + (f" as {name}" if name != value.__name__ else ""))
            elif inspect.isfunction(value) and value.__module__.split(".")[0] == "kdsl":
                found[name] = ""  # a function may call itself
                visit(value)
                del found[name]
                found[name] = function_text(value, name)
            elif isinstance(value, (int, float, str, tuple)) and _is_plain(value):
                found[name] = f"{name} = {value!r}"

    for function in functions:
        visit(function)
    return imports, list(found.items())


def _names_used(tree: ast.AST) -> list[str]:
    """Names read in bodies, in order; annotations and decorators left out."""
    bodies = [statement for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for statement in node.body]
    nodes = (node for body in bodies for node in ast.walk(body))
    return list(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return not isinstance(value, float) or math.isfinite(value)
