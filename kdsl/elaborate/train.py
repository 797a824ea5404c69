"""The `train` block: every setting read, the loss and the metrics added to the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate import foreign
from kdsl.elaborate.augment import Change, augment
from kdsl.elaborate.context import MOST_BYTES, Context
from kdsl.elaborate.convert import FAILED, convert
from kdsl.elaborate.not_yet import SETTINGS as LATER
from kdsl.elaborate.not_yet import not_yet
from kdsl.elaborate.objective import Objective, Reported, loss_of, metrics_of
from kdsl.elaborate.optimizers import optimizer_of
from kdsl.elaborate.program import Optimizer, Port, Schedule, Training
from kdsl.elaborate.regularize import regularized
from kdsl.elaborate.schedules import schedule_of
from kdsl.elaborate.scope import Bound, Tensor
from kdsl.elaborate.sizes import in_bytes
from kdsl.elaborate.tune import tune
from kdsl.elaborate.words import listed, short
from kdsl.graph.graph import Graph
from kdsl.ops.registry import Param
from kdsl.records import dataclass, field
from kdsl.source import Span
from kdsl.syntax import tree

NUMBERS = {
    "batch": Param("size", "samples in one step", 32, keras="batch_size"),
    "epochs": Param("size", "passes over the data", 1),
    "seed": Param("int", "of first weights, shuffling and dropout", 0, low=0, high=2**32 - 1),
    "validation_split": Param(
        "number", "share of the data, its tail, kept for validation", 0.0, low=0.0, high=1.0, open="high"
    ),
}
SETTINGS = ("loss", "metrics", "optimizer", "schedule", "regularize", "augment", *NUMBERS)
ORDER = ("loss", "metrics")  # read first, in this order: others refer to them
OF_FIT = frozenset(["shuffle", "verbose", "validation_data", "callbacks", "initial_epoch", "x", "y"])


@dataclass
class Trained:
    """What a `train` block adds to a model."""

    training: Training
    loss: str
    at: Span  # of the loss
    metrics: tuple[tuple[str, str], ...] = ()
    changes: tuple[Change, ...] = ()  # of the image


@dataclass
class Block:
    """The block while it is read: `places` are the settings seen so far."""

    train: tree.Train
    places: dict[str, Span] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=lambda: {key: value.default for key, value in NUMBERS.items()})
    loss: Objective | None = None
    metrics: list[Reported] = field(default_factory=list)
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    changes: tuple[Change, ...] = ()
    groups: list[tree.Group] = field(default_factory=list)  # `tune` blocks


def elaborate_train(context: Context, train: tree.Train, targets: Sequence[Port]) -> Trained | None:
    """None where something is wrong, which has been reported."""
    block = Block(train)
    settings = [setting for statement in train.body for setting in setting_of(context, block, statement)]
    first = {name: place for place, name in enumerate(ORDER)}
    for name, value in sorted(settings, key=lambda pair: first.get(pair[0], len(ORDER))):
        if name != "regularize":
            read_setting(context, block, name, value)
    tuned = tune(context, block.groups)
    loss = "" if block.loss is None or not has_gradient(context, block.loss) else block.loss.value
    texts: tuple[str, ...] = ()
    for value in [value for name, value in settings if name == "regularize" and loss]:
        loss, texts = regularized(context, value, loss)
    damaged = any(isinstance(statement, tree.Broken) for statement in train.body)
    if "loss" not in block.places and not damaged:
        missing_loss(context, train, targets)
    if "optimizer" not in block.places:
        block.optimizer = optimizer_of(context, None, train.head)
    if block.loss is None or block.optimizer is None or not loss or damaged:
        return None
    if not fits_in_memory(context, block):
        return None
    numbers = block.numbers
    training = Training(
        " + ".join([block.loss.text, *texts]),
        block.optimizer,
        numbers["batch"],
        numbers["epochs"],
        numbers["seed"],
        numbers["validation_split"],
        train.span,
        block.schedule,
        tuned,
    )
    metrics = (*block.loss.parts, *((each.name, each.value) for each in block.metrics))
    return Trained(training, loss, block.loss.span, metrics, block.changes)


def read_setting(context: Context, block: Block, name: str, value: tree.Value) -> None:
    if name == "loss":
        block.loss = loss_of(context, value)
    elif name == "metrics":
        block.metrics += metrics_of(context, value, block.loss)
    elif name == "optimizer":
        block.optimizer = optimizer_of(context, value, value.span)
    elif name == "schedule":
        block.schedule = schedule_of(context, value, watched(block))
    elif name == "augment":
        block.changes = augment(context, value, block.places[name])
    else:
        number = convert(context, "train", name, NUMBERS[name], value)
        if number is not FAILED:
            block.numbers[name] = number


def watched(block: Block) -> dict[str, bool]:
    """The numbers that an epoch gives, of the training and the validation data, and whether larger ones are better."""
    parts = block.loss.parts if block.loss is not None else []
    own = {"loss": False, **{name: False for name, _ in parts}, **{each.name: each.rises for each in block.metrics}}
    return {**{f"val_{name}": rises for name, rises in own.items()}, **own}


def has_gradient(context: Context, loss: Objective) -> bool:
    """Whether the loss reads the data, and every trainable weight that it depends on has a way back from it."""
    from kdsl.passes.dead_code import reached
    from kdsl.passes.differentiate import stops

    assert context.work is not None
    graph = Graph("train", tuple(context.work.build.nodes), loss=loss.value)
    if not any(graph[name].type.batched for name in reached(graph)):
        context.report.error(
            "E433",
            "the loss is made of weights and numbers alone, so no sample has a part in it",
            loss.span,
            help="it compares what the model says of a sample with a target; `regularize` adds what keeps weights small",
        )
        return False
    found = stops(graph)
    blocking = [stop for stop in found if stop.node.op != "stop_gradient"]
    for stop in blocking[:1]:
        context.report.error(
            "E432",
            f"no gradient comes through `{stop.node.op}`, so the loss cannot train `{stop.weight}`",
            stop.node.origin[0],
            help="what counts, rounds or compares has no slope: it can be a metric, not the way from a weight to the loss",
        )
    return not blocking


# -- which setting -----------------------------------------------------------------------------------


def setting_of(context: Context, block: Block, statement: tree.Statement) -> list[tuple[str, tree.Value]]:
    """The setting a statement sets, even if it is misspelt; none where there is none or it came before."""
    if isinstance(statement, tree.Group):
        if statement.name.text == "tune":
            block.groups.append(statement)
        else:
            name_setting(context, statement.name, None)
        return []
    if not isinstance(statement, tree.Let):
        return []
    if len(statement.names) > 1:
        names = statement.names
        context.report.error(
            "E505",
            "a setting has one name",
            names[0].span.to(names[-1].span),
            help=f"write {' and '.join(f'`{n.text} = ...`' for n in names)} in lines of their own",
        )
        return []
    written = statement.names[0]
    name = name_setting(context, written, statement.value)
    if not name:
        return []
    if name in block.places:
        context.report.error(
            "E506",
            f"`{name}` is set twice",
            written.span,
            secondary=[Label(block.places[name], "set here")],
            help="keep one",
        )
        return []
    block.places[name] = written.span
    return [(name, statement.value)]


def name_setting(context: Context, written: tree.Name, value: tree.Value | None) -> str:
    """The setting meant; an unknown one is reported. Empty where it is none of ours."""
    name = written.text
    if name in SETTINGS:
        return name
    if name in LATER:
        what, help = LATER[name]
        not_yet(context.report, f"{what} (`{name}`)", written.span, help)
        return ""
    ours = foreign.here(name, foreign.SETTINGS)
    near = nearest(name, [*SETTINGS, *LATER])
    if ours in LATER:
        what, help = LATER[ours]
        help = f"kdsl has no {what} yet; {help}"
    elif ours:
        help = (
            f"Keras's `{name}` is `{ours}` here"
            if name in ("batch_size", "validation_data")
            else f"it is called `{ours}` here"
        )
    elif name in foreign.IN_OPTIMIZER:
        argument = foreign.ARGUMENTS.get(name, name)
        given = short(value.span.text) if isinstance(value, tree.Number) else "..."
        help = f"it belongs to the optimizer: `optimizer = adam({argument} = {given})`"
        near = []
    elif name in OF_FIT:
        help = f"it is an argument of `fit`: `model.fit(..., {name}=...)`"
        near = []
    elif near:
        help = f"did you mean {listed(near)}?"
    else:
        help = f"settings are {', '.join(SETTINGS)}"
    meant = ours or (near[0] if near else "")
    edits = [Edit(written.span, meant)] if meant in SETTINGS and (ours or len(near) == 1) else []
    context.report.error("E503", f"`train` has no setting `{name}`", written.span, help=help, edits=edits)
    return meant if meant in SETTINGS else ""


# -- the whole ---------------------------------------------------------------------------------------


def missing_loss(context: Context, train: tree.Train, targets: Sequence[Port]) -> None:
    """The help names what there is to compare; the edit writes the line where there is no doubt."""
    predictions = [name for name, bound in scope_values(context) if is_prediction(bound.meaning)]
    prediction = "logits" if "logits" in predictions or not predictions else predictions[-1]
    target = targets[0] if targets else None
    dtype = target.type.dtype if target is not None else "index"
    loss = {"index": "cross_entropy", "bool": "binary_cross_entropy"}.get(dtype, "mse")
    line = f"loss = {loss}({prediction}, {target.name if target is not None else 'label'})"
    sure = len(targets) == 1 and prediction in predictions and train.head.text.endswith("{")
    end = Span(train.head.source, train.head.stop, train.head.stop)
    context.report.error(
        "E504",
        f"`train {train.path.text}` has no loss, so there is nothing to minimise",
        train.head,
        help=f"for instance `{line}`",
        edits=[Edit(end, f"\n  {line}")] if sure else [],
    )


def scope_values(context: Context) -> list[tuple[str, Bound]]:
    return [pair for scope in context.scope.outwards() for pair in scope.names.items()]


def is_prediction(meaning: object) -> bool:
    return isinstance(meaning, Tensor) and not meaning.target and meaning.trail.layer not in ("", "softmax", "sigmoid")


def fits_in_memory(context: Context, block: Block) -> bool:
    """Whether the values of one batch fit in a computer."""
    assert context.work is not None
    sample = 4 * sum(node.type.size for node in context.work.build.nodes if node.type.batched)
    needed = sample * block.numbers["batch"]
    if needed <= MOST_BYTES:
        return True
    at = block.places.get("batch", block.train.head)
    context.report.error(
        "E409",
        f"a batch of {block.numbers['batch']} needs {in_bytes(needed)} of memory",
        at,
        help=f"one sample needs {in_bytes(sample)}; the limit is {in_bytes(MOST_BYTES)}",
    )
    return False
