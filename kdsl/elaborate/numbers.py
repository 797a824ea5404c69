"""Functions of numbers that are computed when the model is compiled: `sqrt(D)`, `floor(width / 2)`, `max(a, b)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from kdsl.elaborate import constants
from kdsl.elaborate.constants import Constant, Number, Unfit, kind_of

ANALYTIC: dict[str, Callable[[float], float]] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
}
FUNCTIONS = (*constants.FUNCTIONS, "abs", "round", *ANALYTIC)


def call(function: str, arguments: Sequence[Constant]) -> Constant:
    """One of FUNCTIONS; raises Unfit."""
    if function in constants.FUNCTIONS:
        return constants.call(function, arguments)
    if len(arguments) != 1:
        raise Unfit(f"`{function}` takes one number")
    value = arguments[0]
    if isinstance(value, bool) or not isinstance(value, (Fraction, float)):
        raise Unfit(f"`{function}` takes a number, not {kind_of(value)}")
    if function == "abs":
        return -value if value < 0 else value
    return rounded(value) if function == "round" else analytic(function, value)


def rounded(value: Number) -> Number:
    """To the nearest whole number; halves go to the even one, as in Python and NumPy."""
    return Fraction(round(value))


def analytic(function: str, value: Number) -> Number:
    """A root is exact where it can be, so that `sqrt(64)` is a size."""
    if function == "sqrt" and isinstance(value, Fraction) and value >= 0:
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    try:
        return ANALYTIC[function](float(value))
    except ValueError:
        what = "a root of a negative number" if function == "sqrt" else "not a number"
        raise Unfit(what, numeric=True) from None
    except OverflowError:
        raise Unfit("a number that is far too large", numeric=True) from None
