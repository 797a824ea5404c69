"""The runtime that a module of the numba target carries: of several files, the statements it needs."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Sequence
from types import ModuleType

from kdsl.codegen.carry import only_for_checking, single_imports
from kdsl.codegen.sections import Options


def names_in(*texts: str) -> set[str]:
    """Every name a text reads, annotations included."""
    found = set()
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Name):
                found.add(node.id)
    return found


class Library:
    """The statements of the runtime's files, and which of them a module needs."""

    def __init__(self, modules: Sequence[ModuleType], options: Options) -> None:
        self.modules = modules
        self.parts: list[tuple[ModuleType, str, frozenset[str], frozenset[str]]] = []
        self.imports: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        for module in modules:
            source = inspect.getsource(module)
            if options.dtype == "f64":
                source = source.replace("\nBITS = 32", "\nBITS = 64")
            self._read(module, source)

    def _read(self, module: ModuleType, source: str) -> None:
        tree, lines = ast.parse(source), source.split("\n")
        self.titles[module.__name__] = ast.get_docstring(tree) or ""
        after = 0
        for index, statement in enumerate(tree.body):
            decorators = getattr(statement, "decorator_list", [])
            first = min([statement.lineno, *(d.lineno for d in decorators)])
            text = "\n".join(lines[after : statement.end_lineno]).strip("\n")
            after = statement.end_lineno or first
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                self.imports |= {text.split()[-1]: text for text in single_imports(statement)}
            elif not (index == 0 and isinstance(statement, ast.Expr)) and not only_for_checking(statement):
                self.parts.append((module, text, frozenset(_defined(statement)), frozenset(names_in(text))))

    @property
    def names(self) -> set[str]:
        """Everything the runtime defines or imports at module level."""
        return {*self.imports, *(name for _, _, defined, _ in self.parts for name in defined)}

    def needed(self, roots: Iterable[str]) -> tuple[list[tuple[str, str]], list[str]]:
        """((title, text) pairs, one for each statement, imports) of what the names need, and what that needs; statements
        that define nothing belong to their file."""
        used, wanted = set(roots), set[int]()
        changed = True
        while changed:
            changed = False
            for number, (module, _, defined, reads) in enumerate(self.parts):
                bare = not defined and any(self.parts[i][0] is module for i in wanted)
                if number not in wanted and (bare or defined & used):
                    wanted.add(number)
                    used |= reads
                    changed = True
        texts = [
            (self.titles[module.__name__], self.parts[i][1])
            for module in self.modules
            for i in sorted(wanted)
            if self.parts[i][0] is module
        ]
        return texts, [self.imports[name] for name in sorted(used) if name in self.imports]


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.ClassDef) and statement.decorator_list:
        return []  # it is there for what its decorator does
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, ast.If):
        return [name for part in (*statement.body, *statement.orelse) for name in _defined(part)]
    if isinstance(statement, ast.Assign):
        return [n.id for target in statement.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []
