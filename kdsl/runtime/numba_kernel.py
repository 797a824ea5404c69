"""Kernels: C functions that numba compiles one by one when first needed and keeps in its cache on disk.

A kernel calls another one by its name, keywords allowed; the call goes through a symbol, so nothing is compiled twice.
The annotations of a kernel are its C signature.
"""

from __future__ import annotations

import ctypes
import inspect
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import intrinsic, lower_builtin

from kdsl.runtime.simd import Memory, real

F = TypeVar("F", bound=Callable[..., Any])

Double = types.float64
Bytes, Ints, Longs = types.CPointer(types.uint8), types.CPointer(types.int32), types.CPointer(types.int64)
Doubles = types.CPointer(types.float64)
C_TYPES = {
    "int": types.int64,
    "float": real,
    "None": types.void,
    "Double": Double,
    "Memory": Memory,
    "Bytes": Bytes,
    "Ints": Ints,
    "Longs": Longs,
    "Doubles": Doubles,
}


class Kernel:
    """One C function: its Python text, its signature and, once needed, its machine code."""

    def __init__(self, function: Callable[..., Any], inside: bool = False) -> None:
        self.inside = inside  # whether drivers may take it into their own code
        self.kinds = dict(function.__annotations__)
        self.function, self.name, self.symbol = function, function.__name__, f"kdsl_{function.__name__}"
        self.signature = C_TYPES[self.kinds.pop("return")](*(C_TYPES[kind] for kind in self.kinds.values()))
        self.held: Any = None  # what keeps the machine code in memory
        self.start: int | None = None
        self.seconds = 0.0

    def names(self) -> list[str]:
        """The kernels that its text names."""
        return [name for name in inspect.getclosurevars(self.function).globals if name in KERNELS]

    def needed(self) -> list[Kernel]:
        """The kernels that must be there before it is compiled."""
        return [KERNELS[name] for name in self.names()]

    def compile(self) -> int:
        """Makes or loads the machine code -> where it starts."""
        self.held = with_cache(self.function, WarmCache, self.by_numba)
        return int(self.held.address)

    def by_numba(self, cache: WarmCache | None) -> Any:
        """What numba's `cfunc` does, with a cache of our own."""
        options = {"error_model": "numpy"}
        made: Any = CFunc(self.function, (self.signature.args, self.signature.return_type), locals={}, options=options)
        if cache is not None:
            made._cache = cache
        with optimised_once():
            made.compile()
        return made

    def address(self) -> int:
        """Where its machine code starts; compiles or loads it, and all it calls, at the first call."""
        with COMPILING:
            if self.start is None:
                symbols = {other.symbol: other.address() for other in self.needed()}
                begin = time.perf_counter()
                # Another module may have kernels of the same names: its symbols are replaced just before linking.
                for symbol, address in {**symbols, "kdsl_give_way": GIVE_WAY}.items():
                    llvm.add_symbol(symbol, address)
                self.start = self.compile()
                self.seconds = time.perf_counter() - begin
            return self.start


KERNELS: dict[str, Kernel] = {}
COMPILING = threading.RLock()


def kernel(function: F) -> F:
    """Makes a function a kernel: compiled code that uses its name calls it, keywords allowed."""
    made = KERNELS[function.__name__] = Kernel(function)
    make_known(made)
    return function


def short_kernel(function: F) -> F:
    """A kernel of plain loops. A driver that calls it takes it into its own code, in a tenth of the time that numba
    takes; for whoever else calls it, and where its text has more in it than drivers may have, it is compiled by numba."""
    kernel(function)
    KERNELS[function.__name__].inside = True
    return function


def make_known(made: Kernel) -> None:
    """Tells numba how a kernel is called."""
    named = made.signature.replace(pysig=inspect.signature(made.function))

    class Typing(AbstractTemplate):  # type: ignore[misc]
        key = made.function

        def generic(self, args: Any, kws: Any) -> Any:
            return named

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        nothing = sig.return_type == types.void
        result = ir.VoidType() if nothing else ctx.get_value_type(sig.return_type)
        kind = ir.FunctionType(result, [ctx.get_value_type(t) for t in sig.args])
        value = b.call(cgutils.get_or_insert_function(b.module, kind, made.symbol), args)
        return ctx.get_dummy_value() if nothing else value

    infer_global(made.function, types.Function(Typing))
    lower_builtin(made.function, *made.signature.args)(generate)


def entry(function: Any) -> Any:
    """A kernel of the form f(job, me) as a ctypes function, which runs without Python's global lock."""
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)
    return kind(KERNELS[function.__name__].address())


# ---- compiling, with a cache that may be missing, read-only or damaged --------------------------------------------------


class OptimisedOnce(JITCodeLibrary):  # type: ignore[misc]
    """numba's, but without the passes over each function that come before those over all of them: they take an eighth of
    the time, and find nothing that the others do not."""

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout


@contextmanager
def optimised_once() -> Iterator[None]:
    """What is compiled meanwhile is optimised once. A numba that has other names for these goes its own way."""
    codegen = cpu_target.target_context.codegen()
    with global_compiler_lock:
        before, codegen._library_class = codegen._library_class, OptimisedOnce
        try:
            yield
        finally:
            codegen._library_class = before


