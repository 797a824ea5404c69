"""W627 and W628: a picture whose channels come first, or that has none, in a layer that slides along its first axes."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.elaborate.program import LayerRecord
from kdsl.graph.graph import Node
from kdsl.lint.subject import Subject
from kdsl.ops.registry import OPS
from kdsl.source import Span

SLIDING = frozenset(
    {
        *("conv", "depthwise_conv", "separable_conv", "conv_transpose", "max_pool", "avg_pool"),
        *("upsample", "resize", "adaptive_avg_pool", "adaptive_max_pool", "global_avg_pool", "global_max_pool"),
    }
)
CHANNELS = (1, 3)
SMALLEST = 8  # the side of a picture
PICTURES = ("image", "img", "picture", "photo", "digit")


def channels_first(subject: Subject) -> Iterator[Diagnostic]:
    for record, picture in _fed_by_inputs(subject):
        shape = picture.type.shape
        if len(shape) == 3 and shape[0] in CHANNELS and min(shape[1:]) >= SMALLEST:
            yield _warning(
                "W627",
                f"`{record.layer}` takes the {shape[2]} of {picture.type.dims} for channels",
                record,
                f"channels come last: declare `{picture.name}` as [{shape[1]}, {shape[2]}, {shape[0]}], or `permute([1, 2, 0])`",
                "permute([1, 2, 0]) -> ",
            )


def without_channels(subject: Subject) -> Iterator[Diagnostic]:
    for record, picture in _fed_by_inputs(subject):
        shape = picture.type.shape
        named = picture.type.dtype == "u8" or picture.name.lower().startswith(PICTURES)
        if len(shape) == 2 and named and min(shape) >= SMALLEST:
            grey = f"[{shape[0]}, {shape[1]}, 1]"
            yield _warning(
                "W628",
                f"`{record.layer}` takes {picture.type.dims} for {shape[0]} steps of {shape[1]} features",
                record,
                f"a grey picture has one channel: declare `{picture.name}` as {grey}, or `reshape({grey})`",
                f"reshape({grey}) -> ",
            )


def _fed_by_inputs(subject: Subject) -> Iterator[tuple[LayerRecord, Node]]:
    """Sliding layers that get an input as it is, but for what is done to each number alone."""
    for record in subject.program.layers:
        node = subject.program.graph[record.inputs[0]] if record.layer in SLIDING and record.inputs else None
        while node is not None and node.op != "input":
            alike = [name for name in node.inputs if subject.program.graph[name].type.shape == node.type.shape]
            plain = node.op in OPS and OPS[node.op].elementwise and alike
            node = subject.program.graph[alike[0]] if plain else None
        if node is not None:
            yield record, node


def _warning(code: str, message: str, record: LayerRecord, help: str, insert: str) -> Diagnostic:
    at = record.span
    edits = (Edit(Span(at.source, at.start, at.start), insert),)
    return Diagnostic(code, message, Label(at), help=help, edits=edits)
