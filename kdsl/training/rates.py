"""How schedules change the learning rate: formulas over whole stretches of steps, carried into the modules that use them.

`step` are numbers of updates made before, as floats; `total` is how many the training has. Lengths are in steps. Where
Keras has the schedule, the formula is that of keras/src/optimizers/schedules/learning_rate_schedule.py.
"""

from __future__ import annotations

from kdsl.ops.lazy import Array, np


def warmed_up(lr: float, step: Array, warmup: float, after: Array) -> Array:
    """A straight line from 0 up to `lr` for `warmup` steps, then `after`."""
    return np.where(step < warmup, lr * step / max(warmup, 1.0), after)


def constant_rate(lr: float, step: Array, total: float, *, warmup: float) -> Array:
    return warmed_up(lr, step, warmup, np.full(np.shape(step), lr))


def cosine_rate(lr: float, step: Array, total: float, *, over: float | None, alpha: float, warmup: float) -> Array:
    length = max(total - warmup if over is None else over, 1.0)
    done = np.clip((step - warmup) / length, 0.0, 1.0)
    share = (1.0 - alpha) * 0.5 * (1.0 + np.cos(np.pi * done)) + alpha
    return warmed_up(lr, step, warmup, lr * share)


def cosine_restarts_rate(
    lr: float, step: Array, total: float, *, first: float, t_mul: float, m_mul: float, alpha: float, warmup: float
) -> Array:
    done = np.maximum(step - warmup, 0.0) / max(first, 1.0)
    if t_mul == 1.0:
        restarts = np.floor(done)
        done = done - restarts
    else:
        restarts = np.floor(np.log(1.0 - done * (1.0 - t_mul)) / np.log(t_mul))
        done = (done - (1.0 - t_mul**restarts) / (1.0 - t_mul)) / t_mul**restarts
    share = (1.0 - alpha) * 0.5 * m_mul**restarts * (1.0 + np.cos(np.pi * done)) + alpha
    return warmed_up(lr, step, warmup, lr * share)


def stepwise_rate(
    lr: float, step: Array, total: float, *, every: float | None, at: tuple[float, ...], factor: float, warmup: float
) -> Array:
    """With `every` counted from the end of the warm-up, with `at` from the first step of all."""
    if every is not None:
        drops = np.floor(np.maximum(step - warmup, 0.0) / max(every, 1.0))
    else:
        drops = sum(((step >= boundary) * 1.0 for boundary in at), np.zeros(np.shape(step)))
    return warmed_up(lr, step, warmup, lr * factor**drops)


def exponential_rate(
    lr: float, step: Array, total: float, *, rate: float, every: float, staircase: bool, warmup: float
) -> Array:
    periods = np.maximum(step - warmup, 0.0) / max(every, 1.0)
    return warmed_up(lr, step, warmup, lr * rate ** (np.floor(periods) if staircase else periods))


def inverse_time_rate(
    lr: float, step: Array, total: float, *, decay: float, every: float, staircase: bool, warmup: float
) -> Array:
    periods = np.maximum(step - warmup, 0.0) / max(every, 1.0)
    return warmed_up(lr, step, warmup, lr / (1.0 + decay * (np.floor(periods) if staircase else periods)))


def polynomial_rate(
    lr: float, step: Array, total: float, *, end: float, power: float, over: float | None, warmup: float
) -> Array:
    length = max(total - warmup if over is None else over, 1.0)
    done = np.clip((step - warmup) / length, 0.0, 1.0)
    return warmed_up(lr, step, warmup, (lr - end) * (1.0 - done) ** power + end)


# -- by what an epoch gave -----------------------------------------------------------------------------


def plateau_rate(lr: float, memory: dict[str, float], *, min_lr: float) -> float:
    """What `plateau` has made of the rate so far; `memory` is kept with the model."""
    scale = memory.get("scale", 1.0)
    return lr if scale == 1.0 else max(lr * scale, min(lr, min_lr))


def watch_plateau(
    value: float,
    memory: dict[str, float],
    *,
    rises: bool,
    factor: float,
    patience: float,
    min_delta: float,
    cooldown: float,
) -> None:
    """The end of an epoch, as Keras's ReduceLROnPlateau sees it: `factor` again after `patience` epochs without a new best."""
    cooling, waited = memory.get("cooldown", 0.0), memory.get("wait", 0.0)
    if cooling > 0.0:
        cooling, waited = cooling - 1.0, 0.0
    best = memory.get("best")
    better = best is None or (value > best + min_delta if rises else value < best - min_delta)
    if better:
        best, waited = value, 0.0
    elif cooling <= 0.0:
        waited += 1.0
        if waited >= patience:
            memory["scale"] = memory.get("scale", 1.0) * factor
            cooling, waited = cooldown, 0.0
    memory.update(best=value if best is None else best, wait=waited, cooldown=cooling)
