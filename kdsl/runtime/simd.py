"""One SIMD register as a numba type, with operators and functions over it.

A kernel's text reads like scalar code: `store(mem, at, x * sigmoid(x))`, where `x` is a `Vec`: one machine register of LANES
numbers. Everything here is LLVM code written through llvmlite's builder; nothing is called at run time but, in double
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
from numba.extending import intrinsic, lower_builtin, models, register_jitable, register_model

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


# ---- functions of one, two or three registers ----------------------------------------------------------------------------


def function(build: Callable[..., Any], arity: int = 1, first: Any = vec) -> Any:
    """An intrinsic over registers. Scalars among the arguments are spread, if one argument is a register."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        return build(b, *(x if t == mask else as_vec(ctx, b, t, x) for t, x in zip(sig.args, args, strict=True)))

    def typed(*given: Any) -> Any:
        fits = [t == vec or (arity > 1 and t in SCALARS) for t in given]
        fits[0] = given[0] == mask if first == mask else fits[0]
        registers = any(t in (vec, mask) for t in given)
        return (signature(vec, *given), generate) if all(fits) and registers else None

    def of_one(typingctx: Any, x: Any) -> Any:
        return typed(x)

    def of_two(typingctx: Any, x: Any, y: Any) -> Any:
        return typed(x, y)

    def of_three(typingctx: Any, x: Any, y: Any, z: Any) -> Any:
        return typed(x, y, z)

    return intrinsic((of_one, of_two, of_three)[arity - 1])


def per_lane(name: str) -> Callable[[Any, Any], Any]:
    """A function of the C library, lane by lane."""

    def build(b: Any, x: Any) -> Any:
        f = cgutils.get_or_insert_function(b.module, ir.FunctionType(REAL, [REAL]), name)
        r = x
        for i in range(LANES):
            r = b.insert_element(r, b.call(f, [b.extract_element(x, I32(i))]), I32(i))
        return r

    return build


def either(single: Callable[..., Any], name: str) -> Any:
    """The polynomial here for 32 bits, the C library's function for 64."""
    return function(single if BITS == 32 else per_lane(name))


def power_of_two(b: Any, p: Any, n: Any) -> Any:
    """p * 2 ** n: the whole number n is added to the exponent bits of p."""
    bits = b.shl(b.fptosi(n, VINT), const(23, VINT))
    return b.bitcast(b.add(b.bitcast(p, VINT), bits), VREAL)


def exp_parts(b: Any, x: Any) -> tuple[Any, Any]:
    """x = n ln 2 + r: the whole number n (0 for NaN) and e ** r - 1."""
    n = call(b, "rint", b.fmul(x, const(1.44269504088896341), flags=FLAGS))
    n = b.select(b.fcmp_ordered("ord", n, n), n, const(0.0))
    r = fma(b, n, const(-0.693359375), x)
    r = fma(b, n, const(2.12194440e-4), r)
    terms = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]
    return n, fma(b, b.fmul(r, r, flags=FLAGS), horner(b, r, terms), r)


def exp_32(b: Any, x: Any) -> Any:
    """e ** x within 1 ulp; 0 and infinity at the ends, NaN stays NaN."""
    over, under = b.fcmp_ordered(">", x, const(88.72283)), b.fcmp_ordered("<", x, const(-87.33654))
    y = b.select(over, const(88.0), b.select(under, const(-87.0), x))
    n, q = exp_parts(b, y)
    r = power_of_two(b, b.fadd(q, const(1.0), flags=FLAGS), n)
    r = b.select(b.fcmp_ordered("ord", x, x), r, x)
    return b.select(over, const(float("inf")), b.select(under, const(0.0), r))


def expm1_32(b: Any, x: Any) -> Any:
    """e ** x - 1 without losing digits near 0."""
    over, under = b.fcmp_ordered(">", x, const(88.0)), b.fcmp_ordered("<", x, const(-17.5))
    n, q = exp_parts(b, b.select(over, const(88.0), b.select(under, const(-17.5), x)))
    power = power_of_two(b, const(1.0), n)
    r = fma(b, power, q, b.fsub(power, const(1.0), flags=FLAGS))
    r = b.select(b.fcmp_ordered("ord", x, x), r, x)
    return b.select(over, exp_32(b, x), r)


