"""Optimizers, with Keras's defaults and Keras's order: clip the gradients, decay the weights, then the rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kdsl.graph.graph import Attribute
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Param, Refused
from kdsl.training import updates
from kdsl.training.registry import OPTIMIZERS, Optimizer, Rule, optimizer

__all__ = ["OPTIMIZERS", "Optimizer", "apply", "clipped"]

CLIPPINGS = {"clip_norm": "norm", "global_clip_norm": "global_norm", "clip_value": "value"}
DECAY_DOC = "share of every weight, times the rate, that is taken off in every step; none if left out"


class Common(Optimizer):
    """Clipping and decay, which every optimizer has."""

    listed_last = ("weight_decay", *CLIPPINGS)
    weight_decay = Param("number", DECAY_DOC, None, low=0.0)
    clip_norm = Param("number", "longest gradient of one weight array", None, low=0.0, open="low", keras="clipnorm")
    global_clip_norm = Param(
        "number", "longest gradient of all weights together", None, low=0.0, open="low", keras="global_clipnorm"
    )
    clip_value = Param(
        "number", "largest size of one element of a gradient", None, low=0.0, open="low", keras="clipvalue"
    )

    @classmethod
    def guard(cls, arguments: Mapping[str, Any]) -> None:
        given = [name for name in CLIPPINGS if arguments[name] is not None]
        if len(given) > 1:
            raise Refused(
                "E514",
                f"`{cls.name}` can clip gradients in one way only, not by {' and '.join(f'`{g}`' for g in given)}",
                argument=given[1],
                help=f"keep one: `{given[0]} = {arguments[given[0]]}`",
            )

    @classmethod
    def flags(cls, arguments: Mapping[str, Any]) -> tuple[tuple[str, Attribute], ...]:
        clip = next((kind for name, kind in CLIPPINGS.items() if arguments[name] is not None), None)
        found: list[tuple[str, Attribute]] = [] if clip is None else [("clip", clip)]
        if arguments["weight_decay"] is not None:
            found.append(("weight_decay", True))
        found += [(name, True) for name in cls.chosen(arguments)]
        return tuple(found)

    @classmethod
    def chosen(cls, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        """The optimizer's own flags that are on."""
        return ()

    @classmethod
    def numbers(cls, arguments: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        used = {*cls.rule(dict(cls.flags(arguments))).numbers, "weight_decay", *CLIPPINGS}
        return tuple(
            (name, float(arguments[name])) for name in cls.parameters if name in used and arguments[name] is not None
        )


@optimizer("sgd")
class Sgd(Common):
    """`w -= lr * g`; with momentum `m = momentum * m - lr * g`, `w += m`; with nesterov `w += momentum * m - lr * g`.

    ```kmodel
    optimizer = sgd(lr = 0.1, momentum = 0.9, nesterov = true)
    ```
    Source: keras/src/optimizers/sgd.py.
    """

    keras = ("SGD",)
    torch = ("SGD",)
    lr = Param("number", "learning rate", 0.01, low=0.0, keras="learning_rate")
    momentum = Param("number", "share of the last step that is made again", 0.0, low=0.0, high=1.0)
    nesterov = Param("bool", "look ahead by the momentum", False)

    @classmethod
    def chosen(cls, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        if not arguments["momentum"]:
            return ()  # without momentum there is nothing to look ahead by
        return ("momentum", "nesterov") if arguments["nesterov"] else ("momentum",)

    @classmethod
    def rule(cls, flags: Mapping[str, Attribute]) -> Rule:
        if not flags.get("momentum"):
            return updates.SGD
        return updates.SGD_NESTEROV if flags.get("nesterov") else updates.SGD_MOMENTUM


@optimizer("rmsprop")
class Rmsprop(Common):
    """`v = rho * v + (1 - rho) * g ** 2`, `w -= lr * g / sqrt(v + epsilon)`.

    With momentum `m = momentum * m + lr * g / sqrt(v + epsilon)`, `w -= m`. Centered, the square of a running mean of
    the gradients is taken off v under the root.

    ```kmodel
    optimizer = rmsprop(lr = 1e-3, rho = 0.9)
    ```
    Source: keras/src/optimizers/rmsprop.py.
    """

    keras = ("RMSprop",)
    torch = ("RMSprop",)
    lr = Param("number", "learning rate", 1e-3, low=0.0, keras="learning_rate")
    rho = Param("number", "share of the running means that is kept", 0.9, low=0.0, high=1.0)
    momentum = Param("number", "share of the last step that is made again", 0.0, low=0.0, high=1.0)
    epsilon = Param("number", "keeps the divisor from 0; under the root", 1e-7, low=0.0)
    centered = Param("bool", "divide by the deviation of the gradients instead of their size", False)

    @classmethod
    def chosen(cls, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(name for name in ("momentum", "centered") if arguments[name])

    @classmethod
    def rule(cls, flags: Mapping[str, Attribute]) -> Rule:
        if flags.get("centered"):
            return updates.RMSPROP_CENTERED_MOMENTUM if flags.get("momentum") else updates.RMSPROP_CENTERED
        return updates.RMSPROP_MOMENTUM if flags.get("momentum") else updates.RMSPROP


class AdamFamily(Common):
    lr = Param("number", "learning rate", 1e-3, low=0.0, keras="learning_rate")
    beta1 = Param(
        "number", "share of the mean gradient that is kept", 0.9, low=0.0, high=1.0, open="high", keras="beta_1"
    )
    beta2 = Param(
        "number", "share of the mean square that is kept", 0.999, low=0.0, high=1.0, open="high", keras="beta_2"
    )
    epsilon = Param("number", "keeps the divisor from 0; outside of the root", 1e-7, low=0.0)
    amsgrad = Param("bool", "divide by the largest mean square so far", False)

    @classmethod
    def chosen(cls, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        return ("amsgrad",) if arguments["amsgrad"] else ()

    @classmethod
    def rule(cls, flags: Mapping[str, Attribute]) -> Rule:
        return updates.ADAM_AMSGRAD if flags.get("amsgrad") else updates.ADAM


@optimizer("adam")
class Adam(AdamFamily):
    """`m += (g - m) * (1 - beta1)`, `v += (g ** 2 - v) * (1 - beta2)`, `w -= alpha * m / (sqrt(v) + epsilon)`.

    In step t = 1, 2, ... `alpha = lr * sqrt(1 - beta2 ** t) / (1 - beta1 ** t)`; epsilon is not corrected, as in Keras.

    ```kmodel
    optimizer = adam(lr = 1e-3)
    ```
    Source: keras/src/optimizers/adam.py; Kingma and Ba 2014, arXiv 1412.6980.
    """

    keras = ("Adam",)
    torch = ("Adam",)


@optimizer("adamw")
class AdamW(AdamFamily):
    """Adam after `w -= lr * weight_decay * w`: the decay does not pass through the running means.

    ```kmodel
    optimizer = adamw(lr = 1e-3, weight_decay = 0.01)
    ```
    Source: keras/src/optimizers/adamw.py; Loshchilov and Hutter 2017, arXiv 1711.05101.
    """

    keras = ("AdamW",)
    torch = ("AdamW",)
    weight_decay = Param("number", DECAY_DOC, 0.004, low=0.0)


# -- one whole step, in NumPy -----------------------------------------------------------------------


def clipped(gradients: dict[str, Array], clip: str, limit: float) -> dict[str, Array]:
    """The gradients of all weights, shortened as `clip` says: "norm", "global_norm" or "value"."""
    if clip == "value":
        return {name: np.minimum(np.maximum(g, -limit), limit) for name, g in gradients.items()}
    squares = {name: float((g * g).sum()) for name, g in gradients.items()}
    if clip == "global_norm":
        total = sum(squares.values())
        squares = dict.fromkeys(squares, total)
    return {name: g * (limit / float(np.maximum(squares[name] ** 0.5, limit))) for name, g in gradients.items()}


def apply(
    name: str,
    numbers: Mapping[str, float],
    flags: Mapping[str, Attribute],
    step: int,
    weights: Mapping[str, Array],
    gradients: Mapping[str, Array],
    slots: Mapping[str, Mapping[str, Array]],
) -> tuple[dict[str, Array], dict[str, dict[str, Array]]]:
    """One step (counted from 0) on the weights that have a gradient -> (weights, slots by name, then by weight)."""
    rule = OPTIMIZERS[name].rule(flags)
    found = dict(gradients)
    for number, kind in CLIPPINGS.items():
        if flags.get("clip") == kind:
            found = clipped(found, kind, numbers[number])
    coefficients = rule.at(step, numbers)
    new_weights, new_slots = dict(weights), {slot: dict(slots[slot]) for slot in rule.slots}
    for key, gradient in found.items():
        weight = weights[key]
        if flags.get("weight_decay"):
            weight = weight - weight * (numbers["weight_decay"] * numbers["lr"])
        weight, *kept = rule.update(weight, gradient, *(slots[slot][key] for slot in rule.slots), *coefficients)
        new_weights[key] = weight
        for slot, value in zip(rule.slots, kept, strict=True):
            new_slots[slot][key] = value
    return new_weights, new_slots
