"""Sizes and counts no computer could hold, and texts made to break the compiler: a diagnostic each, at once."""

from __future__ import annotations

import time

import pytest
from elaborate_corpus import check, codes, elaborated, net

from kdsl.elaborate.context import MOST_LAYERS

OUT = "output h"


def flow(steps: str) -> str:
    return net(f"h = image -> {steps}\n{OUT}")


HUGE = {
    "repeat": (flow("repeat 1_000_000_000 relu"), "E406"),
    "repeat with an empty looking body": (flow("repeat 10 ** 18 { repeat 0 relu -> relu }"), "E406"),
    "nested repeats": (flow("repeat 1000 { repeat 1000 { repeat 1000 relu } }"), "E406"),
    "repeat in for": (flow("for n in [9000, 9000] { repeat n relu }"), "E406"),
    "for in for": (flow("for a in [9, 9] " + "{ for b in [" + "1, " * 99 + "1] { repeat 99 relu } }"), "E406"),
    "deep fors": (flow("".join(f"for v{n} in [{'1, ' * 90}1] {{ " for n in range(9)) + "relu" + " }" * 9), "E406"),
    "shared repeat": (flow("repeat 1_000_000 shared dense(28)"), "E406"),
    "many repeats": (flow(" -> ".join(["repeat 9000 relu"] * 3)), "E406"),
    "dense": (flow("dense(10 ** 12)"), "E409"),
    "product past 64 bits": (flow("flatten -> dense(2 ** 39) -> dense(2 ** 39)"), "E409"),
    "weights together": (flow("flatten -> for w in [20000, 20000, 300000, 300000, 10000000] dense(w)"), "E409"),
    "an axis": (net("input x: f32[10 ** 100]\noutput image"), "E409"),
    "one sample": (net("input x: f32[1_000_000, 1_000_000]\noutput image"), "E409"),
    "classes": (net("target y: index(10 ** 30)\noutput image"), "E409"),
    "a batch": (net("h = image -> flatten -> dense(9)\noutput h", "loss = mse(h, h)\nbatch = 10 ** 11"), "E409"),
    "a power": (flow("dense(9 ** 9 ** 9)"), "E314"),
    "a product": (flow(f"dense({' * '.join(['(2 ** 4000)'] * 3)})"), "E314"),
}


@pytest.mark.parametrize("name", HUGE)
def test_what_is_too_large_is_refused_at_once(name: str) -> None:
    text, code = HUGE[name]
    start = time.perf_counter()
    found = codes(text)
    assert found == [code]
    assert time.perf_counter() - start < 2.0, "on a busy machine; alone it takes a few milliseconds"


def test_the_message_says_how_much_it_would_need() -> None:
    (diagnostic,) = check(flow("flatten -> dense(10 ** 9)"))
    assert diagnostic.message == "the kernel of `dense`, [784, 1000000000], needs 2.8 TiB of memory"
    assert diagnostic.notes == ("shapes: image [28, 28] -> flatten [784] -> dense \N{BALLOT X}",)
    (diagnostic,) = check(net("input x: f32[10 ** 6, 10 ** 6]\noutput image"))
    assert diagnostic.message == "one sample needs 3.6 TiB of memory"


def test_as_many_layers_as_allowed_are_made() -> None:
    model = elaborated(flow(f"repeat {MOST_LAYERS} relu")).models[0]
    assert len(model.layers) == MOST_LAYERS
    assert codes(flow(f"repeat {MOST_LAYERS} relu -> relu")) == ["E406"]


def test_nothing_may_be_repeated_not_at_all() -> None:
    assert codes(flow("repeat 0 { dense(3) } -> relu")) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (flow("flatten -> dense(0)"), "E410"),
        (flow("flatten -> dense(-3)"), "E410"),
        (flow("flatten -> dense(1.5)"), "E403"),
        (flow("repeat -1 relu"), "E410"),
        (flow("repeat 1.5 relu"), "E403"),
        (net("input x: f32[0]\noutput image"), "E410"),
        (net("input x: f32[2.5]\noutput image"), "E403"),
        (net("target y: index(0)\noutput image"), "E410"),
        ("model Empty {}\n", "E220"),
        ("model Net {\n  input x: f32[3]\n}\n", "E221"),
        (net("h = image -> flatten -> dense(3)\noutput h", "loss = mse(h, h)\nbatch = 0"), "E410"),
        (net("h = image -> flatten -> dense(3)\noutput h", "loss = mse(h, h)\nepochs = -1"), "E410"),
    ],
)
def test_sizes_that_make_no_sense(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_a_loop_of_alternatives_may_be_long() -> None:
    chain = " else ".join(f"if {number} == 99 then relu" for number in range(90)) + " else tanh"
    assert codes(flow(chain)) == []


def test_a_thousand_statements_and_dims() -> None:
    dims = "".join(f"dim d{n} = d{n + 1}\n" for n in range(2000)) + "dim d2000 = 7\n"
    lines = "\n".join(f"h{n} = {'image' if n == 0 else f'h{n - 1}'} -> dense(d0)" for n in range(1000))
    start = time.perf_counter()
    assert set(codes(dims + net(f"{lines}\noutput h999"))) <= {"W610"}
    assert time.perf_counter() - start < 10.0


def test_no_more_than_a_hundred_diagnostics() -> None:
    lines = "\n".join(f"h{n} = image -> wibble{n}x" for n in range(300))
    assert len(check(net(f"{lines}\noutput image"))) == 100