def log_32(b: Any, x: Any) -> Any:
    """Natural logarithm within 1 ulp (after Cephes): NaN below 0, minus infinity at 0."""
    tiny = b.fcmp_ordered("<", x, const(2.0**-126))
    bits = b.bitcast(b.select(tiny, b.fmul(x, const(2.0**23), flags=FLAGS), x), VINT)
    e = b.sub(b.ashr(bits, const(23, VINT)), b.select(tiny, const(149, VINT), const(126, VINT)))
    m = b.bitcast(b.or_(b.and_(bits, const(0x007FFFFF, VINT)), const(0x3F000000, VINT)), VREAL)
    small = b.fcmp_ordered("<", m, const(0.707106781186547524))
    k = b.sitofp(b.sub(e, b.zext(small, VINT)), VREAL)
    m = b.fsub(b.select(small, b.fadd(m, m, flags=FLAGS), m), const(1.0), flags=FLAGS)
    terms = [7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1]
    terms += [-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1]
    z = b.fmul(m, m, flags=FLAGS)
    r = b.fmul(b.fmul(horner(b, m, terms), m, flags=FLAGS), z, flags=FLAGS)
    r = fma(b, k, const(-2.12194440e-4), r)
    r = fma(b, z, const(-0.5), r)
    r = fma(b, k, const(0.693359375), b.fadd(m, r, flags=FLAGS))
    r = b.select(b.fcmp_ordered("==", x, const(float("inf"))), x, r)
    r = b.select(b.fcmp_ordered("==", x, const(0.0)), const(float("-inf")), r)
    return b.select(b.fcmp_unordered("<", x, const(0.0)), const(float("nan")), r)


def log1p_32(b: Any, x: Any) -> Any:
    """log(1 + x), exact near 0: the rounding of 1 + x is divided out (Kahan)."""
    u = b.fadd(const(1.0), x)
    d = b.fsub(u, const(1.0))
    r = b.fdiv(b.fmul(log_32(b, u), x), d)
    r = b.select(b.fcmp_ordered("==", u, const(float("inf"))), u, r)
    return b.select(b.fcmp_ordered("==", d, const(0.0)), x, r)


def tanh_32(b: Any, x: Any) -> Any:
    """|x| < 0.625: odd polynomial; else 1 - 2 / (e ** 2|x| + 1) with the sign put back."""
    q = b.fmul(x, x, flags=FLAGS)
    terms = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1]
    near = fma(b, b.fmul(q, x, flags=FLAGS), horner(b, q, terms), x)
    a = call(b, "fabs", x)
    e = exp_32(b, b.fadd(a, a, flags=FLAGS))
    far = b.fsub(const(1.0), b.fdiv(const(2.0), b.fadd(e, const(1.0))))
    return b.select(b.fcmp_ordered("<", a, const(0.625)), near, call(b, "copysign", far, x))


def erf_32(b: Any, x: Any) -> Any:
    """Error function within 1e-7: odd rational of degree 9 over 12, clamped where it rounds to 1."""
    c = const(3.832506856900711)
    y = b.select(b.fcmp_ordered(">", x, c), c, x)
    y = b.select(b.fcmp_ordered("<", y, b.fneg(c)), b.fneg(c), y)
    q = b.fmul(y, y, flags=FLAGS)
    over = [0.00022905065861350646, 0.0034082910107109506, 0.05095569506238086, 0.18520832239976145, 1.128379143519084]
    under = [-1.1791602954361697e-7, 0.000023547966471313185, 0.0010179625278914885, 0.014070470171167667]
    under += [0.11098505178285362, 0.49746925110067538, 1.0]
    return b.fdiv(b.fmul(y, horner(b, q, over), flags=FLAGS), horner(b, q, under), flags=FLAGS)


def larger(b: Any, x: Any, y: Any) -> Any:
    """The larger; NaN where either is."""
    return b.select(b.fcmp_unordered("uno", y, y), y, b.select(b.fcmp_ordered("<", x, y), y, x))


def smaller(b: Any, x: Any, y: Any) -> Any:
    """The smaller; NaN where either is."""
    return b.select(b.fcmp_unordered("uno", y, y), y, b.select(b.fcmp_ordered(">", x, y), y, x))


