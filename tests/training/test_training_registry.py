"""Whoever leaves something out is refused when the class is defined."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from kdsl.ops.registry import Param
from kdsl.registry import DefinitionError, Registry
from kdsl.training import registry

KINDS: list[tuple[Callable[..., Any], type, str]] = [
    (registry.loss, registry.Loss, "lower"),
    (registry.metric, registry.Metric, "guard"),
    (registry.optimizer, registry.Optimizer, "rule"),
    (registry.initializer, registry.Initializer, "draw"),
    (registry.schedule, registry.Schedule, "curve"),
    (registry.regularizer, registry.Regularizer, "lower"),
]
EXAMPLE = "Nothing.\n\n```kmodel\nloss = nothing(a, b)\n```\n"


def nothing(*arguments: Any) -> None:
    return None


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tables have the name `nothing` as long as the test runs."""
    tables: tuple[Registry[Any], ...] = (
        registry.LOSSES,
        registry.METRICS,
        registry.OPTIMIZERS,
        registry.INITIALIZERS,
        registry.SCHEDULES,
        registry.REGULARIZERS,
    )
    for table in tables:
        monkeypatch.setitem(table.modules, "nothing", __name__)
        monkeypatch.setattr(table, "defined", dict(table.defined))


def whole(root: type) -> dict[str, Any]:
    names = {"Loss": ("guard", "lower"), "Metric": ("guard", "lower"), "Initializer": ("draw",)}
    names |= {"Schedule": ("curve",), "Regularizer": ("lower",)}
    parts = names.get(root.__name__, ("guard", "numbers", "flags", "rule"))
    return {"__doc__": EXAMPLE, **{name: staticmethod(nothing) for name in parts}}


@pytest.mark.parametrize(("define", "root", "part"), KINDS)
def test_incomplete(define: Callable[..., Any], root: type, part: str) -> None:
    complete = whole(root)
    without = {key: value for key, value in complete.items() if key != part}
    for parts, complaint in (
        (without, part),
        ({**complete, "__doc__": None}, "docstring"),
        ({**complete, "__doc__": "No example."}, "example"),
        ({**complete, "x": Param("number", "", 0.0)}, "no text for x"),
    ):
        with pytest.raises(DefinitionError, match=complaint):
            define("nothing")(type("Nothing", (root,), parts))
    made = define("nothing")(type("Nothing", (root,), complete))
    assert made.name == "nothing"
    with pytest.raises(DefinitionError, match="twice"):
        define("nothing")(type("Nothing", (root,), complete))


ALL = [
    (name, cls)
    for table in (
        registry.LOSSES,
        registry.METRICS,
        registry.OPTIMIZERS,
        registry.INITIALIZERS,
        registry.REGULARIZERS,
        registry.SCHEDULES,
    )
    for name, cls in table.items()
]


@pytest.mark.parametrize(("name", "cls"), ALL)
def test_examples_name_what_they_are_examples_of(name: str, cls: Any) -> None:
    assert name in cls.example() and "Source:" in (inspect.getdoc(cls) or "")


@pytest.mark.parametrize(("name", "cls"), ALL)
def test_defaults_are_within_their_bounds(name: str, cls: Any) -> None:
    for param in cls.parameters.values():
        if isinstance(param.default, float):
            assert param.low is None or param.default >= param.low
            assert param.high is None or param.default <= param.high
        if param.kind == "word" and param.words:
            assert param.default in param.words
