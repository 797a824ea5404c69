"""Products of the data, made ahead: the update of some lines of a kernel ends with what they add to the next batch's product.

A dense layer that reads the data sums over the data's columns. Where it is cut along them, a thread needs only lines of the
kernel of its own: forward, for their gradient and for their step. So they stay in its processor's cache from one step to the
next, instead of moving between the caches of all. The pass over the rows then begins with the sum of the shares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from kdsl.graph.graph import Graph, Node
from kdsl.plan.launch import Buffer, Launch, Stages
from kdsl.plan.layout import PANEL, Layout, padded
from kdsl.plan.levels import Levels

WORTH, MOST = 700_000, 4  # floating-point operations that are worth a share; shares of a product
CACHE = 1 << 17  # numbers of a kernel that stay in caches, with their states
TRAFFIC = 2  # the sums of all shares are written and read once: together less than the kernel, which need not move
EPILOGUE = ("bias", "out", "out_row", "floor", "gate", "gate_row", "scale")


@dataclass(frozen=True, slots=True)
class Ahead:
    """The product of the data `ports` by a kernel of `lines` lines, in shares of `cut` lines each.

    move     the launch that brings the columns line .. line + lines of all rows of a batch into place, as share number `share`
    product  the launch that multiplies them
    """

    ports: tuple[str, ...]
    lines: int
    cut: int
    shares: int
    move: Launch
    product: Launch


def take_ahead(graph: Graph, found: Levels, made: Stages, kernels: Collection[str], batch: int) -> dict[str, Ahead]:
    """Takes products by some of the `kernels` out of the first pass over the rows, where it is worth it -> by their paths.
    `kernels` lie in panels, and have no copy that is transposed."""
    taken = {}
    for path, fill, dense in list(_candidates(graph, found, made)):
        lines, units = graph[path].type.shape
        shares = _shares(lines, units, batch)
        if path in kernels and shares > 1:
            taken[path] = _take(made, fill, dense, lines, padded(units), shares)
    return taken


def _candidates(graph: Graph, found: Levels, made: Stages) -> Iterator[tuple[str, Launch, Launch]]:
    """(kernel, launch that fills its operand with data, launch of the product), where nothing else reads the operand: its
    columns are filled anew as soon as their lines of the kernel have made their step."""
    direct = [graph[value] for values in found.terms.values() for value in values if value in found.direct]
    for path, values in found.terms.items():
        term = graph[values[0]]
        if len(values) > 1 or term not in direct or term.op != "matmul_kernel_gradient":
            continue
        x = made.places[term.inputs[0]]
        if x.layout.lines > 1 or sum(made.places[name] is x for node in direct for name in node.inputs) > 1:
            continue
        fills = [launch for launch in made.launches if launch.writes == x.name]
        readers = [launch for launch in made.launches if x.name in launch.reads]
        if len(fills) == len(readers) == 1 and _is_from_data(fills[0], made) and _is_product(readers[0], path):
            yield path, fills[0], readers[0]


def _is_from_data(launch: Launch, made: Stages) -> bool:
    """Whether the launch makes columns of the data alone, each by itself."""
    read = [made.buffers[name] for name in launch.reads if name in made.buffers]
    by_columns = "column" in dict(launch.arguments) and not launch.streams
    return by_columns and launch in made.rows[0].launches and not any(buffer.batched for buffer in read)


def _is_product(launch: Launch, path: str) -> bool:
    product = _product(launch)
    return launch.kernel == "dense" and product.op == "matmul" and product.inputs[1] == path


def _product(launch: Launch) -> Node:
    return (launch.node.body or (launch.node,))[0]


def _shares(lines: int, units: int, batch: int) -> int:
    """How many shares are worth it; one is none."""
    if lines * units > CACHE:
        return 1
    flops = 4 * lines * units * batch  # the product, and the gradient of its kernel
    most = min(MOST, flops // WORTH, lines // (TRAFFIC * batch))
    return -(-lines // _cut(lines, most)) if most > 1 else 1


def _cut(lines: int, shares: int) -> int:
    """Whole panels, so that shares of a row of the data do not meet in a line of a cache."""
    return padded(-(-lines // shares))


def _take(made: Stages, fill: Launch, dense: Launch, lines: int, units: int, shares: int) -> Ahead:
    """Puts the sum of the shares in the place of the product, and takes away what filled its operand."""
    part, settings, cut = made.rows[0], dict(dense.arguments), _cut(lines, shares)
    x, sums = made.buffers[settings["x"]], Buffer(f"{dense.writes}_share", Layout(1, units), "kept", part=part)
    x.layout = Layout(1, cut)
    for buffer in (x, sums):
        _repeat(made, buffer, shares)
    read = {value: f"{value} + line" for value in fill.reads}
    columns = {"rows": "rows", "width": "lines", "column": "line", "out": share_of(x), "out_row": str(x.layout.step)}
    move = _with(fill, {key: columns.get(key, read.get(value, value)) for key, value in fill.arguments})
    own = {"rows": "rows", "inputs": "lines", "x": share_of(x), "x_row": str(x.layout.step)}
    own |= {"w": f"{settings['w']} + line * {PANEL}", "out": share_of(sums), "out_row": str(sums.layout.step)}
    plain = {"bias": "ZEROS", "floor": "LOWEST", "gate": "ONES", "gate_row": "0", "scale": "1.0"}
    node = replace(_product(dense), name=dense.node.name)  # what is timed belongs together
    product = replace(_with(dense, settings | own | plain), node=node, reads=(x.name,), writes=sums.name)
    sizes = {"rows": settings["rows"], "units": str(units), "shares": str(shares), "x": sums.name}
    sizes |= {"x_row": str(sums.layout.step), "x_share": f"capacity * {sums.layout.row}"}
    whole = replace(
        _with(dense, sizes | {key: settings[key] for key in EPILOGUE}),
        kernel="add_shares",
        reads=(sums.name, *(name for name in dense.reads if name != x.name)),
        why=f"its {shares} shares are made ahead, each by a thread in whose cache its lines of the kernel lie",
    )
    part.launches[part.launches.index(dense)] = whole
    part.launches.remove(fill)
    ports = _ports(made, [fill])
    part.data[:] = _ports(made, part.launches)
    return Ahead(ports, lines, cut, shares, move, product)


def _repeat(made: Stages, buffer: Buffer, times: int) -> None:
    """Room for it so many times, one behind the other. Side by side in every row, processors that ask for what lies ahead
    of what they read would take lines from each other."""
    made.buffers.pop(buffer.name, None)
    made.buffers[buffer.name] = buffer
    for number in range(1, times):
        name = f"{buffer.name}.{number}"
        made.buffers[name] = Buffer(name, buffer.layout, "kept", part=buffer.part)


def share_of(buffer: Buffer) -> str:
    """The text of where the share number `share` of a repeated buffer begins."""
    return f"{buffer.name} + share * {buffer.layout.row} * capacity"


def _ports(made: Stages, launches: Iterable[Launch]) -> tuple[str, ...]:
    """The inputs and targets that launches of the first pass read."""
    texts = {text for launch in launches for _, text in launch.arguments}
    return tuple(port for port in made.rows[0].data if made.data_names[port] in texts)


def _with(launch: Launch, arguments: dict[str, str]) -> Launch:
    return replace(launch, arguments=tuple(arguments.items()))
