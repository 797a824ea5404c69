"""Fns, weights of one's own, and weights of named steps by their names."""

from __future__ import annotations

import pytest
from elaborate_corpus import check, codes, elaborated, program

LEAKY = "fn leaky(x, slope = 0.5) = maximum(x, slope * x)\n"


def model(body: str) -> str:
    lines = "".join(f"  {line.strip()}\n" for line in body.strip().split("\n"))
    return f"model Net {{\n  input x: f32[4]\n{lines}  output h\n}}\n"


def ops(text: str) -> list[str]:
    return [node.op for node in program(text).graph if node.op not in ("input", "constant")]


def numbers(text: str) -> list[object]:
    return [dict(node.attributes)["value"] for node in program(text).graph if node.op == "constant"]


# -- fns ---------------------------------------------------------------------------------------------


def test_a_fn_is_written_out_where_it_is_called() -> None:
    for call in (
        "leaky(x)",
        "x -> leaky",
        "leaky(x, slope = 0.5)",
        "x -> leaky(0.5)",
        "x -> leaky(slope = 0.5)",
        "leaky(x, 0.5)",
    ):
        text = LEAKY + model(f"h = {call}")
        assert ops(text) == ["multiply", "maximum"] and numbers(text) == [0.5]


def test_a_fn_after_an_arrow_is_one_layer() -> None:
    net = program("fn twice(x) = softmax(x) -> relu\n" + model("h = x -> twice -> dense(3)\nk = twice(h)"))
    assert [(layer.path, layer.text) for layer in net.layers] == [("h.twice", "twice"), ("h.dense", "dense(3)")]
    (found,) = check("fn twice(x) = softmax(x)\n" + model("h = x -> twice -> reshape([5])"))
    assert found.notes == ("shapes: x [4] -> twice [4] -> reshape \N{BALLOT X}",)


def test_several_values_flow_into_the_first_parameters() -> None:
    text = "fn mix(a, b, share = 0.5) = share * a + (1 - share) * b\n" + model("y = x -> relu\nh = (x, y) -> mix(0.25)")
    assert numbers(text) == [0.25, 0.75]


def test_fns_have_bodies_and_several_results() -> None:
    text = "fn parts(x, n = 2) {\n  a = x ** n\n  b = a + x\n  return a, b\n}\n" + model(
        "u, v = parts(x)\nh, w = x -> parts(n = 3)"
    )
    assert ops(text) == ["power", "add", "power", "add"] or ops(text)[1] == "add"
    assert codes("fn parts(x) {\n  return x, x\n}\n" + model("h = parts(x) + 1")) == ["E426"]


def test_fns_of_numbers_are_known_when_compiled() -> None:
    text = "fn half(n, by = 2) = floor(n / by)\ndim K = half(7)\nfn size(n) = if n > 3 then half(n) else n\n"
    assert program(text + model("h = x -> dense(size(9) + K)")).outputs[0][1].shape == (7,)
    assert codes(text + model("h = x -> dense(half(x))")) != []


def test_fns_call_fns_and_see_their_own_file() -> None:
    text = "dim K = 3\nfn inner(x) = x + K\nfn outer(x, K = 5) = inner(x) * K\n" + model("h = outer(x)")
    assert numbers(text) == [3.0, 5.0]


def test_a_fn_is_given_to_a_layer_parameter() -> None:
    text = (
        LEAKY
        + "block Use(x: f32[C], act: layer) -> f32[C] {\n  return x -> act\n}\n"
        + model("h = x -> Use(act = leaky(0.25))")
    )
    assert numbers(text) == [0.25]


def test_types_of_parameters_are_held_to() -> None:
    text = "fn scaled(x: f32[C], factor: float = 2, n: int = C) = x * factor / n\n"
    assert codes(text + model("h = scaled(x)")) == []
    assert codes(text + model("h = scaled(x, factor = 0.5)")) == []
    assert codes(text + model("h = scaled(x, n = 0.5)")) == ["E312"]
    assert codes(text + model("h = scaled(x, factor = x)")) == ["E313"]
    assert codes(text + model("h = scaled(reshape(x, [2, 2]))")) == ["E425"]
    assert codes(text + model("h = x * 2\nk = scaled(2)")) == ["E316"]


def test_a_fn_is_a_loss() -> None:
    text = (
        "fn distance(a, b) = mean((a - b) ** 2)\n"
        + model("h = x -> dense(4)")
        + "train Net {\n  loss = distance(h, x)\n}\n"
    )
    assert program(text).training is not None


