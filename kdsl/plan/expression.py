"""Elementwise ops as text: the one expression of an op's reference, with the values' own names put in."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from kdsl.graph.graph import Attribute, Node
from kdsl.ops.registry import OPS


@cache
def _reference(op: str) -> tuple[tuple[str, ...], ast.expr]:
    """The names of an op's inputs, and the expression it returns."""
    function = ast.parse(textwrap.dedent(inspect.getsource(OPS[op].reference))).body[0]
    assert isinstance(function, ast.FunctionDef)
    returned = function.body[-1]
    assert isinstance(returned, ast.Return) and returned.value is not None, f"{op} is no single expression"
    return tuple(argument.arg for argument in function.args.args), returned.value


class _Substitute(ast.NodeTransformer):
    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)


def expression(node: Node, operands: Sequence[str]) -> str:
    """`sigmoid(x) * x`: what an elementwise node computes from operands of these names."""
    if node.op == "cast":
        return operands[0]
    names, body = _reference(node.op)
    values: dict[str, ast.expr] = {name: ast.Name(text) for name, text in zip(names, operands, strict=True)}
    values |= {key: ast.Constant(_plain(value)) for key, value in node.attributes}
    copy: Any = ast.parse(ast.unparse(body), mode="eval").body
    return ast.unparse(ast.fix_missing_locations(_Substitute(values).visit(copy)))


def _plain(value: Attribute) -> float:
    if not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is no number")
    return float(value)


# -- statements of kernels, over registers ---------------------------------------------------------------------------

RANDOM = frozenset({"dropout", "random_normal", "random_uniform"})


def streams_of(body: Sequence[Node]) -> list[Attribute]:
    """The random streams that the ops draw from, in order."""
    return list(dict.fromkeys(node.attribute("stream") for node in body if node.op in RANDOM))


def statement(node: Node, operands: Sequence[str], keys: Mapping[Attribute, str], element: str) -> str:
    """What a kernel computes for one node; a truth value is the number 1 or 0. `keys` are the random streams' variables,
    `element` counts the elements of the unpadded array."""
    if node.op in RANDOM:
        place = f"{keys[node.attribute('stream')]}, {element}"
        if node.op != "dropout":
            return f"{node.op}({place})"
        rate = node.attribute("rate")
        assert isinstance(rate, float)
        if rate >= 1.0:
            return "spread(0.0)"
        return f"where(kept({place}, {int(rate * 2**32)}), {operands[0]} * {1.0 / (1.0 - rate)!r}, 0.0)"
    text = expression(node, operands)
    return f"where({text}, 1.0, 0.0)" if node.type.dtype == "bool" and node.op != "cast" else text


def call_of(node: Node) -> str:
    """`leaky_relu(slope=0.3)`: an op and its settings, for a docstring."""
    shown = [f"{key}={value}" for key, value in node.attributes if key != "stream" and _is_short(value)]
    return f"{node.op}({', '.join(shown)})" if shown else node.op


def _is_short(value: Attribute) -> bool:
    return isinstance(value, (bool, int, float))
