"""The module as a program: `python fashion.py train --data data.npz`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from kdsl.runtime.declaration import Port
from kdsl.runtime.model import Model


def run_script(models: Sequence[type[Model]], arguments: Sequence[str] | None = None) -> int:
    """Runs the command line -> exit code: 0, 1 (the work failed), 2 (the command makes no sense)."""
    chosen = _parser(models).parse_args(arguments)
    model_class = next(model for model in models if model.declaration.name == chosen.model)
    try:
        {"train": _train, "evaluate": _evaluate, "predict": _predict, "summary": _summary}[chosen.command](
            model_class, chosen
        )
        sys.stdout.flush()
    except BrokenPipeError:  # the reader went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _failed("interrupted")
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error)
    except (ValueError, TypeError, RuntimeError, ArithmeticError, MemoryError) as error:
        return _failed(error)
    return 0


def _failed(reason: object) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return 1


def _parser(models: Sequence[type[Model]]) -> argparse.ArgumentParser:
    names = [model.declaration.name for model in models]
    parser = argparse.ArgumentParser(description=f"Trains and runs {', '.join(names)}.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="train | evaluate | predict | summary")
    data = "an .npz file with an array for each input and target, under its name"
    for command, text in (
        ("train", "train on a data file"),
        ("evaluate", "loss and metrics on a data file"),
        ("predict", "the outputs for a data file's inputs"),
        ("summary", "layers, shapes, parameters, work and memory"),
    ):
        sub = commands.add_parser(command, help=text, description=text)
        sub.add_argument(
            "--model",
            choices=names,
            default=names[0],
            help=argparse.SUPPRESS if len(names) == 1 else f"default: {names[0]}",
        )
        if command == "summary":
            continue
        sub.add_argument("--data", required=True, metavar="FILE.npz", help=data)
        sub.add_argument(
            "--weights", required=command != "train", metavar="FILE.npz", help="weights to begin with, from --save"
        )
        if command == "train":
            sub.add_argument("--epochs", type=int, metavar="N", help="instead of the train block's")
            sub.add_argument("--batch", type=int, metavar="N", help="rows of a batch, instead of the train block's")
            sub.add_argument("--seed", type=int, metavar="N", help="instead of the train block's")
            sub.add_argument("--validation-split", type=float, metavar="SHARE", help="of the last rows, held out")
            sub.add_argument("--save", metavar="FILE.npz", help="where to write the trained weights")
        if command == "predict":
            sub.add_argument(
                "--output", metavar="FILE.npz", help="where to write the outputs; default: print the first rows"
            )
    return parser


def _train(model_class: type[Model], chosen: Any) -> None:
    declaration = model_class.declaration
    model = model_class(chosen.seed)
    if chosen.weights:
        model.load_weights(chosen.weights)
    data = _read(chosen.data, declaration.inputs + declaration.targets)
    inputs, targets = _named(declaration.inputs, data), _named(declaration.targets, data)
    try:
        model.fit(
            inputs, targets, epochs=chosen.epochs, batch_size=chosen.batch, validation_split=chosen.validation_split
        )
    finally:
        if chosen.save and model.history.epoch:
            model.save(chosen.save)


def _evaluate(model_class: type[Model], chosen: Any) -> None:
    declaration = model_class.declaration
    data = _read(chosen.data, declaration.inputs + declaration.targets)
    model = _loaded(model_class, chosen.weights)
    results = model.evaluate(_named(declaration.inputs, data), _named(declaration.targets, data))
    print("  ".join(f"{name} {value:.6g}" for name, value in results.items()))


def _predict(model_class: type[Model], chosen: Any) -> None:
    declaration = model_class.declaration
    data = _read(chosen.data, declaration.inputs)
    outputs = _loaded(model_class, chosen.weights).predict(_named(declaration.inputs, data))
    named = outputs if isinstance(outputs, dict) else {declaration.outputs[0].name: outputs}
    if chosen.output:
        np.savez(chosen.output, **named)
        return
    for name, array in named.items():
        print(f"{name}: {array.dtype}{list(array.shape)}\n{array[:10]}")


def _summary(model_class: type[Model], chosen: Any) -> None:
    model_class().summary()


def _loaded(model_class: type[Model], path: str) -> Model:
    model = model_class()
    model.load_weights(path)
    return model


def _read(path: str, ports: tuple[Port, ...]) -> dict[str, Any]:
    """The arrays named after the ports; the error names those that are missing and what the file has."""
    with np.load(path, allow_pickle=False) as archive:
        missing = [str(port) for port in ports if port.name not in archive.files]
        if missing:
            raise ValueError(
                f"{path} has no array for {', '.join(missing)}; it has {', '.join(archive.files) or 'none'}"
            )
        return {port.name: archive[port.name] for port in ports}


def _named(ports: tuple[Port, ...], data: dict[str, Any]) -> dict[str, Any]:
    return {port.name: data[port.name] for port in ports}
