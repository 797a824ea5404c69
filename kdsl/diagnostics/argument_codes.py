"""E3xx: arguments, types and compile-time values."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.samples import digits, model

GOOD = digits("logits = image -> flatten -> dense(10)\noutput logits")


def layer(text: str) -> str:
    """The classifier with this layer at its end."""
    return digits(f"logits = image -> flatten -> {text}\noutput logits")


ARGUMENTS = (
    Entry(
        "E301",
        "missing-argument",
        "an argument that a call cannot do without is missing",
        "Only new sizes are written, but those must be: `dense` needs its width, `dropout` its rate.",
        layer("dense"),
        GOOD,
    ),
    Entry(
        "E302",
        "unknown-argument",
        "a call has no argument of this name",
        "Arguments have Keras's names with these exceptions: kernel_size is kernel, strides stride, padding pad, use_bias\n"
        "bias, kernel_initializer init, negative_slope slope, label_smoothing smoothing, learning_rate lr, beta_1 beta1,\n"
        "clipnorm clip_norm. A layer's size comes first, without a name. An activation is a step of its own: `-> relu`.",
        layer("dense(10, use_bias = false)"),
        layer("dense(10, bias = false)"),
    ),
    Entry(
        "E303",
        "unknown-word",
        "a word that the argument does not take",
        "Some arguments take one of a few words. They are looked up in the argument's own set, so a misspelt one is found\n"
        "when the model is compiled.",
        layer("dense(10, init = variance_scaling(mode = fan_on))"),
        layer("dense(10, init = variance_scaling(mode = fan_in))"),
    ),
    Entry(
        "E304",
        "text-for-a-word",
        "quotes around a word",
        "Words are bare: `optimizer = adam`, `mode = fan_in`. Text in quotes is for names of files and patterns.",
        layer('dense(10, init = "he_normal")'),
        layer("dense(10, init = he_normal)"),
    ),
    Entry(
        "E305",
        "number-of-classes",
        "the number of classes is missing, or stands with another type",
        "`index(10)` is a whole number from 0 to 9: the label of one of ten classes. `index(5)[10]` are ten labels of five\n"
        "classes each. Other types have a shape only: `f32[28, 28]`.",
        GOOD.replace("index(10)", "index[10]"),
        GOOD,
    ),
    Entry(
        "E306",
        "wrong-kind",
        "a value of another kind than is wanted",
        "Numbers, `true` and `false`, words, texts, lists and times such as `5 epochs` are different kinds; none is silently\n"
        "turned into another.",
        layer("dense(10, bias = 0)"),
        layer("dense(10, bias = false)"),
    ),
    Entry(
        "E307",
        "out-of-range",
        "a value lies outside of what is allowed, or does not fit the shape of the input",
        "Every argument has its bounds: a dropout rate lies between 0 and 1. An axis must be one that the input has, and a\n"
        "list of factors as long as the last axis.",
        layer("dense(64) -> relu -> dropout(1.5) -> dense(10)"),
        layer("dense(64) -> relu -> dropout(0.5) -> dense(10)"),
    ),
    Entry(
        "E308",
        "argument-without-name",
        "a second argument without a name",
        "At most one argument stands without a name, the layer's size; all others say what they are.",
        layer("dense(10, false)"),
        layer("dense(10, bias = false)"),
    ),
    Entry(
        "E309",
        "argument-twice",
        "an argument is given twice",
        "Each argument has one value.",
        layer("dense(10, bias = false, bias = true)"),
        layer("dense(10, bias = true)"),
    ),
    Entry(
        "E311",
        "unknown-type",
        "a type that does not exist there",
        "Tensors are `f32`, `u8`, `i32`, `bool` or `index(n)`, with a shape or without: `f32[28, 28]`. Parameters of a model\n"
        "are `int`, `float`, `bool`, `word` or `list`: they are known when the model is compiled.",
        GOOD.replace("f32", "float32"),
        GOOD,
    ),
    Entry(
        "E312",
        "parameter-of-another-type",
        "a parameter gets a value that is not of its type",
        "This holds for defaults and for values given when building (`--set hidden=256`).",
        model("Net", "input x: f32[8]\noutput y = x -> dense(width)").replace("Net", "Net(width: int = 2.5)"),
        model("Net", "input x: f32[8]\noutput y = x -> dense(width)").replace("Net", "Net(width: int = 2)"),
    ),
    Entry(
        "E313",
        "not-known-when-compiled",
        "a value computed from data stands where the compiler needs a number",
        "Sizes, counts, conditions and settings are fixed when the model is compiled; what flows through it is not.",
        layer("dense(image)"),
        GOOD,
    ),
    Entry(
        "E314",
        "impossible-number",
        "arithmetic without a result",
        "A division by zero, the root of a negative number, or a number too large to be meant. Compile-time arithmetic is\n"
        "exact.",
        digits("scaled = image -> rescale(1 / 0)\noutput scaled"),
        digits("scaled = image -> rescale(1 / 255)\noutput scaled"),
    ),
    Entry(
        "E315",
        "operands-of-another-kind",
        "an operator or function gets values it does not work on",
        "Arithmetic and order are for numbers, `and`, `or` and `not` for true and false. Values of different kinds are never\n"
        "the same, so comparing them is a mistake.",
        digits(
            "deep = 3 == true\nlogits = image -> flatten -> if deep then dense(10) else dense(10, bias = false)\noutput logits"
        ),
        digits(
            "deep = 3 == 3\nlogits = image -> flatten -> if deep then dense(10) else dense(10, bias = false)\noutput logits"
        ),
    ),
    Entry(
        "E316",
        "number-in-a-flow",
        "a number or word stands where a tensor is wanted",
        "What flows through a model comes from its inputs. Numbers known when the model is compiled set sizes and counts.",
        digits("width = 32\nlogits = width -> dense(10)\noutput logits"),
        digits("width = 32\nlogits = image -> flatten -> dense(width) -> relu -> dense(10)\noutput logits"),
    ),
    Entry(
        "E317",
        "parameter-without-value",
        "a parameter has no default and none was set",
        "Sizes must be known to check a model. Give the parameter a default, or a value when building: `--set width=128`.",
        model("Net", "input x: f32[8]\noutput y = x -> dense(width)").replace("Net", "Net(width: int)"),
        model("Net", "input x: f32[8]\noutput y = x -> dense(width)").replace("Net", "Net(width: int = 128)"),
    ),
    Entry(
        "E318",
        "type-of-a-weight",
        "a weight that is not f32",
        "Weights follow gradients, so they are real numbers: `weight gain: f32[C] = ones`. Whole numbers that stay as they\n"
        "are can be written down as a list.",
        model("Net", "input x: f32[8]\nweight gain: i32[8] = ones\noutput y = x * gain"),
        model("Net", "input x: f32[8]\nweight gain: f32[8] = ones\noutput y = x * gain"),
    ),
)
