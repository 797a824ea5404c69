"""What a target hands to the assembler: the text of its parts of a generated module, and what it was asked for.

A module stands in this order: docstring, imports, `head`, then for each model its tables, `model` and class, then
`carried`, the command line. Every target goes through this interface: `numpy_sections` and `numba_sections` are called
once per model as `sections(program, graphs, options) -> Sections`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from kdsl.codegen.clocks import Clocks
from kdsl.elaborate.program import ModelProgram
from kdsl.source import Source


@dataclass(frozen=True, slots=True)
class Options:
    """What a target must know besides the program and its graphs.

    dtype    the module's scalar type
    engine   the name of the class (or function) `model` must define: called with `threads` it gives the model's Engine
    prefix   what every other module-level name in `model` starts with: empty for a file's only model, else made from the
             model's name (`tower_`, and in capitals `TOWER_` for constants), so that several models can share a module
    without  names of optional passes that are switched off, planning passes included
    imported the files that the model's file imports, those they import included
    clocks   where the numba target notes what it timed, in a module that times one of its functions
    """

    dtype: Literal["f32", "f64"] = "f32"
    engine: str = "Engine"
    prefix: str = ""
    without: frozenset[str] = frozenset()
    clocks: Clocks | None = None
    imported: tuple[Source, ...] = ()

    @property
    def scalar(self) -> str:
        return "float64" if self.dtype == "f64" else "float32"


@dataclass(frozen=True, slots=True)
class Sections:
    """The text of one model for one target.

    imports  import statements, one each (`import numpy as np`); merged, sorted and checked against the allow-list
    head     what must stand before everything else, such as decorators and base classes: (title, text) pairs, as in `carried`
    model    the part of this model: plan constants, functions, the class or function called `Options.engine`
    carried  (title, text) pairs that stand at the end of the module. Entries of one title come under one heading, in the
             order first seen; a text that was there before (another model's, or another part's) is left out
    """

    imports: tuple[str, ...]
    model: str
    carried: tuple[tuple[str, str], ...]
    head: tuple[tuple[str, str], ...] = ()


MakeSections = Callable[[ModelProgram, Any, Options], Sections]