class WarmCache(FunctionCache):  # type: ignore[misc]
    """numba's cache of one function, read without first importing numba's whole library, which takes 0.3 s."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            initialize, load = rtsys.initialize, self._load_overload
        except AttributeError:  # a numba that has other names for them: its own way, which is slower
            return super().load_overload(sig, target_context)
        initialize(target_context)
        return load(sig, target_context)


# Code for another number of lanes than the machine's own must not be found again by a later process.
CACHED = ["KDSL_LANES" not in os.environ]


def with_cache(function: Callable[..., Any], kind: type[WarmCache], make: Callable[[WarmCache | None], Any]) -> Any:
    """make(the function's cache), or make(None) where there is no working cache."""
    if CACHED[0]:
        try:
            return make(kind(function))
        except RuntimeError as error:  # numba found no folder it may write to
            CACHED[0] = False
            warnings.warn(f"compiled code is not kept for the next run: {error}", RuntimeWarning, stacklevel=2)
        except Exception:  # whatever a damaged file raises while it is read
            try:
                cache = kind(function)
                cache.flush()
                return make(cache)
            except Exception as error:  # a full disk, a numba whose cache works in another way
                CACHED[0] = False
                warnings.warn(f"compiled code is not kept for the next run: {error}", RuntimeWarning, stacklevel=2)
    return make(None)


def address_of(library_function: Any) -> int:
    return ctypes.cast(library_function, ctypes.c_void_p).value or 0


if sys.platform == "win32":
    GIVE_WAY = address_of(ctypes.windll.kernel32.SwitchToThread)
else:
    GIVE_WAY = address_of(ctypes.CDLL(None).sched_yield)


# ---- addresses as pointers, and words that threads share -----------------------------------------------------------------


def pointer_to(kind: Any) -> Any:
    """An intrinsic that takes an address as a pointer of this type."""

    def cast(typingctx: Any, address: Any) -> Any:
        return kind(types.int64), lambda ctx, b, sig, args: b.inttoptr(args[0], ctx.get_value_type(kind))

    return intrinsic(cast)


memory_at, bytes_at, ints_at = pointer_to(Memory), pointer_to(Bytes), pointer_to(Ints)
longs_at, doubles_at = pointer_to(Longs), pointer_to(Doubles)


@intrinsic
def read_word(typingctx: Any, words: Any, at: Any) -> Any:
    """words[at], as the other threads see it."""
    i = types.int64
    return i(Longs, i), lambda ctx, b, sig, args: b.load_atomic(b.gep(args[0], [args[1]]), "seq_cst", 8)


@intrinsic
def write_word(typingctx: Any, words: Any, at: Any, value: Any) -> Any:
    """words[at] = value, after everything this thread wrote before."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        b.store_atomic(args[2], b.gep(args[0], [args[1]]), "seq_cst", 8)
        return ctx.get_dummy_value()

    return types.void(Longs, types.int64, types.int64), generate


@intrinsic
def add_to_word(typingctx: Any, words: Any, at: Any, number: Any) -> Any:
    """words[at] += number in one step -> the new value."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        return b.add(b.atomic_rmw("add", b.gep(args[0], [args[1]]), args[2], "seq_cst"), args[2])

    i = types.int64
    return i(Longs, i, i), generate


@intrinsic
def swap_word(typingctx: Any, words: Any, at: Any, old: Any, new: Any) -> Any:
    """words[at] = new if it is `old`, in one step -> whether it was."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        pair = b.cmpxchg(b.gep(args[0], [args[1]]), args[2], args[3], "seq_cst", "seq_cst")
        return b.extract_value(pair, 1)

    i = types.int64
    return types.boolean(Longs, i, i, i), generate


@intrinsic
def pause(typingctx: Any) -> Any:
    """Tells the processor that this loop waits, where it has an instruction for that."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        if llvm.get_process_triple().startswith("x86_64"):
            kind = ir.FunctionType(ir.VoidType(), [])
            b.call(cgutils.get_or_insert_function(b.module, kind, "llvm.x86.sse2.pause"), [])
        return ctx.get_dummy_value()

    return types.void(), generate


@intrinsic
def give_way(typingctx: Any) -> Any:
    """Lets the operating system run another thread on this processor."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        b.call(cgutils.get_or_insert_function(b.module, kind, "kdsl_give_way"), [])
        return ctx.get_dummy_value()

    return types.void(), generate


FLUSH = 0x8040  # x86: results below the normal range become zero, and arguments there count as zero


@intrinsic
def flush_subnormals(typingctx: Any) -> Any:
    """Numbers below 1e-38 become zeros in this thread, where the processor can do that: moments of weights whose gradient
    is zero would else decay into that range, where arithmetic is many times slower. -> what to restore."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        if not llvm.get_process_triple().startswith("x86_64"):
            return ir.Constant(ir.IntType(64), 0)
        word = cgutils.alloca_once(b, ir.IntType(32))
        control_word(b, "stmxcsr", word)
        before = b.load(word)
        b.store(b.or_(before, ir.Constant(ir.IntType(32), FLUSH)), word)
        control_word(b, "ldmxcsr", word)
        return b.zext(before, ir.IntType(64))

    return types.int64(), generate


@intrinsic
def restore_subnormals(typingctx: Any, before: Any) -> Any:
    """Undoes `flush_subnormals`, for the caller's own arithmetic."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        if llvm.get_process_triple().startswith("x86_64"):
            word = cgutils.alloca_once(b, ir.IntType(32))
            b.store(b.trunc(args[0], ir.IntType(32)), word)
            control_word(b, "ldmxcsr", word)
        return ctx.get_dummy_value()

    return types.void(types.int64), generate


def control_word(b: Any, name: str, word: Any) -> None:
    """Stores or loads the x86 floating-point control word."""
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte])
    b.call(cgutils.get_or_insert_function(b.module, kind, f"llvm.x86.sse.{name}"), [b.bitcast(word, byte)])
