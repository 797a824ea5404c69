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


# -- counted, or refused, before they are written out ----------------------------------------------------------------

SECONDS = 3.0  # of processor time, on a machine that does other things; alone each takes a fraction of one
LONG = " + ".join(["x * x"] * 40)
NINETY = " + ".join(["{}(x)"] * 90)


def chain(first: str, line: str, last: int) -> str:
    return first + "".join(line.format(number, number - 1) for number in range(1, last + 1))


def with_body(items: str, flow: str) -> str:
    return f"{items}model Net {{\n  input x: f32[4]\n  output y = {flow}\n}}\n"


BLOCK = "block B{0}(x: f32[C]) -> f32[C] {{\n  return x -> B{1} -> B{1}\n}}\n"
REPEATED = "block B{0}(x: f32[C]) -> f32[C] {{\n  return x -> repeat 1000 B{1}\n}}\n"
FIRST = "block B0(x: f32[C]) -> f32[C] {\n  return x -> relu\n}\n"
ATTACKS = {
    "doubling formulas": (
        with_body(chain("fn f0(x) = x * x\n", "fn f{0}(x) = f{1}(x) + f{1}(x)\n", 60), "f60(x)"),
        "E406",
    ),
    "a constant of doubling formulas": (
        chain("fn f0(x) = x * x\n", "fn f{0}(x) = f{1}(x) + f{1}(x)\n", 60) + "dim T = f60(2)\n",
        "E406",
    ),
    "long formulas in long formulas": (
        with_body(
            f"fn f(x) = {LONG}\nfn g(x) = {NINETY.format(*'f' * 90)}\nfn h(x) = {NINETY.format(*'g' * 90)}\n", "h(x)"
        ),
        "E406",
    ),
    "doubling blocks": (with_body(chain(FIRST, BLOCK, 60), "x -> B60"), "E406"),
    "repeats through blocks": (with_body(chain(FIRST, REPEATED, 9), "x -> B9"), "E406"),
    "a repeat of a block that repeats": (with_body(chain(FIRST, REPEATED, 1), "x -> repeat 1_000_000_000 B1"), "E406"),
    "a chain of five thousand formulas": (
        with_body(chain("fn f0(x) = x\n", "fn f{0}(x) = f{1}(x)\n", 5000), "f5000(x)"),
        "E406",
    ),
    "a circle of two thousand blocks": (
        with_body(chain("block B0(x: f32[C]) -> f32[C] {\n  return x -> B2000\n}\n", BLOCK, 2000), "x -> B2000"),
        "E424",
    ),
    "parts": ("model Net {\n  input x: f32[1_000_000]\n  output y = split(x, 1_000_000) -> concat\n}\n", "E415"),
    "operands": (
        with_body("", f'einsum("{",".join(["a"] * 3000)}->a", {", ".join(["x"] * 3000)})'),
        "E413",
    ),
    "a wide layer in a block": (
        with_body("block B(x: f32[C], n: int) -> f32[n] {\n  return x -> dense(n)\n}\n", "x -> B(10 ** 12)"),
        "E409",
    ),
    "a repeated axis": (with_body("", "x -> repeat_vector(10 ** 15)"), "E409"),
    "an outer product": (with_body("", 'einsum("a,b->ab", x -> dense(10 ** 7), x -> dense(10 ** 7))'), "E409"),
    "a weight": (
        "block B(x: f32[C]) -> f32[C] {\n  weight w: f32[10 ** 9, 10 ** 9] = zeros\n  return x\n}\n"
        + with_body("", "x -> B"),
        "E409",
    ),
    "a random value": (with_body("", "normal([10 ** 7, 10 ** 7])"), "E409"),
    "padding": (with_body("", "pad(x, [10 ** 15, 0])"), "E409"),
    "a broadcast": (with_body("", "reshape(x -> dense(10 ** 7), [10 ** 7, 1]) + (x -> dense(10 ** 7))"), "E409"),
    "classes of one_hot": ("model Net {\n  input x: index(4)\n  output y = one_hot(x, 10 ** 15)\n}\n", "E409"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_end_soon_in_a_diagnostic(name: str) -> None:
    text, code = ATTACKS[name]
    start = time.process_time()
    found = codes(text)
    assert time.process_time() - start < SECONDS
    assert found and set(found) <= {code}, found
