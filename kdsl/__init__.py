"""kdsl: a small language for neural networks, compiled to one self-contained Python module per file."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

__version__ = "0.1.0"


def load(path: str | os.PathLike[str], **options: Any) -> ModuleType:
    """Compiles a model file and imports its module: `kdsl.load("digits.kmodel").Digits()`.

    options: target ("numba", "numpy"), dtype ("f32", "f64"), settings ({"hidden": "256"}). ValueError: what is wrong.
    """
    from kdsl import compiler

    return compiler.load(path, **options)
