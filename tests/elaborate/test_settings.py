"""`--set hidden=256`."""

from __future__ import annotations

from elaborate_corpus import check, codes, program

TEXT = """
dim width = 8
dim double = 2 * width

model Net(hidden: int = 16, rate: float = 0.5, deep: bool = false, style: word = relu, sizes: list = [4]) {
  input x: f32[double]
  h = x -> dense(hidden) -> if deep then { dropout(rate) -> dense(sizes[0]) } else if style == relu then relu else tanh
  output h
}
"""


def shape(**settings: str) -> list[tuple[int, ...]]:
    return [w.shape for w in program(TEXT, **settings).weights if len(w.shape) == 2]


def test_a_parameter_and_a_dim() -> None:
    assert shape() == [(16, 16)]
    assert shape(hidden="256") == [(16, 256)]
    assert shape(width="3") == [(6, 16)]
    assert shape(hidden="2 * 16", width="[4, 5][1]") == [(10, 32)]


def test_other_kinds_of_values() -> None:
    assert shape(deep="true", rate="1e-1", sizes="[32, 64]") == [(16, 16), (16, 32)]
    assert [record.layer for record in program(TEXT, style="tanh").layers] == ["dense", "tanh"]


def test_the_program_records_what_it_was_made_with() -> None:
    assert dict(program(TEXT, hidden="256").parameters)["hidden"] == 256


def test_an_unknown_name_is_answered_with_the_near_ones() -> None:
    (diagnostic,) = check(TEXT, hiden="3")
    assert (diagnostic.code, diagnostic.message) == ("E202", "nothing in this file is called `hiden`")
    assert diagnostic.help == "did you mean `hidden`?"
    assert str(diagnostic.span) == "--set:1:1"


def test_a_value_of_another_type_is_refused() -> None:
    for settings in ({"hidden": "2.5"}, {"hidden": "true"}, {"deep": "1"}, {"sizes": "3"}, {"hidden": "big"}):
        assert codes(TEXT, **settings) == ["E312"], settings


def test_what_is_no_value_is_refused() -> None:
    for value in ("", "3)", "3 }", "a.b", "x -> relu", "{", "width", "1 = 2", "3\ndim other = 4"):
        found = codes(TEXT, hidden=value)
        assert found in (["E312"], ["E202"]), (value, found)


def test_a_size_from_outside_is_checked_like_any_other() -> None:
    assert codes(TEXT, hidden="0") == ["E410"]
    assert codes(TEXT, hidden="10 ** 13") == ["E409"]
