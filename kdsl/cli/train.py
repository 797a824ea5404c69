"""Build a model and train it on data; where the data has a test part, say how well it does there."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdsl.cli.compiling import add_file, add_target, class_of, compiled, warm
from kdsl.cli.console import FINDINGS, INTERRUPTED, OK, CliError, Console
from kdsl.cli.models import add_model, one_of, unknown

if TYPE_CHECKING:
    from kdsl.datasets import DataSet, Split
    from kdsl.elaborate.program import ModelProgram, Training

EXAMPLES = """\
  kdsl train digits.kmodel --data sklearn:digits
  kdsl train fashion_mlp.kmodel --data fashion-mnist/ --epochs 5 --save weights.npz
  kdsl train cifar_cnn.kmodel --data cifar10:cifar-10-binary.tar.gz
  kdsl train houses.kmodel --data houses.csv --columns numbers=rooms,area --lr 1e-4

data:
  sklearn:NAME   what scikit-learn bundles: digits, iris, wine, breast_cancer, diabetes
  a folder       idx files, gzipped or not: train-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz ...
  cifar10:DIR    CIFAR-10, binary or python version: a folder or an archive; cifar100:DIR[:fine|coarse]
  images:DIR     a folder of PNG and JPEG images for each class; images:DIR:resize brings them to the model's size
  x.npz          arrays named after the model's inputs and targets; test_NAME for the test part
  x.csv          a header, then numbers; columns named after inputs and targets, or see --columns
