"""Write a commented model file to start from: a small classifier that builds and trains as it is."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from kdsl.cli.console import OK, CliError, Console
from kdsl.cli.output import unusable

EXAMPLES = """\
  kdsl new                   network.kmodel
  kdsl new my_net.kmodel     and `model MyNet` in it
"""

STARTER = """\
# A .kmodel file says what a network is and how it is trained. Try this one as it is:
#
#   kdsl lint @FILE@
#   kdsl train @FILE@ --data sklearn:digits
#
# Three marks, one meaning each: `:` states a type, `=` binds a value, `->` feeds a value into a layer.

## Handwritten digits, read by two dense layers.
## (Lines that start with two marks are the model's documentation; they go into the module.)
model @NAME@(hidden: int = 64) {
  # What comes in, and what training compares with. The batch axis is never written.
  input  image: u8[8, 8]   # bytes; four measurements would be f32[4]
  target label: index(10)  # an integer from 0 to 9

  # One step a line. Only new widths are written; every other size follows from what comes in.
  logits = image
    -> rescale(1 / 16)  # 0..16 becomes 0..1
    -> flatten          # [8, 8] becomes [64]
    -> dense(hidden) -> relu
    -> dropout(0.2)  # while training only
    -> dense(10)

  # What predict returns.
  output probabilities = softmax(logits)
}

# `kdsl build @FILE@ --set hidden=128` changes a parameter without changing this file.

train @NAME@ {
  loss      = cross_entropy(logits, label)
  metrics   = [accuracy(logits, label)]
  optimizer = adam(lr = 2e-3)  # or sgd(lr = 0.1, momentum = 0.9), rmsprop, adamw
  batch     = 32
  epochs    = 30
  seed      = 42  # the same seed gives the same weights
}
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        default="network.kmodel",
        help="the file to write (default: network.kmodel); it must not exist yet",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    path = Path(options.file if options.file.endswith(".kmodel") else f"{options.file}.kmodel")
    if reason := unusable(path.stem):
        raise CliError(f"{path.name} cannot be the model's name: {reason}", "name it after what it does: my_net.kmodel")
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(starter(path))
    except FileExistsError as error:
        raise CliError(f"{path} exists, and stays as it is", "choose another name") from error
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror or error}") from error
    console.print(f"wrote {path}")
    console.print("\nRead it, then train it:")
    console.print(f"  kdsl train {path} --data sklearn:digits")
    return OK


def starter(path: Path) -> str:
    """The starter file for this path; its model is called after it: `my_net.kmodel` -> `MyNet`."""
    words = [word for word in re.split(r"[\W_]+", path.stem, flags=re.ASCII) if word]
    name = "".join(word[0].upper() + word[1:] for word in words)
    if not name or not name[0].isalpha() or name == "Model":  # the class of every module's base is called so
        name = f"Net{name}"
    shown = str(path) if str(path).isprintable() else path.name
    return STARTER.replace("@FILE@", shown).replace("@NAME@", name)
