"""First values of weights, as functions of a shape and a NumPy generator. Generated modules carry those they use.

Fans are Keras's: of [rows, columns] they are rows and columns, of a vector its length both, of a longer shape the last
two axes, each times the product of the axes before them.
"""

from __future__ import annotations

import math

from kdsl.ops.lazy import Array, np


def zeros(shape: tuple[int, ...], rng: Array) -> Array:
    return np.zeros(shape)


def ones(shape: tuple[int, ...], rng: Array) -> Array:
    return np.ones(shape)


def constant(shape: tuple[int, ...], rng: Array, *, value: float) -> Array:
    return np.full(shape, float(value))


def uniform(shape: tuple[int, ...], rng: Array, *, minval: float, maxval: float) -> Array:
    return rng.uniform(minval, maxval, shape)


def normal(shape: tuple[int, ...], rng: Array, *, mean: float, stddev: float) -> Array:
    return rng.normal(mean, stddev, shape)


def truncated_normal(shape: tuple[int, ...], rng: Array, *, mean: float, stddev: float) -> Array:
    """Normal numbers, drawn again where they are more than two deviations from the mean."""
    drawn = rng.standard_normal(shape)
    while (far := np.abs(drawn) > 2.0).any():
        drawn = np.where(far, rng.standard_normal(shape), drawn)
    return mean + stddev * drawn


def fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """How many inputs an output reads, and how many outputs an input feeds."""
    if len(shape) < 2:
        size = float(math.prod(shape))
        return size, size
    receptive = math.prod(shape[:-2])
    return float(shape[-2] * receptive), float(shape[-1] * receptive)


def variance_scaling(shape: tuple[int, ...], rng: Array, *, scale: float, mode: str, distribution: str) -> Array:
    """Numbers of variance `scale / fan`."""
    fan_in, fan_out = fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    variance = scale / max(1.0, fan)
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return rng.uniform(-limit, limit, shape)
    if distribution == "untruncated_normal":
        return rng.normal(0.0, math.sqrt(variance), shape)
    # What is cut off at two deviations leaves a deviation of 0.8796...: divided by it, the variance is as wanted.
    return truncated_normal(shape, rng, mean=0.0, stddev=math.sqrt(variance) / 0.87962566103423978)


def glorot_uniform(shape: tuple[int, ...], rng: Array) -> Array:
    return variance_scaling(shape, rng, scale=1.0, mode="fan_avg", distribution="uniform")


def glorot_normal(shape: tuple[int, ...], rng: Array) -> Array:
    return variance_scaling(shape, rng, scale=1.0, mode="fan_avg", distribution="truncated_normal")


def he_uniform(shape: tuple[int, ...], rng: Array) -> Array:
    return variance_scaling(shape, rng, scale=2.0, mode="fan_in", distribution="uniform")


def he_normal(shape: tuple[int, ...], rng: Array) -> Array:
    return variance_scaling(shape, rng, scale=2.0, mode="fan_in", distribution="truncated_normal")


def lecun_uniform(shape: tuple[int, ...], rng: Array) -> Array:
    return variance_scaling(shape, rng, scale=1.0, mode="fan_in", distribution="uniform")


def lecun_normal(shape: tuple[int, ...], rng: Array) -> Array:
    return variance_scaling(shape, rng, scale=1.0, mode="fan_in", distribution="truncated_normal")


def orthogonal(shape: tuple[int, ...], rng: Array, *, gain: float) -> Array:
    """A matrix (the last axis its columns) whose shorter side is orthonormal, times the gain."""
    rows, columns = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return gain * (q if rows >= columns else q.T).reshape(shape)
