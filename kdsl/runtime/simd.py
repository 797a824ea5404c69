"""One SIMD register as a numba type, its operators, and the pieces of LLVM code that functions over it are made of.

A kernel's text reads like scalar code: `store(mem, at, x * sigmoid(x))`, where `x` is a `Vec`: one machine register of LANES
numbers. All of it is LLVM code written through llvmlite's builder; nothing is called at run time but, in double
precision, the C library's functions.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_jitable, register_model

BITS = 32  # of one number: 32, or 64 for double precision
PANEL = 16  # numbers in one panel: the unit of padding, the same on every machine


def host_lanes() -> int:
    """Numbers in one register of this machine. KDSL_LANES (16, 8 or 4, as for 32 bits) overrides it, for tests."""
    wanted = os.environ.get("KDSL_LANES")
    features = llvm.get_host_cpu_features()
    lanes = int(wanted) if wanted else 16 if features.get("avx512f") else 8 if features.get("avx2") else 4
    return lanes * 32 // BITS


@register_jitable
def padded(width: int) -> int:
    """`width` rounded up to whole panels. Kernels write lines to their padded end: what lies there is always zero."""
    return (width + PANEL - 1) // PANEL * PANEL


LANES = host_lanes()
REGISTERS = 32 if LANES * BITS == 512 else 16
I32, I64, INT = ir.IntType(32), ir.IntType(64), ir.IntType(BITS)
REAL = ir.FloatType() if BITS == 32 else ir.DoubleType()
VREAL, VINT, VBIT, V32 = (ir.VectorType(t, LANES) for t in (REAL, INT, ir.IntType(1), I32))
real = types.float32 if BITS == 32 else types.float64
Memory = types.CPointer(real)


class VecType(types.Type):  # type: ignore[misc]
    """A register of LANES numbers."""

    def __init__(self) -> None:
        super().__init__(name=f"Vec{LANES}x{BITS}")


class MaskType(types.Type):  # type: ignore[misc]
    """A register of LANES truth values: what a comparison gives."""

    def __init__(self) -> None:
        super().__init__(name=f"Mask{LANES}x{BITS}")


vec, mask = VecType(), MaskType()


@register_model(VecType)
class VecModel(models.PrimitiveModel):  # type: ignore[misc]
    """A Vec is an LLVM vector of reals."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VREAL)


@register_model(MaskType)
class MaskModel(models.PrimitiveModel):  # type: ignore[misc]
    """A Mask is an LLVM vector of bits."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VBIT)


# ---- pieces of LLVM code; `b` is the builder ---------------------------------------------------------------------


def const(x: float, t: Any = VREAL) -> Any:
    return ir.Constant(t, [x] * LANES)


def splat(b: Any, s: Any) -> Any:
    """The scalar `s` in every lane."""
    t = ir.VectorType(s.type, LANES)
    one = b.insert_element(ir.Constant(t, ir.Undefined), s, I32(0))
    return b.shuffle_vector(one, ir.Constant(t, ir.Undefined), const(0, V32))


def call(b: Any, name: str, *xs: Any) -> Any:
    """An LLVM intrinsic over registers."""
    kind = ir.FunctionType(VREAL, [VREAL] * len(xs))
    return b.call(cgutils.get_or_insert_function(b.module, kind, f"llvm.{name}.v{LANES}f{BITS}"), xs)


def fma(b: Any, x: Any, y: Any, z: Any) -> Any:
    """x * y + z: one instruction where the machine has it, two where it has not."""
    return call(b, "fmuladd", x, y, z)


def horner(b: Any, x: Any, coefficients: Sequence[float]) -> Any:
    """A polynomial, coefficients from the highest power down."""
    r = const(coefficients[0])
    for c in coefficients[1:]:
        r = fma(b, r, x, const(c))
    return r


def element(b: Any, pointer: Any, at: Any) -> Any:
    return b.gep(pointer, [at])


def read_vec(b: Any, pointer: Any, at: Any) -> Any:
    r = b.load(b.bitcast(element(b, pointer, at), VREAL.as_pointer()))
    r.align = BITS // 8
    return r


def write_vec(b: Any, x: Any, pointer: Any, at: Any) -> None:
    b.store(x, b.bitcast(element(b, pointer, at), VREAL.as_pointer())).align = BITS // 8


# ---- operators: Vec with Vec, or with a scalar that is spread over the lanes -------------------------------------------

SCALARS = (types.float32, types.float64, types.int64)


def as_vec(ctx: Any, b: Any, kind: Any, x: Any) -> Any:
    return x if kind == vec else splat(b, ctx.cast(b, x, kind, real))


def binary(op: Any, result: Any, build: Callable[[Any, Any, Any], Any]) -> None:
    pairs = [(vec, vec), *((vec, s) for s in SCALARS), *((s, vec) for s in SCALARS)]
    template = type("Operator", (ConcreteTemplate,), {"cases": [signature(result, *pair) for pair in pairs]})
    infer_global(op)(template)

    def lower(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        return build(b, *(as_vec(ctx, b, t, x) for t, x in zip(sig.args, args, strict=True)))

    for pair in pairs:
        lower_builtin(op, *pair)(lower)


def logical(op: Any, name: str) -> None:
    infer_global(op)(type("Operator", (ConcreteTemplate,), {"cases": [signature(mask, mask, mask)]}))
    lower_builtin(op, mask, mask)(lambda ctx, b, sig, args: getattr(b, name)(*args))


# `contract` lets a product and a sum become one instruction; nothing else is reordered, so NaN and infinities survive.
FLAGS = ("contract",)
binary(operator.add, vec, lambda b, x, y: b.fadd(x, y, flags=FLAGS))
binary(operator.sub, vec, lambda b, x, y: b.fsub(x, y, flags=FLAGS))
binary(operator.mul, vec, lambda b, x, y: b.fmul(x, y, flags=FLAGS))
binary(operator.truediv, vec, lambda b, x, y: b.fdiv(x, y, flags=FLAGS))
binary(operator.lt, mask, lambda b, x, y: b.fcmp_ordered("<", x, y))
binary(operator.le, mask, lambda b, x, y: b.fcmp_ordered("<=", x, y))
binary(operator.gt, mask, lambda b, x, y: b.fcmp_ordered(">", x, y))
binary(operator.ge, mask, lambda b, x, y: b.fcmp_ordered(">=", x, y))
binary(operator.eq, mask, lambda b, x, y: b.fcmp_ordered("==", x, y))
binary(operator.ne, mask, lambda b, x, y: b.fcmp_unordered("!=", x, y))
logical(operator.and_, "and_")
logical(operator.or_, "or_")
infer_global(operator.neg)(type("Operator", (ConcreteTemplate,), {"cases": [signature(vec, vec)]}))
lower_builtin(operator.neg, vec)(lambda ctx, b, sig, args: b.fneg(args[0]))
