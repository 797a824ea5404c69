"""Compile-time values: what they are, how messages print them, and their exact arithmetic.

Numbers are fractions as long as they can be, so that `32 / 2 * 3` is a size and `1 / 255` loses nothing; a root makes
a float.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Union

from kdsl.records import dataclass

BITS = 4096  # a number longer than this is a slip of the pen, and slow


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word: `same`, `relu`."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Time:
    """`5 epochs`."""

    amount: Fraction
    unit: str


Constant = Union[bool, Fraction, float, Word, Text, Time, tuple["Constant", ...]]
Number = Union[Fraction, float]


class Unfit(Exception):
    """An operation that these values do not allow; the text is a sentence for the user.

    `numeric` says that the kinds were right and the numbers were not (a division by zero).
    """

    def __init__(self, message: str, numeric: bool = False) -> None:
        super().__init__(message)
        self.message, self.numeric = message, numeric


def is_number(value: object) -> bool:
    return isinstance(value, (Fraction, float))


def kind_of(value: Constant) -> str:
    """How messages call such a value."""
    if isinstance(value, bool):
        return "true or false"
    names = {Word: "a word", Text: "text", Time: "a time", tuple: "a list"}
    return names.get(type(value), "a number")


def show(value: Constant) -> str:
    """As it would be written in kdsl."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Word):
        return value.text
    if isinstance(value, Text):
        return f'"{value.value}"'
    if isinstance(value, Time):
        return f"{show(value.amount)} {value.unit}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(show, value))}]"
    return show_number(value)


def show_number(value: Number) -> str:
    if isinstance(value, float):
        return repr(value)
    if abs(value.numerator) >= 10**18 or value.denominator >= 10**18:
        return f"about {_magnitude(value)}"
    if value.denominator == 1:
        return str(value.numerator)
    decimal = _as_decimal(value)
    return decimal or f"{value.numerator} / {value.denominator}"


def _as_decimal(value: Fraction) -> str:
    """`0.25`, `1e-3`: where the fraction is a short decimal; else empty."""
    text = repr(float(value))
    return text if Fraction(text) == value else ""


def _magnitude(value: Fraction) -> str:
    """`10^27`; works where a float would overflow."""
    digits = (value.numerator.bit_length() - value.denominator.bit_length()) * math.log10(2)
    return f"{'-' if value < 0 else ''}10^{round(digits)}"


# -- arithmetic --------------------------------------------------------------------------------------


def unary(operator: str, value: Constant) -> Constant:
    if operator == "not":
        if not isinstance(value, bool):
            raise Unfit(f"`not` takes true or false, not {kind_of(value)}")
        return not value
    return -_number(value, operator)


def binary(operator: str, left: Constant, right: Constant) -> Constant:
    """One of `+ - * / ** == != < <= > >= and or`; raises Unfit."""
    if operator in ("and", "or"):
        for side in (left, right):
            if not isinstance(side, bool):
                raise Unfit(f"`{operator}` takes true or false, not {kind_of(side)}")
        return (left and right) if operator == "and" else (left or right)
    if operator in ("==", "!="):
        return _equal(left, right, operator) == (operator == "==")
    if operator in _ORDER:
        return _ORDER[operator](_number(left, operator), _number(right, operator))
    if operator == "+" and isinstance(left, tuple) and isinstance(right, tuple):
        return left + right
    if operator not in _ARITHMETIC:
        raise Unfit(f"`{operator}` works on tensors, not on {kind_of(left)}")
    return _checked(_ARITHMETIC[operator], _number(left, operator), _number(right, operator))


def call(function: str, arguments: Sequence[Constant]) -> Constant:
    """`floor`, `ceil`, `min` or `max` of numbers; raises Unfit."""
    if function in ("floor", "ceil"):
        if len(arguments) != 1:
            raise Unfit(f"`{function}` takes one number")
        number = _number(arguments[0], function)
        return Fraction(math.floor(number) if function == "floor" else math.ceil(number))
    values = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple) else arguments
    numbers = [_number(value, function) for value in values]
    if not numbers:
        raise Unfit(f"`{function}` of nothing has no value")
    return min(numbers) if function == "min" else max(numbers)


FUNCTIONS = ("floor", "ceil", "min", "max")


def _number(value: Constant, operator: str) -> Number:
    if isinstance(value, (Fraction, float)):
        return value
    raise Unfit(f"`{operator}` takes numbers, not {kind_of(value)}")


def _equal(left: Constant, right: Constant, operator: str) -> bool:
    if kind_of(left) != kind_of(right):
        raise Unfit(f"`{operator}` compares {kind_of(left)} with {kind_of(right)}: they never are the same")
    return left == right


def _divide(left: Number, right: Number) -> Number:
    if right == 0:
        raise Unfit("a division by zero", numeric=True)
    return left / right


def _power(base: Number, exponent: Number) -> Number:
    if base == 0 and exponent < 0:
        raise Unfit("a division by zero", numeric=True)
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        length = max(base.numerator.bit_length(), base.denominator.bit_length()) - 1
        if length * abs(exponent) > BITS:
            raise Unfit("a number that is far too large", numeric=True)
        return Fraction(base ** int(exponent))
    if base < 0:
        raise Unfit("a root of a negative number", numeric=True)
    return math.pow(base, exponent)


def _checked(operation: Callable[[Number, Number], Number], left: Number, right: Number) -> Number:
    try:
        result = operation(left, right)
    except OverflowError:
        result = math.inf
    if isinstance(result, float):
        if not math.isfinite(result):
            raise Unfit("a number that is far too large", numeric=True)
        return result
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > BITS:
        raise Unfit("a number that is far too large", numeric=True)
    return result


_ARITHMETIC: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "**": _power,
}
_ORDER: dict[str, Callable[[Number, Number], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
