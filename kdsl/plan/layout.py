"""How a value lies in memory: lines of `width` numbers, each padded to whole panels of 16.

A sample of `f32[28, 28]` may be 28 lines of 28, or one line of 784 (its two axes are then one without a gap). Most ops want
the last axis as the line; elementwise ops take any, so that what a flatten reads is laid out as the flatten wants it and
the flatten itself costs nothing. Nothing here depends on the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from kdsl.graph.graph import Graph, Node
from kdsl.graph.types import TensorType
from kdsl.ops.dropout import IMAGE_CHANGES
from kdsl.ops.registry import OPS

PANEL = 16
FREE_OF_LINES = frozenset({"reshape", "dropout", "cast", "mix_rows"})
PICTURES = frozenset({"conv", "conv_kernel_gradient", *IMAGE_CHANGES})
# Loop nests read their operands wherever they lie, and write any lines whose parts are whole panels.
NESTS = frozenset(
    [
        "einsum",
        "transpose",
        "slice",
        "reverse",
        "broadcast_to",
        "pad",
        "concat",
        "unslice",
        "sum_to",
        "reduce_sum",
        "reduce_mean",
        "reduce_max",
        "reduce_min",
        "argmax",
        "argmin",
    ]
)


def padded(width: int) -> int:
    """`width` rounded up to whole panels."""
    return -(-width // PANEL) * PANEL


def leading(width: int) -> int:
    """Distance from one line to the next. A multiple of 128 numbers would put all lines on the same few cache sets."""
    return padded(width) + (PANEL if padded(width) % 128 == 0 else 0)


@dataclass(frozen=True, slots=True)
class Layout:
    """`lines` lines of `width` numbers for each sample. What has no rows is `packed`: its lines are padded, no more."""

    lines: int
    width: int
    packed: bool = False

    @property
    def step(self) -> int:
        """Numbers from one line to the next."""
        return padded(self.width) if self.packed else leading(self.width)

    @property
    def row(self) -> int:
        """Numbers from one sample to the next."""
        return self.lines * self.step

    @property
    def size(self) -> int:
        """Numbers of a sample without padding."""
        return self.lines * self.width

    def strides(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """Numbers from one element to the next along each axis; None where a line ends within an axis."""
        inside = len(shape)
        while inside and prod(shape[inside:]) < self.width:
            inside -= 1
        if prod(shape[inside:]) != self.width:
            return None
        within = tuple(prod(shape[axis + 1 :]) for axis in range(inside, len(shape)))
        across = tuple(self.step * prod(shape[axis + 1 : inside]) for axis in range(inside))
        return (*across, *within)


def last_axis(type: TensorType) -> Layout:
    """The last axis as the line."""
    width = type.shape[-1] if type.shape else 1
    return Layout(type.size // max(1, width), width, not type.batched)


def flat(type: TensorType) -> Layout:
    """The whole sample as one line."""
    return Layout(1, type.size, not type.batched)


def layouts(graph: Graph) -> dict[str, Layout]:
    """The layout of every value. Users ask, from the last node to the first; where they differ, the last axis wins."""
    wanted: dict[str, set[Layout]] = {node.name: set() for node in graph}
    chosen: dict[str, Layout] = {}
    for node in reversed(graph.nodes):
        if not node.type.batched:
            chosen[node.name] = _own_choice(node, graph, set())
            continue
        own = _own_choice(node, graph, wanted[node.name])
        chosen[node.name] = own
        if _is_nest(node) or (node.op == "reshape" and not wanted[node.name]):
            continue
        for name in node.inputs:
            operand = graph[name].type
            if operand.batched and operand.size == node.type.size and _any_line(node, graph):
                wanted[name].add(own)
            elif operand.batched:
                wanted[name].add(_lines_of_few_channels(node, name, operand) or last_axis(operand))
    return chosen


def _lines_of_few_channels(node: Node, name: str, operand: TensorType) -> Layout | None:
    """A convolution wants a picture of few channels with its places side by side, without padding between them, and so
    does what changes pictures."""
    product = (node.body or (node,))[0]
    if product.op not in PICTURES or product.inputs[0] != name or operand.shape[-1] >= PANEL:
        return None
    width = operand.shape[-2] * operand.shape[-1]
    return Layout(operand.size // width, width)


def _own_choice(node: Node, graph: Graph, wanted: set[Layout]) -> Layout:
    if (
        node.op in ("softmax", "log_softmax", "softmax_gradient", "log_softmax_gradient")
        and node.attribute("axis") != -1
    ):
        return flat(node.type)
    if len(wanted) == 1:
        (layout,) = wanted
        if (
            node.op in ("input", "target")
            or _any_line(node, graph)
            or (_is_nest(node) and in_panels(node.type, layout))
        ):
            return layout
    return last_axis(node.type)


def _is_nest(node: Node) -> bool:
    """Whether the node reads its operands whatever lines they lie in."""
    return node.op in NESTS or (node.op == "fused" and node.attribute("kind") == "reduction")


def in_panels(type: TensorType, layout: Layout) -> bool:
    """Whether lines of the last axis are whole panels in this layout, so that they can be written one by one."""
    return bool(type.shape) and type.shape[-1] % PANEL == 0 and layout.strides(type.shape) is not None


def _any_line(node: Node, graph: Graph) -> bool:
    """Whether the node may lie in any lines: elementwise over batched values of its own shape, and plain numbers."""
    if node.op in FREE_OF_LINES:
        return True
    elementwise = node.op in OPS and OPS[node.op].elementwise
    if not elementwise and not (node.op == "fused" and node.attribute("kind") == "elementwise"):
        return False
    types = [graph[name].type for name in node.inputs]
    return all(t.size == (node.type.size if t.batched else 1) for t in types)
