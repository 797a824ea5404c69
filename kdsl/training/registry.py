"""What a loss, a metric, an optimizer and an initializer must say about themselves. Incomplete means an error at import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from kdsl.graph.graph import Attribute
from kdsl.graph.types import TensorType
from kdsl.ops.registry import EXAMPLE, Declared, Param, declare
from kdsl.registry import DefinitionError, Registry
from kdsl.training.rule import Rule

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

C = TypeVar("C", bound=type)


class Compared(Declared):
    """A prediction compared with a target: one number, the mean over the batch and every axis that is left."""

    keras: ClassVar[tuple[str, ...]] = ()
    torch: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], prediction: TensorType, target: TensorType) -> None:
        """Raises Refused where they cannot be compared; asked before `lower`."""
        raise NotImplementedError

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], prediction: str, target: str) -> str:
        """Adds the ops -> the scalar's name."""
        raise NotImplementedError


class Loss(Compared):
    """What training minimises."""


class Metric(Compared):
    """What training reports. `rises`: larger is better."""

    rises: ClassVar[bool] = False


class Optimizer(Declared):
    """How weights follow their gradients; Keras's order: clip, then decay the weights, then the optimizer's rule."""

    keras: ClassVar[tuple[str, ...]] = ()
    torch: ClassVar[tuple[str, ...]] = ()
    listed_last: ClassVar[tuple[str, ...]] = ()  # parameters that follow the optimizer's own

    @classmethod
    def guard(cls, arguments: Mapping[str, Any]) -> None:
        """Raises Refused where the arguments contradict each other."""
        raise NotImplementedError

    @classmethod
    def numbers(cls, arguments: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        """(name, value) pairs that the compiled step takes at run time, in order of declaration."""
        raise NotImplementedError

    @classmethod
    def flags(cls, arguments: Mapping[str, Any]) -> tuple[tuple[str, Attribute], ...]:
        """(name, value) pairs that are compiled in."""
        raise NotImplementedError

    @classmethod
    def rule(cls, flags: Mapping[str, Attribute]) -> Rule:
        """The update that these flags choose."""
        raise NotImplementedError

    @classmethod
    def slots(cls, flags: Mapping[str, Attribute]) -> tuple[str, ...]:
        """Names of the arrays kept for every weight, each of the weight's shape and zero at first."""
        return cls.rule(flags).slots


class Schedule(Declared):
    """How the learning rate changes while a model trains.

    curve    (lr, step, total, **arguments) -> the rates of many steps, in NumPy; times are in steps. Of one that
             `watches`: (lr, memory, min_lr) -> the rate, whatever the step
    watches  it looks at a number at the end of each epoch, its argument `on`
    """

    keras: ClassVar[tuple[str, ...]] = ()
    torch: ClassVar[tuple[str, ...]] = ()
    listed_last: ClassVar[tuple[str, ...]] = ()
    watches: ClassVar[bool] = False
    curve: ClassVar[Callable[..., Any]]

    @classmethod
    def guard(cls, arguments: Mapping[str, Any]) -> None:
        """Raises Refused where the arguments contradict each other."""


class Regularizer(Declared):
    """What is added to the loss for a weight."""

    keras: ClassVar[tuple[str, ...]] = ()
    torch: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], type: TensorType) -> None:
        """Raises Refused where a weight of this type cannot be regularised so."""

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], weight: str) -> str:
        """Adds the ops -> the scalar's name."""
        raise NotImplementedError


class Augmentation(Declared):
    """A random change of a training image. One that `mixes` makes of each sample a mixture with another, targets included."""

    keras: ClassVar[tuple[str, ...]] = ()
    torch: ClassVar[tuple[str, ...]] = ()
    mixes: ClassVar[bool] = False

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        """Adds the ops -> the changed image. `limit` is the largest value a pixel can have, 0 where there is none.

        Of one that mixes: -> the share of each sample that stays."""
        raise NotImplementedError


