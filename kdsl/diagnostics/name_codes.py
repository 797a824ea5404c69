"""E2xx: names, and what a model must have."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.samples import digits, model, prices

LOGITS = "logits = image -> flatten -> dense(10)"
OUT = f"{LOGITS}\noutput logits"
HIDDEN = model("Net", "input x: f32[8]\noutput y = x -> Hidden")
LOSS = "loss = cross_entropy(logits, label)"

NAMES = (
    Entry(
        "E201",
        "unknown-layer",
        "a step that is no layer",
        "After an arrow stands a layer of the language, or a step named with `as`. Layers are written in lower case; names\n"
        "with a capital are for your own blocks. The layers there are:\n\n"
        "  dense conv depthwise_conv separable_conv conv_transpose max_pool avg_pool batch_norm embed dropout identity\n"
        "  flatten reshape permute repeat_vector positions global_avg_pool global_max_pool adaptive_avg_pool\n"
        "  adaptive_max_pool upsample resize zero_pad crop center_crop\n"
        "  rescale normalize standardize layer_norm group_norm rms_norm unit_norm\n"
        "  spatial_dropout gaussian_noise gaussian_dropout alpha_dropout\n"
        "  random_flip random_translation random_rotation random_zoom random_contrast random_brightness\n"
        "  add subtract multiply average dot concat maximum minimum\n"
        "  linear relu relu6 leaky_relu prelu elu selu gelu silu mish softplus softsign tanh sigmoid hard_sigmoid\n"
        "  hard_silu exponential softmax log_softmax\n\n"
        "Functions of tensors, such as `exp` and `mean`, stand after an arrow too.\n"
        "Keras's and PyTorch's names are answered with the name here: `Dense(10)` and `Linear(10)` are `dense(10)`.",
        digits("logits = image -> flatten -> Dense(10)\noutput logits"),
        digits(OUT),
    ),
    Entry(
        "E202",
        "unknown-value",
        "a name that nothing binds",
        "A value is an input, a target, a parameter, a `dim`, or bound with `=` in the lines above. Names are looked up in\n"
        "the body they stand in, then in the file.",
        digits("logits = image -> flatten -> dense(10)\noutput logit"),
        digits(OUT),
    ),
    Entry(
        "E203",
        "shared-step-with-arguments",
        "a named step is used again with arguments",
        "`as tower` names a step; `-> tower` runs it again with the same weights. Its arguments are those it was made with,\n"
        "so it takes none the second time. A step of the same kind with weights of its own is written as a new layer.",
        model(
            "Siamese",
            "input left: f32[32]\ninput right: f32[32]\na = left -> dense(16) as tower\nb = right -> tower(8)\noutput a, b",
        ),
        model(
            "Siamese",
            "input left: f32[32]\ninput right: f32[32]\na = left -> dense(16) as tower\nb = right -> tower\noutput a, b",
        ),
    ),
    Entry(
        "E204",
        "step-with-copies",
        "a named step that stands inside a loop is used outside",
        "`repeat` and `for` make copies of a step, each with weights of its own, so the step's name alone does not say\n"
        "which one is meant. Name a step outside of the loop, or share one set of weights with `repeat n shared`.",
        model(
            "Siamese",
            "input left: f32[32]\ninput right: f32[32]\na = left -> repeat 2 { dense(32) as layer -> relu }\nb = right -> layer\noutput a, b",
        ),
        model(
            "Siamese",
            "input left: f32[32]\ninput right: f32[32]\na = left -> dense(32) as layer -> relu\nb = right -> layer\noutput a, b",
        ),
    ),
    Entry(
        "E205",
        "bound-twice",
        "a name is bound a second time",
        "A name is bound once in a body, so that `logits` means the same in every line, in `train`, in messages and in the\n"
        "paths of weights. Long flows go on with `->` instead of binding the same name again.",
        digits("logits = image -> flatten -> dense(10)\nlogits = logits -> softmax\noutput logits"),
        digits("logits = image -> flatten -> dense(10) -> softmax\noutput logits"),
    ),
    Entry(
        "E206",
        "used-before-bound",
        "a name is used above the line that binds it",
        "The statements of a body stand in the order in which they are computed. Items of a file (models, dims, train\n"
        "blocks) may stand in any order.",
        digits("output logits\nlogits = image -> flatten -> dense(10)"),
        digits(OUT),
    ),
    Entry(
        "E207",
        "unknown-model",
        "a `train` block names no model of this file",
        "`train Name { ... }` says how the model `Name` of the same file is trained.",
        digits(OUT, LOSS).replace("train Digits", "train Digit"),
        digits(OUT, LOSS),
    ),
    Entry(
        "E208",
        "unknown-function",
        "a call of something that cannot be called there",
        "Layers without weights may be called with their inputs first, as in `softmax(logits)`. Losses, metrics and\n"
        "optimizers stand in `train`. Their names are Keras's words in snake case.",
        digits(OUT, "loss = sparse_categorical_crossentropy(label, logits)"),
        digits(OUT, LOSS),
    ),
    Entry(
        "E209",
        "circle-of-dims",
        "dims are made from each other in a circle",
        "A `dim` may use other dims, above or below it. Somewhere there must be a number.",
        "dim width = 2 * depth\ndim depth = width / 2\n\n"
        + model("Net", "input x: f32[depth]\noutput y = x -> dense(width)"),
        "dim width = 2 * depth\ndim depth = 4\n\n" + model("Net", "input x: f32[depth]\noutput y = x -> dense(width)"),
    ),
    Entry(
        "E210",
        "step-as-value",
        "a step's name stands where a value is wanted",
        "`as head` names a step and its weights, `h = ...` names what comes out of it.",
        digits("logits = image -> flatten -> dense(10) as head\noutput head"),
        digits("logits = image -> flatten -> dense(10) as head\noutput logits"),
    ),
    Entry(
        "E211",
        "value-as-step",
        "a value stands after an arrow",
        "An arrow feeds a value into a layer, or into a step named with `as`. A value does nothing to what flows in.",
        digits("hidden = image -> flatten\nlogits = image -> hidden -> dense(10)\noutput logits"),
        digits("hidden = image -> flatten\nlogits = hidden -> dense(10)\noutput logits"),
    ),
    Entry(
        "E212",
        "layer-called",
        "a layer with weights is called like a function",
        "What has weights stands after an arrow, because the place in the flow gives the weights their name:\n"
        "`image -> dense(10)`. Layers without weights may be called: `softmax(logits)`.",
        digits("pixels = image -> flatten\nlogits = dense(pixels, 10)\noutput logits"),
        digits("pixels = image -> flatten\nlogits = pixels -> dense(10)\noutput logits"),
    ),
    Entry(
        "E220",
        "no-input",
        "a model without an input",
        "Data comes in through `input name: type` statements.",
        model("Net", "target price: f32"),
        model("Net", "input house: f32[4]\noutput price = house -> dense(1)"),
    ),
    Entry(
        "E221",
        "no-output",
        "a model without an output",
        "`output a, b` says what `predict` returns, in this order and under these names.",
        digits(LOGITS),
        digits(OUT),
    ),
    Entry(
        "E222",
        "target-as-output",
        "an output is made from a target",
        "A target is what training compares with. It is not known when `predict` runs, so no output may depend on it.",
        prices("guess = house -> dense(1)\noutput guess, price"),
        prices("guess = house -> dense(1)\noutput guess"),
    ),
    Entry(
        "E223",
        "output-twice",
        "the same output is listed twice",
        "Outputs are told apart by their names.",
        digits(f"{LOGITS}\noutput logits, logits"),
        digits(OUT),
    ),
    Entry(
        "E224",
        "nothing-returned",
        "a block or fn without `return`",
        "`return` at the end of the body says what comes out of a block or formula.",
        f"block Hidden(x: f32[C]) -> f32[C] {{\n  h = x -> dense(C) -> relu\n}}\n\n{HIDDEN}",
        f"block Hidden(x: f32[C]) -> f32[C] {{\n  h = x -> dense(C) -> relu\n  return h\n}}\n\n{HIDDEN}",
    ),
    Entry(
        "E225",
        "after-return",
        "a statement behind `return`",
        "`return` ends a body: what stands behind it would never be computed. Several values are returned together,\n"
        "`return a, b`.",
        f"block Hidden(x: f32[C]) -> f32[C] {{\n  return x -> relu\n  h = x -> dense(C)\n}}\n\n{HIDDEN}",
        f"block Hidden(x: f32[C]) -> f32[C] {{\n  h = x -> dense(C)\n  return h -> relu\n}}\n\n{HIDDEN}",
    ),
    Entry(
        "E290",
        "not-yet",
        "a part of the language that is still to come",
        "Recurrent layers, attention, early stopping and a few more parts of the language are read and checked,\n"
        "and this version of kdsl does not compile them yet; the message names the part that is missing.",
        digits(OUT, f"{LOSS}\nstop_early = patience(5 epochs, on = val_loss)"),
        digits(OUT, LOSS),
    ),
)
