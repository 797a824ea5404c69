"""Equations of einsum: one letter for each axis after the batch, `qd,kd->qk`."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.graph.types import TensorType
from kdsl.ops.registry import Refused
from kdsl.records import dataclass

MOST_OPERANDS = 32


@dataclass(frozen=True)
class Equation:
    """`terms` are the letters of the operands, `result` those of what comes out."""

    terms: tuple[str, ...]
    result: str


def read_equation(text: str, operands: int) -> Equation:
    """The equation's parts; raises Refused (E413) that names the letter at fault."""
    if operands > MOST_OPERANDS:
        help = "multiply some of them first"
        raise _wrong(f"`einsum` takes at most {MOST_OPERANDS} operands, and gets {operands}", help=help)
    left, arrow, result = text.replace(" ", "").partition("->")
    if not arrow:
        raise _wrong(f"`{text}` does not say what comes out", help=f"write `{text.strip()}->` and the letters to keep")
    if "..." in text:
        help = "every axis after the batch has a letter; the batch has none, it is always kept"
        raise _wrong(f"`...` in `{text}` stands for no axis here", help=help)
    terms = tuple(left.split(","))
    for letter in left.replace(",", "") + result:
        if not (letter.isascii() and letter.isalpha()):
            raise _wrong(
                f"`{letter}` in `{text}` is no letter", help="axes are called by letters from a to z or A to Z"
            )
    if len(terms) != operands:
        counts = f"{len(terms)} operand{'s' * (len(terms) != 1)}, but `einsum` gets {operands}"
        raise _wrong(f"`{text}` has letters for {counts}", help="operands are separated by commas: `qd,kd->qk`")
    for term in terms:
        twice = _twice(term)
        if twice:
            help = "every axis has a letter of its own; a diagonal cannot be taken"
            raise _wrong(f"the letter `{twice}` stands twice in `{term}`", help=help)
    if _twice(result):
        help = "every axis of the result has a letter of its own"
        raise _wrong(f"the letter `{_twice(result)}` stands twice in the result `{result}`", help=help)
    for letter in result:
        if letter not in left:
            help = f"the operands have {', '.join(f'`{known}`' for known in sorted(set(left) - {','}))}"
            raise _wrong(f"the letter `{letter}` of the result `{result}` stands in no operand", help=help)
    return Equation(terms, result)


def check_equation(equation: Equation, types: Sequence[TensorType]) -> None:
    """Every axis has a letter, and a letter one size; raises Refused (E413)."""
    sizes: dict[str, tuple[int, int]] = {}
    for place, (term, type) in enumerate(zip(equation.terms, types, strict=True)):
        if len(term) != type.rank:
            letters = f"{len(term)} letter{'s' * (len(term) != 1)}"
            with_batch = type.batched and len(term) == type.rank + 1
            help = f"the batch has no letter: leave the `{term[:1]}` out" if with_batch else "one letter for each axis"
            axes = f"{type.rank} ax{'i' if type.rank == 1 else 'e'}s" if type.rank else "no axes"
            raise _wrong(f"`{term}` has {letters}, but {{{place}}} has {axes}: {type.dims}", help=help)
        for letter, size in zip(term, type.shape, strict=True):
            before, where = sizes.setdefault(letter, (size, place))
            if before != size:
                message = f"the letter `{letter}` is {before} in {{{where}}} and {size} in {{{place}}}"
                raise _wrong(message, help=f"axes with one letter have one size: {_shown(equation.terms, types)}")


def _shown(terms: Sequence[str], types: Sequence[TensorType]) -> str:
    return ", ".join(f"`{term}` is {type.dims}" for term, type in zip(terms, types, strict=True))


def _twice(letters: str) -> str:
    """The first letter that stands there twice, or nothing."""
    return next((letter for place, letter in enumerate(letters) if letter in letters[:place]), "")


def _wrong(message: str, help: str) -> Refused:
    return Refused("E413", message, argument="equation", help=help)
