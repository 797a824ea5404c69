"""The style by example: what stands on the left comes out as what stands on the right."""

from __future__ import annotations

import pytest
from format_corpus import source

from kdsl.format import format_source

LONG = "a_rather_long_name_of_a_value"


def formatted(text: str) -> str:
    out = format_source(source(text)).text
    assert format_source(source(out)).text == out
    return out


def inside(text: str) -> str:
    """The body of a model with these statements, as it comes out, without its indentation."""
    lines = formatted(f"model M {{\n{text}\n}}\n").split("\n")[1:-2]
    return "\n".join(line.removeprefix("  ") for line in lines)


ONE_LINE = {
    "x=dense( 3 )": "x = dense(3)",
    "x=-1*-y**2+not_z": "x = -1 * -y ** 2 + not_z",
    "x = f ( a=1,b = [ 1,2 ] )": "x = f(a = 1, b = [1, 2])",
    "x = y[ 0 : 4 , - 1 ]": "x = y[0:4, -1]",
    "x = y[a+1:b]": "x = y[a + 1 : b]",
    "x = y[a+1:,]": "x = y[\n  a + 1 :,\n]",
    "x = y[:, ::2]": "x = y[:, ::2]",
    "x=h->dense(3)as top->relu": "x = h -> dense(3) as top -> relu",
    "x = h->repeat 3{dense(3)->relu}as all": "x = h -> repeat 3 { dense(3) -> relu } as all",
    "x = h -> for w , v in[[1,2]]{ dense(w) }": "x = h -> for w, v in [[1, 2]] { dense(w) }",
    "x = a . b . c": "x = a.b.c",
    "x = 5    epochs": "x = 5 epochs",
    "x = (a,b)->concat": "x = (a, b) -> concat",
    "a,b = x->split( 2 )": "a, b = x -> split(2)",
    "weight w:f32[D,3]=ones": "weight w: f32[D, 3] = ones",
    "frozen  weight w : index( 3 )[T]": "frozen weight w: index(3)[T]",
    "output a ,b": "output a, b",
    "x = if not a==b then c else-d": "x = if not a == b then c else -d",
    "x = (\n  a\n  + b\n)": "x = (a + b)",
    "x = f(\n  a,\n  b\n)": "x = f(a, b)",
    "x = f(\n  a,\n  b,\n)": "x = f(\n  a,\n  b,\n)",
    "x = f(a, b,)": "x = f(\n  a,\n  b,\n)",
}


@pytest.mark.parametrize("text", ONE_LINE)
def test_spaces(text: str) -> None:
    assert inside(text) == ONE_LINE[text]


def test_a_flow_stays_broken_where_it_was_broken() -> None:
    text = "y = x -> a\n  -> b -> c\n\n  -> d"
    assert inside(text) == "y = x\n  -> a\n  -> b -> c\n\n  -> d"
    assert inside("y = x -> a -> b") == "y = x -> a -> b"


def test_a_long_flow_has_one_step_in_each_line() -> None:
    steps = [f"dense({n}, name_of_an_argument = {n})" for n in range(3)]
    assert inside(f"y = x -> {' -> '.join(steps)}") == "y = x" + "".join(f"\n  -> {step}" for step in steps)


def test_long_arguments_have_a_line_each_and_a_comma_at_the_end() -> None:
    arguments = [f"{LONG}_{n} = {n}" for n in range(3)]
    assert inside(f"y = f({', '.join(arguments)})") == "y = f(" + "".join(f"\n  {a}," for a in arguments) + "\n)"


def test_long_lists_of_numbers_are_packed() -> None:
    numbers = ", ".join(str(1000 + n) for n in range(30))
    lines = inside(f"y = [{numbers}]").split("\n")
    assert (lines[0], lines[-1]) == ("y = [", "]")
    assert len(lines) == 4 and all(len(line) <= 98 for line in lines)
    assert inside("\n".join(lines)) == "\n".join(lines)


def test_long_sums_are_broken_before_their_operators() -> None:
    terms = [f"{LONG}_{n} * {n}" for n in range(4)]
    assert inside(f"y = {' + '.join(terms)}") == f"y = {terms[0]}" + "".join(f"\n  + {t}" for t in terms[1:])


def test_long_choices() -> None:
    text = f"y = if a == 1 then {LONG} else if a == 2 then {LONG}_2 else {LONG}_3"
    assert inside(text) == (f"y = if a == 1\n  then {LONG}\n  else if a == 2\n  then {LONG}_2\n  else {LONG}_3")


def test_settings_line_up_and_long_names_stand_apart() -> None:
    text = 'train M {\nloss = a\n+ b\nbatch=3\nvalidation_split=0.1\n\nseed=1\ntune "x.*" {\nfrozen=true\n}\n}\n'
    assert formatted(text) == (
        "train M {\n  loss  = a\n        + b\n  batch = 3\n  validation_split = 0.1\n\n  seed = 1\n"
        '  tune "x.*" { frozen = true }\n}\n'
    )


