"""Blocks: what a call binds, what its weights are called, what comes out of it."""

from __future__ import annotations

import pytest
from elaborate_corpus import check, codes, program

from kdsl.elaborate import ModelProgram

HIDDEN = "block Hidden(x: f32[C], out: int = C, act: layer = relu) -> f32[out] {\n  return x -> dense(out) -> act\n}\n"
OPEN = HIDDEN.replace("f32[out]", "_")


def model(flow: str, size: str = "16", more: str = "") -> str:
    return f"model Net {{\n  input x: f32[{size}]\n  h = x -> {flow}\n{more}  output h\n}}\n"


def errors(text: str) -> list[str]:
    return [code for code in codes(text) if code.startswith("E")]


def weights(net: ModelProgram) -> list[str]:
    return [weight.name for weight in net.weights if not weight.name.endswith("bias")]


def shapes(net: ModelProgram) -> list[tuple[int, ...]]:
    return [type.shape for _, type in net.outputs]


# -- sizes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "result", "flow", "sizes"),
    [
        ("x: f32[C]", "f32[C]", "x", {"C": 16}),
        ("x: f32[2 * C]", "f32[2 * C]", "x", {"C": 8}),
        ("x: f32[C + 6]", "f32[C + 6]", "x", {"C": 10}),
        ("x: f32[20 - C]", "f32[20 - C]", "x", {"C": 4}),
        ("x: f32[C / 2]", "f32[C / 2]", "x", {"C": 32}),
        ("x: f32[64 / C]", "f32[64 / C]", "x", {"C": 4}),
        ("x: f32[(C - 1) * 3 + 1]", "f32[16]", "x", {"C": 6}),
        ("x: f32[n * C], n: int = 4", "f32[n * C]", "x", {"C": 4}),
        ("x: f32[n * C], m: int = n, n: int = 8", "f32[m * C]", "x", {"C": 2}),
        ("x: f32[16]", "f32[_]", "x", {}),
        ("x: f32[_]", "_", "x", {}),
        ("x: f32[D]", "f32[floor(D / 3)]", "x[0:5]", {"D": 16}),
        ("x: f32[D]", "f32[ceil(D / 3)]", "x[0:6]", {"D": 16}),
    ],
)
def test_a_call_binds_the_sizes(inputs: str, result: str, flow: str, sizes: dict[str, int]) -> None:
    net = program(f"block Same({inputs}) -> {result} {{\n  return {flow}\n}}\n" + model("Same -> relu"))
    assert dict(net.calls[0].sizes) == sizes


def test_several_inputs_share_their_sizes() -> None:
    block = "block Up(x: f32[T, C], skip: f32[2 * T, S]) -> f32[T, C], f32[2 * T, S] {\n  return x, skip\n}\n"
    text = "model Net {\n  input a: f32[4, 3]\n  input b: f32[8, 5]\n  c, d = (a, b) -> Up\n  output c, d\n}\n"
    net = program(block + text)
    assert net.calls[0].sizes == (("T", 4), ("C", 3), ("S", 5)) and shapes(net) == [(4, 3), (8, 5)]
    assert codes(block + text.replace("8, 5", "9, 5")) == ["E420"]


def test_a_size_that_a_later_input_says_helps_an_earlier_one() -> None:
    block = "block Rest(x: f32[A + B], y: f32[A]) -> f32[B] {\n  return x[0:B]\n}\n"
    text = "model Net {\n  input a: f32[7]\n  input b: f32[3]\n  c = (a, b) -> Rest\n  output c\n}\n"
    assert shapes(program(block + text)) == [(4,)]


def test_dims_and_parameters_in_a_type_are_no_variables() -> None:
    block = "dim T = 4\nblock Own(x: f32[T, D], D2: int = D) -> f32[T, D2] {\n  return x\n}\n"
    assert program(block + model("Own", "4, 3")).calls[0].sizes == (("D", 3),)
    assert codes(block + model("Own", "5, 3")) == ["E425"]
    assert codes(block + model("Own(D2 = 7)", "4, 3")) == ["E422"]


def test_a_block_with_the_name_of_a_size_does_not_hide_it() -> None:
    block = "block C(x: f32[D]) -> f32[D] {\n  return x -> relu\n}\nblock Use(x: f32[C]) -> f32[C] {\n  return x\n}\n"
    assert codes(block + model("Use -> C")) == []


