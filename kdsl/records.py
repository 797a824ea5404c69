"""`dataclass`, `field` and `replace` as in the standard library, cheap to import and to define.

The standard library compiles six functions for every class, makes each slotted class twice, and brings in Python's own
parser and disassembler: together that takes longer than linting a file. Here `__init__` is compiled when the first
object of its class is made, and all other methods are shared. What comes out answers to `dataclasses.fields`, `replace`
and `is_dataclass`, to `match`, `copy` and `pickle` as the original does. To a type checker it is the original.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:

    def dataclass(cls=None, /, **options):
        """`frozen`, `slots` and `eq` are done here; a class that asks for more is made by the standard library."""

        def decorated(cls):
            return made(cls, **options) if is_plain(cls, options) else standard(cls, options)

        return decorated if cls is None else decorated(cls)

    def field(**options):
        return Field(**options)

    def replace(record, /, **changes):
        """The record with other values."""
        if not hasattr(record, "_record"):
            import dataclasses

            return dataclasses.replace(record, **changes)
        kept = {name: getattr(record, name) for name in record.__match_args__ if name not in changes}
        return record.__class__(**kept, **changes)


MISSING: Any = type("MISSING", (), {"__repr__": lambda self: "<default>"})()


class Field:
    """What is said of one attribute. Its own type and names are the standard library's business (`Described`)."""

    __slots__ = ("compare", "default", "default_factory", "init", "repr", "type")

    def __init__(
        self,
        *,
        default: Any = MISSING,
        default_factory: Any = MISSING,
        init: bool = True,
        repr: bool = True,
        compare: bool = True,
    ) -> None:
        self.default, self.default_factory = default, default_factory
        self.init, self.repr, self.compare = init, repr, compare
        self.type: Any = None

    def standard(self) -> Any:
        """The same as a field of the standard library."""
        import dataclasses

        given = {name: getattr(self, name) for name in ("default", "default_factory", "init", "repr", "compare")}
        return dataclasses.field(**{name: value for name, value in given.items() if value is not MISSING})


class Described:
    """A record's fields: its `__dataclass_fields__`, made for the standard library when somebody asks."""

    def __init__(self, fields: dict[str, Field]) -> None:
        self.fields = fields
        self.asked: dict[str, Any] = {}

    def __get__(self, record: object, cls: type) -> dict[str, Any]:
        if self.fields and not self.asked:
            import dataclasses

            for name, field in self.fields.items():
                self.asked[name] = found = field.standard()
                found.name, found.type, found._field_type = name, field.type, getattr(dataclasses, "_FIELD", None)
        return self.asked


def is_plain(cls: type, options: dict[str, bool]) -> bool:
    return (
        options.keys() <= {"frozen", "slots", "eq"}
        and hasattr(cls, "_record") == hasattr(cls, "__dataclass_fields__")
        and not {"__init__", "__eq__", "__hash__"} & vars(cls).keys()
        and not any(type(value).__module__ == "dataclasses" for value in vars(cls).values())
    )


def standard(cls: type, options: dict[str, bool]) -> type:
    import dataclasses

    for name, value in [*vars(cls).items()]:
        if isinstance(value, Field):
            setattr(cls, name, value.standard())
    result: type = dataclasses.dataclass(cls, **options)
    return result


def made(cls: type, frozen: bool = False, slots: bool = False, eq: bool = True) -> type:
    """The class again, with its methods and, where it wants them, slots."""
    body = {key: value for key, value in vars(cls).items() if key not in ("__dict__", "__weakref__")}
    fields = dict(cls._record) if hasattr(cls, "_record") else {}
    own = [name for name, text in body.get("__annotations__", {}).items() if "ClassVar" not in str(text)]
    for name in own:
        value = body.pop(name, MISSING)
        fields[name] = field = value if isinstance(value, Field) else Field(default=value)
        field.type = body["__annotations__"][name]
        if field.default is not MISSING and not slots:
            body[name] = field.default
    compared = [name for name, field in fields.items() if field.compare]
    body = {
        "__repr__": shown,
        **({"__eq__": equal, "__hash__": hashed if frozen else None} if eq else {}),
        **({"__setattr__": refuse_set, "__delattr__": refuse_delete} if frozen else {}),
        **({"__slots__": tuple(own), "__getstate__": get_state, "__setstate__": set_state} if slots else {}),
        **body,
        "__match_args__": tuple(name for name, field in fields.items() if field.init),
        "__dataclass_fields__": Described(fields),
        "_record": fields,
        "_values": staticmethod(attrgetter(*compared) if compared else lambda record: ()),
    }
    result = type(cls)(cls.__name__, cls.__bases__, body)

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        result.__init__ = initializer(result, fields, frozen, slots)  # type: ignore[misc]
        result.__init__(self, *values, **named)  # type: ignore[misc]

    result.__init__ = __init__  # type: ignore[misc]
    return result


def initializer(cls: type, fields: dict[str, Field], frozen: bool, slots: bool) -> Any:
    """`__init__`, compiled: of a frozen class with slots it fills these, as nothing else can."""
    names: dict[str, Any] = {"MISSING": MISSING, "put": object.__setattr__}
    given, lines = ["self"], []
    for name, field in fields.items():
        value = name
        if field.default is not MISSING:
            names[f"default_{name}"] = field.default
            given += [f"{name}=default_{name}"] if field.init else []
            value = name if field.init else f"default_{name}"
        elif field.default_factory is not MISSING:
            names[f"make_{name}"] = field.default_factory
            given += [f"{name}=MISSING"] if field.init else []
            value = f"make_{name}() if {name} is MISSING else {name}" if field.init else f"make_{name}()"
        elif field.init:
            given.append(name)
        else:
            continue
        if frozen and slots:
            names[f"set_{name}"] = getattr(cls, name).__set__
            lines.append(f"set_{name}(self, {value})")
        else:
            lines.append(f"put(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    lines.append("self.__post_init__()" if hasattr(cls, "__post_init__") else "return")
    exec(f"def __init__({', '.join(given)}):\n  " + "\n  ".join(lines), names)
    init = names["__init__"]
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
    inside = ", ".join(f"{name}={getattr(self, name)!r}" for name, field in self._record.items() if field.repr)
    return f"{self.__class__.__qualname__}({inside})"


def refuse_set(self: Any, name: str, value: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def refuse_delete(self: Any, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def get_state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self._record]


def set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self._record, state, strict=True):
        object.__setattr__(self, name, value)
