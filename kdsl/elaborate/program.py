"""What elaboration hands on: for every model its graph, and all that is known about it besides."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.graph.graph import Attribute, Graph
from kdsl.graph.types import TensorType
from kdsl.records import dataclass
from kdsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Port:
    """An input or a target, as declared."""

    name: str
    type: TensorType
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class WeightRecord:
    """A weight: its path (`logits.dense.kernel`), shape, and (initializer, settings)."""

    name: str
    shape: tuple[int, ...]
    initializer: tuple[str, tuple[tuple[str, Attribute], ...]]
    trainable: bool
    span: Span


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """One layer as written: a row of `summary`, a node of the data-flow graph.

    path     `logits.dense_2`
    layer    `dense`
    text     the call, reprinted with the values it was elaborated with: `dense(128)`
    inputs   values it reads, `value` the one it makes (names in the graph)
    weights  names of the weights it made
    """

    path: str
    layer: str
    text: str
    inputs: tuple[str, ...]
    value: str
    type: TensorType
    weights: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call of a block: a group of layers. What lies inside has a path that begins with its own.

    path     `logits.Residual.0`
    block    `Residual`
    text     the call, reprinted with the values it was elaborated with: `Residual(32, stride = 2)`
    sizes    size variables that the call bound: (("H", 32), ("W", 32), ("C", 16))
    inputs   values it reads, `values` the ones it makes (names in the graph), `types` their types
    doc      the block's doc comment
    """

    path: str
    block: str
    text: str
    sizes: tuple[tuple[str, int], ...]
    inputs: tuple[str, ...]
    values: tuple[str, ...]
    types: tuple[TensorType, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Optimizer:
    """`numbers` are run-time arguments of the compiled step, in their declared order; `flags` are compiled in.

    numbers  (("lr", 0.001), ("beta1", 0.9), ...), clipping and weight decay included where set
    flags    (("nesterov", True), ("clip", "norm"), ...)
    """

    name: str
    numbers: tuple[tuple[str, float], ...]
    flags: tuple[tuple[str, Attribute], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the learning rate changes. A time among the settings is (amount, "epochs" | "steps").

    text     the call, reprinted: `cosine(warmup = 5 epochs)`
    watches  the number that it looks at when an epoch ends, as the history calls it; empty where it looks at none
    rises    larger numbers of it are better
    """

    name: str
    text: str
    settings: tuple[tuple[str, Attribute], ...]
    span: Span
    watches: str = ""
    rises: bool = False

    @property
    def numbers(self) -> dict[str, float]:
        """What can be set at run time; times are amounts of their unit."""
        amounts = {name: value[0] if isinstance(value, tuple) and value else value for name, value in self.settings}
        return {name: value for name, value in amounts.items() if isinstance(value, float)}


@dataclass(frozen=True, slots=True)
class Tuned:
    """A weight with settings of its own: what the learning rate is multiplied by, and its decay, None for the optimizer's."""

    weight: str
    lr_scale: float = 1.0
    weight_decay: float | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """The `train` block. `loss` is its expression reprinted, with what regularizers add; `tuned` the weights that have
    settings of their own."""

    loss: str
    optimizer: Optimizer
    batch: int
    epochs: int
    seed: int
    validation_split: float
    span: Span
    schedule: Schedule | None = None
    tuned: tuple[Tuned, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelProgram:
    """One model. `graph` is the forward graph with loss and metrics, before differentiation.

    `parameters` are the model's parameters with the values they were elaborated with; `calls` the blocks called, the
    outer ones first.
    """

    name: str
    doc: str
    parameters: tuple[tuple[str, Attribute], ...]
    inputs: tuple[Port, ...]
    targets: tuple[Port, ...]
    outputs: tuple[tuple[str, TensorType], ...]
    weights: tuple[WeightRecord, ...]
    layers: tuple[LayerRecord, ...]
    graph: Graph
    training: Training | None
    span: Span
    calls: tuple[CallRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Elaborated:
    """A whole file: its models in the order written, and what was found wrong. With errors `models` may be incomplete.

    `imported` are the texts of the files it imports, directly or through others, by their names.
    """

    source: Source
    models: tuple[ModelProgram, ...]
    diagnostics: tuple[Diagnostic, ...]
    imported: tuple[Source, ...] = ()