def test_inputs_are_as_wide_as_targets_where_there_are_any() -> None:
    assert inside("input x: f32\ntarget y: f32") == "input  x: f32\ntarget y: f32"
    assert inside("input x: f32\n\ninput y: f32") == "input x: f32\n\ninput y: f32"


def test_comments_stay_where_they_belong() -> None:
    text = """\
# first

model M {   # behind the brace
  # own
  input x: f32[3]   # behind

  ## doc
  y = f(   # behind the bracket
    a, # of a
    # above b
    b   # of b
    # last
  )
  z = x  # source
    # above the arrow
    -> dense(3)  # step
    -> relu
  # at the end
}  # after
# very last"""
    assert (
        formatted(text)
        == """\
# first

model M {  # behind the brace
  # own
  input x: f32[3]  # behind

  ## doc
  y = f(  # behind the bracket
    a,  # of a
    # above b
    b,  # of b
    # last
  )
  z = x  # source
    # above the arrow
    -> dense(3)  # step
    -> relu
  # at the end
}  # after

# very last
"""
    )


def test_comments_of_neighbours_line_up() -> None:
    text = "dim A = 1 # a\ndim LONGER = 2    # b\n\ndim C = 3     # c\n"
    assert formatted(text) == "dim A = 1       # a\ndim LONGER = 2  # b\n\ndim C = 3  # c\n"


def test_comments_of_steps_line_up() -> None:
    text = "y = x\n -> rescale(1 / 16) # a\n -> flatten # b\n -> relu\n -> relu # c"
    assert inside(text) == "y = x\n  -> rescale(1 / 16)  # a\n  -> flatten          # b\n  -> relu\n  -> relu  # c"


def test_a_comment_behind_something_never_becomes_a_doc_comment() -> None:
    text = "model M { ## no doc\ninput x: f32\n}\n"
    assert formatted(text) == "model M {  ## no doc\n  input x: f32\n}\n"


def test_blank_lines() -> None:
    text = "\n\ndim A = 1\ndim B = 2\n# of M\nmodel M {\n\n\ninput x: f32\n\n\n\noutput x\n\n}\ntrain M {\nloss = x\n}\n\n\n"
    assert formatted(text) == (
        "dim A = 1\ndim B = 2\n\n# of M\nmodel M {\n  input x: f32\n\n  output x\n}\n\ntrain M {\n  loss = x\n}\n"
    )


def test_broken_statements_stay_exactly_as_they_are() -> None:
    text = "model  M {\n  input   x: f32[3]\n     y  =  x -> dense(3 4)  -> relu   # note\n  z=y\n}\n"
    result = format_source(source(text))
    assert result.left == 1
    assert result.text == "model M {\n  input x: f32[3]\n     y  =  x -> dense(3 4)  -> relu   # note\n  z = y\n}\n"


def test_an_item_whose_first_line_is_broken_stays_as_it_is() -> None:
    text = "model M(a: ) {\n  input   x: f32[3]\n}\ndim  A=1\n"
    assert format_source(source(text)).text == "model M(a: ) {\n  input   x: f32[3]\n}\ndim A = 1\n"


def test_line_ends_tabs_and_marks() -> None:
    assert formatted("\ufeffdim\tA=1") == "dim A = 1\n"
    assert format_source(source("dim A=1\r\ndim B=2  # b\r\n")).text == "dim A = 1\r\ndim B = 2  # b\r\n"
    assert formatted("") == ""
    assert formatted("\n \n\t\n") == ""
    assert formatted("# only this") == "# only this\n"


def test_signatures() -> None:
    parameters = ", ".join(f"{LONG}_{n}: int = {n}" for n in range(3))
    assert formatted(f"block B(x: f32[H,W], {parameters}) -> f32[H/2,_] {{ return x }}") == (
        "block B(\n  x: f32[H, W],\n"
        + "".join(f"  {LONG}_{n}: int = {n},\n" for n in range(3))
        + ") -> f32[H / 2, _] {\n  return x\n}\n"
    )
    assert formatted("fn f(x,beta=1.0)=x*beta") == "fn f(x, beta = 1.0) = x * beta\n"
    assert formatted("model M{}") == "model M {}\n"
    assert formatted('import A as B,C from "x.kmodel"') == 'import A as B, C from "x.kmodel"\n'
    value = f"where({LONG}, {LONG}, 1) + where({LONG}, x, 1)"
    assert formatted(f"fn f(x) = {value}") == f"fn f(x) = where({LONG}, {LONG}, 1)\n  + where({LONG}, x, 1)\n"
