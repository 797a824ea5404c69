"""The numba target's runtime in a folder of its own, in single or double precision, and kernels made from texts.

The folder's name is a hash of all its text: numba keeps compiled code beside it, and finds it again in the next run of the
tests only if nothing has changed.
"""

from __future__ import annotations

import ast
import ctypes
import hashlib
import importlib
import inspect
import sys
import tempfile
from pathlib import Path
from typing import Any

from kdsl.codegen.numba import CARRIED
from kdsl.plan.maps import Maps
from kdsl.plan.names import Names

WITHOUT = ("numba_team", "numba_engine", "numba_clock")  # no kernels of ops
FILES = [name for name in CARRIED if name not in WITHOUT]
ROOT = Path(tempfile.gettempdir()) / "kdsl-test-kernels"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def written(path: Path, text: str) -> None:
    """Writes a file that is not there yet: numba's cache asks for its time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class Kernels:
    """The runtime with numbers of `bits` bits; `maps` names generated kernels, equal texts once."""

    def __init__(self, bits: int) -> None:
        texts = {}
        for name in FILES:
            text = inspect.getsource(importlib.import_module(f"kdsl.runtime.{name}"))
            texts[name] = text.replace("\nBITS = 32", f"\nBITS = {bits}")
        self.package = f"runtime_{digest(''.join(texts.values()))}"
        self.folder = ROOT / self.package
        if str(ROOT) not in sys.path:
            sys.path.insert(0, str(ROOT))
        written(self.folder / "__init__.py", "")
        for name, text in texts.items():
            written(self.folder / f"{name}.py", text.replace("kdsl.runtime.", f"{self.package}."))
        self.modules = [importlib.import_module(f"{self.package}.{name}") for name in FILES]
        self.known = {name for module in self.modules for name in vars(module) if not name.startswith("__")}
        self.maps = Maps(Names(self.known).fresh)
        self.kernel_module = sys.modules[f"{self.package}.numba_kernel"]
        self.real = ctypes.c_float if bits == 32 else ctypes.c_double
        self.compiled: dict[str, tuple[list[str], Any]] = {}

    def __call__(self, name: str) -> tuple[list[str], Any]:
        """A kernel's parameters, and the kernel as a function of Python numbers; pointers are addresses."""
        if name not in self.compiled:
            text = dict(self.maps.texts).get(name)
            if text is not None:
                self._make(name, text)
            made = self.kernel_module.KERNELS[name if text is None else f"run_{name}"]
            kinds = dict(made.function.__annotations__)
            c_kinds = {"int": ctypes.c_int64, "float": self.real, "None": None, "Double": ctypes.c_double}
            result = c_kinds[kinds.pop("return")]
            types = [c_kinds.get(kind, ctypes.c_void_p) for kind in kinds.values()]
            self.compiled[name] = list(kinds), ctypes.CFUNCTYPE(result, *types)(made.address())
            assert text is None or type(made.held).__name__ != "CFunc", f"numba had to compile {text}"
        return self.compiled[name]

    def _make(self, name: str, text: str) -> None:
        """A generated kernel in a file of its own, with a driver that hands on what it is given: so the kernel is compiled as it
        is in a module."""
        used = [f"from {self.package}.{module} import *" for module in FILES]
        head = "\n".join(["from __future__ import annotations", "import math", *used, "", "@short_kernel", ""])
        (tree,) = ast.parse(text).body
        assert isinstance(tree, ast.FunctionDef)
        given = ", ".join(argument.arg for argument in tree.args.args)
        tail = [f"def run_{name}({ast.unparse(tree.args)}) -> None:", '    """Run it."""', f"    {name}({given})"]
        whole = head + "\n".join([text, "", "", *tail, "", "", f"driver(run_{name})", ""])
        file = f"kernel_{name}_{digest(whole)}"
        written(self.folder / f"{file}.py", whole)
        importlib.invalidate_caches()
        importlib.import_module(f"{self.package}.{file}")
