"""An op or layer that does not say everything is refused when it is defined; what is there says it all."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from small_graphs import Network, f32

from kdsl.ops import LAYERS, OPS
from kdsl.ops.registry import Layer, Op, Param, layer, op
from kdsl.registry import DefinitionError

EXAMPLE = "Halves.\n\n```kmodel\nh = x -> half\n```\n"


def infer(types: Any, attributes: Any) -> Any:
    return types[0]


def gradient(build: Any, node: Any, upstream: str) -> Any:
    return (upstream,)


def reference(x: Any) -> Any:
    return x / 2.0


def lower(build: Any, arguments: Any, values: Any, weights: Any) -> str:
    return str(values[0])


WHOLE_OP = {"__doc__": "Halves.", "infer": infer, "reference": reference, "gradient": gradient}
WHOLE_LAYER = {"__doc__": EXAMPLE, "lower": lower}


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tables have the name `half` as long as the test runs."""
    for registry in (OPS, LAYERS):
        monkeypatch.setitem(registry.modules, "half", __name__)
        monkeypatch.setattr(registry, "defined", dict(registry.defined))


def make(root: type, parts: dict[str, Any]) -> type:
    return type("Half", (root,), {k: staticmethod(v) if inspect.isfunction(v) else v for k, v in parts.items()})


@pytest.mark.parametrize("part", WHOLE_OP)
def test_op_without_a_part(part: str, clean: None) -> None:
    parts = {key: value for key, value in WHOLE_OP.items() if key != part}
    with pytest.raises(DefinitionError, match=part.strip("_")):
        op("half")(make(Op, parts))
    assert "half" not in OPS.defined


def test_op_without_gradient_says_so(clean: None) -> None:
    parts = {key: value for key, value in WHOLE_OP.items() if key != "gradient"}
    op("half")(make(Op, {**parts, "differentiable": False}))
    assert OPS["half"].name == "half"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"__doc__": None}, "docstring"),
        ({"__doc__": "Halves."}, "example"),
        ({"lower": None}, "lower"),
        ({"rate": Param("number", "", 0.5)}, "no text for rate"),
        ({"a": Param("size", "one", positional=True), "b": Param("size", "two", positional=True)}, "more than one"),
    ],
)
def test_layer_without_a_part(change: dict[str, Any], complaint: str, clean: None) -> None:
    parts = {key: value for key, value in {**WHOLE_LAYER, **change}.items() if value is not None}
    with pytest.raises(DefinitionError, match=complaint):
        layer("half")(make(Layer, parts))
    assert "half" not in LAYERS.defined


@pytest.mark.parametrize(("define", "root", "parts"), [(op, Op, WHOLE_OP), (layer, Layer, WHOLE_LAYER)])
def test_defined_twice(define: Callable[..., Any], root: type, parts: dict[str, Any], clean: None) -> None:
    define("half")(make(root, parts))
    with pytest.raises(DefinitionError, match="twice"):
        define("half")(make(root, parts))


@pytest.mark.parametrize("name", OPS)
def test_references_take_inputs_by_place_and_attributes_by_name(name: str) -> None:
    for parameter in inspect.signature(OPS[name].reference).parameters.values():
        kinds = (parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY)
        assert parameter.kind in kinds
        assert parameter.default is parameter.empty


@pytest.mark.parametrize("name", [name for name, cls in OPS.items() if cls.backward])
def test_ops_of_the_backward_pass_are_not_differentiated(name: str) -> None:
    assert not OPS[name].differentiable


@pytest.mark.parametrize("name", LAYERS)
def test_examples_use_the_layer(name: str) -> None:
    assert name in LAYERS[name].example()
    text = inspect.getdoc(LAYERS[name]) or ""
    assert "Source:" in text or "Hinton" in text


def test_foreign_names_are_not_shared() -> None:
    for table in ("keras", "torch"):
        names = [name for cls in LAYERS.values() for name in getattr(cls, table)]
        assert len(names) == len(set(names))


def test_cost_of_dense() -> None:
    net = Network()
    h = net.layer("dense", net.input("x", f32(784)), units=128)
    graph = net.graph()
    matmul = graph[graph[h].inputs[0]]
    cost = OPS["matmul"].cost([graph[i].type for i in matmul.inputs], matmul.type, {})
    assert cost.flops == 2 * 784 * 128
    assert cost.elements == 784 + 784 * 128 + 128


def test_linting_does_not_pay_for_numpy() -> None:
    code = (
        "import sys, kdsl.graph, kdsl.graph.builder, kdsl.graph.interpreter, kdsl.ops, kdsl.training, kdsl.passes;"
        "print(*{'numpy', 'numba', 'jinja2'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
