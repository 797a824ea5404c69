"""What an op and a layer must say about themselves. Whatever is incomplete is an error when it is defined.

An **op** is one node kind of the graph: type rule, NumPy reference, gradient, cost. A **layer** is what a user writes
after an arrow (or calls): parameters, weights, guards, and how it lowers to ops. A simple function such as `relu` is both,
under one name and in one class (`kdsl.ops.activation`).

Losses, metrics, optimizers and initializers (`kdsl.training`) declare their parameters in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops import names
from kdsl.records import dataclass
from kdsl.registry import DefinitionError, Registry

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

Kind = Literal[
    "size",
    "int",
    "number",
    "numbers",
    "bool",
    "word",
    "shape",
    "axis",
    "axes",
    "ints",
    "sizes",
    "pairs",
    "text",
    "initializer",
    "time",
    "times",
]
REQUIRED: Any = ...
EXAMPLE = "```kmodel\n"  # what an example begins with, in a docstring
C = TypeVar("C", bound=type)


class Refused(Exception):
    """A guard's verdict on a user's call; the elaborator turns it into a diagnostic with places.

    code      of the catalogue, e.g. "E401"
    message   one sentence: what is, and what was wanted
    label     short text beside the marked place
    argument  name of the argument to mark; None marks the layer's name
    help      what to write instead
    insert    text to put before the step (`flatten -> `), as an edit, where that mends it

    `{0}` and `{1}` in the texts stand for the inputs as the user calls them; `named` fills them in.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        label: str = "",
        argument: str | None = None,
        help: str = "",
        insert: str = "",
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.label = code, message, label
        self.argument, self.help, self.insert = argument, help, insert

    def named(self, *names: str) -> Refused:
        """The same verdict with the inputs called by name: `named("logits", "label")`."""

        def filled(text: str) -> str:
            for number, name in enumerate(names):
                text = text.replace(f"{{{number}}}", f"`{name}`")
            return text

        return Refused(
            self.code,
            filled(self.message),
            label=filled(self.label),
            argument=self.argument,
            help=filled(self.help),
            insert=self.insert,
        )


@dataclass(frozen=True)
class Param:
    """One parameter of a layer, loss, optimizer ...

    kind      size: a whole number >= 1.  int.  number: a float.  numbers: a float, or a list of floats (as a tuple).
              bool.  word: one of `words`.  shape: a list of sizes, one of them may be -1.  axis: an int, negative from
              the end.  axes: one or a list of them, as a tuple; None for all axes but the batch.  ints: a list of whole
              numbers, as a tuple.  sizes: a size, or a list of them, as a tuple.  pairs: a list of [before, after], or
              one of them, or one number for all.  text: quoted text.  initializer: a word or call of
              `kdsl.training.initializers`, as (name, settings).
              time: (amount, "epochs" | "steps").  times: a list of them.
    positional  the one argument that may be given without a name
    low, high   bounds; `open` names those that are excluded: "", "low", "high", "both"
    keras       what Keras calls it, where that differs
    optional    the default None means "not used"
    """

    kind: Kind
    doc: str
    default: Any = REQUIRED
    positional: bool = False
    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    open: Literal["", "low", "high", "both"] = ""
    keras: str | None = None

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


@dataclass(frozen=True)
class WeightSpec:
    """A weight a layer makes: last part of its name (Keras's), shape, initializer (name, settings)."""

    name: str
    shape: tuple[int, ...]
    initializer: tuple[str, tuple[tuple[str, Attribute], ...]]
    trainable: bool = True


@dataclass(frozen=True)
class Cost:
    """Of one sample: floating-point operations, and elements read and written."""

    flops: int
    elements: int = 0


class Declared:
    """Shared by everything with parameters: `parameters` maps name -> Param in order of declaration."""

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, Param]] = {}

    @classmethod
    def example(cls) -> str:
        """The kdsl text in the docstring's ```kmodel block."""
        from inspect import getdoc  # slow to import, and needed only where examples are shown

        text = getdoc(cls) or ""
        return text.split(EXAMPLE, 1)[1].split("```", 1)[0].strip() if EXAMPLE in text else ""


