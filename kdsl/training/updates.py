"""The rules of the optimizers, straight-line text that is carried into generated modules and compiled there.

A rule's `coefficients` turn the optimizer's numbers into the factors of one step, in double precision; its `update`
applies them to a weight (or many at once: it is elementwise). Order and formulas are those of keras/src/optimizers.
"""

from __future__ import annotations

from kdsl.ops.lazy import Array
from kdsl.ops.vocabulary import maximum, sqrt
from kdsl.training.rule import Rule

# -- sgd --------------------------------------------------------------------------------------------


def sgd_coefficients(step: int, lr: float) -> tuple[float, ...]:
    return (lr,)


def sgd(weight: Array, gradient: Array, lr: float) -> tuple[Array, ...]:
    return (weight - lr * gradient,)


def sgd_momentum_coefficients(step: int, lr: float, momentum: float) -> tuple[float, ...]:
    return lr, momentum


def sgd_momentum(weight: Array, gradient: Array, motion: Array, lr: float, momentum: float) -> tuple[Array, ...]:
    motion = momentum * motion - lr * gradient
    return weight + motion, motion


def sgd_nesterov(weight: Array, gradient: Array, motion: Array, lr: float, momentum: float) -> tuple[Array, ...]:
    motion = momentum * motion - lr * gradient
    return weight + momentum * motion - lr * gradient, motion


SGD = Rule((), sgd_coefficients, sgd)
SGD_MOMENTUM = Rule(("momentum",), sgd_momentum_coefficients, sgd_momentum)
SGD_NESTEROV = Rule(("momentum",), sgd_momentum_coefficients, sgd_nesterov)

# -- rmsprop ----------------------------------------------------------------------------------------


def rmsprop_coefficients(step: int, lr: float, rho: float, epsilon: float) -> tuple[float, ...]:
    return lr, rho, 1.0 - rho, epsilon


def rmsprop_momentum_coefficients(
    step: int, lr: float, rho: float, momentum: float, epsilon: float
) -> tuple[float, ...]:
    return lr, rho, 1.0 - rho, momentum, epsilon


def rmsprop(
    weight: Array, gradient: Array, velocity: Array, lr: float, rho: float, rest: float, epsilon: float
) -> tuple[Array, ...]:
    velocity = rho * velocity + rest * (gradient * gradient)
    return weight - lr * gradient / sqrt(velocity + epsilon), velocity


def rmsprop_momentum(
    weight: Array,
    gradient: Array,
    velocity: Array,
    motion: Array,
    lr: float,
    rho: float,
    rest: float,
    momentum: float,
    epsilon: float,
) -> tuple[Array, ...]:
    velocity = rho * velocity + rest * (gradient * gradient)
    motion = momentum * motion + lr * gradient / sqrt(velocity + epsilon)
    return weight - motion, velocity, motion


def rmsprop_centered(
    weight: Array,
    gradient: Array,
    velocity: Array,
    average: Array,
    lr: float,
    rho: float,
    rest: float,
    epsilon: float,
) -> tuple[Array, ...]:
    velocity = rho * velocity + rest * (gradient * gradient)
    average = rho * average + rest * gradient
    return weight - lr * gradient / sqrt(velocity - average * average + epsilon), velocity, average


def rmsprop_centered_momentum(
    weight: Array,
    gradient: Array,
    velocity: Array,
    motion: Array,
    average: Array,
    lr: float,
    rho: float,
    rest: float,
    momentum: float,
    epsilon: float,
) -> tuple[Array, ...]:
    velocity = rho * velocity + rest * (gradient * gradient)
    average = rho * average + rest * gradient
    motion = momentum * motion + lr * gradient / sqrt(velocity - average * average + epsilon)
    return weight - motion, velocity, motion, average


RMSPROP = Rule(("velocity",), rmsprop_coefficients, rmsprop)
RMSPROP_MOMENTUM = Rule(("velocity", "momentum"), rmsprop_momentum_coefficients, rmsprop_momentum)
RMSPROP_CENTERED = Rule(("velocity", "average_gradient"), rmsprop_coefficients, rmsprop_centered)
RMSPROP_CENTERED_MOMENTUM = Rule(
    ("velocity", "momentum", "average_gradient"), rmsprop_momentum_coefficients, rmsprop_centered_momentum
)

# -- adam and adamw ---------------------------------------------------------------------------------


def adam_coefficients(step: int, lr: float, beta1: float, beta2: float, epsilon: float) -> tuple[float, ...]:
    alpha = lr * (1.0 - beta2 ** (step + 1)) ** 0.5 / (1.0 - beta1 ** (step + 1))
    return alpha, 1.0 - beta1, 1.0 - beta2, epsilon


def adam(
    weight: Array,
    gradient: Array,
    momentum: Array,
    velocity: Array,
    alpha: float,
    rest1: float,
    rest2: float,
    epsilon: float,
) -> tuple[Array, ...]:
    momentum = momentum + (gradient - momentum) * rest1
    velocity = velocity + (gradient * gradient - velocity) * rest2
    return weight - momentum * alpha / (sqrt(velocity) + epsilon), momentum, velocity


def adam_amsgrad(
    weight: Array,
    gradient: Array,
    momentum: Array,
    velocity: Array,
    velocity_hat: Array,
    alpha: float,
    rest1: float,
    rest2: float,
    epsilon: float,
) -> tuple[Array, ...]:
    momentum = momentum + (gradient - momentum) * rest1
    velocity = velocity + (gradient * gradient - velocity) * rest2
    velocity_hat = maximum(velocity_hat, velocity)
    return weight - momentum * alpha / (sqrt(velocity_hat) + epsilon), momentum, velocity, velocity_hat


ADAM = Rule(("momentum", "velocity"), adam_coefficients, adam)
ADAM_AMSGRAD = Rule(("momentum", "velocity", "velocity_hat"), adam_coefficients, adam_amsgrad)
