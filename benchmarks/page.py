"""Writes docs/performance.md, and the roofline plot beside it, from results of the benchmarks.

    python benchmarks/run.py --profile ... --json benchmarks/results/compared.json
    python benchmarks/run.py --scale batch width depth --json benchmarks/results/scaled.json
    python benchmarks/page.py benchmarks/results/compared.json benchmarks/results/scaled.json

Of several results each workload is the last one's. The page is made of nothing but these files and the text below, so
the same results give the same page.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import report
from roofline import roofline

DOCS = Path(__file__).resolve().parent.parent / "docs"
PLOT = "roofline.svg"
ABOUT = """\
# How fast it is

Medians of interleaved runs on one machine: the same network, batch, data and optimizer in kdsl and in each framework, one
process at a time, each framework at the fastest of its own settings. What is measured and how is in
[benchmarks/README.md](../benchmarks/README.md). Times of other machines differ; compare only within one table.

This page is made by `python benchmarks/page.py` from {files}.
"""
REPEAT = """\
## To repeat it

```
make bench BENCH_FLAGS="--profile --json benchmarks/results/compared.json"
make bench BENCH_FLAGS="--scale batch width depth --json benchmarks/results/scaled.json"
python benchmarks/page.py benchmarks/results/compared.json benchmarks/results/scaled.json
```