def test_other_dtypes_and_classes_flow_in() -> None:
    block = "block Words(x: index(V)[T]) -> f32[T, V] {\n  return one_hot(x, V)\n}\n"
    text = "model Net {\n  input x: index(5)[3]\n  h = x -> Words\n  output h\n}\n"
    assert program(block + text).calls[0].sizes == (("T", 3), ("V", 5))
    cast = "block Mean(x: f32[H, W]) -> f32 {\n  return mean(x)\n}\nmodel Net {\n  input x: u8[4, 4]\n  h = x -> Mean\n  output h\n}\n"
    assert shapes(program(cast)) == [()]
    assert codes(cast.replace("u8[4, 4]", "index(3)[4, 4]")) == ["E425"]


# -- arguments ---------------------------------------------------------------------------------------


def test_the_first_parameter_needs_no_name() -> None:
    for flow in ("Hidden(8)", "Hidden(out = 8)", "Hidden(8, act = relu)"):
        assert shapes(program(HIDDEN + model(flow))) == [(8,)]
    assert program(HIDDEN + model("Hidden(2 * 4, act = gelu)")).calls[0].text == "Hidden(8, act = gelu)"


def test_layers_are_arguments() -> None:
    net = program(OPEN + model("Hidden(8, act = dense(3)) -> Hidden(5, act = Hidden(6, act = tanh))"))
    assert [layer.text for layer in net.layers] == ["dense(8)", "dense(3)", "dense(5)", "dense(6)", "tanh"]
    assert "h.Hidden_2.Hidden.dense.kernel" in weights(net)
    outer = "block Outer(x: f32[C], act: layer) -> f32[C] {\n  return x -> Hidden(act = act)\n}\n"
    net = program(HIDDEN + outer + model("Outer(act = leaky_relu(slope = 0.3))"))
    assert net.layers[-1].text == "leaky_relu(slope = 0.3)"


def test_a_layer_is_a_parameter_of_a_model() -> None:
    text = model("dense(3) -> act").replace("Net {", "Net(act: layer = relu) {")
    assert program(text).parameters == (("act", "relu"),)
    assert [layer.layer for layer in program(text, act="gelu").layers] == ["dense", "gelu"]
    assert codes(text, act="glu") == ["E201"]
    assert codes(text, act="3") == ["E312"]


def test_a_chosen_layer_is_evaluated_where_it_was_written() -> None:
    text = "dim K = 3\n" + OPEN + model("for k in [4, 5] { Hidden(9, act = dense(k + K)) }")
    assert [layer.text for layer in program(text).layers] == ["dense(9)", "dense(7)", "dense(9)", "dense(8)"]


def test_words_and_lists_are_arguments() -> None:
    block = (
        "block Any(x: f32[C], mode: word = plain, sizes: list = [4], deep: bool = false) -> f32[_] {\n"
        "  h = if mode == plain then x else x -> tanh\n"
        "  return h -> for n in sizes { dense(n) } -> if deep then relu else tanh\n}\n"
    )
    net = program(block + model("Any -> Any(fancy, sizes = [2, 3], deep = true)"))
    assert [layer.text for layer in net.layers] == ["dense(4)", "tanh", "tanh", "dense(2)", "dense(3)", "relu"]


def test_a_user_may_define_what_has_the_name_of_a_layer() -> None:
    text = "fn relu(x) = maximum(x, 0) * 2\n" + model("relu")
    assert [node.op for node in program(text).graph] == ["input", "constant", "maximum", "constant", "multiply"]


# -- names of weights --------------------------------------------------------------------------------


def test_weights_are_named_from_the_path() -> None:
    residual = (
        "block Residual(x: f32[C]) -> f32[C] {\n  main = x -> Hidden -> Hidden\n  return (main + x) -> dense(C)\n}\n"
    )
    net = program(HIDDEN + residual + model("Hidden(8) as stem -> repeat 2 Residual -> Residual"))
    assert weights(net) == [
        "stem.dense.kernel",
        "h.Residual.0.main.Hidden.dense.kernel",
        "h.Residual.0.main.Hidden_2.dense.kernel",
        "h.Residual.0.dense.kernel",
        "h.Residual.1.main.Hidden.dense.kernel",
        "h.Residual.1.main.Hidden_2.dense.kernel",
        "h.Residual.1.dense.kernel",
        "h.Residual_2.main.Hidden.dense.kernel",
        "h.Residual_2.main.Hidden_2.dense.kernel",
        "h.Residual_2.dense.kernel",
    ]
    assert [call.path for call in net.calls[:4]] == [
        "stem",
        "h.Residual.0",
        "h.Residual.0.main.Hidden",
        "h.Residual.0.main.Hidden_2",
    ]


