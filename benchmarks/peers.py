"""Who takes part: what runs each peer, what must be importable for it, and whose Python runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WORKERS = Path(__file__).resolve().parent / "workers"


@dataclass(frozen=True)
class Peer:
    """One line of the tables."""

    name: str
    worker: str  # the file in workers/
    imports: tuple[str, ...]
    interpreter: str  # the word that `--python WORD=PATH` uses
    arguments: tuple[str, ...] = ()


PEERS = {
    peer.name: peer
    for peer in (
        Peer("kdsl", "kdsl_worker.py", ("numpy", "numba"), "kdsl"),
        Peer("torch", "torch_worker.py", ("torch", "numpy"), "torch"),
        Peer("keras-jax", "keras_worker.py", ("keras", "jax"), "keras", ("--backend", "jax")),
        Peer("keras-tensorflow", "keras_worker.py", ("keras", "tensorflow"), "keras", ("--backend", "tensorflow")),
        Peer("jax", "jax_worker.py", ("jax", "numpy"), "jax"),
        Peer("sklearn", "sklearn_worker.py", ("sklearn",), "sklearn"),
    )
}
INTERPRETERS = tuple(dict.fromkeys(peer.interpreter for peer in PEERS.values()))


def interpreters(given: list[str]) -> dict[str, str]:
    """`torch=/path/python` pairs, from the environment first and then the command line; else this Python."""
    chosen = dict.fromkeys(INTERPRETERS, sys.executable)
    for pair in os.environ.get("KDSL_BENCH_PYTHON", "").split(",") + given:
        word, _, path = pair.strip().partition("=")
        if not pair.strip():
            continue
        if word not in chosen or not path:
            raise SystemExit(f"--python wants WORD=PATH with a word of {', '.join(chosen)}; given: {pair!r}")
        if not Path(path).exists():
            raise SystemExit(f"--python {pair}: no such file")
        chosen[word] = path
    return chosen


def missing(peer: Peer, python: str) -> list[str]:
    """What the peer needs and that Python cannot import."""
    code = f"import importlib.util as u; print(*[n for n in {peer.imports!r} if u.find_spec(n) is None])"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return found.stdout.split()
