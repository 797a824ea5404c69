"""From a model file to a module that runs, for the commands that need the compiler."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from kdsl.cli.console import Console
from kdsl.cli.models import add_settings, no_model, settings, show, source_of, unknown

if TYPE_CHECKING:
    from kdsl.compiler import Compiled
    from kdsl.elaborate.program import ModelProgram


def add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .kmodel file")
    add_settings(parser)
    parser.add_argument(
        "--no-pass", action="append", default=[], metavar="PASS", help="leave an optimisation out; may be repeated"
    )


def add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target",
        choices=["numba", "numpy"],
        default="numba",
        help="numba (the default) compiles fast kernels; numpy needs only NumPy, and is slow",
    )
    parser.add_argument(
        "--dtype", choices=["f32", "f64"], default="f32", help="what the module computes in (default: f32)"
    )


def compiled(options: argparse.Namespace, console: Console) -> Compiled:
    """The file, compiled as the options say. Errors in it end the command with exit code 1."""
    from kdsl.compiler import compile_file

    result = compile_file(
        source_of(options.file, console),
        target=options.target,
        dtype=options.dtype,
        settings=settings(options.set),
        without=passes(options.no_pass),
    )
    show(options.file, result.diagnostics, console)
    if result.text is None:
        raise no_model(options.file)
    return result


def class_of(result: Compiled, program: ModelProgram) -> Any:
    """The class of one model of a compiled file; its module is imported from the cache."""
    from kdsl.compiler import import_compiled

    return next(found for found in classes(import_compiled(result)) if found.declaration.name == program.name)


def classes(module: ModuleType) -> list[Any]:
    """The models of a generated module."""
    return [value for value in vars(module).values() if isinstance(value, type) and hasattr(value, "declaration")]


def passes(names: list[str]) -> frozenset[str]:
    """The names given with `--no-pass`, each the name of an optimisation."""
    from kdsl import plan
    from kdsl.passes import pipeline as graphs

    known = graphs.OPTIONAL + plan.OPTIONAL
    for name in names:
        if name not in known:
            raise unknown(f"there is no optimisation {name}", name, known)
    return frozenset(names)


def warm_file(path: Path) -> None:
    """Every kernel of a module's file compiled, and in the cache."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for model in classes(module):
        warm(model)


def warm(model: Any) -> None:
    """Runs every function of a model's class once, on zeros and with an instance of its own, so that all is compiled."""
    import numpy as np

    made, declaration = model(), model.declaration
    x = {port.name: np.zeros((1, *port.shape)) for port in declaration.inputs}
    y = {port.name: np.zeros((1, *port.shape)) for port in declaration.targets}
    made.predict(x)
    if declaration.training is not None:
        made.evaluate(x, y)
        made.train_on_batch(x, y)