def test_a_named_block_shares_its_weights() -> None:
    more = "  k = x -> tower\n  m = tower.dense.kernel\n"
    net = program(HIDDEN + model("Hidden(8) as tower", more=more))
    assert weights(net) == ["tower.dense.kernel"]
    assert [(call.path, call.text) for call in net.calls] == [("tower", "Hidden(8)"), ("k.tower", "Hidden(8)")]
    assert [layer.weights for layer in net.layers if layer.layer == "dense"] == [
        ("tower.dense.kernel", "tower.dense.bias"),
        (),
    ]


def test_a_shared_repeat_of_a_block_has_one_set_of_weights() -> None:
    norm = "block Norm(x: f32[D]) -> f32[D] {\n  weight gain: f32[D] = ones\n  return x * gain\n}\n"
    assert weights(program(norm + model("repeat 3 shared Norm"))) == ["h.Norm.gain"]
    assert weights(program(norm + model("repeat 2 Norm"))) == ["h.Norm.0.gain", "h.Norm.1.gain"]
    grow = "block Grow(x: f32[D]) -> f32[D + 1] {\n  weight gain: f32[D] = ones\n  return (x * gain, x[0:1]) -> concat\n}\n"
    assert codes(grow + model("repeat 2 shared Grow")) == ["E408"]


def test_the_shape_may_change_in_every_copy() -> None:
    grow = "block Grow(x: f32[C], growth: int = 3) -> f32[C + growth] {\n  more = x -> dense(growth)\n  return (x, more) -> concat\n}\n"
    net = program(grow + model("repeat 4 Grow"))
    assert shapes(net) == [(28,)]
    assert [dict(call.sizes)["C"] for call in net.calls] == [16, 19, 22, 25]


# -- several results ---------------------------------------------------------------------------------


def test_results_are_taken_apart() -> None:
    block = "block Both(x: f32[C]) -> f32[4], f32[C] {\n  return x -> dense(4) as small, x -> relu\n}\n"
    text = "model Net {\n  input x: f32[6]\n  a, b = x -> Both\n  c = x -> Both -> concat\n  output a, b, c\n}\n"
    net = program(block + text)
    assert shapes(net) == [(4,), (6,), (10,)]
    assert weights(net) == ["a.Both.small.kernel", "c.Both.small.kernel"]
    assert [len(call.values) for call in net.calls] == [2, 2]
    passing = "block Swap(a: f32[A], b: f32[B]) -> f32[B], f32[A] {\n  return b, a\n}\n"
    text = "model Net {\n  input x: f32[6]\n  input y: f32[5]\n  a, b = (x, y) -> repeat 3 Swap\n  output a, b\n}\n"
    assert shapes(program(passing + text)) == [(5,), (6,)]


def test_branches_go_on_side_by_side() -> None:
    net = program(model("each k in [3, 4, 5] { dense(k) -> relu } -> concat"))
    assert shapes(net) == [(12,)]
    assert weights(net) == ["h.dense.0.kernel", "h.dense.1.kernel", "h.dense.2.kernel"]
    assert {layer.inputs for layer in net.layers if layer.layer == "dense"} == {("x",)}
    pairs = "model Net {\n  input x: f32[6]\n  a, b = x -> each n, m in [[1, 2], [3, 4]] { dense(n) -> dense(m) }\n  output a, b\n}\n"
    assert shapes(program(pairs)) == [(2,), (4,)]
    assert codes(model("each k in [] { dense(k) } -> concat")) == ["E306"]


# -- calls that do not fit ---------------------------------------------------------------------------


def test_a_mistake_in_a_block_is_reported_once() -> None:
    bad = "block Bad(x: f32[C]) -> f32[C] {\n  return x -> dense(C, unit = 3)\n}\n"
    assert codes(bad + model("repeat 5 Bad -> Bad")) == ["E302"]
    assert codes(bad + model("Bad") + model("Bad").replace("Net", "Other")) == ["E302"]


