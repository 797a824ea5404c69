"""The text of `summary`: layers, shapes, parameters, work and memory."""

from __future__ import annotations

from kdsl.runtime.declaration import Declaration


def summary_text(declaration: Declaration, nbytes: int) -> str:
    """A table of the layers, then totals. `nbytes` is what the compiled part holds."""
    rows = [("layer", "call", "output", "parameters", "line")]
    rows += [
        (str(port).split(":")[0], "input", str(port).split(": ", 1)[1], "", port.place) for port in declaration.inputs
    ]
    rows += [
        (r.path, r.call, r.output, f"{r.parameters:,}" if r.parameters else "", r.place) for r in declaration.layers
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "  ".join(
            cell.rjust(width) if column == 3 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    total = sum(_size(weight.shape) for weight in declaration.weights)
    fixed = sum(_size(weight.shape) for weight in declaration.weights if not weight.trainable)
    of_them = f" ({fixed:,} not trained)" if fixed else ""
    lines += [
        "",
        f"parameters        {total:,}{of_them}",
        f"predict           {_count(declaration.flops)}FLOP for each sample",
    ]
    if declaration.training is not None:
        training = declaration.training
        lines.append(
            f"training step     {_count(training.flops)}FLOP for each sample, {_count(training.flops * training.batch_size)}FLOP for a batch of {training.batch_size}"
        )
        lines.append(f"loss, optimizer   {training.loss}, {training.optimizer}")
    lines.append(f"training memory   {nbytes:,} bytes ({_count(nbytes)}B)")
    return f"{declaration.name} ({declaration.source})\n\n" + "\n".join(lines)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _count(value: float) -> str:
    for prefix in ("", "k", "M", "G", "T"):
        if value < 1000 or prefix == "T":
            return f"{value:.3g} {prefix}" if prefix or value != int(value) else f"{int(value)} "
        value /= 1000
    raise AssertionError
