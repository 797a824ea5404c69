"""Functions over registers that need more digits inside than they give: sine, cosine and powers.

In single precision they are polynomials over registers of doubles; in double precision the C library's functions.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from kdsl.runtime.simd import BITS, I32, LANES, REAL, VREAL, call, const
from kdsl.runtime.simd_functions import either, function

WIDE, LONG = ir.VectorType(ir.DoubleType(), LANES), ir.VectorType(ir.IntType(64), LANES)


def wide_const(x: float) -> Any:
    return const(x, WIDE)


def wide_call(b: Any, name: str, *xs: Any) -> Any:
    """An LLVM intrinsic over registers of doubles."""
    kind = ir.FunctionType(WIDE, [WIDE] * len(xs))
    return b.call(cgutils.get_or_insert_function(b.module, kind, f"llvm.{name}.v{LANES}f64"), xs)


def polynomial(b: Any, x: Any, coefficients: list[float]) -> Any:
    """Coefficients from the highest power down."""
    r = wide_const(coefficients[0])
    for c in coefficients[1:]:
        r = wide_call(b, "fmuladd", r, x, wide_const(c))
    return r


# ---- sine and cosine -------------------------------------------------------------------------------------------------


def sine_of(quarters: int) -> Any:
    """Sine (0 quarters) or cosine (1) within 1 ulp for |x| below 1e6; NaN for infinities.

    |x| = n * pi / 2 + r in double precision; the sine or the cosine of r by their series, the sign by n's last bits.
    """

    def build(b: Any, x: Any) -> Any:
        a = call(b, "fabs", x)
        y = b.fpext(a, WIDE)
        n = wide_call(b, "rint", b.fmul(y, wide_const(2 / math.pi)))
        r = wide_call(b, "fmuladd", n, wide_const(-1.57079632673412561417e00), y)
        r = wide_call(b, "fmuladd", n, wide_const(-6.07710050650619224932e-11), r)
        r = wide_call(
            b, "maxnum", wide_call(b, "minnum", r, wide_const(0.8)), wide_const(-0.8)
        )  # far out only the bounds hold
        finite = b.fcmp_ordered("<", a, const(math.inf))
        whole = wide_call(b, "fmuladd", wide_call(b, "floor", b.fmul(n, wide_const(0.25))), wide_const(-4.0), n)
        m = b.fptosi(b.select(finite, whole, wide_const(0.0)), LONG)
        q = b.and_(b.add(m, const(quarters, LONG)), const(3, LONG))
        z = b.fmul(r, r)
        s = polynomial(b, z, [2.75573136e-6, -1.98412698e-4, 8.33333333e-3, -1.66666666667e-1, 1.0])
        c = polynomial(b, z, [2.47e-5, -1.3888887e-3, 4.16666666e-2, -0.5, 1.0])
        odd = b.icmp_unsigned("!=", b.and_(q, const(1, LONG)), const(0, LONG))
        below = b.icmp_unsigned(">=", q, const(2, LONG))
        value = b.select(odd, c, b.fmul(r, s))
        value = b.fptrunc(b.select(below, b.fneg(value), value), VREAL)
        value = value if quarters else b.fmul(value, call(b, "copysign", const(1.0), x))
        return b.select(finite, value, const(math.nan))

    return build


sin = either(sine_of(0), "sin")
cos = either(sine_of(1), "cos")


# ---- powers ----------------------------------------------------------------------------------------------------------


def wide_log(b: Any, x: Any) -> Any:
    """Natural logarithm of positive doubles: the exponent apart, 2 artanh((m - 1) / (m + 1)) for the rest."""
    bits = b.bitcast(x, LONG)
    m = b.bitcast(b.or_(b.and_(bits, const(0x000FFFFFFFFFFFFF, LONG)), const(0x3FE0000000000000, LONG)), WIDE)
    e = b.sub(b.lshr(bits, const(52, LONG)), const(1022, LONG))
    small = b.fcmp_ordered("<", m, wide_const(math.sqrt(0.5)))
    m = b.select(small, b.fadd(m, m), m)
    k = b.sitofp(b.sub(e, b.zext(small, LONG)), WIDE)
    s = b.fdiv(b.fsub(m, wide_const(1.0)), b.fadd(m, wide_const(1.0)))
    series = polynomial(b, b.fmul(s, s), [2 / n for n in (17, 15, 13, 11, 9, 7, 5, 3, 1)])
    return wide_call(b, "fmuladd", k, wide_const(math.log(2)), b.fmul(s, series))


def wide_exp(b: Any, x: Any) -> Any:
    """e ** x for |x| up to 700."""
    n = wide_call(b, "rint", b.fmul(x, wide_const(1 / math.log(2))))
    r = wide_call(b, "fmuladd", n, wide_const(-math.log(2)), x)
    p = polynomial(b, r, [1 / math.factorial(n) for n in range(9, -1, -1)])
    bits = b.shl(b.fptosi(n, LONG), const(52, LONG))
    return b.bitcast(b.add(b.bitcast(p, LONG), bits), WIDE)


def power_32(b: Any, x: Any, y: Any) -> Any:
    """x ** y within 1 ulp, with C's answers at zeros, infinities, NaN and negative x."""
    a = call(b, "fabs", x)
    log = wide_log(b, b.fpext(a, WIDE))
    log = b.select(b.fcmp_ordered("==", a, const(0.0)), wide_const(-math.inf), log)
    log = b.select(b.fcmp_ordered("==", a, const(math.inf)), wide_const(math.inf), log)
    t = b.fmul(log, b.fpext(y, WIDE))
    t = b.select(b.fcmp_ordered("==", log, wide_const(0.0)), wide_const(0.0), t)
    t = b.select(b.fcmp_ordered("<", t, wide_const(-200.0)), wide_const(-200.0), t)
    t = b.select(b.fcmp_ordered(">", t, wide_const(200.0)), wide_const(200.0), t)
    t = b.select(b.fcmp_ordered("ord", t, t), t, wide_const(0.0))
    r = b.fptrunc(wide_exp(b, t), VREAL)
    # a number below zero: to a whole power only, and with its sign to an odd one
    whole = b.fcmp_ordered("==", call(b, "floor", y), y)
    half = b.fmul(y, const(0.5))
    odd = b.and_(whole, b.fcmp_ordered("!=", call(b, "floor", half), half))
    signed = call(b, "copysign", const(1.0), x)
    r = b.select(b.and_(odd, b.fcmp_ordered("<", signed, const(0.0))), b.fneg(r), r)
    inside = b.and_(b.fcmp_ordered("<", x, const(0.0)), b.fcmp_ordered("<", a, const(math.inf)))
    r = b.select(b.and_(inside, b.xor(whole, const(1, whole.type))), const(math.nan), r)
    # NaN stays, but for 1 ** y and x ** 0
    r = b.select(b.fcmp_unordered("uno", x, y), const(math.nan), r)
    one = b.or_(b.fcmp_ordered("==", x, const(1.0)), b.fcmp_ordered("==", y, const(0.0)))
    return b.select(one, const(1.0), r)


def power_64(b: Any, x: Any, y: Any) -> Any:
    """The C library's function, lane by lane."""
    f = cgutils.get_or_insert_function(b.module, ir.FunctionType(REAL, [REAL, REAL]), "pow")
    r = x
    for i in range(LANES):
        r = b.insert_element(r, b.call(f, [b.extract_element(x, I32(i)), b.extract_element(y, I32(i))]), I32(i))
    return r


power = function(power_32 if BITS == 32 else power_64, 2)
