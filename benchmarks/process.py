"""Worker processes: started one at a time, asked in lines of JSON, ended by closing their input."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers import WORKERS, Peer
from workloads import Workload

ANSWER_WITHIN = 600.0  # seconds


class WorkerFailed(Exception):
    """A worker ended or went silent; the text is the end of what it wrote to standard error."""


@dataclass(frozen=True)
class Setup:
    """All that is needed to start one peer's worker."""

    peer: Peer
    python: str
    workload: Workload
    data: Path | None
    module: Path | None  # kdsl's generated module

    def command(self, threads: int, *more: str) -> list[str]:
        command = [self.python, str(WORKERS / self.peer.worker), self.workload.name, "--threads", str(threads)]
        if self.data:
            command += ["--data", str(self.data)]
        if self.peer.name == "kdsl":
            command += ["--module", str(self.module)]
        return [*command, *self.peer.arguments, *more]


def environment(**more: str) -> dict[str, str]:
    """Ours, less what would hold NumPy's BLAS to an old processor's kernels."""
    kept = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return kept | more


def alone(threads: int) -> Callable[[], None] | None:
    """What a new process does first, so that one thread means one CPU."""
    if threads != 1 or not hasattr(os, "sched_setaffinity"):
        return None
    return lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


class Worker:
    """One running peer with a fixed number of threads. Where the system can, it is stopped while nothing is asked of it: the
    thread pools of some peers are never quite idle."""

    def __init__(self, setup: Setup, threads: int) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            setup.command(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment(),
        )
        self.threads = threads
        try:
            self.ready = self.read()
        except WorkerFailed:
            self.close()
            raise
        self.send("SIGSTOP")

    def send(self, name: str) -> None:
        if hasattr(signal, name):
            self.process.send_signal(getattr(signal, name))

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.send("SIGCONT")
        try:
            self.process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise WorkerFailed(self.last_words()) from None
        answer = self.read()
        self.send("SIGSTOP")
        return answer

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], ANSWER_WITHIN)
        line = self.process.stdout.readline() if readable else ""
        if not line:
            raise WorkerFailed(self.last_words() if readable else f"no answer within {ANSWER_WITHIN:.0f} s")
        return json.loads(line)

    def last_words(self) -> str:
        self.errors.seek(0)
        return self.errors.read().strip()[-800:] or "it ended without a message"

    def close(self) -> None:
        assert self.process.stdin is not None
        self.send("SIGCONT")
        try:
            self.process.stdin.close()
            self.process.wait(timeout=10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def start_up(setup: Setup, threads: int, warm_starts: int) -> dict[str, Any]:
    """Fresh processes up to the first training step done: one with empty compile caches, then several with full ones."""
    with tempfile.TemporaryDirectory(prefix="kdsl-bench-") as folder:
        fresh = setup
        if setup.module is not None and setup.peer.name == "kdsl":
            copy = Path(shutil.copy(setup.module, folder))
            fresh = Setup(setup.peer, setup.python, setup.workload, setup.data, copy)
        caches = environment(
            NUMBA_CACHE_DIR=f"{folder}/numba",
            XDG_CACHE_HOME=f"{folder}/cache",
            JAX_COMPILATION_CACHE_DIR=f"{folder}/jax",
            JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
            JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
        )
        runs = [first_step(fresh.command(threads, "--first-step"), caches) for _ in range(1 + warm_starts)]
    return {"cold": runs[0], "warm": runs[1:]}


def first_step(command: list[str], env: dict[str, str]) -> dict[str, Any]:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=ANSWER_WITHIN)
    whole = time.perf_counter() - start
    if done.returncode != 0 or not done.stdout.strip():
        raise WorkerFailed(done.stderr.strip()[-800:])
    return {**json.loads(done.stdout.splitlines()[-1]), "process_seconds": whole}
