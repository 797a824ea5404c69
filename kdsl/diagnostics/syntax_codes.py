"""What the parser reports: E1xx."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.grammar_codes import GRAMMAR
from kdsl.diagnostics.text_codes import TEXT

PLACEMENT = (
    Entry(
        "E130",
        "misplaced-statement",
        "a statement stands in a body it does not belong in",
        "A model has inputs, targets, weights, values and outputs; a block has weights, values and `return`; a fn values and\n"
        "`return`; a train block settings.",
        "model M {\n  input x: f32[4]\n  return x\n}\n",
        "model M {\n  input x: f32[4]\n  output x\n}\n",
    ),
    Entry(
        "E131",
        "parameter-without-type",
        "a parameter of a model or block has no type",
        "`int`, `float`, `bool`, `word`, `list` and `layer` are fixed when the model is compiled; `f32[H, W]` flows in. The\n"
        "parameters of an `fn` need no type.",
        "model M(hidden = 128) {\n  input x: f32[4]\n  output h = x -> dense(hidden)\n}\n",
        "model M(hidden: int = 128) {\n  input x: f32[4]\n  output h = x -> dense(hidden)\n}\n",
    ),
    Entry(
        "E132",
        "argument-order",
        "an argument without a name follows one with a name",
        "The one argument without a name, a layer's size, comes first: `conv(32, kernel = 3)`.",
        "model M {\n  input x: f32[8, 8, 1]\n  output h = x -> conv(kernel = 3, 32)\n}\n",
        "model M {\n  input x: f32[8, 8, 1]\n  output h = x -> conv(32, kernel = 3)\n}\n",
    ),
    Entry(
        "E133",
        "named-item",
        "an item of an ordinary list has a name",
        "In the settings of `train`, items of a list may be named: `metrics = [top5 = top_k(logits, label, k = 5)]`. Other\n"
        "lists hold values only.",
        "model M {\n  input x: f32[8, 8, 1]\n  output h = x -> reshape([size = 64])\n}\n",
        "model M {\n  input x: f32[8, 8, 1]\n  output h = x -> reshape([64])\n}\n",
    ),
)

SYNTAX: tuple[Entry, ...] = tuple(sorted((*TEXT, *GRAMMAR, *PLACEMENT), key=lambda entry: entry.code))
