"""From compile-time values to the sizes and types of tensors, with a word on each way to get one wrong."""

from __future__ import annotations

from fractions import Fraction
from math import prod

from kdsl.elaborate.constants import Constant, Number, is_number, kind_of, show
from kdsl.elaborate.context import MOST_BYTES, Context
from kdsl.graph.types import TensorType
from kdsl.source import Span
from kdsl.syntax import tree

LARGEST = 2**40  # one axis, one value: beyond it nothing fits in a computer


def whole(context: Context, value: Constant, node: tree.Value, taker: str) -> int | None:
    """The whole number this value is; otherwise reports what `taker` ("`dense`", "a shape") was given."""
    if not is_number(value):
        context.report.error("E306", f"{taker} takes a whole number, not {kind_of(value)}", node.span)
        return None
    number: Number = value  # type: ignore[assignment]
    if number == int(number):
        return int(number)
    text = node.span.text
    if isinstance(node, tree.Number):
        context.report.error("E403", f"{taker} takes a whole number, not {show(number)}", node.span)
    else:
        shown = f"{number.numerator} / {number.denominator}" if isinstance(number, Fraction) else show(number)
        shown = f"{float(number):g}" if shown == text else shown
        if context.work is not None:
            if (text, shown) in context.work.mismatched:  # of several equal ones the first speaks for all
                return None
            context.work.mismatched.add((text, shown))
        context.report.error(
            "E403",
            f"`{_short(text)}` is not a whole number: {shown}",
            node.span,
            help=f"`floor({_short(text)})` rounds down, `ceil({_short(text)})` rounds up",
        )
    return None


def size(context: Context, value: Constant, node: tree.Value, taker: str) -> int | None:
    """A whole number from 1 up to what a computer can hold."""
    number = whole(context, value, node, taker)
    if number is None:
        return None
    if number < 1:
        plain = isinstance(node.value if isinstance(node, tree.Unary) else node, tree.Number)
        shown = "" if plain else f" (`{_short(node.span.text)}`)"
        context.report.error("E410", f"a size is at least 1, not {show(Fraction(number))}{shown}", node.span)
        return None
    if number > LARGEST:
        too_large(context, number, node.span, "this axis alone")
        return None
    return number


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:37]}..."


# -- memory ------------------------------------------------------------------------------------------


def too_large(context: Context, elements: int, at: Span, what: str) -> None:
    context.report.error(
        "E409",
        f"{what} needs {in_bytes(4 * elements)} of memory",
        at,
        help=f"the limit is {in_bytes(MOST_BYTES)}: is a size wrong, or multiplied by mistake?",
    )


def in_bytes(count: int) -> str:
    """`3.6 TiB`; sizes are exact integers of any length."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = min((max(count, 1).bit_length() - 1) // 10, len(units) - 1)
    tenths = count * 10 // 1024**power
    if tenths >= 10**7:
        return f"about 10^{len(_digits(tenths)) - 2} {units[power]}"
    whole_part, tenth = divmod(tenths, 10)
    return f"{whole_part}.{tenth} {units[power]}" if tenth and power else f"{whole_part} {units[power]}"


def _digits(number: int) -> str:
    return "0" * (1 + int((number.bit_length() - 1) * 0.30103))  # Python refuses to print integers of over 4300 digits


def fits(context: Context, type: TensorType, at: Span, what: str) -> bool:
    """Whether one sample of this type fits in a computer; reports it otherwise."""
    elements = prod(type.shape)
    if elements * 4 <= MOST_BYTES:
        return True
    too_large(context, elements, at, what)
    return False
