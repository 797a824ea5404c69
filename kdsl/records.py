"""`dataclass(frozen=True, slots=True)`, cheap to define.

The standard library compiles six functions for every class and makes each slotted class twice; for the tree's fifty
classes that takes longer than linting a file. Here one function is compiled, and the others are shared. What it makes
answers to `fields`, `replace`, `is_dataclass`, `match`, `copy` and `pickle` as the original does; to a type checker
modules show the original:

    if TYPE_CHECKING:
        from dataclasses import dataclass
    else:
        from kdsl.records import dataclass
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import Any

ORDINARY = getattr(dataclasses, "_FIELD", None)  # how the standard library marks a field of the usual kind


def dataclass(cls: type | None = None, /, **options: bool) -> Any:
    """The standard library's, except for frozen classes with slots, without bases, `field` and `__post_init__`."""
    if options != {"frozen": True, "slots": True}:
        return dataclasses.dataclass(cls, **options)
    ordinary = dataclasses.dataclass(frozen=True, slots=True)
    return lambda cls: made(cls) if is_plain(cls) else ordinary(cls)


def is_plain(cls: type) -> bool:
    fields = (value for value in vars(cls).values() if isinstance(value, dataclasses.Field))
    return (
        ORDINARY is not None
        and cls.__bases__ == (object,)
        and not hasattr(cls, "__post_init__")
        and next(fields, None) is None
    )


def made(cls: type) -> type:
    """The class again, with slots for its annotated names."""
    types = cls.__annotations__
    defaults = {name: vars(cls)[name] for name in types if name in vars(cls)}
    body = {key: value for key, value in vars(cls).items() if key not in (*types, "__dict__", "__weakref__")}
    body.update(METHODS, __slots__=tuple(types), __match_args__=tuple(types))
    body["__dataclass_fields__"] = {name: described(name, types[name], defaults) for name in types}
    body["_values"] = staticmethod(attrgetter(*types))
    result = type(cls)(cls.__name__, cls.__bases__, body)
    result.__init__ = initializer(result, defaults)  # type: ignore[misc]
    return result


def described(name: str, annotation: object, defaults: dict[str, Any]) -> Any:
    field: Any = dataclasses.field(default=defaults.get(name, dataclasses.MISSING))
    field.name, field.type, field._field_type = name, annotation, ORDINARY
    return field


def initializer(cls: type, defaults: dict[str, Any]) -> Any:
    """`__init__`, which fills the slots: nothing else can."""
    names = cls.__slots__  # type: ignore[attr-defined]
    given = ", ".join(f"{name}=default_{name}" if name in defaults else name for name in names)
    lines = "".join(f"  set_{name}(self, {name})\n" for name in names)
    values: dict[str, Any] = {f"set_{name}": vars(cls)[name].__set__ for name in names}
    values |= {f"default_{name}": value for name, value in defaults.items()}
    exec(f"def __init__(self, {given}):\n{lines}", values)
    init = values["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


# -- the methods that all records share


def equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._values(self) == self._values(other)


def hashed(self: Any) -> int:
    return hash(self._values(self))


def shown(self: Any) -> str:
    inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
    return f"{self.__class__.__qualname__}({inside})"


def refuse_set(self: Any, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def refuse_delete(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def get_state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__slots__]


def set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


METHODS = {
    "__eq__": equal,
    "__hash__": hashed,
    "__repr__": shown,
    "__setattr__": refuse_set,
    "__delattr__": refuse_delete,
    "__getstate__": get_state,
    "__setstate__": set_state,
}
