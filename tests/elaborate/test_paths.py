"""Paths of weights: the keys of checkpoints, so they must never move."""

from __future__ import annotations

from elaborate_corpus import codes, program


def names(flow: str, *more: str) -> list[str]:
    """The kernels of a model whose `h` is this flow."""
    lines = "\n".join(f"  {line}" for line in (f"h = {flow}", *more, "output h"))
    model = program(f"model Net {{\n  input x: f32[8]\n{lines}\n}}\n")
    return [weight.name.removesuffix(".kernel") for weight in model.weights if weight.name.endswith("kernel")]


def test_a_step_is_called_by_binding_and_layer() -> None:
    assert names("x -> dense(8)") == ["h.dense"]


def test_the_second_of_a_name_gets_a_number() -> None:
    assert names("x -> dense(8) -> relu -> dense(8) -> relu -> dense(8)") == ["h.dense", "h.dense_2", "h.dense_3"]
    assert names("x -> dense(8)", "g = h -> dense(8)", "output g") == ["h.dense", "g.dense"]


def test_as_replaces_binding_and_step() -> None:
    assert names("x -> dense(8) as first -> relu -> dense(8)") == ["first", "h.dense"]


def test_copies_get_numbers() -> None:
    assert names("x -> repeat 2 { dense(8) -> relu -> dense(8) }") == [
        "h.dense.0",
        "h.dense_2.0",
        "h.dense.1",
        "h.dense_2.1",
    ]
    assert names("x -> for w in [3, 4] { dense(w) -> relu }") == ["h.dense.0", "h.dense.1"]
    assert names("x -> repeat 1 dense(8) -> relu -> dense(8)") == ["h.dense.0", "h.dense_2"]


def test_copies_inside_copies() -> None:
    wanted = ["h.dense.0.0", "h.dense.0.1", "h.dense.1.0", "h.dense.1.1"]
    assert names("x -> repeat 2 { repeat 2 { dense(8) -> relu } -> tanh }") == wanted


def test_a_named_step_in_a_loop_has_a_copy_for_each_round() -> None:
    assert names("x -> repeat 2 { dense(8) as layer -> relu }") == ["layer.0", "layer.1"]


def test_a_named_chain_is_a_scope() -> None:
    assert names("x -> repeat 2 { dense(8) -> relu -> dense(8) as head -> relu } as stage") == [
        "stage.0.dense",
        "stage.0.head",
        "stage.1.dense",
        "stage.1.head",
    ]


def test_shared_copies_have_one_set() -> None:
    assert names("x -> repeat 3 shared { dense(8) -> relu }") == ["h.dense"]


def test_a_named_step_runs_again_with_its_weights() -> None:
    assert names("x -> dense(8) as tower", "g = x -> tower -> relu -> tower", "output g") == ["tower"]


def test_an_unused_branch_makes_no_weights() -> None:
    assert names("x -> if 1 > 2 then dense(8) else relu -> dense(4)") == ["h.dense"]


def test_the_loop_variable_goes_with_a_shared_step() -> None:
    flow = "x -> for w in [8] { repeat 2 shared dense(w) -> relu }"
    assert names(flow) == ["h.dense.0"]


def test_names_of_steps_and_values_share_a_scope() -> None:
    text = "model Net {\n  input x: f32[8]\n  h = x -> dense(8) as h\n  output h\n}\n"
    assert codes(text) == ["E205"]
