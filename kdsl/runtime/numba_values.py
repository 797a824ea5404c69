"""Values in a driver's text: expressions, each put into LLVM code as it is read. What an operation does is asked of numba."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types

from kdsl.runtime.numba_kernel import KERNELS, Kernel

if TYPE_CHECKING:
    from kdsl.runtime.numba_driver import Assembler

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
FOLDED = {operator.add, operator.sub, operator.mul}  # of whole numbers that are known
Value = tuple[Any, Any]  # numba's type, LLVM's value


class NotADriver(Exception):
    """There is more in the text than this file knows."""


def tree_of(function: Callable[..., Any]) -> ast.FunctionDef:
    """The text of a function at the left margin, as Python's own parser reads it, without decorators."""
    lines, first = inspect.findsource(function)
    while lines[first].startswith("@"):
        first += 1
    after = first + 1
    while after < len(lines) and lines[after][0] in " \n)":
        after += 1
    tree = ast.parse("".join(lines[first:after])).body[0]
    if not isinstance(tree, ast.FunctionDef) or tree.name != function.__name__:
        raise NotADriver("the text is not there")
    return tree


class Values:
    """Writes the expressions of one function, at the place where `builder` stands."""

    def __init__(self, assembler: Assembler, function: Callable[..., Any], builder: Any) -> None:
        self.assembler, self.context, self.builder = assembler, assembler.context, builder
        self.globals = inspect.getclosurevars(function).globals
        self.locals: dict[str, Value] = {}  # where they lie in memory
        self.fixed: dict[str, Value] = {}  # what they are, for good

    def value(self, node: ast.expr) -> Value:
        read = getattr(self, f"value_{type(node).__name__}", None)
        if read is None:
            raise NotADriver(type(node).__name__)
        found: Value = read(node)
        return found

    def number(self, value: object) -> Value:
        if type(value) is int:
            return types.int64, ir.Constant(ir.IntType(64), value)
        if type(value) is float:
            return types.float64, ir.Constant(ir.DoubleType(), value)
        raise NotADriver(f"{value!r}")

    def value_Constant(self, node: ast.Constant) -> Value:
        return self.number(node.value)

    def value_Name(self, node: ast.Name) -> Value:
        if node.id in self.fixed:
            return self.fixed[node.id]
        if node.id in self.locals:
            kind, place = self.locals[node.id]
            return kind, self.builder.load(place)
        return self.number(self.globals.get(node.id))

    def value_Attribute(self, node: ast.Attribute) -> Value:
        return self.number(self.meaning(node))

    def value_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Pow):  # of reals, by the C library: numba would compile a loop for a whole exponent
            left, right = ((types.float64, self.cast(value, types.float64)) for value in (left, right))
        return self.operate(self.operator(node.op), left, right)

    def value_UnaryOp(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return self.number(-node.operand.value)  # type: ignore[operator]
        return self.operate(self.operator(node.op), self.value(node.operand))

    def value_Compare(self, node: ast.Compare) -> Value:
        if len(node.ops) > 1:
            raise NotADriver("a chain of comparisons")
        return self.operate(self.operator(node.ops[0]), self.value(node.left), self.value(node.comparators[0]))

    def value_BoolOp(self, node: ast.BoolOp) -> Value:
        """All of it is computed: nothing in a driver's conditions has an effect of its own."""
        if any(isinstance(part, ast.Call) for part in ast.walk(node)):
            raise NotADriver("a call in a condition")
        first, *others = (self.truth(value) for value in node.values)
        join = self.builder.and_ if isinstance(node.op, ast.And) else self.builder.or_
        for other in others:
            first = join(first, other)
        return types.boolean, first

    def value_IfExp(self, node: ast.IfExp) -> Value:
        """Both values are computed, one is taken."""
        if any(isinstance(part, ast.Call | ast.Subscript) for part in ast.walk(node)):
            raise NotADriver("a call or an element in a choice")
        test, (kind, yes), (other, no) = self.truth(node.test), self.value(node.body), self.value(node.orelse)
        if kind != other:
            raise NotADriver("a choice of two types")
        return kind, self.builder.select(test, yes, no)

    def value_Subscript(self, node: ast.Subscript) -> Value:
        kind, place = self.place(node)
        return kind, self.builder.load(place)

    def value_Call(self, node: ast.Call) -> Value:
        function = self.meaning(node.func)
        named = {word.arg or "": word.value for word in node.keywords}
        kernel = KERNELS.get(getattr(function, "__name__", ""))
        if kernel is not None and kernel.function is function:
            return self.call(kernel, node.args, named)
        values = [self.value(argument) for argument in node.args]
        if named:
            raise NotADriver("keywords")
        if function in (min, max):
            x, y = values
            if x[0] != y[0]:
                raise NotADriver("an extreme of two types")
            return x[0], self.builder.select(
                self.operate(operator.lt if function is min else operator.gt, y, x)[1], y[1], x[1]
            )
        return self.inlined(function, values) if inspect.isfunction(function) else self.operate(function, *values)

    def inlined(self, function: Callable[..., Any], values: Sequence[Value]) -> Value:
        """A call of a Python function that returns one expression: its value here."""
        tree = tree_of(function)
        if not isinstance(tree.body[-1], ast.Return) or len(tree.body) > 1 + (ast.get_docstring(tree) is not None):
            raise NotADriver("a call of a longer function")
        outside = self.locals, self.fixed, self.globals
        self.locals, self.globals = {}, inspect.getclosurevars(function).globals
        self.fixed = {parameter.arg: value for parameter, value in zip(tree.args.args, values, strict=True)}
        assert tree.body[-1].value is not None
        found = self.value(tree.body[-1].value)
        self.locals, self.fixed, self.globals = outside
        return found

    def call(self, kernel: Kernel, given: Sequence[ast.expr], named: dict[str, ast.expr]) -> Value:
        order = [*given, *(named[name] for name in list(kernel.kinds)[len(given) :])]
        if len(order) != len(given) + len(named):
            raise NotADriver("arguments that do not fit")
        wanted = zip(order, kernel.signature.args, strict=True)
        values = [self.cast(self.value(argument), kind) for argument, kind in wanted]
        return kernel.signature.return_type, self.builder.call(self.assembler.function(kernel), values)

    def meaning(self, node: ast.expr) -> Any:
        """What a function's name stands for: `claim`, `max`, `math.sqrt`."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return getattr(self.globals[node.value.id], node.attr)
        if not isinstance(node, ast.Name) or node.id in {*self.locals, *self.fixed}:
            raise NotADriver("a call of a value")
        return {"min": min, "max": max}.get(node.id) or self.globals[node.id]

    # ---- their parts -------------------------------------------------------------------------------------------------

    def operator(self, node: ast.AST) -> Callable[..., Any]:
        if type(node) not in OPERATORS:
            raise NotADriver(type(node).__name__)
        return OPERATORS[type(node)]

    def operate(self, function: Any, *values: Value) -> Value:
        if function in FOLDED and all(kind == types.int64 and isinstance(x, ir.Constant) for kind, x in values):
            return self.number(function(*(x.constant for _, x in values)))
        signature, write = self.assembler.operation(function, tuple(kind for kind, _ in values))
        wanted = zip(values, signature.args, strict=True)
        return signature.return_type, write(self.builder, [self.cast(value, kind) for value, kind in wanted])

    def cast(self, value: Value, kind: Any) -> Any:
        return self.context.cast(self.builder, value[1], value[0], kind)

    def truth(self, node: ast.expr) -> Any:
        kind, value = self.value(node)
        return value if kind == types.boolean else self.cast((kind, value), types.boolean)

    def place(self, node: ast.expr) -> Value:
        """The type of an element, and a pointer to it."""
        if not isinstance(node, ast.Subscript):
            raise NotADriver(type(node).__name__)
        (pointer, base), (index, at) = self.value(node.value), self.value(node.slice)
        if not isinstance(pointer, types.CPointer) or index != types.int64:
            raise NotADriver("an element of something else")
        return pointer.dtype, self.builder.gep(base, [at])
