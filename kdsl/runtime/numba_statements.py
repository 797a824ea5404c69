"""The statements that a driver may have, each put into LLVM code as it is read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from kdsl.runtime.numba_kernel import Kernel
from kdsl.runtime.numba_values import OPERATORS, NotADriver, Value, Values, tree_of

if TYPE_CHECKING:
    from kdsl.runtime.numba_driver import Assembler

VISITED: dict[type[ast.AST], tuple[str, ...]] = {  # what is read before something is set; what is set more than once
    ast.Assign: ("value", "targets"),
    ast.AugAssign: ("value", "target", "target"),
    ast.For: ("iter", "target", "target", "body", "orelse"),
}
NO_NAMES = {"ctx", "op", "ops", "kind", "type_comment"}


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


class Body(Values):
    """Writes the statements of one driver or short kernel."""

    def __init__(self, assembler: Assembler, made: Kernel, function: Any) -> None:
        super().__init__(assembler, made.function, ir.IRBuilder(function.append_basic_block("entry")))
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
