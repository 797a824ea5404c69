"""Elementwise ops as text: the one expression of an op's reference, with the values' own names put in."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from math import isfinite
from typing import Any

from kdsl.graph.graph import Attribute, Node
from kdsl.ops.lazy import np
from kdsl.ops.registry import OPS
from kdsl.ops.vocabulary import VOCABULARY


@cache
def _reference(op: str) -> tuple[tuple[str, ...], ast.expr]:
    """The names of an op's inputs, and the expression it returns."""
    function = ast.parse(textwrap.dedent(inspect.getsource(OPS[op].reference))).body[0]
    assert isinstance(function, ast.FunctionDef)
    returned = function.body[-1]
    assert isinstance(returned, ast.Return) and returned.value is not None, f"{op} is no single expression"
    return tuple(argument.arg for argument in function.args.args), returned.value


class _Substitute(ast.NodeTransformer):
    """Puts the operands in. What is a number once they are there is computed now: registers take no part in it."""

    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        arguments: list[ast.expr] = [self.visit(argument) for argument in node.args]
        if isinstance(node.func, ast.Name) and node.func.id == "where" and isinstance(arguments[0], ast.Constant):
            return arguments[1] if arguments[0].value else arguments[2]
        return _computed(ast.Call(node.func, arguments, []), arguments)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        return _computed(ast.BinOp(left, node.op, right), [left, right])

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        left, (right,) = self.visit(node.left), [self.visit(other) for other in node.comparators]
        return _computed(ast.Compare(left, node.ops, [right]), [left, right])


def _computed(node: ast.expr, parts: Sequence[ast.expr]) -> ast.expr:
    """The number or truth value that the expression is, where all its parts are numbers; else the expression."""
    if not all(isinstance(part, ast.Constant) for part in parts):
        return node
    code = compile(ast.fix_missing_locations(ast.Expression(node)), "<expression>", "eval")
    known = {function.__name__: function for function in VOCABULARY}
    try:
        with np.errstate(all="ignore"):
            value = eval(code, known)  # the text of a reference, with numbers in it
    except ArithmeticError:
        return node
    if isinstance(node, ast.Compare):
        return ast.Constant(bool(value))
    return ast.Constant(float(value)) if isfinite(value) else node


def _operand(text: str) -> ast.expr:
    """A value's name, or a number."""
    number = _literal(text)
    return ast.Name(text) if number is None else ast.Constant(number)


def _literal(text: str) -> float | None:
    try:
        return float(text.strip("()"))
    except ValueError:
        return None


def expression(node: Node, operands: Sequence[str]) -> str:
    """`sigmoid(x) * x`: what an elementwise node computes from operands of these names."""
    if node.op == "cast":
        return operands[0]
    names, body = _reference(node.op)
    values: dict[str, ast.expr] = {name: _operand(text) for name, text in zip(names, operands, strict=True)}
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
    known = {"True": 1.0, "False": 0.0}.get(text) if node.type.dtype == "bool" else _literal(text)
    if known is not None:
        return f"spread({known!r})"
    return f"where({text}, 1.0, 0.0)" if node.type.dtype == "bool" and node.op != "cast" else text


def call_of(node: Node) -> str:
    """`leaky_relu(slope=0.3)`: an op and its settings, for a docstring."""
    shown = [f"{key}={value}" for key, value in node.attributes if key != "stream" and _is_short(value)]
    return f"{node.op}({', '.join(shown)})" if shown else node.op


def _is_short(value: Attribute) -> bool:
    return isinstance(value, (bool, int, float))
