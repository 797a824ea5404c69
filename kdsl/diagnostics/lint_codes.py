"""What the linter reports: W6xx."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.samples import digits, model, prices

OUT = "logits = image -> flatten -> dense(10)\noutput logits"
LOSS = "loss = cross_entropy(logits, label)"
SPAM = "input  words: f32[100]\ntarget spam: bool\n"

LINT: tuple[Entry, ...] = (
    Entry(
        "W601",
        "softmax-before-cross-entropy",
        "`cross_entropy` is given probabilities",
        "`cross_entropy` takes logits and applies softmax itself, which is faster and loses no precision. Applied twice,\n"
        "softmax flattens the gradients and the network learns badly.",
        digits(
            "probabilities = image -> flatten -> dense(10) -> softmax\noutput probabilities",
            "loss = cross_entropy(probabilities, label)",
        ),
        digits("logits = image -> flatten -> dense(10)\noutput probabilities = softmax(logits)", LOSS),
    ),
    Entry(
        "W602",
        "sigmoid-before-logit-loss",
        "a loss or metric of logits is given a probability",
        "`binary_cross_entropy` applies sigmoid itself; `accuracy` of yes-or-no targets compares logits with 0, so every\n"
        "probability would count as a yes.",
        model(
            "Spam",
            SPAM + "chance = words -> dense(1) -> sigmoid\noutput chance",
            "loss = binary_cross_entropy(chance, spam)",
        ),
        model(
            "Spam",
            SPAM + "logit = words -> dense(1)\noutput chance = sigmoid(logit)",
            "loss = binary_cross_entropy(logit, spam)",
        ),
    ),
    Entry(
        "W603",
        "unused-value",
        "a value that nothing reads",
        "It is computed for nothing, or another name was meant where it should be used. A name that starts with `_` is not\n"
        "reported.",
        digits(f"scaled = image -> rescale(1 / 255)\n{OUT}", LOSS),
        digits("scaled = image -> rescale(1 / 255)\nlogits = scaled -> flatten -> dense(10)\noutput logits", LOSS),
    ),
    Entry(
        "W604",
        "unused-size",
        "a `dim` or parameter that changes nothing",
        "Setting it would have no effect, which is surprising for whoever does.",
        "dim classes = 10\n\n" + digits(OUT),
        "dim classes = 10\n\n" + digits(OUT.replace("10", "classes")),
    ),
    Entry(
        "W606",
        "clipped-regression",
        "a regression that cannot give negative numbers",
        "`relu` after the last layer cuts all predictions off at 0, and where it does nothing is learned. The last layer of a\n"
        "regression has no activation.",
        prices("guess = house -> dense(1) -> relu\noutput guess", "loss = mse(guess, price)"),
        prices("guess = house -> dense(1)\noutput guess", "loss = mse(guess, price)"),
    ),
    Entry(
        "W607",
        "dropout-before-loss",
        "dropout on the predictions themselves",
        "Dropout belongs between layers, where others can take over. On the predictions it only adds noise to the loss.",
        digits("logits = image -> flatten -> dense(10) -> dropout(0.5)\noutput logits", LOSS),
        digits("logits = image -> flatten -> dropout(0.5) -> dense(10)\noutput logits", LOSS),
    ),
    Entry(
        "W608",
        "unusual-learning-rate",
        "a learning rate far from what works",
        "Adam and its relatives work with rates around 1e-3, plain `sgd` around 1e-2. Far above training diverges, far below\n"
        "it hardly moves.",
        digits(OUT, f"{LOSS}\noptimizer = adam(lr = 10)"),
        digits(OUT, f"{LOSS}\noptimizer = adam(lr = 1e-3)"),
    ),
    Entry(
        "W609",
        "repeat-without-braces",
        "`repeat` repeats one layer, and the activation behind it runs once",
        "After `repeat n` stands one step, or several in braces. `repeat 2 dense(64) -> relu` is two `dense` and one `relu`.",
        digits("logits = image -> flatten -> repeat 2 dense(64) -> relu -> dense(10)\noutput logits"),
        digits("logits = image -> flatten -> repeat 2 { dense(64) -> relu } -> dense(10)\noutput logits"),
    ),
    Entry(
        "W610",
        "dense-after-dense",
        "two dense layers with nothing between them",
        "Two linear maps in a row are one linear map: the second layer adds weights and no ability. Put an activation between\n"
        "them. A middle that is narrower than both sides is not reported: it makes one large layer of few weights.",
        digits("logits = image -> flatten -> dense(64) -> dense(10)\noutput logits"),
        digits("logits = image -> flatten -> dense(64) -> relu -> dense(10)\noutput logits"),
    ),
)
