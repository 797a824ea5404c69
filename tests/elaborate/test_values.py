"""Compile-time values: exact, typed, and never a crash."""

from __future__ import annotations

from fractions import Fraction

import pytest
from elaborate_corpus import codes, program

from kdsl.elaborate import constants
from kdsl.elaborate.constants import Unfit, Word, show


def value(text: str) -> object:
    """What a compile-time expression comes to, seen through a parameter."""
    model = program(f"model Net(value: list = [{text}]) {{\n  input x: f32[8]\n  output x\n}}\n")
    return dict(model.parameters)["value"][0]  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3", 7),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("7 / 2 * 2", 7),
        ("0.1 + 0.2", 0.3),  # exact: floats would give 0.30000000000000004
        ("1 / 3 * 3", 1),
        ("2 ** 0.5", 2**0.5),
        ("floor(7 / 2)", 3),
        ("ceil(7 / 2)", 4),
        ("min(3, 1, 2)", 1),
        ("max([3, 1, 2])", 3),
        ("[10, 20, 30][1]", 20),
        ("[10, 20, 30][-1]", 30),
        ("if 3 > 2 and not false then 1 else 2", 1),
        ("3 == 3.0", True),
        ("1 <= 1 or 1 / 2 > 3", True),
        ("[1] + [2]", (1, 2)),
        ("20_000", 20000),
        ('"text"', "text"),
        ("5 epochs", (5.0, "epochs")),
    ],
)
def test_a_value(text: str, wanted: object) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    "text", ["1 / 0", "0 ** -1", "10 ** 10 ** 10", "(-8) ** (1 / 3)", "2 ** 4000 * 2 ** 4000", "1e300 ** 1.5"]
)
def test_a_number_that_there_is_not(text: str) -> None:
    assert codes(f"model Net(value: float = {text}) {{\n  input x: f32[8]\n  output y = x -> rescale(value)\n}}\n") == [
        "E314"
    ]


@pytest.mark.parametrize(
    "text", ["true + 1", "1 and true", "[1] < 2", "3 == true", "not 3", "-true", '"a" * 2', "floor(true)", "min()"]
)
def test_an_operation_on_the_wrong_kind(text: str) -> None:
    assert codes(
        f"model Net(value: list = [{text}]) {{\n  input x: f32[8]\n  output y = x -> dense(value[0])\n}}\n"
    ) == ["E315"]


def test_values_are_printed_as_they_are_written() -> None:
    shown = [True, Fraction(3), Fraction(1, 4), Fraction(1, 3), Word("same"), (Fraction(1), False), Fraction(10**30)]
    assert [show(v) for v in shown] == ["true", "3", "0.25", "1 / 3", "same", "[1, false]", "about 10^30"]


def test_a_power_of_ten_thousand_digits_is_refused_at_once() -> None:
    with pytest.raises(Unfit):
        constants.binary("**", Fraction(10), Fraction(10**12))
    assert constants.binary("**", Fraction(-1), Fraction(10**12 + 1)) == -1


def test_long_sums_are_no_deep_sums() -> None:
    assert value(" + ".join(["1"] * 90)) == 90
