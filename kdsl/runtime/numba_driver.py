"""Drivers: functions that do little but call kernels. Their text is put into LLVM code statement by statement.

A driver is a long list of calls, with the integer arithmetic of a few loops around them. numba would compile it as it
does everything, but takes longer for that than for all kernels together: it works out the types of each of thousands of
arguments. Here each statement is looked at once. What an operation does is still asked of numba, so both give the
same results; a text with more in it than the few kinds of statements below is left to numba.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core.caching import CodeLibraryCacheImpl
from numba.core.callconv import create_error_model
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from kdsl.runtime.numba_kernel import KERNELS, Kernel, WarmCache, make_known, optimised_once, with_cache
from kdsl.runtime.numba_statements import Body
from kdsl.runtime.numba_values import NotADriver


class DriverCacheImpl(CodeLibraryCacheImpl):  # type: ignore[misc]
    """The machine code of a driver and of those that it calls."""

    _filename_prefix = "driver"


class DriverCache(WarmCache):
    """As numba's cache of a function."""

    _impl_class = DriverCacheImpl


class Driver(Kernel):
    """A kernel that is made from its text here, together with the drivers and short kernels that it calls."""

    def reached(self) -> tuple[dict[str, Kernel], dict[str, Kernel]]:
        """What is made together: this driver, the drivers that it calls, in turn, and short kernels; the kernels that
        they call."""
        inside, others, pending = dict[str, Kernel]({self.name: self}), dict[str, Kernel](), list[Kernel]([self])
        while pending:
            for other in map(KERNELS.__getitem__, pending.pop().names()):
                if not other.inside:
                    others[other.name] = other
                elif other.name not in inside:
                    inside[other.name] = other
                    pending.append(other)
        return inside, others

    def needed(self) -> list[Kernel]:
        return list(self.reached()[1].values())

    def compile(self) -> int:
        self.held = with_cache(self.function, DriverCache, self.loaded_or_assembled)
        if self.held is not None:
            return int(self.held.get_pointer_to_function(self.held.name))
        for other in self.reached()[0].values():
            if isinstance(other, Driver):
                make_known(other)
            if other is not self:
                llvm.add_symbol(other.symbol, other.address())
        return super().compile()

    def loaded_or_assembled(self, cache: WarmCache | None) -> Any:
        """Machine code under a name that nothing else in this process has; None if numba must make it."""
        with global_compiler_lock:
            found = None if cache is None else cache.load_overload(self.signature, cpu_target.target_context)
            if found is not None:
                return found
            try:
                with optimised_once():
                    codegen = cpu_target.target_context.codegen()
                    library = codegen.create_library(f"{self.symbol}_{secrets.token_hex(8)}")
                    library.enable_object_caching()
                    library.add_ir_module(Assembler(library).module_of(self))
                    library.finalize()
            except Exception:  # a text, or a numba, of another kind than this file knows
                return None
            if cache is not None:
                cache.save_overload(self.signature, library)
            return library


def driver(function: Callable[..., None]) -> Callable[..., None]:
    """Makes a function a driver: it can be called as a kernel can."""
    KERNELS[function.__name__] = Driver(function, inside=True)
    return function


class Assembler:
    """Writes one driver, and all drivers and short kernels that it calls, into one LLVM module."""

    def __init__(self, library: Any) -> None:
        self.library, self.typing, context = library, cpu_target.typing_context, cpu_target.target_context
        self.typing.refresh()
        context.refresh()
        self.context = context.subtarget(error_model=create_error_model("numpy", context))
        self.module = library.create_ir_module(library.name)
        self.operations: dict[Any, tuple[Any, Any]] = {}
        self.functions: dict[str, Any] = {}
        self.pending: list[tuple[Kernel, Any]] = []

    def module_of(self, first: Driver) -> Any:
        self.functions[first.name] = self.begun(first, self.library.name)
        with self.context.push_code_library(self.library):
            while self.pending:
                made, function = self.pending.pop()
                Body(self, made, function).write()
        # numba's own functions need a caller that numba made; those of the C library have plain names.
        foreign = [name for name in self.module.globals if not (name.startswith(("kdsl_", "llvm.")) or name.isalnum())]
        if foreign:
            raise NotADriver(f"a call of {foreign}")
        return self.module

    def kind(self, kernel: Kernel) -> Any:
        """The C signature."""
        nothing = kernel.signature.return_type == types.void
        result = ir.VoidType() if nothing else self.context.get_value_type(kernel.signature.return_type)
        return ir.FunctionType(result, [self.context.get_value_type(t) for t in kernel.signature.args])

    def function(self, kernel: Kernel) -> Any:
        """A kernel or driver, as this module calls it."""
        if kernel.name not in self.functions:
            name = f"{self.library.name}_{kernel.name}" if kernel.inside else kernel.symbol
            made = self.functions[kernel.name] = self.begun(kernel, name)
            if isinstance(kernel, Driver):
                made.linkage = "internal"  # a short kernel has the same code, whoever calls it
        return self.functions[kernel.name]

    def begun(self, kernel: Kernel, name: str) -> Any:
        """A function of this module; if its code is to stand here, it is written later. Drivers are not optimised: that
        takes long, and calls of kernels gain nothing."""
        made = ir.Function(self.module, self.kind(kernel), name)
        if kernel.inside:
            made.attributes.add("noinline")
            self.pending.append((kernel, made))
        if isinstance(kernel, Driver):
            made.attributes.add("optnone")
        return made

    def operation(self, function: Any, kinds: tuple[Any, ...]) -> tuple[Any, Any]:
        """What numba does for a function of values of these types: its signature, and what writes its code."""
        if (function, kinds) not in self.operations:
            known = self.typing.resolve_value_type(function)
            signature = self.typing.resolve_function_type(known, kinds, {})
            if signature is None:
                raise NotADriver(f"{function} of {kinds}")
            self.operations[function, kinds] = signature, self.context.get_function(known, signature)
        return self.operations[function, kinds]