def signs(b: Any, x: Any) -> Any:
    """-1, 0 or 1; NaN stays NaN."""
    away = call(b, "copysign", const(1.0), x)
    return b.select(b.fcmp_unordered("!=", x, const(0.0)), b.select(b.fcmp_ordered("ord", x, x), away, x), const(0.0))


exp = either(exp_32, "exp")
expm1 = either(expm1_32, "expm1")
log = either(log_32, "log")
log1p = either(log1p_32, "log1p")
tanh = either(tanh_32, "tanh")
erf = either(erf_32, "erf")
sqrt = function(lambda b, x: call(b, "sqrt", x))
absolute = function(lambda b, x: call(b, "fabs", x))
sign = function(signs)
maximum = function(larger, 2)
minimum = function(smaller, 2)
where = function(lambda b, m, x, y: b.select(m, x, y), 3, mask)


def sigmoid_of(b: Any, x: Any) -> Any:
    """1 / (1 + e ** -x)."""
    e = (exp_32 if BITS == 32 else per_lane("exp"))(b, b.fneg(x))
    return b.fdiv(const(1.0), b.fadd(const(1.0), e))


def softplus_of(b: Any, x: Any) -> Any:
    """log(1 + e ** x) = max(x, 0) + log(1 + e ** -|x|)."""
    e = (exp_32 if BITS == 32 else per_lane("exp"))(b, b.fneg(call(b, "fabs", x)))
    return b.fadd(larger(b, x, const(0.0)), (log1p_32 if BITS == 32 else per_lane("log1p"))(b, e))


sigmoid, softplus = function(sigmoid_of), function(softplus_of)


# ---- memory ---------------------------------------------------------------------------------------------------------------


@intrinsic
def load(typingctx: Any, mem: Any, at: Any) -> Any:
    """LANES numbers from mem[at] on."""
    return vec(mem, types.int64), lambda ctx, b, sig, args: read_vec(b, *args)


@intrinsic
def store(typingctx: Any, mem: Any, at: Any, x: Any) -> Any:
    """LANES numbers to mem[at] on."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        write_vec(b, args[2], args[0], args[1])
        return ctx.get_dummy_value()

    return types.void(mem, types.int64, vec), generate


@intrinsic
def spread(typingctx: Any, x: Any) -> Any:
    """The same number in every lane."""
    return vec(real), lambda ctx, b, sig, args: splat(b, args[0])


@intrinsic
def head(typingctx: Any, x: Any, count: Any, rest: Any) -> Any:
    """The first `count` lanes of x, the number `rest` behind them."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        x, count, rest = args
        lanes = ir.Constant(V32, list(range(LANES)))
        return b.select(b.icmp_signed("<", lanes, splat(b, b.trunc(count, I32))), x, splat(b, rest))

    return vec(vec, types.int64, real), generate