[benchmarks/README.md](../benchmarks/README.md) says how to give each framework an environment of its own. Leave the machine
alone meanwhile. `kdsl time FILE` shows the same of any model: time, work, bytes and share of this machine's peak for each
layer and kernel, and `--svg` draws it. Operations are those of the direct sums everywhere: convolutions by Winograd's minimal
filtering need a quarter of the multiplications, and lie above the roof.
"""


def page(documents: Sequence[dict[str, Any]], files: Sequence[str]) -> str:
    """The text of docs/performance.md."""
    workloads: dict[str, Any] = {}
    scales: dict[str, Any] = {}
    for document in documents:
        workloads |= document["workloads"]
        scales |= document.get("scale", {})
    parts = [ABOUT.format(files=", ".join(f"`{file}`" for file in files)), machines(documents)]
    if workloads:
        parts += [compared(workloads), *(f"### {name}\n\n{one(workload)}" for name, workload in workloads.items())]
    if any(workload.get("profile") for workload in workloads.values()):
        parts.append(profiled(workloads))
    parts += [scaled(name, what, rows) for name, scale in scales.items() for what, rows in scale.items()]
    return "\n".join([*(part.rstrip("\n") + "\n" for part in parts), REPEAT])


def machines(documents: Sequence[dict[str, Any]]) -> str:
    lines = []
    for document in documents:
        machine = document["machine"]
        about = f"{machine['processor']}, {machine['cpus']} CPUs, {machine['simd']}, {machine['memory_gb']:.0f} GB"
        lines.append(f"{about}; Python {machine['python']}; {document['started'][:10]}.")
    return "\n".join(dict.fromkeys(lines))


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruler = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [headings, ruler, *rows])


def compared(workloads: dict[str, Any]) -> str:
    """How many times as fast as the fastest framework, each at its best number of threads, and one thread against one."""
    rows = []
    for name, workload in workloads.items():
        peers = workload["peers"]
        fastest = report.fastest_peer(peers)
        if fastest is None or not peers.get(report.OURS, {}).get("training"):
            continue
        ours, theirs = report.best(peers[report.OURS])[0], report.best(peers[fastest])[0]
        single, other = one_thread(peers)
        ratio = f"{other[0] / single:.2f} ({other[1]})" if single and other else "-"
        cells = [
            report.milliseconds(ours),
            f"{report.milliseconds(theirs)} ({fastest})",
            f"**{theirs / ours:.2f}**",
            ratio,
        ]
        rows.append([name, *cells])
    headings = ["", "kdsl, ms a step", "fastest framework", "times as fast", "one thread against one"]
    return f"## Training\n\n{markdown(headings, rows)}\n"


def one_thread(peers: dict[str, Any]) -> tuple[float | None, tuple[float, str] | None]:
    """kdsl's median with one thread, and the fastest framework's."""
    known = {name: peer["training"]["1"]["median"] for name, peer in peers.items() if "1" in peer.get("training", {})}
    ours = known.pop(report.OURS, None)
    return ours, min(((time, name) for name, time in known.items()), default=None)


def one(workload: dict[str, Any]) -> str:
    """The table of one workload."""
    peers = {name: peer for name, peer in workload["peers"].items() if peer.get("training")}
    threads = sorted({count for peer in peers.values() for count in peer["training"]}, key=int)
    rows = []
    for name in sorted(peers, key=lambda name: report.best(peers[name])[0]):
        peer = peers[name]
        times = [peer["training"].get(count) for count in threads]
        cells = [f"{report.milliseconds(time['median'])}" if time else "-" for time in times]
        start, predict = peer.get("start"), peer.get("predict")
        cold = f"{start['cold']['seconds']:.1f}" if start else "-"
        warm = f"{statistics.median(run['seconds'] for run in start['warm']):.2f}" if start and start["warm"] else "-"
        latency = f"{min(predict.values()):,.0f}" if predict else "-"
        memory = f"{peer['state']['resident_mb']:,.0f}" if "resident_mb" in peer.get("state", {}) else "-"
        rows.append([name, *cells, cold, warm, latency, memory])
    heads = [f"ms a step, {count} thread{'s' * (count != '1')}" for count in threads]
    headings = ["", *heads, "cold start, s", "warm start, s", "one sample, us", "memory, MB"]
    return f"{workload['summary']}.\n\n{markdown(headings, rows)}\n"


def profiled(workloads: dict[str, Any]) -> str:
    """Speeds of kernels, and the plot."""
    rows = []
    for name, workload in workloads.items():
        for timing in workload.get("profile", []):
            peak = timing["machine"]["flops_per_second_of_each_thread"] * timing["threads"]
            speed = timing["flops"] / timing["step_seconds"]
            inside = timing["kernel_seconds"] / timing["step_seconds"]
            longest = timing["kernels"][0]
            share = longest["share_of_peak"]
            most = (
                f"{longest['kernel']}: {100 * longest['seconds']['total'] / timing['step_seconds']:.0f} % of the step"
            )
            most += f", {100 * share:.0f} % of peak" if share else ""
            numbers = [
                f"{speed / 1e9:.1f}",
                f"{peak / 1e9:.1f}",
                f"{100 * speed / peak:.0f} %",
                f"{100 * inside:.0f} %",
            ]
            rows.append([f"{name}, {timing['threads']}", *numbers, most])
    headings = ["workload, threads", "GFLOP/s", "peak", "of peak", "in kernels", "where most time goes"]
    plot = f"![Every kernel's speed over its work for each byte]({PLOT})"
    return f"## Kernels\n\n{markdown(headings, rows)}\n\n{plot}\n"


def scaled(name: str, what: str, rows: Sequence[dict[str, Any]]) -> str:
    return f"## {name} as its {what} grows\n\n```\n{report.scale_table(what, list(rows))}\n```\n"


def plot_of(documents: Sequence[dict[str, Any]]) -> str | None:
    """The roofline of all profiles with the fewest threads: those that share the machine with nobody."""
    found = [t for document in documents for w in document["workloads"].values() for t in w.get("profile", [])]
    if not found:
        return None
    fewest = min(timing["threads"] for timing in found)
    chosen = [timing for timing in found if timing["threads"] == fewest]
    return roofline(chosen, f"Kernels of {len(chosen)} networks, {fewest} thread{'s' * (fewest > 1)}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path, help="what run.py wrote")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of the page; default: docs")
    options = parser.parse_args(arguments)
    documents = [json.loads(path.read_text()) for path in options.results]
    files = [f"benchmarks/results/{path.name}" for path in options.results]
    (options.docs / "performance.md").write_text(page(documents, files))
    plot = plot_of(documents)
    if plot is not None:
        (options.docs / PLOT).write_text(plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