class Op(Declared):
    """A node kind. `attributes` of a node are keyword arguments of its reference, its inputs the positional ones.

    elementwise  one output element depends on the same element of each input (after broadcasting)
    backward     made by differentiation only
    run_time     keywords of the reference that no attribute gives: `seed` and `step` of random ops, `dtype` (the module's
                 scalar type) of `cast`, and `batched`, whether the value has a batch axis
    """

    differentiable: ClassVar[bool] = True
    elementwise: ClassVar[bool] = False
    backward: ClassVar[bool] = False
    run_time: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        """The result's type; raises Refused or ValueError where the inputs do not fit."""
        raise NotImplementedError

    reference: ClassVar[Callable[..., Any]]
    """(arrays..., *, attributes...) -> array, in NumPy. Batched values have the batch as axis 0."""

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        """One value per input: the loss's gradient for it, or None. `upstream` is the gradient of the node's value."""
        raise NotImplementedError

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(result.size, sum(t.size for t in types) + result.size)


class Layer(Declared):
    """What a user writes. `arity` is the number of inputs: (fewest, most); most None for any number.

    function  a plain function of tensors, such as `exp`: called inside an expression it is no row of `summary`
    listed    the inputs may be given as one list: `concat([a, b])`
    scalars   plain numbers may stand among the inputs: `maximum(x, 0)`
    samples   it works on the samples of a batch: what is one value for all of them, such as a weight, is refused
    """

    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    function: ClassVar[bool] = False
    listed: ClassVar[bool] = False
    scalars: ClassVar[bool] = False
    samples: ClassVar[bool] = False
    keras: ClassVar[tuple[str, ...]] = ()  # what Keras calls it
    torch: ClassVar[tuple[str, ...]] = ()  # what PyTorch calls it

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        return ()

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        """Raises Refused where the inputs or arguments do not fit; asked before `weights` and `lower`."""

    @staticmethod
    def lower(
        build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str | tuple[str, ...]:
        """Adds the layer's ops -> the value's name, or names of several. `weights` maps WeightSpec.name -> value."""
        raise NotImplementedError


OPS: Registry[type[Op]] = Registry("op", "kdsl.ops", names.OPS)
LAYERS: Registry[type[Layer]] = Registry("layer", "kdsl.ops", names.LAYERS)


def op(name: str) -> Callable[[C], C]:
    """Registers an op. Refused at import: no docstring, no type rule, no reference, no gradient (where differentiable)."""

    def register(cls: C) -> C:
        missing = [what for what in ("infer", "reference") if not _defines(cls, what, Op)]
        if cls.__dict__.get("differentiable", getattr(cls, "differentiable", True)) and not _defines(
            cls, "gradient", Op
        ):
            missing.append("gradient")
        _complete(cls, name, "op", missing)
        cls.name = name  # type: ignore[attr-defined]
        OPS.add(name, cls)
        return cls

    return register


def layer(name: str) -> Callable[[C], C]:
    """Registers a layer. Refused at import: no docstring, no example, a parameter without a text, no lowering."""

    def register(cls: C) -> C:
        missing = [] if _defines(cls, "lower", Layer) else ["lower"]
        if EXAMPLE not in (cls.__doc__ or ""):
            missing.append("example (a ```kmodel block in the docstring)")
        _complete(cls, name, "layer", missing)
        declare(cls, name)
        LAYERS.add(name, cls)
        return cls

    return register


def declare(cls: Any, name: str) -> None:
    """Collects the class attributes that are Params, in order, inherited ones first."""
    found: dict[str, Param] = {}
    for base in reversed(cls.__mro__):
        found |= {key: value for key, value in vars(base).items() if isinstance(value, Param)}
    undocumented = [key for key, value in found.items() if not value.doc]
    if undocumented:
        raise DefinitionError(f"{name}: no text for {', '.join(undocumented)}")
    if sum(p.positional for p in found.values()) > 1:
        raise DefinitionError(f"{name}: more than one positional argument")
    cls.name, cls.parameters = name, found


def _defines(cls: Any, attribute: str, root: type) -> bool:
    return any(attribute in vars(base) for base in cls.__mro__ if base not in (root, Declared, object))


def _complete(cls: Any, name: str, noun: str, missing: list[str]) -> None:
    if not (cls.__doc__ or "").strip():
        missing.insert(0, "docstring")
    if missing:
        raise DefinitionError(f"the {noun} `{name}` has no {', '.join(missing)}")