def test_unknown_values_flow_through_blocks_in_silence() -> None:
    assert codes(HIDDEN + model("wibble -> Hidden(8) -> Hidden(9, act = relu)")) == ["E201"]
    assert codes(HIDDEN + model("wibble -> Hidden(8, actt = relu)")) == ["E201", "E302"]


def test_three_mistakes_in_three_places() -> None:
    text = HIDDEN.replace("dense(out)", "Dense(out)") + "block Two(x: f32[C]) -> f32[C] {\n  return x -> Hiden\n}\n"
    assert codes(text + model("dense(3) -> Two -> relux")) == ["E201", "E201", "E201"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return x -> dense(C / ratio) -> act", []),
        (
            "h = if mode == same then x else x -> tanh\n  return h -> repeat n { dense(C) -> if n > 2 then relu else act }",
            [],
        ),
        ("return x -> for k in [n, 2] { dense(k) }", []),
        ("weight w: f32[C, C / n] = glorot_uniform\n  return x @ w", []),
        ("a, b = x -> each k in [1, n] { dense(k) }\n  return a", []),
        ("return (x * wibble) -> relu", ["E202"]),
        ("return x -> repeat n { wibble }", ["E201"]),
        ("return x -> if n > 2 then dense(units = 3) else wibble", ["E302", "E201"]),
        ("return x -> dropout(rat = 0.5)", ["E302"]),
        ("h = x -> relu", ["E224"]),
    ],
)
def test_a_block_that_nothing_calls_is_looked_at_without_sizes(body: str, found: list[str]) -> None:
    head = (
        "block Idle(x: f32[H, C], n: int, ratio: int = 4, mode: word = same, act: layer = relu) -> f32[H, C / n] {\n  "
    )
    assert errors(head + body + "\n}\n" + model("relu")) == found


def test_what_the_parser_could_not_read_is_not_reported_again() -> None:
    assert codes("block Odd(x: f32[C]) -> f32[C] {\n  h = x -> dense(\n  return h\n}\n" + model("Odd"))[0][:2] == "E1"
    assert all(code[:2] == "E1" for code in codes("block Odd(x f32[C]) -> f32[C] {\n  return x\n}\n" + model("Odd(3)")))


@pytest.mark.parametrize(
    ("block", "flow", "found"),
    [
        ("block Own() -> f32[4] {\n  return normal([4])\n}\n", "Own", ["E423"]),
        ("block Own(x: f32[C], x: int = 2) -> f32[C] {\n  return x\n}\n", "relu", ["E205"]),
        ("block Own(x: f32[C] = 3) -> f32[C] {\n  return x\n}\n", "relu", ["E312"]),
        ("block Own(x: f99[C]) -> f32[C] {\n  return x\n}\n", "Own", ["E311"]),
        ("block Own(x: f32[C]) -> f32[C], f99 {\n  return x, x\n}\n", "Own -> concat", ["E311"]),
        ("block Own(x: f32[C], mode: word) -> f32[C] {\n  return x\n}\n", 'Own("fast")', ["E304"]),
        ("block Own(x: f32[C], act: layer) -> f32[C] {\n  return x -> act(3)\n}\n", "Own(relu)", ["E203"]),
        ("block Own(x: f32[C], act: layer) -> f32[C] {\n  return act(x)\n}\n", "Own(relu)", ["E212"]),
        ("block Own(x: f32[C], act: layer) -> f32[C] {\n  return act\n}\n", "Own(relu)", ["E210"]),
        ("block Own(x: f32[C], act: layer) -> f32[C] {\n  return x -> act\n}\n", "Own(x)", ["E211"]),
        ("block Own(x: f32[C]) -> f32[C] {\n  return 3\n}\n", "Own", ["E316"]),
        ("block Own(x: f32[C]) -> f32[C - 16] {\n  return x\n}\n", "Own", ["E410"]),
    ],
)
def test_first_lines_and_calls_that_make_no_sense(block: str, flow: str, found: list[str]) -> None:
    assert codes(block + model(flow)) == found


def test_a_model_is_no_block() -> None:
    assert codes(model("relu") + model("Net").replace("Net {", "Other {")) == ["E201"]


def test_a_random_value_needs_an_input_above_it() -> None:
    assert codes("model Net {\n  h = normal([4])\n  input x: f32[4]\n  output h\n}\n") == ["E220"]
    assert errors("block Noisy(x: f32[C]) -> f32[C] {\n  return x + normal([3])\n}\n" + model("relu")) == []


