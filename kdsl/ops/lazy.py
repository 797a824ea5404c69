"""NumPy, imported at first use: linting a model must not pay for it.

References are written `np.exp(x)` with `np` from here, so that their text can be carried into a generated module as it is.
"""

from __future__ import annotations

from typing import Any


class _LazyModule:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        from importlib import import_module

        return getattr(import_module(self._name), attribute)


np: Any = _LazyModule("numpy")

Array = Any
"""A NumPy array, in annotations of references."""