class Initializer(Declared):
    """First values of a weight. `draw(shape, rng, **settings)` gives them in float64."""

    keras: ClassVar[tuple[str, ...]] = ()
    torch: ClassVar[tuple[str, ...]] = ()
    draw: ClassVar[Callable[..., Any]]
    helpers: ClassVar[tuple[Callable[..., Any], ...]] = ()  # functions that `draw` calls, in order of definition


def _named(noun: str, module: str, names: str) -> Registry[Any]:
    return Registry(noun, "kdsl.training", {module: names})


LOSSES: Registry[type[Loss]] = _named("loss", "losses", "cross_entropy binary_cross_entropy mse mae huber")
METRICS: Registry[type[Metric]] = _named("metric", "metrics", "accuracy top_k mse mae")
OPTIMIZERS: Registry[type[Optimizer]] = _named("optimizer", "optimizers", "sgd rmsprop adam adamw")
INITIALIZERS: Registry[type[Initializer]] = _named(
    "initializer",
    "initializers",
    "zeros ones constant uniform normal truncated_normal glorot_uniform glorot_normal he_uniform he_normal "
    "lecun_uniform lecun_normal orthogonal variance_scaling",
)
SCHEDULES: Registry[type[Schedule]] = _named(
    "schedule",
    "schedules",
    "constant cosine cosine_restarts step exponential inverse_time polynomial plateau",
)
REGULARIZERS: Registry[type[Regularizer]] = _named("regularizer", "regularizers", "l2 l1 l1_l2 orthogonal")
AUGMENTATIONS: Registry[type[Augmentation]] = _named(
    "augmentation",
    "augmentations",
    "flip_horizontal flip_vertical pad_crop shift rotate zoom contrast brightness cutout mixup",
)


def loss(name: str) -> Callable[[C], C]:
    return _registering(name, ("guard", "lower"), Loss, LOSSES)


def metric(name: str) -> Callable[[C], C]:
    return _registering(name, ("guard", "lower"), Metric, METRICS)


def optimizer(name: str) -> Callable[[C], C]:
    return _registering(name, ("guard", "numbers", "flags", "rule"), Optimizer, OPTIMIZERS)


def initializer(name: str) -> Callable[[C], C]:
    return _registering(name, ("draw",), Initializer, INITIALIZERS)


def schedule(name: str) -> Callable[[C], C]:
    return _registering(name, ("curve",), Schedule, SCHEDULES)


def regularizer(name: str) -> Callable[[C], C]:
    return _registering(name, ("lower",), Regularizer, REGULARIZERS)


def augmentation(name: str) -> Callable[[C], C]:
    return _registering(name, (), Augmentation, AUGMENTATIONS)


def _registering(name: str, wanted: tuple[str, ...], root: type, registry: Registry[Any]) -> Callable[[C], C]:
    """A class decorator that refuses what is incomplete: docstring, example, methods, texts of parameters."""

    def register(cls: C) -> C:
        own = [base for base in cls.__mro__ if base not in (*root.__mro__, object)]
        missing = [what for what in wanted if not any(what in vars(base) for base in own)]
        if EXAMPLE not in (cls.__doc__ or ""):
            missing.insert(0, "example (a ```kmodel block in the docstring)")
        if not (cls.__doc__ or "").strip():
            missing.insert(0, "docstring")
        if missing:
            raise DefinitionError(f"the {registry.noun} `{name}` has no {', '.join(missing)}")
        declare(cls, name)
        last = getattr(cls, "listed_last", ())
        cls.parameters = dict(sorted(cls.parameters.items(), key=lambda item: item[0] in last))  # type: ignore[attr-defined]
        registry.add(name, cls)
        return cls

    return register


__all__ = [
    "AUGMENTATIONS",
    "INITIALIZERS",
    "LOSSES",
    "METRICS",
    "OPTIMIZERS",
    "REGULARIZERS",
    "SCHEDULES",
    "Augmentation",
    "Compared",
    "Initializer",
    "Loss",
    "Metric",
    "Optimizer",
    "Param",
    "Regularizer",
    "Rule",
    "Schedule",
    "augmentation",
    "initializer",
    "loss",
    "metric",
    "optimizer",
    "regularizer",
    "schedule",
]
