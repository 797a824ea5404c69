"""E43x: operators and functions of tensors."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.samples import prices

GUESS = "guess = house -> dense(1)\noutput guess"

EXPRESSIONS = (
    Entry(
        "E430",
        "unsuitable-operand",
        "a tensor stands beside something that is neither tensor nor number",
        "`+`, `*`, `>` and the others take tensors and numbers. A list of numbers becomes a vector along the last axis. Words,\n"
        "texts and times have no place in arithmetic.",
        prices("loud = house * true\nguess = loud -> dense(1)\noutput guess"),
        prices("loud = house * 2\nguess = loud -> dense(1)\noutput guess"),
    ),
    Entry(
        "E432",
        "no-gradient",
        "the loss depends on a weight only through something without a slope",
        "Training follows the gradient of the loss. What counts, rounds, compares or names a place (`argmax`, `round`, `x > 0`,\n"
        "`accuracy`) changes in jumps: its slope is 0 wherever it has one, and a weight behind it would never move. It can be\n"
        "a metric.",
        prices(GUESS, "loss = mse(round(guess), price)"),
        prices(GUESS, "loss = mse(guess, price)"),
    ),
    Entry(
        "E433",
        "same-for-all-samples",
        "one value for all samples stands where each sample has its own",
        "A weight, and what is made of weights and numbers alone, is the same for all samples. An output has a value for each of\n"
        "them, and layers such as `dropout`, `batch_norm` and `conv` work sample by sample: they take what is made of an input.",
        prices("weight scale: f32[4] = ones\nguess = (house * (scale -> dropout(0.2))) -> dense(1)\noutput guess"),
        prices("weight scale: f32[4] = ones\nguess = (house * scale) -> dropout(0.2) -> dense(1)\noutput guess"),
    ),
)
