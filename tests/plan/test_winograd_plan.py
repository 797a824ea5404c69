"""Which convolutions are filtered as Winograd does, which slide their windows, and what is said about it."""

from __future__ import annotations

import pytest

from kdsl.compiler import compile_file
from kdsl.plan.launch import ROOM, Launch
from kdsl.plan.model import ModelPlan, plan_model
from kdsl.plan.printer import print_plan
from kdsl.source import Source

MODEL = """\
model M {
  input image: f32[12, 12, 16]
  target label: index(4)
  logits = image -> conv(16, kernel = 3, pad = same) -> relu -> LAYER -> flatten -> dense(4)
  output p = softmax(logits)
}
train M {
  loss      = cross_entropy(logits, label)
  optimizer = sgd(lr = 0.1)
}
"""
SUITS = ("conv(16, kernel = 3)", "conv(40, kernel = 3, pad = same)")
SLIDES = {
    "conv(16, kernel = 5)": "the window is not 3x3 over all channels",
    "conv(16, kernel = 3, groups = 2)": "the window is not 3x3 over all channels",
    "conv(16, kernel = 3, stride = 2)": "the window has strides or gaps",
    "conv(16, kernel = 3, dilation = 2)": "the window has strides or gaps",
    "conv(15, kernel = 3)": "fewer than 16 channels or filters",
    "crop(2) -> conv(20_000, kernel = 3, pad = same)": "the weights take too much memory in parts",
    "crop([[0, 5], [0, 5]]) -> conv(16, kernel = 3)": "tiles of 4x4 do not fit 5x5 places well",
}


def planned(layer: str) -> ModelPlan:
    compiled = compile_file(Source("m.kmodel", MODEL.replace("LAYER", layer)), target="numpy")
    return plan_model(compiled.programs[0], compiled.graphs[0], set())


def launches(plan: ModelPlan, layer: str = "conv_2") -> list[Launch]:
    assert plan.train is not None
    products = ("slide", "slide_gradient", "winograd", "winograd_gradient")
    return [
        launch
        for launch in plan.train.launches
        if launch.kernel in products
        and layer in {part.layer.split(".")[-1] for part in launch.node.body or (launch.node,)}
    ]


@pytest.mark.parametrize("layer", SUITS)
def test_all_three_products_are_filtered(layer: str) -> None:
    found = launches(planned(layer))
    assert [launch.kernel for launch in found] == ["winograd", "winograd_gradient", "winograd"]
    assert all("Winograd's filtering" in launch.why and dict(launch.arguments)["work"] == ROOM for launch in found)


@pytest.mark.parametrize("layer", SLIDES)
def test_others_slide_and_say_why(layer: str) -> None:
    found = launches(planned(layer))
    assert {launch.kernel for launch in found} == {"slide", "slide_gradient"}
    wanted = f"windows slide, Winograd's filtering does not suit: {SLIDES[layer]}"
    assert {launch.why for launch in found} == {wanted}


def test_room_for_kernels_lies_behind_the_rows_of_a_thread() -> None:
    plan = planned(SUITS[1])
    assert plan.train is not None
    # Parts of 48 tiles of 16 channels and 48 padded filters, and the sums for every channel and filter.
    assert plan.train.room == 36 * (48 * (16 + 48) + 2 * 16) + 36 * (16 * 48 + 16)
    assert plan.scratch == plan.room + plan.train.room
    assert plan.room == plan.block_rows * max(made.scratch for made in plan.functions)


def test_the_plan_in_words() -> None:
    text = print_plan(planned(SUITS[0]), "train")
    assert "why: Winograd's filtering, 324 products for each channel and filter instead of 900" in text
    assert "\nupdate, cut into chunks that threads take\n" in text
    assert text.startswith("train: a batch of 32 in blocks of ")
    predicted = print_plan(planned("conv(16, kernel = 5)"), "predict")
    assert "why: windows slide" in predicted and "update" not in predicted