def test_mistakes_in_a_fn_name_the_call() -> None:
    (found,) = check("fn bad(x) = x + wibble\n" + model("h = bad(x)\nk = bad(h)"))
    assert (found.code, found.span.line) == ("E202", 1)
    assert found.notes == ("in `bad(x)`, called at test.kmodel:4",)
    assert codes("fn idle(x, n = 2) = if n > 1 then x + wibble else x -> dropuot(0.5)\n" + model("h = x -> relu")) == [
        "E202",
        "E201",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("h = leaky(x, slope = 1, slope = 2)", "E309"),
        ("h = leaky(x, x = x)", "E309"),
        ("h = leaky()", "E301"),
        ("h = leaky(x, 1, 2)", "E308"),
        ("h = leaky(x, angle = 1)", "E302"),
        ("h = (x, x, x) -> leaky", "E423"),
        ("h = x -> relu\nk = leaky", "E210"),
        ("h = x -> dense(leaky)", "E210"),
    ],
)
def test_calls_that_do_not_fit(text: str, code: str) -> None:
    assert codes(LEAKY + model(text)) == [code]


# -- weights -----------------------------------------------------------------------------------------


def test_weights_of_ones_own() -> None:
    net = program(
        model(
            "weight w: f32[4, 3]\nfrozen weight m: f32[3] = 0.5\nweight s: f32 = normal(stddev = 0.1)\nh = (x @ w) * m + s"
        )
    )
    assert [(w.name, w.shape, w.initializer[0], w.trainable) for w in net.weights] == [
        ("w", (4, 3), "glorot_uniform", True),
        ("m", (3,), "constant", False),
        ("s", (), "normal", True),
    ]
    assert dict(net.weights[1].initializer[1]) == {"value": 0.5}
    assert [node.type.batched for node in net.graph if node.op == "weight"] == [False] * 3


def test_initializers_may_be_parameters() -> None:
    block = (
        "block Norm(x: f32[D], start: float = 1, init: word = zeros) -> f32[D] {\n"
        "  weight gain: f32[D] = start\n  weight shift: f32[D] = init\n  weight ones: f32[D] = ones\n  return x * gain + shift + ones\n}\n"
    )
    net = program(block + model("h = x -> Norm -> Norm(2, init = ones)"))
    found = [weight.initializer for weight in net.weights]
    assert [name for name, _ in found] == ["constant", "zeros", "ones", "constant", "ones", "ones"]
    assert [dict(settings) for _, settings in found[::3]] == [{"value": 1.0}, {"value": 2.0}]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("weight w: i32[4] = ones", "E318"),
        ("weight w: index(3) = ones", "E318"),
        ("weight w: f32[0]", "E410"),
        ("weight w: f32[K]", "E202"),
        ("weight w: f32[4] = Ones", "E208"),
        ("weight w: f32[4] = x", "E313"),
        ("weight w: f32[4] = [1, 2, 3, 4]", "E306"),
        ('weight w: f32[4] = "ones"', "E304"),
        ("weight w: f32[4] = normal(std = 1)", "E302"),
        ("weight x: f32[4]", "E205"),
        ("weight w: f32[2 ** 30, 2 ** 30]", "E409"),
    ],
)
def test_weights_that_cannot_be(line: str, code: str) -> None:
    assert codes(model(f"{line}\nh = x -> relu"))[0] == code


def test_weights_of_named_steps_are_values() -> None:
    net = program(
        model(
            "h = x -> dense(4) as first -> repeat 2 shared { dense(4) -> relu } as second\nk = h @ first.kernel\nl = h @ second.dense.kernel"
        )
    )
    assert [node.inputs[1] for node in net.graph if node.op == "matmul"][-2:] == ["first.kernel", "second.dense.kernel"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("k = first.kernl", ["E428"]),
        ("k = first.kernel.more", ["E428"]),
        ("k = h.kernel", ["E428"]),
        ("k = frist.kernel", ["E202"]),
        ("k = many.kernel", ["E204"]),
        ("k = x -> dense(first.kernel)", ["E313"]),
        ("k = wibble(x)\nl = k.kernel", ["E208"]),
    ],
)
def test_names_with_dots_that_are_no_weights(line: str, found: list[str]) -> None:
    assert codes(model(f"h = x -> dense(4) as first -> repeat 2 {{ dense(4) as many }}\n{line}")) == found


def test_results_of_one_file_do_not_depend_on_what_was_read_before() -> None:
    text = LEAKY + model("h = x -> leaky -> dense(3)")
    assert repr(elaborated(text).models[0].graph) == repr(elaborated(text).models[0].graph)
