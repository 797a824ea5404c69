"""Random numbers and masks, from a hash of (seed, step, stream, element): they are the same however often they are made,
and by whom."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kdsl.runtime.simd import BITS, FLAGS, I32, I64, LANES, V32, VREAL, call, const, mask, splat, vec
from kdsl.runtime.simd_functions import log_32, per_lane
from kdsl.runtime.simd_wide import sine_of


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


def hashed(b: Any, key: Any, at: Any) -> Any:
    """32 random bits for each element."""
    return mixed(b, b.xor(b.mul(at, const(0x9E3779B1, V32)), splat(b, b.trunc(key, I32))))


def fractions(b: Any, args: Any, second: int) -> Any:
    """A number from 0 up to, not including, 1 for each lane: of the two that each element has, number `second`. `args`
    are the key and the first lane's element."""
    key, first = args
    at = b.add(splat(b, b.trunc(first, I32)), ir.Constant(V32, list(range(LANES))))
    h = hashed(b, key, b.add(b.shl(at, const(1, V32)), const(second, V32)))
    return b.fmul(b.uitofp(b.lshr(h, const(8, V32)), VREAL), const(2.0**-24))


@intrinsic
def random_uniform(typingctx: Any, key: Any, first: Any) -> Any:
    """Lane i: element first + i, equally likely anywhere from 0 to 1."""
    i = types.int64
    return vec(i, i), lambda ctx, b, sig, args: fractions(b, args, 0)


@intrinsic
def random_normal(typingctx: Any, key: Any, first: Any) -> Any:
    """Lane i: element first + i, of mean 0 and variance 1 (after Box and Muller)."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        rest = b.fsub(const(1.0), fractions(b, args, 0), flags=FLAGS)
        log = (log_32 if BITS == 32 else per_lane("log"))(b, rest)
        length = call(b, "sqrt", b.fmul(const(-2.0), log))
        angle = b.fmul(const(2.0 * math.pi), fractions(b, args, 1))
        return b.fmul(length, (sine_of(1) if BITS == 32 else per_lane("cos"))(b, angle))

    i = types.int64
    return vec(i, i), generate


@intrinsic
def kept(typingctx: Any, key: Any, first: Any, threshold: Any) -> Any:
    """Lane i: does element first + i stay? The same answer in every pass, on any thread and machine."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        key, first, threshold = args
        at = b.add(splat(b, b.trunc(first, I32)), ir.Constant(V32, list(range(LANES))))
        return b.icmp_unsigned(">=", hashed(b, key, at), splat(b, b.trunc(threshold, I32)))

    i = types.int64
    return mask(i, i, i), generate
