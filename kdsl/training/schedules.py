"""Schedules of the learning rate. Times are in epochs or steps; the optimizer's `lr` is what they start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kdsl.ops.registry import Param, Refused
from kdsl.training import rates
from kdsl.training.registry import SCHEDULES, Schedule, schedule

__all__ = ["SCHEDULES", "Schedule"]

NO_TIME = (0.0, "steps")
OVER = "how long it goes down; what is left of the training after the warm-up where left out"


class Timed(Schedule):
    """A schedule by the number of steps, perhaps after a warm-up."""

    listed_last = ("warmup",)
    warmup = Param("time", "a straight line from 0 up to lr before it begins", NO_TIME, keras="warmup_steps")


@schedule("constant")
class Constant(Timed):
    """The optimizer's rate, after the warm-up.

    ```kmodel
    schedule = constant(warmup = 500 steps)
    ```
    Source: the linear warm-up of Goyal et al. 2017, arXiv 1706.02677.
    """

    keras = ("LinearWarmup", "warmup", "linear_warmup")
    torch = ("LinearLR", "ConstantLR")
    curve = staticmethod(rates.constant_rate)


@schedule("cosine")
class Cosine(Timed):
    """`lr * ((1 - alpha) * (1 + cos(pi * p)) / 2 + alpha)`, where p grows from 0 to 1 `over` a time; then `alpha * lr`.

    ```kmodel
    schedule = cosine(warmup = 5 epochs)
    ```
    Source: keras `CosineDecay`, with a warm-up from 0; Loshchilov and Hutter 2016, arXiv 1608.03983.
    """

    keras = ("CosineDecay", "cosine_decay")
    torch = ("CosineAnnealingLR",)
    over = Param("time", OVER, None, keras="decay_steps")
    alpha = Param("number", "share of lr that is left at the end", 0.0, low=0.0, high=1.0)
    curve = staticmethod(rates.cosine_rate)


@schedule("cosine_restarts")
class CosineRestarts(Timed):
    """`cosine` again and again: each time `t_mul` times as long, and from `m_mul` times as high.

    ```kmodel
    schedule = cosine_restarts(10 epochs)
    ```
    Source: keras `CosineDecayRestarts`; Loshchilov and Hutter 2016, arXiv 1608.03983.
    """

    keras = ("CosineDecayRestarts",)
    torch = ("CosineAnnealingWarmRestarts",)
    first = Param("time", "how long the first one takes", positional=True, keras="first_decay_steps")
    t_mul = Param("number", "factor of the length at each restart", 2.0, low=1.0)
    m_mul = Param("number", "factor of the height at each restart", 1.0, low=0.0)
    alpha = Param("number", "share of lr that is left at each end", 0.0, low=0.0, high=1.0)
    curve = staticmethod(rates.cosine_restarts_rate)


@schedule("step")
class Step(Timed):
    """`lr * factor ** n`: n is how often `every` has passed, or how many of the times `at` have.

    The new rate holds from the first step of that epoch on (Keras's `PiecewiseConstantDecay` changes one step later).

    ```kmodel
    schedule = step(at = [50 epochs, 75 epochs], factor = 0.1)
    ```
    Source: keras `ExponentialDecay(staircase=True)`; PyTorch `StepLR` and `MultiStepLR`.
    """

    keras = ("PiecewiseConstantDecay", "piecewise", "multistep")
    torch = ("StepLR", "MultiStepLR")
    every = Param("time", "after each such time", None, keras="step_size")
    at = Param("times", "at these times", None, keras="milestones")
    factor = Param("number", "what the rate is multiplied by", 0.1, low=0.0, keras="gamma")
    curve = staticmethod(rates.stepwise_rate)

    @classmethod
    def guard(cls, arguments: Mapping[str, Any]) -> None:
        both = arguments["every"] is not None and arguments["at"] is not None
        if both or (arguments["every"] is None and arguments["at"] is None):
            raise Refused(
                "E522",
                "`step` takes either `every` or `at`" + (", not both" if both else ""),
                argument="at" if both else None,
                help="`step(every = 30 epochs)`, or `step(at = [50 epochs, 75 epochs])`",
            )


class Periodic(Timed):
    every = Param("time", "the time that the factor is for", (1.0, "epochs"), keras="decay_steps")
    staircase = Param("bool", "change at the ends of periods only", False)


@schedule("exponential")
class Exponential(Periodic):
    """`lr * rate ** p`, where p counts the times `every`, fractions included.

    ```kmodel
    schedule = exponential(0.95, every = 1 epoch)
    ```
    Source: keras `ExponentialDecay`.
    """

    keras = ("ExponentialDecay", "exponential_decay")
    torch = ("ExponentialLR",)
    rate = Param("number", "what lr is multiplied by in each period", positional=True, low=0.0, keras="decay_rate")
    curve = staticmethod(rates.exponential_rate)


@schedule("inverse_time")
class InverseTime(Periodic):
    """`lr / (1 + decay * p)`, where p counts the times `every`, fractions included.

    ```kmodel
    schedule = inverse_time(0.5, every = 1 epoch)
    ```
    Source: keras `InverseTimeDecay`.
    """

    keras = ("InverseTimeDecay",)
    decay = Param("number", "growth of the divisor in each period", positional=True, low=0.0, keras="decay_rate")
    curve = staticmethod(rates.inverse_time_rate)


@schedule("polynomial")
class Polynomial(Timed):
    """`(lr - end) * (1 - p) ** power + end`, where p grows from 0 to 1 `over` a time.

    ```kmodel
    schedule = polynomial(end = 1e-5)
    ```
    Source: keras `PolynomialDecay`.
    """

    keras = ("PolynomialDecay",)
    torch = ("PolynomialLR",)
    end = Param("number", "the rate at the end", 1e-4, low=0.0, keras="end_learning_rate")
    power = Param("number", "1 for a straight line", 1.0, low=0.0)
    over = Param("time", OVER, None, keras="decay_steps")
    curve = staticmethod(rates.polynomial_rate)


@schedule("plateau")
class Plateau(Schedule):
    """`lr * factor`, again and again: each time a watched number has found no new best for `patience`.

    It looks at the ends of epochs. `min_delta` is what a new best must differ by, after `cooldown` waiting starts again.

    ```kmodel
    schedule = plateau(patience = 5 epochs)
    ```
    Source: keras `ReduceLROnPlateau`.
    """

    keras = ("ReduceLROnPlateau", "reduce_lr_on_plateau")
    torch = ("ReduceLROnPlateau",)
    watches = True
    on = Param(
        "word", "the loss or a metric; with `val_` before it, that of the validation data", "val_loss", keras="monitor"
    )
    factor = Param("number", "what the rate is multiplied by", 0.1, low=0.0, high=1.0, open="high")
    patience = Param("time", "how long to wait for a new best", (10.0, "epochs"))
    min_delta = Param("number", "what a new best must differ by", 1e-4, low=0.0)
    cooldown = Param("time", "how long not to look after a change", (0.0, "epochs"))
    min_lr = Param("number", "the rate is never made smaller than this", 0.0, low=0.0)
    curve = staticmethod(rates.plateau_rate)

    @classmethod
    def guard(cls, arguments: Mapping[str, Any]) -> None:
        for name in ("patience", "cooldown"):
            amount, unit = arguments[name]
            if unit != "epochs" and amount:
                raise Refused(
                    "E522",
                    f"`plateau` looks at the ends of epochs, so its {name} is in epochs",
                    argument=name,
                    help=f"for instance `{name} = 5 epochs`",
                )
