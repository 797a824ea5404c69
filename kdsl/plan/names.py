"""Names of users made safe Python identifiers: ASCII, never a keyword or built-in name, never two for one."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

# built-in names that only some Python versions have: what is generated must not depend on the version
SOME_VERSIONS = ("BaseExceptionGroup", "ExceptionGroup", "EncodingWarning", "PythonFinalizationError", "aiter", "anext")
SOFT_KEYWORDS = ("_", "case", "match", "type")
RESERVED = frozenset(
    (*keyword.kwlist, *SOFT_KEYWORDS, *SOME_VERSIONS, *dir(builtins), "self", "cls", "np", "numba", "llvmlite", "kdsl")
)


def identifier(text: str) -> str:
    """`text` as an ASCII identifier: `logits.dense` -> `logits_dense`, `class` -> `class_`, `für` -> `f_r`."""
    name = re.sub("[^A-Za-z0-9_]", "_", text)
    if not name or name[0].isdigit() or name.startswith("__"):
        name = f"v_{name}"
    return f"{name}_" if name in RESERVED else name


def snake_case(text: str) -> str:
    """`FashionMlp` -> `fashion_mlp`, `HTTPModel2` -> `http_model2`."""
    return re.sub("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text).lower()


class Names:
    """Gives each text one identifier of its own; `taken` are never given. Names within a function know those `around` it: both
    give nothing that the other one has."""

    def __init__(self, taken: Iterable[str] = (), around: Names | None = None) -> None:
        self._taken = set(taken)
        self._within: set[str] = set()
        self._around = around
        self._given: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        if text not in self._given:
            self._given[text] = self.fresh(identifier(text))
        return self._given[text]

    def fresh(self, wanted: str) -> str:
        """`wanted`, with a number where it is taken."""
        name, number = wanted, 2
        while name in self._taken or name in self._within or (self._around and name in self._around._taken):
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        if self._around is not None:
            self._around._within.add(name)
        return name
