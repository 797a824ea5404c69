"""Random masks, from a hash of (seed, step, stream, element): a mask is the same however often it is made, and by whom."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kdsl.runtime.simd import I32, I64, LANES, V32, const, mask, splat


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
