"""Time kdsl beside the frameworks that are installed: same network, data, batch and optimizer, all in one run.

    python benchmarks/run.py
    python benchmarks/run.py --python torch=/path/to/python --python keras=/path/to/python --data folder/of/idx/files
    python benchmarks/run.py --workloads small_mlp --peers kdsl jax --threads 1 --rounds 9

Every peer has a process of its own for each number of threads. They take turns, round after round, in a new order each
time, so that whatever else the machine does falls on all of them alike; only one works at a time. README.md beside this
file says what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import machine
import report
from peers import PEERS, interpreters, missing
from process import Setup, Worker, WorkerFailed, alone, environment, start_up
from workloads import WORKLOADS, Workload

HERE = Path(__file__).resolve().parent
PAUSE = 0.3  # seconds between turns: lets a pool's threads that still spin go to sleep


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME", help=", ".join(WORKLOADS)
    )
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="NAME", help=", ".join(PEERS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N", help="default: 1 2")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each process; default 7")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn; default 1")
    parser.add_argument(
        "--starts", type=int, default=3, help="warm starts to take the median of, 0 for no start-up times; default 3"
    )
    parser.add_argument(
        "--data", type=Path, help="folder of idx files, e.g. Fashion-MNIST, or of CIFAR-10's; default: made pictures"
    )
    parser.add_argument("--profile", action="store_true", help="also `kdsl time` of each workload: kernel by kernel")
    parser.add_argument(
        "--scale",
        nargs="+",
        choices=("batch", "width", "depth"),
        metavar="WHAT",
        help="instead of the comparison: kdsl alone as batch, width or depth grow",
    )
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="WORD=PATH",
        help="the Python of torch, keras, jax, sklearn or kdsl; or KDSL_BENCH_PYTHON=WORD=PATH,...",
    )
    parser.add_argument("--json", type=Path, help="where the numbers go; default benchmarks/results/TIME.json")
    return parser.parse_args(arguments)


def build_module(workload: Workload, python: str, folder: Path) -> tuple[Path, float]:
    """`kdsl build` of the workload's model, into a folder of this run; and the seconds it took."""
    out = folder / f"{workload.name}.py"
    command = [python, "-m", "kdsl", "build", str(HERE / "models" / f"{workload.name}.kmodel"), "-o", str(out)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent)
    if done.returncode != 0 or not out.exists():
        raise WorkerFailed(f"kdsl build failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return out, time.perf_counter() - start


def present(options: argparse.Namespace, pythons: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The asked-for peers that can run, and why the others cannot."""
    here, absent = [], {}
    for name in options.peers:
        lacking = missing(PEERS[name], pythons[PEERS[name].interpreter])
        if lacking:
            absent[name] = f"{', '.join(lacking)} not installed"
        else:
            here.append(name)
    return here, absent


def measure(workload: Workload, setups: dict[str, Setup], options: argparse.Namespace) -> dict[str, Any]:
    """Everything about one workload: start all workers, interleave their turns, then ask each the rest in turn."""
    results: dict[str, Any] = {name: {"settings": {}, "rounds": {}} for name in setups}
    workers: dict[tuple[str, int], Worker] = {}
    try:
        for name, setup in setups.items():
            for threads in options.threads:
                try:
                    workers[name, threads] = worker = Worker(setup, threads)
                except WorkerFailed as failure:
                    results[name]["failed"] = str(failure)
                    say(f"  {name} with {threads}: {failure}")
                    continue
                say(f"  {name}, {threads} thread{'s' * (threads > 1)}: ready ({worker.ready['setting']})")
                results[name]["settings"][str(threads)] = worker.ready["setting"]
                results[name] |= {key: worker.ready[key] for key in ("note", "python", "versions", "installed_mb")}
        take_turns(workers, results, options)
        for (name, _), worker in workers.items():
            time.sleep(PAUSE)
            predicted = worker.ask("predict", seconds=min(options.seconds, 0.5))["microseconds"]
            state = worker.ask("state")
            known = results[name].get("predict")
            if known is None or min(predicted.values()) < min(known.values()):
                results[name] |= {"predict": predicted, "state": state}
    finally:
        for worker in workers.values():
            worker.close()
    for result in results.values():
        result["training"] = {threads: report.summarise(rounds) for threads, rounds in result["rounds"].items()}
    return results


def take_turns(workers: dict[tuple[str, int], Worker], results: dict[str, Any], options: argparse.Namespace) -> None:
    order = random.Random(0)
    for number in range(options.rounds):
        turns = list(workers)
        order.shuffle(turns)
        for name, threads in turns:
            time.sleep(PAUSE)
            times = workers[name, threads].ask("train", seconds=options.seconds)["ms_per_step"]
            results[name]["rounds"].setdefault(str(threads), []).append(times)
        say(f"  round {number + 1} of {options.rounds}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    pythons = interpreters(options.python)
    here, absent = present(options, pythons)
    if not here:
        raise SystemExit("none of the peers is installed: " + "; ".join(f"{n}: {why}" for n, why in absent.items()))
    started = datetime.now(timezone.utc)
    document: dict[str, Any] = {
        "started": started.isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "options": {
            key: str(value) if isinstance(value, Path) else value
            for key, value in vars(options).items()
            if key != "python"
        },
        "absent": absent,
        "workloads": {},
    }
    print(f"{document['machine']['processor']}, {document['machine']['cpus']} CPUs, {document['machine']['simd']}")
    with tempfile.TemporaryDirectory(prefix="kdsl-bench-") as folder:
        if options.scale:
            document["scale"] = scaled(options, pythons["kdsl"])
        for name in options.workloads if not options.scale else ():
            document["workloads"][name] = run_workload(WORKLOADS[name], here, absent, pythons, options, Path(folder))
    path = options.json or HERE / "results" / f"{started:%Y-%m-%d-%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\nAll numbers: {path}")
    return 1 if any("failed" in peer for w in document["workloads"].values() for peer in w["peers"].values()) else 0


def scaled(options: argparse.Namespace, python: str) -> dict[str, Any]:
    """kdsl alone, for each workload and what of it is to grow."""
    found: dict[str, Any] = {}
    for name in options.workloads:
        for what in options.scale:
            values = WORKLOADS[name].scales.get(what, ())
            if not values:
                continue
            print(f"\n{name}, {what} from {values[0]} to {values[-1]}", flush=True)
            rows = [
                profile(HERE / "models" / f"{name}.kmodel", python, n, {what: v})
                for v in values
                for n in options.threads
            ]
            found.setdefault(name, {})[what] = rows
            print(report.scale_table(what, rows), flush=True)
    return found


def profile(model: Path, python: str, threads: int, changed: dict[str, int]) -> dict[str, Any]:
    """What `kdsl time` says of a model; one thread has one CPU, as the workers have."""
    command = [python, "-m", "kdsl", "time", str(model), "--output", "json", "--threads", str(threads)]
    for what, value in changed.items():
        command += ["--batch", str(value)] if what == "batch" else ["--set", f"{what}={value}"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=HERE.parent, env=environment(), preexec_fn=alone(threads)
    )
    if done.returncode != 0:
        raise SystemExit(f"kdsl time failed: {done.stderr.strip()[-800:]}")
    return {**changed, **json.loads(done.stdout)}


def run_workload(
    workload: Workload,
    here: list[str],
    absent: dict[str, str],
    pythons: dict[str, str],
    options: argparse.Namespace,
    folder: Path,
) -> dict[str, Any]:
    print(f"\n{workload.name}: {workload.summary}", flush=True)
    result: dict[str, Any] = {"summary": workload.summary, "flops_per_step": workload.flops}
    module = None
    peers = [name for name in here if name != "sklearn" or workload.hidden is not None]  # it has no other networks
    failed: dict[str, Any] = {}
    if "kdsl" in peers:
        try:
            module, result["kdsl_build_seconds"] = build_module(workload, pythons["kdsl"], folder)
        except WorkerFailed as failure:
            peers.remove("kdsl")
            failed["kdsl"] = {"failed": str(failure)}
    data = options.data.resolve() if options.data else None
    setups = {name: Setup(PEERS[name], pythons[PEERS[name].interpreter], workload, data, module) for name in peers}
    results = measure(workload, setups, options)
    for name, setup in setups.items():
        if options.starts and results[name]["training"]:
            say(f"  {name}: starting {1 + options.starts} fresh processes")
            results[name]["start"] = start_up(setup, max(options.threads), options.starts)
    if options.profile:
        model = HERE / "models" / f"{workload.name}.kmodel"
        result["profile"] = [profile(model, pythons["kdsl"], threads, {}) for threads in options.threads]
    print(report.training_table(results, options.threads, workload.flops))
    print("\n" + report.other_table(results))
    for name, why in {**absent, **{n: r["failed"] for n, r in {**results, **failed}.items() if "failed" in r}}.items():
        print(f"absent: {name} ({why})")
    return {**result, "peers": results | failed}


if __name__ == "__main__":
    sys.exit(main())
