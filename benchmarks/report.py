"""Turn the numbers of a run into the tables that are printed. Pure: numbers in, text out."""

from __future__ import annotations

import statistics
from typing import Any

OURS = "kdsl"


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Plain columns: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    lines = [headings, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def milliseconds(value: float) -> str:
    return f"{value:.4f}" if value < 1 else f"{value:.2f}"


def summarise(rounds: list[list[float]]) -> dict[str, float]:
    """The median of the rounds' medians, and the fastest epoch of all."""
    return {"median": statistics.median(map(statistics.median, rounds)), "min": min(min(r) for r in rounds)}


def best(peer: dict[str, Any]) -> tuple[float, str]:
    """The lower median over the numbers of threads, and that number."""
    return min((timing["median"], threads) for threads, timing in peer["training"].items())


def fastest_peer(peers: dict[str, Any]) -> str | None:
    others = [name for name, peer in peers.items() if name != OURS and peer.get("training")]
    return min(others, key=lambda name: best(peers[name])[0]) if others else None


def training_table(peers: dict[str, Any], threads: list[int], flops: int) -> str:
    reference = fastest_peer(peers)
    timed = [name for name, peer in peers.items() if peer.get("training")]
    rows = []
    for name in sorted(timed, key=lambda name: best(peers[name])[0]):
        peer, (time, count) = peers[name], best(peers[name])
        cells = []
        for number in threads:
            timing = peer["training"].get(str(number))
            cells.append(f"{milliseconds(timing['median'])} ({milliseconds(timing['min'])})" if timing else "-")
        ratio = f"{time / best(peers[reference])[0]:.2f}" if reference else "-"
        with_ = f"{count} thread{'s' * (count != '1')}, {peer['settings'][count]}"
        rows.append([name, *cells, ratio, f"{flops / time / 1e6:.1f}", with_])
    headings = ["ms per training step", *(f"{n} thread{'s' * (n > 1)}: median (min)" for n in threads)]
    text = table([*headings, "to fastest peer", "GFLOP/s", "best with"], rows)
    notes = [f"{name}: {peer['note']}" for name, peer in peers.items() if peer.get("note")]
    if reference and OURS in timed:
        factor = best(peers[reference])[0] / best(peers[OURS])[0]
        notes.append(f"{OURS} trains {factor:.2f} times as fast as the fastest peer, {reference}.")
    return "\n".join([text, *notes])


def scale_table(what: str, rows: list[dict[str, Any]]) -> str:
    """One line for each value and number of threads."""
    cells = []
    for row in rows:
        step, rate = row["step_seconds"], row["flops"] / row["step_seconds"]
        peak = row["machine"]["flops_per_second_of_each_thread"] * row["threads"]
        each = f"{step / row['rows'] * 1e6:,.1f}"
        share = f"{100 * rate / peak:.0f} %"
        memory = f"{row['memory_bytes'] / 1e6:,.1f}"
        cells.append(
            [f"{row[what]:,}", f"{row['threads']}", milliseconds(step * 1e3), each, f"{rate / 1e9:.1f}", share, memory]
        )
    return table([what, "threads", "ms a step", "us a sample", "GFLOP/s", "of peak", "MB"], cells)


def other_table(peers: dict[str, Any]) -> str:
    """Start-up, prediction of one sample, size and memory."""
    rows = []
    for name, peer in peers.items():
        start, predict, state = peer.get("start"), peer.get("predict"), peer.get("state", {})
        usual = next(iter(predict.values())) if predict else None
        rows.append(
            [
                name,
                f"{start['cold']['seconds']:.2f}" if start else "-",
                f"{statistics.median(run['seconds'] for run in start['warm']):.2f}" if start else "-",
                f"{usual:,.1f}" if usual else "-",
                f"{min(predict.values()):,.1f}" if predict else "-",
                f"{peer['installed_mb']:,.0f}" if peer.get("installed_mb") else "-",
                f"{state['resident_mb']:,.0f}" if "resident_mb" in state else "-",
                f"{state['loss']:.3f}" if "loss" in state else "-",
            ]
        )
    headings = [
        "",
        "cold start s",
        "warm start s",
        "predict 1 us",
        "fastest way us",
        "installed MB",
        "resident MB",
        "loss then",
    ]
    return table(headings, rows)
