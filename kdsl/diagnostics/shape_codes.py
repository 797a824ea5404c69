"""E4xx: shapes, sizes and how much of them there is."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.samples import digits, model

GOOD = digits("logits = image -> flatten -> dense(10)\noutput logits")
SIAMESE = "input left: f32[32]\ninput right: f32[{}]\na = left -> dense(16) as tower\nb = right -> tower\noutput a, b"

SHAPES = (
    Entry(
        "E401",
        "unsuitable-shape",
        "a layer gets a shape it cannot work on",
        "`dense` and `softmax` work along an axis, so they cannot be given a single number. The line `shapes:` shows what\n"
        "came out of every step before.",
        model("Net", "input x: f32\noutput y = x -> dense(3)"),
        model("Net", "input x: f32\noutput y = x -> reshape([1]) -> dense(3)"),
    ),
    Entry(
        "E402",
        "shapes-differ",
        "an operator gets shapes that do not fit together",
        "Shapes are aligned at their last axes, the batch left out. On every axis the sizes are equal, or one of them is 1 and\n"
        "is repeated; an axis that is missing counts as 1. `@` wants the last axis of its left side to be as long as the last\n"
        "but one of its right side.",
        model("Net", "input a: f32[5, 3]\ninput b: f32[5]\noutput y = a + b"),
        model("Net", "input a: f32[5, 3]\ninput b: f32[5, 1]\noutput y = a + b"),
    ),
    Entry(
        "E403",
        "not-a-whole-size",
        "a size that is not a whole number",
        "Compile-time numbers are exact fractions, so `15 / 2` is not silently rounded. `floor(width / 2)` and\n"
        "`ceil(width / 2)` say which whole number is meant.",
        digits("logits = image -> flatten -> dense(15 / 2)\noutput logits"),
        digits("logits = image -> flatten -> dense(floor(15 / 2))\noutput logits"),
    ),
    Entry(
        "E404",
        "reshape-does-not-fit",
        "a new shape has another number of elements",
        "`reshape` gives the same numbers other axes: the sizes multiply to as many elements as came in. One of them may be\n"
        "-1, for what is left. The batch is not written.",
        digits("rows = image -> reshape([28, 27])\noutput rows"),
        digits("rows = image -> reshape([14, -1])\noutput rows"),
    ),
    Entry(
        "E405",
        "classes-are-not-numbers",
        "a layer that computes gets labels",
        "`index(n)` is the name of one of n classes: 7 is not more than 3. A quantity is declared `i32` or `f32`.",
        model("Net", "input word: index(1000)[20]\noutput y = word -> dense(3)"),
        model("Net", "input count: i32[20]\noutput y = count -> dense(3)"),
    ),
    Entry(
        "E406",
        "too-many-layers",
        "copies make more layers than a model may have",
        "`repeat` and `for` write their steps out. Copies inside copies multiply; a model has at most 10,000 layers.",
        digits("logits = image -> flatten -> repeat 1_000_000_000 relu -> dense(10)\noutput logits"),
        digits("logits = image -> flatten -> repeat 3 { dense(32) -> relu } -> dense(10)\noutput logits"),
    ),
    Entry(
        "E407",
        "number-of-inputs",
        "more or fewer values flow into a layer than it takes",
        "`(a, b) -> layer` feeds several values into one layer. Most layers take one.",
        digits("logits = (image, image) -> dense(10)\noutput logits"),
        GOOD,
    ),
    Entry(
        "E408",
        "shared-weights-differ",
        "a shared step gets another size than the first time",
        "A step that runs again has the weights it had before, and their shapes come from what flowed in first.",
        model("Siamese", SIAMESE.format(16)),
        model("Siamese", SIAMESE.format(32)),
    ),
    Entry(
        "E409",
        "too-much-memory",
        "a model larger than any computer",
        "Sizes are exact integers of any length, so a slip of the pen can ask for more memory than there is. Weights, the\n"
        "values of one sample and those of one batch are limited to 1 TiB each.",
        digits("logits = image -> flatten -> dense(10 ** 12)\noutput logits"),
        digits("logits = image -> flatten -> dense(10 ** 2)\noutput logits"),
    ),
    Entry(
        "E410",
        "size-below-one",
        "a size of zero or less",
        "Every axis has at least one element. `repeat` may count from 0 up.",
        digits("logits = image -> flatten -> dense(0)\noutput logits"),
        GOOD,
    ),
    Entry(
        "E411",
        "no-such-axis",
        "an axis that is not there",
        "Axes count from 0, the first one after the batch, or from -1, the last one, backwards. The batch has no number, so\n"
        "another library's axis 1 is often axis 0 here.",
        model("Net", "input x: f32[5, 3]\noutput y = mean(x, axis = 2)"),
        model("Net", "input x: f32[5, 3]\noutput y = mean(x, axis = 1)"),
    ),
    Entry(
        "E412",
        "axes-do-not-fit",
        "axes that do not fit what is done with them",
        "`transpose` and `permute` name every axis once, in its new place; `squeeze` takes away axes of size 1; `pad` has one\n"
        "pair for all axes or one for each. The batch is not counted: the first axis after it is 0.",
        model("Net", "input x: f32[5, 3]\noutput y = transpose(x, [0, 2])"),
        model("Net", "input x: f32[5, 3]\noutput y = transpose(x, [1, 0])"),
    ),
    Entry(
        "E413",
        "einsum-equation",
        "an equation of `einsum` that does not fit its operands",
        "`qd,kd->qk` has one letter for each axis of each operand, an arrow, and the letters of the result. The batch has no\n"
        "letter. A letter has one size everywhere; letters that the result lacks are summed over.",
        model("Net", 'input a: f32[5, 3]\ninput b: f32[4, 3]\noutput y = einsum("qd,kd->qz", a, b)'),
        model("Net", 'input a: f32[5, 3]\ninput b: f32[4, 3]\noutput y = einsum("qd,kd->qk", a, b)'),
    ),
    Entry(
        "E414",
        "no-such-place",
        "a place that an axis does not have",
        "Places count from 0, or from -1, the last one, backwards. In `start:stop` the stop is not part of it, and a part has at\n"
        "least one place. `x[-1]` is the last time step of [steps, features]: the first item is for the first axis after the\n"
        "batch.",
        model("Net", "input x: f32[5, 3]\noutput y = x[5]"),
        model("Net", "input x: f32[5, 3]\noutput y = x[4]"),
    ),
    Entry(
        "E415",
        "pieces-do-not-fit",
        "pieces that do not fit together",
        "`concat` joins along one axis, and all other axes are equal; `stack` wants equal shapes; the parts that `split` makes\n"
        "add up to the axis.",
        model("Net", "input a: f32[5, 3]\ninput b: f32[4, 2]\noutput y = concat([a, b], axis = 0)"),
        model("Net", "input a: f32[5, 3]\ninput b: f32[4, 3]\noutput y = concat([a, b], axis = 0)"),
    ),
    Entry(
        "E416",
        "condition-wanted",
        "a number stands where a condition is wanted",
        "`where`, `and`, `or` and `not` take true or false for each element, as comparisons give them. Numbers are compared\n"
        "first, so that a reader sees which ones count as true.",
        model("Net", "input x: f32[3]\noutput y = where(x, x, 0)"),
        model("Net", "input x: f32[3]\noutput y = where(x > 0, x, 0)"),
    ),
    Entry(
        "E417",
        "classes-wanted",
        "numbers stand where classes are wanted",
        "`embed` has a vector for each class, `gather` and `one_hot` pick places: they need to know that a value is a whole\n"
        "number, and `embed` how many classes there are. An input `index(20000)[50]` says both.",
        model("Net", "input words: i32[50]\noutput y = words -> embed(8)"),
        model("Net", "input words: index(20000)[50]\noutput y = words -> embed(8)"),
    ),
    Entry(
        "E418",
        "adapts-to-data",
        "a layer that adapts to data does not see an input",
        "`standardize` takes the mean and variance of its input from the training data before training begins. That works for\n"
        "an input and for a part of one; what a network computes has other values after every step, and `layer_norm`\n"
        "normalises it.",
        model("Net", "input x: f32[5]\noutput y = x -> dense(3) -> standardize"),
        model("Net", "input x: f32[5]\noutput y = x -> standardize -> dense(3)"),
    ),
)
