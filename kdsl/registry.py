"""Names known at once, their classes imported when somebody asks for them: a file with five layers imports five."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TypeVar

T = TypeVar("T")


class DefinitionError(Exception):
    """The compiler's own fault: an op, layer, loss ... that does not say everything it must."""


class Registry(Mapping[str, T]):
    """Name -> class, in the order of the table it is made from: module of the package -> the names defined there.

    A class enters itself when its module is imported. It is refused if the table lacks its name, so that the table
    cannot fall behind.
    """

    def __init__(self, noun: str, package: str, table: Mapping[str, str]) -> None:
        self.noun = noun
        self.modules = {name: f"{package}.{module}" for module, names in table.items() for name in names.split()}
        self.defined: dict[str, T] = {}

    def add(self, name: str, value: T) -> None:
        if name in self.defined:
            raise DefinitionError(f"the {self.noun} `{name}` is defined twice")
        if name not in self.modules:
            raise DefinitionError(f"the {self.noun} `{name}` is not in the table of names and modules")
        self.defined[name] = value

    def __getitem__(self, name: str) -> T:
        if name not in self.defined:
            module = self.modules[name]
            import_module(module)
            if name not in self.defined:
                raise DefinitionError(f"{module} defines no {self.noun} `{name}`")
        return self.defined[name]

    def __contains__(self, name: object) -> bool:
        return name in self.modules

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)
