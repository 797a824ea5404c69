"""A generated module is held against what a generated module may contain, whatever the templates and names did.

This is the second line of defence: strings enter by `repr` and names by `identifier`. Should either fail, the text
does not pass: other imports, names that nobody defines or somebody defines twice, functions that run text.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from functools import cache

PACKAGES = frozenset({"numpy", "numba", "llvmlite"})
STANDARD = frozenset(
    [
        "__future__",
        "argparse",
        "ast",
        "collections",
        "contextlib",
        "ctypes",
        "functools",
        "hashlib",
        "inspect",
        "io",
        "itertools",
        "json",
        "math",
        "operator",
        "os",
        "pathlib",
        "secrets",
        "shutil",
        "signal",
        "struct",
        "sys",
        "threading",
        "time",
        "typing",
        "warnings",
        "weakref",
        "zipfile",
    ]
)
FORBIDDEN = frozenset(
    [
        "eval",
        "exec",
        "compile",
        "__import__",
        "breakpoint",
        "input",
        "globals",
        "locals",
        "vars",
        "delattr",
        "memoryview",
    ]
)
MODULE_NAMES = frozenset({"__name__", "__file__", "__doc__"})


class NotAllowed(Exception):
    """The compiler's own fault: it generated text that a module may not contain."""


def check_module(text: str) -> None:
    """Raises NotAllowed where the text is no module of the expected kind."""
    if re.search(r"[\x00-\x09\x0b-\x1f]", text):
        raise NotAllowed("control characters")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotAllowed(f"not Python: {error}") from error
    _check_once(tree)
    for node in ast.walk(tree):
        _check_node(node)
    _check_names(text)


@cache
def defined_names(text: str) -> frozenset[str]:
    """Names that a text defines or imports at module level."""
    table = symtable.symtable(text, "module", "exec")
    return frozenset(s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported())


def _check_once(tree: ast.Module) -> None:
    """Parts of a module come from several places: none may define what another one has defined."""
    seen: set[str] = set()
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) and statement.value else targets
        names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names = [statement.name]
        for name in names:
            if name in seen:
                raise NotAllowed(f"a second definition of {name} in line {statement.lineno}")
            seen.add(name)


def _check_node(node: ast.AST) -> None:
    if isinstance(node, ast.Import):
        for name in node.names:
            _check_import(name.name)
    elif isinstance(node, ast.ImportFrom):
        if node.level or any(name.name == "*" for name in node.names):
            raise NotAllowed("a relative import or a star")
        _check_import(node.module or "")
    elif isinstance(node, ast.Name) and node.id in FORBIDDEN:
        raise NotAllowed(f"the name {node.id} in line {node.lineno}")
    elif isinstance(node, ast.Attribute) and node.attr in (
        "system",
        "popen",
        "__globals__",
        "__builtins__",
        "__subclasses__",
        "__code__",
    ):
        raise NotAllowed(f"the attribute {node.attr} in line {node.lineno}")
    elif isinstance(node, (ast.Global, ast.AsyncFunctionDef, ast.Await)):
        raise NotAllowed(f"{type(node).__name__} in line {getattr(node, 'lineno', 0)}")


def _check_import(name: str) -> None:
    if name.split(".")[0] not in PACKAGES | STANDARD:
        raise NotAllowed(f"import of {name}")


def _check_names(text: str) -> None:
    """Every global name that is read is defined in the module, imported or built in."""
    table = symtable.symtable(text, "module", "exec")
    known = defined_names(text) | set(dir(builtins)) | MODULE_NAMES
    pending = [table]
    while pending:
        scope = pending.pop()
        pending += scope.get_children()
        unknown = [
            s.get_name()
            for s in scope.get_symbols()
            if s.is_referenced() and s.is_global() and s.get_name() not in known
        ]
        if scope is table:
            unknown += [s.get_name() for s in scope.get_symbols() if s.is_referenced() and s.get_name() not in known]
        if unknown:
            raise NotAllowed(f"the name {unknown[0]}, which nothing defines (in {scope.get_name()})")
