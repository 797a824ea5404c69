"""Elementwise ops as text: the one expression of an op's reference, with the values' own names put in."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Sequence
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
