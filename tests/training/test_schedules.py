"""Schedules against Keras's formulas, written out here step by step as keras/src/optimizers/schedules has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl.training import OPTIMIZERS, SCHEDULES, rates

LR = 0.02
STEPS = np.arange(0.0, 400.0)


def each(formula: Callable[[float], float]) -> np.ndarray:
    return np.array([formula(step) for step in STEPS])


def keras_cosine(
    step: float, decay_steps: float, alpha: float, initial: float, target: float | None, warmup: float
) -> float:
    base = initial if target is None else target
    if target is not None and step < warmup:
        return (target - initial) * (step / warmup) + initial
    done = min(step - (warmup if target is not None else 0), decay_steps) / decay_steps
    return base * ((1 - alpha) * 0.5 * (1.0 + math.cos(math.pi * done)) + alpha)


def test_cosine() -> None:
    plain = rates.cosine_rate(LR, STEPS, 300, over=None, alpha=0.1, warmup=0.0)
    assert np.allclose(plain, each(lambda s: keras_cosine(s, 300, 0.1, LR, None, 0)), rtol=1e-14)
    warm = rates.cosine_rate(LR, STEPS, 300, over=None, alpha=0.0, warmup=50.0)
    assert np.allclose(warm, each(lambda s: keras_cosine(s, 250, 0.0, 0.0, LR, 50)), rtol=1e-14, atol=1e-18)
    short = rates.cosine_rate(LR, STEPS, 300, over=120.0, alpha=0.0, warmup=0.0)
    assert np.allclose(short, each(lambda s: keras_cosine(s, 120, 0.0, LR, None, 0)), rtol=1e-14, atol=1e-18)
    assert warm[0] == 0.0 and warm[50] == LR and warm[300] == pytest.approx(0.0, abs=1e-18)


@pytest.mark.parametrize(("t_mul", "m_mul"), [(2.0, 1.0), (1.5, 0.7), (1.0, 0.5)])
def test_cosine_restarts(t_mul: float, m_mul: float) -> None:
    def keras(step: float) -> float:
        done = step / 40
        if t_mul == 1.0:
            restart = math.floor(done)
            done -= restart
        else:
            restart = math.floor(math.log(1.0 - done * (1.0 - t_mul)) / math.log(t_mul))
            done = (done - (1.0 - t_mul**restart) / (1.0 - t_mul)) / t_mul**restart
        factor = 0.5 * m_mul**restart * (1.0 + math.cos(math.pi * done))
        return LR * ((1 - 0.05) * factor + 0.05)

    found = rates.cosine_restarts_rate(LR, STEPS, 0, first=40.0, t_mul=t_mul, m_mul=m_mul, alpha=0.05, warmup=0.0)
    assert np.allclose(found, each(keras), rtol=1e-12)


@pytest.mark.parametrize("staircase", [False, True])
def test_exponential_and_inverse_time(staircase: bool) -> None:
    def periods(step: float) -> float:
        return float(math.floor(step / 30)) if staircase else step / 30

    found = rates.exponential_rate(LR, STEPS, 0, rate=0.9, every=30.0, staircase=staircase, warmup=0.0)
    assert np.allclose(found, each(lambda s: LR * 0.9 ** periods(s)), rtol=1e-14)
    found = rates.inverse_time_rate(LR, STEPS, 0, decay=0.5, every=30.0, staircase=staircase, warmup=0.0)
    assert np.allclose(found, each(lambda s: LR / (1 + 0.5 * periods(s))), rtol=1e-14)


def test_polynomial() -> None:
    found = rates.polynomial_rate(LR, STEPS, 300, end=1e-3, power=2.0, over=None, warmup=0.0)
    assert np.allclose(found, each(lambda s: (LR - 1e-3) * (1 - min(s, 300) / 300) ** 2 + 1e-3), rtol=1e-13)


def test_step_by_period_and_by_times() -> None:
    every = rates.stepwise_rate(LR, STEPS, 0, every=100.0, at=(), factor=0.1, warmup=0.0)
    times = rates.stepwise_rate(LR, STEPS, 0, every=None, at=(100.0, 200.0, 300.0), factor=0.1, warmup=0.0)
    assert np.allclose(every, each(lambda s: LR * 0.1 ** math.floor(s / 100)), rtol=1e-14)
    assert np.array_equal(every, times)

    def keras_piecewise(step: float) -> float:  # changes one step later: `step <= boundary` still has the old value
        return LR * 0.1 ** sum(step > boundary for boundary in (99, 199, 299))

    assert np.allclose(times, each(keras_piecewise), rtol=1e-14)


def test_every_schedule_begins_after_its_warm_up() -> None:
    later = STEPS[100:]
    for warm, plain in (
        (rates.constant_rate(LR, later, 0, warmup=100.0), np.full(300, LR)),
        (
            rates.exponential_rate(LR, later, 0, rate=0.9, every=30.0, staircase=False, warmup=100.0),
            rates.exponential_rate(LR, STEPS[:300], 0, rate=0.9, every=30.0, staircase=False, warmup=0.0),
        ),
        (
            rates.polynomial_rate(LR, later, 400, end=0.0, power=1.0, over=None, warmup=100.0),
            rates.polynomial_rate(LR, STEPS[:300], 300, end=0.0, power=1.0, over=None, warmup=0.0),
        ),
    ):
        assert np.allclose(warm, plain, rtol=1e-13)
    assert np.allclose(rates.constant_rate(LR, STEPS[:100], 0, warmup=100.0), LR * STEPS[:100] / 100, rtol=1e-14)


class KerasPlateau:
    """keras/src/callbacks/reduce_lr_on_plateau.py, without its printing."""

    def __init__(
        self, rises: bool, factor: float, patience: int, min_delta: float, cooldown: int, min_lr: float
    ) -> None:
        self.rises, self.factor, self.patience, self.min_delta = rises, factor, patience, min_delta
        self.cooldown, self.min_lr = cooldown, min_lr
        self.best, self.cooldown_counter, self.wait = -np.inf if rises else np.inf, 0, 0

    def on_epoch_end(self, lr: float, current: float) -> float:
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        better = current > self.best + self.min_delta if self.rises else current < self.best - self.min_delta
        if better:
            self.best, self.wait = current, 0
        elif not self.cooldown_counter > 0:
            self.wait += 1
            if self.wait >= self.patience and lr > self.min_lr:
                lr = max(lr * self.factor, self.min_lr)
                self.cooldown_counter, self.wait = self.cooldown, 0
        return lr


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=40),
    st.booleans(),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(0, 2),
)
def test_plateau(values: Sequence[int], rises: bool, patience: int, cooldown: int, delta: int) -> None:
    keras = KerasPlateau(rises, 0.5, patience, float(delta), cooldown, 0.0)
    memory: dict[str, float] = {}
    lr = LR
    for value in values:
        lr = keras.on_epoch_end(lr, float(value))
        rates.watch_plateau(
            float(value), memory, rises=rises, factor=0.5, patience=patience, min_delta=delta, cooldown=cooldown
        )
        assert rates.plateau_rate(LR, memory, min_lr=0.0) == pytest.approx(lr, rel=1e-12)


def test_plateau_stops_at_its_smallest_rate() -> None:
    memory: dict[str, float] = {}
    for _ in range(20):
        rates.watch_plateau(1.0, memory, rises=False, factor=0.1, patience=1.0, min_delta=0.0, cooldown=0.0)
    assert rates.plateau_rate(LR, memory, min_lr=1e-3) == 1e-3
    assert rates.plateau_rate(1e-4, memory, min_lr=1e-3) == 1e-4, "a rate below the smallest one is not raised"


def test_numbers_of_schedules_and_optimizers_have_different_names() -> None:
    """Both are keywords of a model's class."""
    taken = {"seed", "threads", "batch_size", "epochs"}
    taken |= {name for optimizer in OPTIMIZERS.values() for name in optimizer.parameters}
    for schedule in SCHEDULES.values():
        assert not taken & set(schedule.parameters), schedule.name