"""


NOTICED = 1.0  # seconds: a wait that wants a reason


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    add_model(parser)
    add_target(parser)
    data = parser.add_argument_group("data")
    data.add_argument("--data", required=True, metavar="SPEC", help="what to train on (see below)")
    data.add_argument("--test", metavar="SPEC", help="what to test on, if --data has no test part")
    data.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="NAME=A,B,C",
        help="the columns of a table that feed an input or target; may be repeated",
    )
    how = parser.add_argument_group("training (default: what the model's train block says)")
    how.add_argument("--epochs", type=_count, metavar="N")
    how.add_argument("--batch", type=_count, metavar="N", help="rows of a batch")
    how.add_argument("--lr", type=_rate, metavar="X", help="the learning rate")
    how.add_argument(
        "--hyper",
        action="append",
        default=[],
        metavar="NAME=X",
        help="another number of the optimizer, as in beta1=0.8; may be repeated",
    )
    how.add_argument("--validation-split", type=float, metavar="X", help="hold out this share of the rows to validate")
    how.add_argument("--seed", type=int, metavar="N", help="of first weights, shuffling and dropout")
    how.add_argument(
        "--threads", type=_count, metavar="N", help="threads to compute with (default: the module chooses)"
    )
    how.add_argument("--save", metavar="W.npz", help="save the trained weights, also when Ctrl-C ends the training")
    how.add_argument("-q", "--quiet", action="store_true", help="no progress, only the result")


def run(options: argparse.Namespace, console: Console) -> int:
    """Exit code 0 when trained, 1 where the model has errors or its loss became infinite, 130 after Ctrl-C."""
    save = None if options.save is None else _writable(Path(options.save))
    result = compiled(options, console)
    program = one_of(result.programs, options.model, options.file)
    if program.training is None:
        raise CliError(
            f"{program.name} has no `train {program.name} {{ ... }}` block, so it cannot be trained",
            "kdsl new shows what one looks like",
            FINDINGS,
        )
    numbers = _numbers(options, program.training)
    data, test = _data(options, program, console)
    try:
        model_class = class_of(result, program)
        _warm(model_class, options.quiet, console)
        model = model_class(seed=options.seed, threads=options.threads, **numbers)
        code = _fit(model, data.train, options, console, save)
        if code == OK and test is not None:
            _report(model, test, console)
    except (ValueError, TypeError) as error:  # what the module says of a wrong number or of data: one clear sentence
        raise CliError(str(error)) from error
    return code


def _warm(model_class: Any, quiet: bool, console: Console) -> None:
    """Kernels are compiled before the first epoch, so that its bar shows training and nothing else."""
    start = time.perf_counter()
    waiting = "compiling its kernels ..." if not quiet and console.out.isatty() else ""
    console.out.write(waiting)
    console.out.flush()
    warm(model_class)
    console.out.write("\r" + " " * len(waiting) + "\r" if waiting else "")
    seconds = time.perf_counter() - start
    if seconds > NOTICED and not quiet:
        console.print(f"compiled its kernels in {seconds:.1f} s; the next run finds them ready")


def _fit(model: Any, train: Split, options: argparse.Namespace, console: Console, save: Path | None) -> int:
    given = {"epochs": options.epochs, "batch_size": options.batch, "validation_split": options.validation_split}
    wanted = {name: value for name, value in given.items() if value is not None}
    code = OK
    try:
        model.fit(train.inputs, train.targets, verbose=0 if options.quiet else "auto", **wanted)
    except KeyboardInterrupt:
        console.error(f"interrupted after {len(model.history.epoch)} whole epochs")
        code = INTERRUPTED
    except FloatingPointError as error:
        raise CliError(str(error), code=FINDINGS) from error
    if save is not None:
        model.save(save)
        console.print(f"saved {save}")
    return code


def _report(model: Any, test: Split, console: Console) -> None:
    results = model.evaluate(test.inputs, test.targets)
    shown = (f"{name}: {value:.4f}" if abs(value) < 1e5 else f"{name}: {value:.3e}" for name, value in results.items())
    console.done(f"Test on {test.rows:,} rows - {' - '.join(shown)}")


def _data(options: argparse.Namespace, program: ModelProgram, console: Console) -> tuple[DataSet, Split | None]:
    """What to train on, and what to test on if there is any."""
    from kdsl.datasets import DataError, Options, load

    how = Options(_columns(options.columns), "float64" if options.dtype == "f64" else "float32")
    try:
        data = load(options.data, program, how)
        other = load(options.test, program, how) if options.test else None
    except DataError as error:
        raise CliError(str(error)) from error
    test = data.test if other is None else other.test or other.train
    if not options.quiet:
        tested = f", {test.rows:,} to test" if test is not None else ""
        console.print(f"{options.data}: {data.train.rows:,} rows to train{tested}")
        if data.unused:
            console.note(f"not used: {', '.join(data.unused)}")
    return data, test


def _columns(pairs: list[str]) -> dict[str, tuple[str, ...]]:
    """`--columns numbers=a,b,c` -> {"numbers": ("a", "b", "c")}."""
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, _, columns = pair.partition("=")
        names = tuple(column.strip() for column in columns.split(","))
        if not name.strip() or not all(names):
            raise CliError(f"--columns {pair} names no columns", "write --columns NAME=A,B,C")
        found[name.strip()] = names
    return found


def _numbers(options: argparse.Namespace, training: Training) -> dict[str, float]:
    """Numbers of the optimizer and the schedule that the command line gives."""
    found: dict[str, float] = {} if options.lr is None else {"lr": options.lr}
    known = [name for name, _ in training.optimizer.numbers]
    known += [] if training.schedule is None else [*training.schedule.numbers]
    for pair in options.hyper:
        name, _, text = (part.strip() for part in pair.partition("="))
        if name not in known:
            raise unknown(f"{training.optimizer.name} has no number {name}", name, known)
        try:
            found[name] = float(text)
        except ValueError as error:
            raise CliError(
                f"--hyper {pair} gives no number", "write --hyper NAME=X, as in --hyper beta1=0.8"
            ) from error
    return found


def _writable(path: Path) -> Path:
    """Better refused now than after the training."""
    if path.suffix != ".npz":
        raise CliError(f"weights are saved as .npz: {path} does not end so")
    if path.is_dir() or not path.parent.is_dir():
        raise CliError(
            f"{path} cannot be written: " + ("it is a folder" if path.is_dir() else f"no folder {path.parent}")
        )
    if not os.access(path.parent, os.W_OK):
        raise CliError(f"{path} cannot be written: the folder {path.parent} is read-only")
    return path


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of at least 0")
    return rate
