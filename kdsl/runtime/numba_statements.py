"""The statements that a driver may have, each put into LLVM code as it is read."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

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
VISITED: dict[type[ast.AST], tuple[str, ...]] = {  # what is read before something is set; what is set more than once
    ast.Assign: ("value", "targets"),
    ast.AugAssign: ("value", "target", "target"),
    ast.For: ("iter", "target", "target", "body", "orelse"),
}
NO_NAMES = {"ctx", "op", "ops", "kind", "type_comment"}
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


def set_once(tree: ast.FunctionDef) -> set[str]:
    """Names that are set at one place, and read only behind it, in its block or one inside: each is a value, and needs no
    memory. Most names of a driver are such, and most of them are numbers that are known now."""
    uses: dict[str, list[tuple[bool, tuple[int, ...]]]] = {}  # in order: whether it is set there, and the blocks around

    def visit(node: ast.AST, blocks: tuple[int, ...]) -> None:
        if isinstance(node, ast.Name):
            uses.setdefault(node.id, []).append((isinstance(node.ctx, ast.Store), blocks))
            return
        for field in VISITED.get(type(node)) or [field for field in node._fields if field not in NO_NAMES]:
            value = getattr(node, field)
            if isinstance(value, list):
                inside = (*blocks, id(value)) if field in ("body", "orelse") else blocks
                for part in value:
                    visit(part, inside)
            elif isinstance(value, ast.AST):
                visit(value, blocks)

    for argument in tree.args.args:
        uses[argument.arg] = [(True, ())]
    for statement in tree.body:
        visit(statement, ())
    return {
        name
        for name, ((set_first, home), *others) in uses.items()
        if set_first and all(not is_set and blocks[: len(home)] == home for is_set, blocks in others)
    }


class Body:
    """Writes the statements of one driver or short kernel."""

    def __init__(self, assembler: Assembler, made: Kernel, function: Any) -> None:
        self.assembler, self.context, self.made = assembler, assembler.context, made
        self.globals = inspect.getclosurevars(made.function).globals
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))
        self.locals: dict[str, Value] = {}  # where they lie in memory
        self.fixed: dict[str, Value] = {}  # what they are, for good
        self.tree = tree_of(made.function)
        self.once = set_once(self.tree)
        self.exits: list[Any] = []
        if made.signature.return_type != types.void:
            raise NotADriver("it returns something")
        for name, kind, value in zip(made.kinds, made.signature.args, function.args, strict=True):
            self.assign(name, (kind, value))

    def write(self) -> None:
        _, *statements = self.tree.body  # the first is its docstring
        self.block(statements)
        if not self.builder.block.is_terminated:
            self.builder.ret_void()

    # ---- statements --------------------------------------------------------------------------------------------------

    def block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if self.builder.block.is_terminated:
                raise NotADriver("something behind the end")
            write = getattr(self, f"write_{type(statement).__name__}", None)
            if write is None:
                raise NotADriver(type(statement).__name__)
            write(statement)

    def write_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Call):
            raise NotADriver("a value alone")
        self.value(node.value)

    def write_Assign(self, node: ast.Assign) -> None:
        target, value = node.targets[0], node.value
        if len(node.targets) > 1:
            found = self.value(value)
            for target in node.targets:
                self.store(target, found)
        elif not isinstance(target, ast.Tuple):
            self.store(target, self.value(value))
        elif isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
            for part, one in zip(target.elts, [self.value(one) for one in value.elts], strict=True):
                self.store(part, one)
        else:
            raise NotADriver("unpacking")

    def write_AugAssign(self, node: ast.AugAssign) -> None:
        before, more = self.value(node.target), self.value(node.value)
        self.store(node.target, self.operate(OPERATORS[type(node.op)], before, more))

    def store(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.assign(target.id, value)
        else:
            kind, place = self.place(target)
            self.builder.store(self.cast(value, kind), place)

    def assign(self, name: str, value: Value) -> None:
        """Every local has one type, that of its first value."""
        if name in self.once:
            self.fixed[name] = value
            return
        if name not in self.locals:
            self.locals[name] = value[0], cgutils.alloca_once(self.builder, value[1].type)
        kind, place = self.locals[name]
        if kind != value[0]:
            raise NotADriver(f"{name} is of two types")
        self.builder.store(value[1], place)

    def write_If(self, node: ast.If) -> None:
        test, end = self.truth(node.test), self.builder.append_basic_block()
        yes, no = self.builder.append_basic_block(), self.builder.append_basic_block() if node.orelse else end
        self.builder.cbranch(test, yes, no)
        for place, statements in ((yes, node.body), (no, node.orelse)):
            if statements:
                self.builder.position_at_end(place)
                self.block(statements)
                if not self.builder.block.is_terminated:
                    self.builder.branch(end)
        self.builder.position_at_end(end)

    def write_While(self, node: ast.While) -> None:
        self.loop(lambda: self.truth(node.test), node, lambda: None)

    def write_For(self, node: ast.For) -> None:
        """`for name in range(..)`: as Python does, the name is set from a counter of its own."""
        call = node.iter
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"):
            raise NotADriver("a loop over something else")
        bounds = [self.value(argument) for argument in call.args]
        one, zero = (types.int64, ir.Constant(ir.IntType(64), 1)), (types.int64, ir.Constant(ir.IntType(64), 0))
        start, stop, step = [*([zero] if len(bounds) == 1 else []), *bounds, one][:3]
        if not (isinstance(step[1], ir.Constant) and step[1].constant > 0) or {start[0], stop[0]} != {types.int64}:
            raise NotADriver("a range")
        counter = cgutils.alloca_once(self.builder, ir.IntType(64))
        self.builder.store(start[1], counter)

        def test() -> Any:
            now = self.builder.load(counter)
            self.store(node.target, (types.int64, now))
            return self.builder.icmp_signed("<", now, stop[1])

        self.loop(
            test, node, lambda: self.builder.store(self.builder.add(self.builder.load(counter), step[1]), counter)
        )

    def loop(self, test: Callable[[], Any], node: ast.While | ast.For, more: Callable[[], Any]) -> None:
        if node.orelse:
            raise NotADriver("an else of a loop")
        head, body, end = (self.builder.append_basic_block() for _ in range(3))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        self.builder.cbranch(test(), body, end)
        self.builder.position_at_end(body)
        self.exits.append(end)
        self.block(node.body)
        self.exits.pop()
        if not self.builder.block.is_terminated:
            more()
            self.builder.branch(head)
        self.builder.position_at_end(end)

    def write_Break(self, node: ast.Break) -> None:
        self.builder.branch(self.exits[-1])

    def write_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            raise NotADriver("it returns something")
        self.builder.ret_void()

    # ---- values ------------------------------------------------------------------------------------------------------

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
