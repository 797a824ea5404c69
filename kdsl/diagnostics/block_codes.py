"""E42x: blocks, fns and their sizes, values that come in several, and weights of one's own."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.samples import model

HIDDEN = "block Hidden(x: f32[C], out: int = C) -> f32[{}] {{\n  return x -> dense(out) -> relu\n}}\n\n"
JOIN = "block Join(a: f32[C], b: f32[{}]) -> f32[C] {{\n  return (a, b) -> concat -> dense(C)\n}}\n\n"
HALVE = "block Halve(x: f32[C]) -> f32[C / 2] {\n  return x -> dense(C / 2)\n}\n\n"
BOTH = "block Both(x: f32[C]) -> f32[4], f32[4] {\n  return x -> dense(4) as first, x -> dense(4) as second\n}\n\n"
FREE = "block Widen(x: f32[C]{}) -> f32[N] {{\n  return x -> dense(N)\n}}\n\n"


def net(flow: str, size: str = "8", more: str = "") -> str:
    return model("Net", f"input x: f32[{size}]\n{more}output y = {flow}")


BLOCKS = (
    Entry(
        "E420",
        "size-bound-twice",
        "one name of a size stands for two sizes in a call",
        "The capital names in the types of a block's inputs are sizes, bound by what flows in. A name means the same size\n"
        "wherever it stands, so two inputs of type f32[C] have the same width. `2 * T` is checked in the same way.",
        JOIN.format("C") + net("(x, z) -> Join", more="input z: f32[9]\n"),
        JOIN.format("D") + net("(x, z) -> Join", more="input z: f32[9]\n"),
    ),
    Entry(
        "E421",
        "inexact-size-of-a-result",
        "a size in the type of a result is not a whole number",
        "Compile-time numbers are exact. `C / 2` in the type of a block's result says that C can be halved, and in this call\n"
        "it cannot. `floor(C / 2)` and `ceil(C / 2)` say which way to round, `_` leaves it to what comes out.",
        HALVE + net("x -> Halve", "15"),
        HALVE + net("x -> Halve", "16"),
    ),
    Entry(
        "E422",
        "result-differs",
        "what a block returns is not what its first line says",
        "The type behind `->` is a promise to whoever uses the block. It is checked in every call, with the sizes of that\n"
        "call; the notes show them, and the shapes on the way to the result.",
        HIDDEN.format("C") + net("x -> Hidden(16)"),
        HIDDEN.format("out") + net("x -> Hidden(16)"),
    ),
    Entry(
        "E423",
        "number-of-values",
        "more or fewer values flow into a block than it has inputs",
        "The parameters of a block that are tensors flow in, in their order: `(a, b) -> Join`. All others are arguments.",
        JOIN.format("C") + net("x -> Join"),
        JOIN.format("C") + net("(x, x) -> Join"),
    ),
    Entry(
        "E424",
        "uses-itself",
        "a block or fn calls itself, directly or through others",
        "Blocks and formulas are written out where they are called, which would never end. Copies are made with `repeat`.",
        "block Deep(x: f32[C]) -> f32[C] {\n  return x -> dense(C) -> relu -> Deep\n}\n\n" + net("x -> Deep"),
        "block Layer(x: f32[C]) -> f32[C] {\n  return x -> dense(C) -> relu\n}\n\n" + net("x -> repeat 3 Layer"),
    ),
    Entry(
        "E425",
        "input-does-not-fit",
        "what flows into a block is not of its input's type",
        "The type of an input says the kind of its numbers and how many axes it has; names of dims and plain numbers in it\n"
        "are fixed sizes. u8, i32 and bool become f32 on their way in; classes, `index(n)`, do not.",
        HIDDEN.format("out") + net("x -> Hidden", "4, 8"),
        HIDDEN.format("out") + net("x -> flatten -> Hidden", "4, 8"),
    ),
    Entry(
        "E426",
        "several-values",
        "several values where there is one name, or one value for several names",
        "A block may return several values, and `each` makes several branches. They are taken apart, `a, b = x -> Both`, or\n"
        "flow on side by side into a layer that takes several, such as `concat`.",
        BOTH + net("x -> Both"),
        BOTH + net("x -> Both -> concat"),
    ),
    Entry(
        "E427",
        "unknown-size",
        "a size that nothing says",
        "A size in a block's type is a number, a dim, a parameter, or a name with a capital that a call can find out: it\n"
        "stands alone in the type of an input, or in a sum, product or quotient with known numbers.",
        FREE.format("") + net("x -> Widen"),
        FREE.format(", N: int") + net("x -> Widen(16)"),
    ),
    Entry(
        "E428",
        "no-such-weight",
        "a name with dots that is no weight of a named step",
        "`as` names a step, and `tokens.embeddings` is the weight `embeddings` of the step `tokens`: one set of numbers may\n"
        "so be used in two places. Last parts are Keras's names of weights: `kernel`, `bias`, `embeddings`.",
        net("h @ first.kernels", more="h = x -> dense(8) as first -> relu\n"),
        net("h @ first.kernel", more="h = x -> dense(8) as first -> relu\n"),
    ),
    Entry(
        "E429",
        "weights-in-a-formula",
        "a layer with weights in a fn",
        "A formula is computed from its arguments alone, so that it means the same in every place. What has weights of its\n"
        "own is a block, whose place in a flow gives them their names.",
        "fn hidden(x) = x -> dense(8) -> relu\n\n" + net("x -> hidden"),
        "block Hidden(x: f32[C]) -> f32[8] {\n  return x -> dense(8) -> relu\n}\n\n" + net("x -> Hidden"),
    ),
)