@intrinsic
def row_at(typingctx: Any, order: Any, at: Any) -> Any:
    """The data's row number `at`: order[at], or `at` itself where the order's address is 0."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        order, at = args
        listed = b.icmp_signed("!=", order, I64(0))
        result = cgutils.alloca_once_value(b, at)
        with b.if_then(listed):
            b.store(b.load(element(b, b.inttoptr(order, I64.as_pointer()), at)), result)
        return b.load(result)

    i = types.int64
    return i(i, i), generate


@intrinsic
def fetch(typingctx: Any, data: Any, at: Any, count: Any) -> Any:
    """Up to LANES of `count` numbers of any dtype from data[at] on, as reals; lanes behind them repeat the last one."""
    kind = data.dtype

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        pointer, at, count = args
        item = ctx.get_value_type(kind)
        whole = ir.VectorType(item, LANES)
        result = cgutils.alloca_once(b, whole)
        with b.if_else(b.icmp_signed(">=", count, I64(LANES))) as (many, few):
            with many:
                r = b.load(b.bitcast(element(b, pointer, at), whole.as_pointer()))
                r.align = 1
                b.store(r, result)
            with few:
                last = b.sub(count, I64(1))
                r = ir.Constant(whole, ir.Undefined)
                for i in range(LANES):
                    lane = b.select(b.icmp_signed("<", I64(i), count), I64(i), last)
                    r = b.insert_element(r, b.load(element(b, pointer, b.add(at, lane))), I32(i))
                b.store(r, result)
        r = b.load(result)
        if isinstance(kind, types.Integer):
            return (b.sitofp if kind.signed else b.uitofp)(r, VREAL)
        return r

    return vec(data, types.int64, types.int64), generate


def reducer(pick: Callable[[Any, Any, Any], Any]) -> Any:
    """Combines the lanes in a tree, always in the same order."""

    def reduce(typingctx: Any, x: Any) -> Any:
        def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
            r, width = args[0], LANES
            while width > 1:
                width //= 2
                turned = ir.Constant(V32, [(i + width) % LANES for i in range(LANES)])
                r = pick(b, r, b.shuffle_vector(r, ir.Constant(VREAL, ir.Undefined), turned))
            return b.extract_element(r, I32(0))

        return (real(vec), generate) if x == vec else None

    return intrinsic(reduce)


lane_sum = reducer(lambda b, x, y: b.fadd(x, y))
lane_max = reducer(larger)


@intrinsic
def transpose_block(
    typingctx: Any, mem: Any, count: Any, source: Any, source_row: Any, target: Any, target_row: Any
) -> Any:
    """A block of LANES x LANES numbers, rows and columns exchanged; rows from `count` on are taken to be zeros.

    Eklundh's way: pairs of rows exchange ever larger halves."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, count, source, source_row, target, target_row = args
        rows = []
        for i in range(LANES):
            there = b.icmp_signed("<", I64(i), count)
            row = read_vec(b, mem, b.add(source, b.mul(source_row, b.select(there, I64(i), I64(0)))))
            rows.append(b.select(there, row, const(0.0)))
        step = 1
        while step < LANES:
            low = ir.Constant(V32, [LANES + (i ^ step) if i & step else i for i in range(LANES)])
            high = ir.Constant(V32, [LANES + i if i & step else i ^ step for i in range(LANES)])
            for i in range(LANES):
                if not i & step:
                    x, y = rows[i], rows[i | step]
                    rows[i], rows[i | step] = b.shuffle_vector(x, y, low), b.shuffle_vector(x, y, high)
            step *= 2
        for i, row in enumerate(rows):
            write_vec(b, row, mem, b.add(target, b.mul(target_row, I64(i))))
        return ctx.get_dummy_value()

    i = types.int64
    return types.void(mem, i, i, i, i, i), generate


# ---- random masks -----------------------------------------------------------------------------------------------------------


def mixed(b: Any, h: Any) -> Any:
    """A bijection of 32-bit numbers that leaves no pattern: two rounds of multiply and exclusive-or with a shift."""

    def number(x: int) -> Any:
        return const(x, V32) if h.type == V32 else I32(x)

    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h = b.mul(b.xor(h, b.lshr(h, number(shift))), number(factor))
    return b.xor(h, b.lshr(h, number(16)))


@intrinsic
def random_key(typingctx: Any, seed: Any, step: Any, stream: Any) -> Any:
    """The key of one random operation in one training step: mix(mix(mix(seed) + step) + stream)."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        seed, step, stream = (b.trunc(a, I32) for a in args)
        h = mixed(b, b.add(b.mul(seed, I32(0x9E3779B1)), I32(1)))
        h = mixed(b, b.add(h, b.mul(step, I32(0x85EBCA6B))))
        return b.zext(mixed(b, b.add(h, b.mul(stream, I32(0xC2B2AE35)))), I64)

    i = types.int64
    return i(i, i, i), generate


@intrinsic
def kept(typingctx: Any, key: Any, first: Any, threshold: Any) -> Any:
    """Lane i: does element first + i stay? The same answer in every pass, on any thread and machine."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        key, first, threshold = (splat(b, b.trunc(a, I32)) for a in args)
        at = b.add(first, ir.Constant(V32, list(range(LANES))))
        h = mixed(b, b.xor(b.mul(at, const(0x9E3779B1, V32)), key))
        return b.icmp_unsigned(">=", h, threshold)

    i = types.int64
    return mask(i, i, i), generate
