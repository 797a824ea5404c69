"""The whole way on one screen: read, parse, elaborate, differentiate and optimise, plan, emit.

What the command line, the language server and `kdsl.load` call. Each step hands on one immutable value.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.elaborate import ModelProgram, elaborate
from kdsl.source import Source, read
from kdsl.syntax import parse

if TYPE_CHECKING:
    from kdsl.codegen.sections import MakeSections

MARKER = "Made by kdsl"  # near the top of every generated module: what a build may overwrite
Target = Literal["numba", "numpy"]


@dataclass(frozen=True)
class Compiled:
    """What became of a file. `text` is the module, None where there are errors; `graphs` belong to `programs`."""

    source: Source | None
    diagnostics: tuple[Diagnostic, ...]
    programs: tuple[ModelProgram, ...] = ()
    graphs: tuple[Any, ...] = ()
    text: str | None = None

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")


class CompileError(ValueError):
    """A file with errors; the message is what `kdsl lint` prints."""


def compile_file(
    path: str | os.PathLike[str] | Source,
    *,
    target: Target = "numba",
    dtype: Literal["f32", "f64"] = "f32",
    settings: Mapping[str, str] | None = None,
    without: frozenset[str] = frozenset(),
) -> Compiled:
    """A model file -> its module's text, or what is wrong with it. `settings`: values for parameters and dims, as
    `--set` gives them; `without`: names of passes to leave out."""
    source = path if isinstance(path, Source) else read(os.fspath(path))
    if isinstance(source, Diagnostic):
        return Compiled(None, (source,))
    parsed = parse(source)
    elaborated = elaborate(parsed.tree, settings)
    found = Compiled(source, (*parsed.diagnostics, *elaborated.diagnostics), elaborated.models)
    if found.errors or not elaborated.models:
        return found

    from kdsl.codegen.module import module_text  # jinja2 and numpy: not before they are needed
    from kdsl.codegen.sections import Options
    from kdsl.passes.pipeline import make_graphs
    from kdsl.plan import OPTIONAL as PLANNING

    graphs = tuple(make_graphs(program, without.difference(PLANNING)) for program in elaborated.models)
    pairs = list(zip(elaborated.models, graphs, strict=True))
    engine = "make_engine" if target == "numpy" else "Engine"
    options = Options(dtype, engine=engine, without=without, imported=elaborated.imported)
    text = module_text(source, pairs, _sections_of(target), options)
    return Compiled(source, found.diagnostics, elaborated.models, graphs, text)


def _sections_of(target: Target) -> MakeSections:
    """Plan and emit, as the target does it."""
    if target == "numpy":
        from kdsl.codegen.numpy import numpy_sections

        return numpy_sections
    from kdsl.codegen.numba import numba_sections

    return numba_sections


def load(path: str | os.PathLike[str] | Source, **options: Any) -> ModuleType:
    """Compiles a file and imports the module, from a file in the user's cache folder. `options` as in `compile_file`.

    CompileError: the file has errors.
    """
    compiled = compile_file(path, **options)
    if compiled.text is None:
        from kdsl.diagnostics.text import render_text

        raise CompileError("\n" + render_text(compiled.diagnostics))
    return import_compiled(compiled)


def import_compiled(compiled: Compiled) -> ModuleType:
    """The module of a file that compiled, imported from the user's cache folder; the same text is imported once."""
    from kdsl.cache import store

    assert compiled.text is not None and compiled.source is not None
    stem = os.path.splitext(os.path.basename(compiled.source.name))[0]
    place = store(stem, compiled.text)
    name = f"kdsl_loaded.{place.parent.name}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, place)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # numba's cache looks modules up by their name
        spec.loader.exec_module(module)
    return sys.modules[name]