# -- limits ------------------------------------------------------------------------------------------


def nested(body: str, levels: int, base: str = "x -> relu") -> str:
    blocks = [
        f"block B{n}(x: f32[C]) -> f32[C] {{\n  return {body.format(n - 1) if n else base}\n}}\n" for n in range(levels)
    ]
    return "".join(blocks) + model(f"B{levels - 1}")


def test_calls_inside_calls_are_counted_before_they_are_written_out() -> None:
    assert codes(nested("x" + " -> B{0}" * 10, 13)) == ["E406"]
    assert codes(nested("x -> repeat 10 B{0}", 13)) == ["E406"]
    assert codes(nested("x" + " -> B{0}" * 10, 13, base="x")) == ["E406"]
    assert codes(nested("x -> B{0}", 1000)) == ["E406"]
    assert codes(nested("x -> B{0}", 39)) == []
    fns = "fn f0(x) = x + 1\n" + "".join(f"fn f{n}(x) = f{n - 1}(x) * f{n - 1}(x)\n" for n in range(1, 50))
    assert codes(fns + model("f49")) == ["E406"]
    assert codes(fns + "dim K = f49(2)\n" + model("relu")) == ["E406"]


def test_layers_given_to_layers_end_too() -> None:
    block = "block Twice(x: f32[C], f: layer = relu) -> f32[C] {\n  return x -> f -> f\n}\n"
    assert codes(block + model("Twice(f = " * 16 + "relu" + ")" * 16)) == ["E406"]


def test_weights_of_blocks_are_counted() -> None:
    block = "block Wide(x: f32[C], out: int) -> f32[out] {\n  weight w: f32[C, out] = zeros\n  return x @ w\n}\n"
    assert codes(block + model("Wide(10 ** 6) -> Wide(10 ** 6)")) == ["E409"]


# -- notes -------------------------------------------------------------------------------------------


def test_a_call_is_one_entry_of_the_shape_trail_and_its_layers_are_inside() -> None:
    (found,) = check(HIDDEN + model("relu -> Hidden(8) -> Hidden -> reshape([7])"))
    assert found.notes == ("shapes: x [16] -> relu [16] -> Hidden [8] -> Hidden [8] -> reshape \N{BALLOT X}",)
    (found,) = check(HIDDEN.replace("-> act", "-> reshape([7])") + model("tanh -> Hidden(8)"))
    assert found.notes == (
        "shapes: x [16] -> tanh [16] -> dense [8] -> reshape \N{BALLOT X}",
        "in `Hidden(8)`, called at test.kmodel:6: C = 16",
    )


def test_notes_name_the_calls_from_the_inside_out() -> None:
    middle = "block Middle(x: f32[D]) -> f32[D] {\n  return x -> Inner(3)\n}\n"
    inner = "block Inner(x: f32[C], n: int) -> f32[C] {\n  return x -> reshape([n])\n}\n"
    (found,) = check(inner + middle + model("Middle"))
    assert found.notes[1:] == (
        "in `Inner(3)`, called at test.kmodel:5: C = 16",
        "in `Middle`, called at test.kmodel:9: D = 16",
    )


def test_a_missing_flatten_is_found_inside_a_block() -> None:
    text = (
        "block Head(x: f32[H, W]) -> f32[H, 10] {\n  return x -> dense(10)\n}\n"
        "model Net {\n  input image: f32[4, 4]\n  target label: index(10)\n  logits = image -> Head\n  output logits\n}\n"
        "train Net {\n  loss = cross_entropy(logits, label)\n}\n"
    )
    (found,) = check(text)
    assert (found.code, found.span.line) == ("E502", 2)


def test_calls_of_what_has_a_damaged_first_line_are_not_judged() -> None:
    text = """\
block Unit(x: f32H, W, C], out: int) -> f32[out] {
  return x -> flatten -> dense(out)
}
fn leaky(x, slope = 0.1)) = maximum(x, slope * x)
model Net {
  input x: f32[8, 8, 3]
  a = x -> Unit(4) -> leaky
  b = x -> Unit(5) -> leaky(0.2, 3)
  c = leaky(a, b, a) + spare
  output a, b, c
}
"""
    assert codes(text) == ["E104", "E104", "E202"]
