"""The text of `summary`: layers, shapes, parameters, work and memory."""

from __future__ import annotations

from kdsl.runtime.declaration import Declaration

WIDEST_CALL = 48  # characters: what does not fit in a row is cut


def summary_text(declaration: Declaration, nbytes: int, depth: int | None = None) -> str:
    """A table of the layers, then totals. `nbytes` is what the compiled part holds; what is in blocks is shown to `depth`
    levels."""
    cells = [("layer", "call", "output", "parameters", "FLOP", "line")]
    for port in declaration.inputs:
        cells.append((port.name, "input", str(port).split(": ", 1)[1], "", "", port.place))
    enclosing: list[str] = []
    for row in declaration.layers:
        enclosing[row.level :] = [f"{row.path}."]
        if depth is None or row.level < depth:
            name = row.path.removeprefix(enclosing[row.level - 1]) if row.level else row.path
            text = row.call if len(row.call) <= WIDEST_CALL else f"{row.call[: WIDEST_CALL - 3]}..."
            numbers = (f"{row.parameters:,}" if row.parameters else "", with_prefix(row.flops) if row.flops else "")
            cells.append(("  " * row.level + name, text, row.output, *numbers, row.place))
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    lines = [
        "  ".join(
            cell.rjust(width) if column in (3, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    text = "\n".join([*lines, "", *summary_totals(declaration, nbytes)])
    return f"{declaration.name} ({declaration.source})\n\n{text}"


def summary_totals(declaration: Declaration, nbytes: int) -> list[str]:
    """What stands under the table."""
    total = sum(_size(weight.shape) for weight in declaration.weights)
    fixed = sum(_size(weight.shape) for weight in declaration.weights if not weight.trainable)
    of_them = f" ({total - fixed:,} trained, {fixed:,} not trained)" if fixed else ""
    held = total * (8 if declaration.scalar == "float64" else 4)
    lines = [
        f"parameters        {total:,}{of_them}",
        f"weights           {held:,} bytes ({with_prefix(held)}B) in {declaration.scalar}",
        f"predict           {with_prefix(declaration.flops)}FLOP for each sample",
    ]
    training = declaration.training
    if training is None:
        return [*lines, f"memory            {nbytes:,} bytes ({with_prefix(nbytes)}B)"]
    batch = with_prefix(training.flops * training.batch_size)
    return [
        *lines,
        f"training step     {with_prefix(training.flops)}FLOP for each sample, {batch}FLOP for a batch of {training.batch_size}",
        f"loss, optimizer   {training.loss}, {training.optimizer}",
        f"training memory   {nbytes:,} bytes ({with_prefix(nbytes)}B)",
    ]


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def with_prefix(value: float) -> str:
    """`12.3 M`: three digits and a prefix, to which a unit is joined."""
    for prefix in ("", "k", "M", "G", "T"):
        if value < 999.5 or prefix == "T":
            return f"{value:.3g} {prefix}" if prefix or value != int(value) else f"{int(value)} "
        value /= 1000
    raise AssertionError
