"""Functions over registers: exponentials, logarithms and what is made of them, and what mixes the lanes.

In single precision they are polynomials; in double precision they are the C library's functions, lane by lane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import signature
from numba.extending import intrinsic

from kdsl.runtime.simd import (
    BITS,
    FLAGS,
    I32,
    LANES,
    REAL,
    SCALARS,
    V32,
    VINT,
    VREAL,
    as_vec,
    call,
    const,
    fma,
    horner,
    mask,
    real,
    splat,
    vec,
)


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
    whole = power_of_two(b, const(1.0), n)
    r = fma(b, whole, q, b.fsub(whole, const(1.0), flags=FLAGS))
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
floor = function(lambda b, x: call(b, "floor", x))
ceil = function(lambda b, x: call(b, "ceil", x))
round_half_even = function(lambda b, x: call(b, "rint", x))
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


# ---- lanes -----------------------------------------------------------------------------------------------------------


@intrinsic
def spread(typingctx: Any, x: Any) -> Any:
    """The same number in every lane."""
    return vec(real), lambda ctx, b, sig, args: splat(b, args[0])


@intrinsic
def lane_places(typingctx: Any, first: Any) -> Any:
    """first, first + 1, first + 2 ..."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        return b.fadd(splat(b, b.sitofp(args[0], REAL)), ir.Constant(VREAL, [float(i) for i in range(LANES)]))

    return vec(types.int64), generate


@intrinsic
def head(typingctx: Any, x: Any, count: Any, rest: Any) -> Any:
    """The first `count` lanes of x, the number `rest` behind them."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        x, count, rest = args
        lanes = ir.Constant(V32, list(range(LANES)))
        return b.select(b.icmp_signed("<", lanes, splat(b, b.trunc(count, I32))), x, splat(b, rest))

    return vec(vec, types.int64, real), generate


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
lane_min = reducer(smaller)
