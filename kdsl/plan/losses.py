"""Losses and metrics: cross-entropy with its gradient, log likelihoods, and sums over the batch."""

from __future__ import annotations

from kdsl.graph.graph import Node
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import Layout, last_axis
from kdsl.plan.lowering import Lowering
from kdsl.plan.places import Sum
from kdsl.plan.sweeps import clear

LOSSES = ("softmax_cross_entropy", "sparse_softmax_cross_entropy")
GRADIENTS = {f"{loss}_gradient": loss for loss in LOSSES}


def lower_cross_entropy(lowering: Lowering, node: Node) -> None:
    """The loss and its gradient in one launch, where both are asked for."""
    loss, gradient = _pairs(lowering)[node.name]
    if node is loss and gradient is not None:
        lowering.new_sum(loss)  # the launch waits for the gradient's node
        return
    logits, target = node.inputs[-2:]
    z = lowering.read(logits)
    lines, width = z.layout.lines, z.layout.width
    arguments: dict[str, object] = {}
    reads = [z]
    if node.op.startswith("sparse"):
        arguments |= lowering.labels(target) | {"rows": lowering.lines(z.layout), "lines": lines}
    else:
        wanted = lowering.read(target)
        reads.append(wanted)
        arguments |= {"rows": lowering.lines(z.layout), "target": wanted.name, "target_row": wanted.layout.step}
    work = lowering.buffer(f"{node.name}.work", Layout(1, width))
    made: Buffer | None = None
    scale = "0.0"
    if gradient is not None:
        scale = lowering.share_of_mean(gradient.inputs[0], logits, lines)
        made = lowering.result(gradient, z.layout)
    total = None
    if loss is not None:
        known = lowering.places.get(loss.name)
        total = known.single if isinstance(known, Sum) else lowering.new_sum(loss)
    kernel = "sparse_cross_entropy" if node.op.startswith("sparse") else "cross_entropy"
    lowering.launch(
        kernel,
        gradient or node,
        (*reads, work),
        made,
        **arguments,
        width=width,
        z=z.name,
        z_row=z.layout.step,
        smoothing=repr(node.attribute("smoothing")),
        scale=scale,
        gradient=made.name if made else -1,
        gradient_row=made.layout.step if made else 0,
        work=work.name,
        total_=total,
        divisor_=lines,
    )


def _pairs(lowering: Lowering) -> dict[str, tuple[Node | None, Node | None]]:
    """For each fused cross-entropy, and each gradient of one: (the loss, its gradient), those that there are in a stage."""
    graph, stage = lowering.graph, lowering.levels.of
    found: dict[str, tuple[Node | None, Node | None]] = {node.name: (node, None) for node in graph if node.op in LOSSES}
    alone = [node for node in graph if node.op in LOSSES]
    for node in graph:
        if node.op in GRADIENTS:
            key = (GRADIENTS[node.op], node.inputs[1:], node.attributes)
            same = (loss for loss in alone if (loss.op, loss.inputs, loss.attributes) == key)
            loss = next((loss for loss in same if stage[loss.name] == stage[node.name]), None)
            found[node.name] = (loss, node)
            if loss is not None:
                found[loss.name] = (loss, node)
                alone.remove(loss)
    return found


def lower_log_likelihood(lowering: Lowering, node: Node) -> None:
    sparse = node.op.startswith("sparse")
    smoothing = node.attribute("smoothing")
    assert isinstance(smoothing, float)
    made = lowering.result(node)
    arguments: dict[str, object] = {}
    if not node.op.endswith("gradient"):
        clear(lowering, node, made)
        y = lowering.read(node.inputs[0])
        reads, wide = [y], y.layout
        arguments |= {"y": y.name, "y_row": y.layout.step}
    else:
        wide = made.layout
        g = lowering.read(node.inputs[0], last_axis(lowering.graph[node.inputs[0]].type))
        reads = [g]
        arguments |= {"g": g.name, "g_row": g.layout.row}
    kernel = node.op
    if sparse:
        arguments |= lowering.labels(node.inputs[1]) | {"smoothing": repr(smoothing)}
    else:
        other = lowering.read(node.inputs[1])
        reads.append(other)
        arguments |= {"target": other.name, "target_row": other.layout.step}
        if kernel == "negative_log_likelihood":
            arguments["smoothing"] = repr(smoothing)
        else:
            towards = kernel == "negative_log_likelihood_target_gradient"
            offset = 0.0 if towards else smoothing / wide.width
            arguments |= {"slope": repr(1.0 - smoothing), "offset": repr(offset)}
            kernel = "negative_log_likelihood_gradient"
    step = made.layout.step if node.op.endswith("gradient") else made.layout.row
    arguments |= {"rows": lowering.lines(wide), "lines": wide.lines, "width": wide.width, "out": made.name}
    lowering.launch(kernel, node, tuple(reads), made, **arguments, out_row=step)


def lower_measure(lowering: Lowering, node: Node) -> None:
    if node.op == "mean":
        place = lowering.places[node.inputs[0]]
        held = place.layout if isinstance(place, Buffer) else lowering.layouts[node.inputs[0]]
        x = lowering.read(node.inputs[0], held)
        sizes = {"rows": lowering.lines(held), "width": held.width, "x": x.name, "x_row": held.step}
        lowering.measure("total", node, (x,), lowering.graph[node.inputs[0]].type.size, **sizes)
        return
    z = lowering.read(node.inputs[0])
    arguments: dict[str, object] = {"rows": lowering.lines(z.layout), "width": z.layout.width}
    arguments |= {"z": z.name, "z_row": z.layout.step}
    reads = [z]
    if node.op.startswith("sparse"):
        arguments |= lowering.labels(node.inputs[1]) | {"lines": z.layout.lines}
    else:
        target = lowering.read(node.inputs[1])
        reads.append(target)
        arguments |= {"target": target.name, "target_row": target.layout.step}
    if "top_k" in node.op:
        arguments["k"] = node.attribute("k")
    divisor = z.layout.lines * (z.layout.width if node.op == "binary_accuracy" else 1)
    lowering.measure(node.op, node, tuple(reads), divisor, **arguments)
