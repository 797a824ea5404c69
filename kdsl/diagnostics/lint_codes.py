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
        "W605",
        "unused-import",
        "a name that is imported and never used",
        "It was meant to be used, or is left over.",
        'import SqueezeExcite from "kdsl:blocks"\n\n' + digits(OUT),
        digits(OUT),
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
        digits("logits = image -> flatten -> dense(64) -> relu -> dense(10) -> dropout(0.5)\noutput logits", LOSS),
        digits("logits = image -> flatten -> dense(64) -> relu -> dropout(0.5) -> dense(10)\noutput logits", LOSS),
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
    Entry(
        "W611",
        "unused-definition",
        "a block or formula that nothing in a model's file uses",
        "It was meant to be used, or is left over. In a file without a model nothing is reported: others import from it.",
        "fn twice(x) = 2 * x\n\n" + digits(OUT),
        "fn twice(x) = 2 * x\n\n" + digits("logits = image -> flatten -> dense(10) -> twice\noutput logits"),
    ),
    Entry(
        "W612",
        "dropout-on-input",
        "dropout on an input itself",
        "What is dropped from the input no other unit can stand in for: the network learns from damaged data. Dropout belongs\n"
        "behind layers that have learned something.",
        digits("logits = image -> flatten -> dropout(0.2) -> dense(10)\noutput logits"),
        digits("logits = image -> flatten -> dense(64) -> relu -> dropout(0.2) -> dense(10)\noutput logits"),
    ),
    Entry(
        "W613",
        "bias-before-batch-norm",
        "a bias that batch normalisation takes away again",
        "`batch_norm` subtracts the mean over the batch, so that a constant added before it changes nothing, and adds a `beta`\n"
        "of its own. `bias = false` saves the weights.",
        digits("logits = image -> flatten -> dense(64) -> batch_norm -> relu -> dense(10)\noutput logits"),
        digits(
            "logits = image -> flatten -> dense(64, bias = false) -> batch_norm -> relu -> dense(10)\noutput logits"
        ),
    ),
    Entry(
        "W614",
        "missing-validation",
        "training without data to validate with",
        "Only the loss on data that was not trained on says when training should end. Off unless selected: `fit` can be given\n"
        "validation data that the file knows nothing of.",
        digits(OUT, LOSS),
        digits(OUT, f"{LOSS}\nvalidation_split = 0.1"),
    ),
    Entry(
        "W615",
        "leading-colon",
        "an index that starts with `:`, as if for the batch",
        "The batch axis is never written. `x[:, -1]`, which in other frameworks takes the last step of every sample, takes all\n"
        "steps and the last feature here; the last step is `x[-1]`.",
        digits("logits = image[:, -1] -> dense(10)\noutput logits"),
        digits("logits = image[-1] -> dense(10)\noutput logits"),
    ),
    Entry(
        "W616",
        "captured-dim",
        "a size in a block's types that is a `dim` of the file",
        "In `block B(x: f32[T])` a new name is bound by each call; the name of a `dim` is that number, and the block takes no\n"
        "other size. Off unless selected: often that is meant.",
        "dim T = 28\n\nblock Half(x: f32[T]) -> f32[T] {\n  return x / 2\n}\n\n"
        + model("M", "input x: f32[T]\noutput y = x -> Half"),
        "dim T = 28\n\nblock Half(x: f32[D]) -> f32[D] {\n  return x / 2\n}\n\n"
        + model("M", "input x: f32[T]\noutput y = x -> Half"),
    ),
    Entry(
        "W617",
        "repeated-steps",
        "the same steps three times in a row",
        "`repeat 3 { ... }` says it once, and its number can be a parameter. The weights are then called `.0`, `.1`, `.2`.",
        digits(
            "logits = image -> flatten -> dense(64) -> relu -> dense(64) -> relu -> dense(64) -> relu -> dense(10)\n"
            "output logits"
        ),
        digits("logits = image -> flatten -> repeat 3 { dense(64) -> relu } -> dense(10)\noutput logits"),
    ),
    Entry(
        "W618",
        "wide-flatten",
        "a flattened image in front of a dense layer with millions of weights",
        "Each number of the image gets a weight for each unit: more than the rest of the network together, and they overfit.\n"
        "Pool first, or take `global_avg_pool` for `flatten`.",
        model("M", "input photo: f32[256, 256, 3]\nscores = photo -> flatten -> dense(100)\noutput scores"),
        model("M", "input photo: f32[256, 256, 3]\nscores = photo -> global_avg_pool -> dense(100)\noutput scores"),
    ),
    Entry(
        "W619",
        "undocumented",
        "a model or block without a doc comment",
        "A line of `##` above it is shown by editors, in `summary` and as the docstring of the generated class. Off unless\n"
        "selected.",
        digits(OUT),
        "## Digits from their pixels, without hidden layers.\n" + digits(OUT),
    ),
    Entry(
        "W620",
        "unusual-name",
        "a name that is not written the usual way",
        "Models and blocks begin with a capital, dims are in capitals, values and parameters in small letters with `_`. Then\n"
        "the reader knows what a name is before looking it up. Off unless selected.",
        digits(OUT.replace("logits", "classScores")),
        digits(OUT.replace("logits", "class_scores")),
    ),
    Entry(
        "W621",
        "shadowing",
        "a name in a body that hides one of the file",
        "The same word means two things, and which one depends on where it stands.",
        "dim width = 64\n\n"
        + digits(
            "logits = image -> flatten -> dense(width) -> relu -> for width in [32, 16] { dense(width) -> relu } -> dense(10)\n"
            "output logits"
        ),
        "dim width = 64\n\n"
        + digits(
            "logits = image -> flatten -> dense(width) -> relu -> for w in [32, 16] { dense(w) -> relu } -> dense(10)\n"
            "output logits"
        ),
    ),
    Entry(
        "W622",
        "repeat-once",
        "`repeat 1`",
        "It repeats nothing, and puts a `.0` into the names of the weights. A number that may change is a parameter.",
        digits("logits = image -> flatten -> repeat 1 dense(10)\noutput logits"),
        digits("logits = image -> flatten -> dense(10)\noutput logits"),
    ),
    Entry(
        "W623",
        "doubled-activation",
        "an activation twice in a row",
        "A second `relu` changes nothing; a second `sigmoid` or `softmax` squeezes what was squeezed already.",
        digits("logits = image -> flatten -> dense(64) -> relu -> relu -> dense(10)\noutput logits"),
        digits("logits = image -> flatten -> dense(64) -> relu -> dense(10)\noutput logits"),
    ),
    Entry(
        "W624",
        "unused-loop-name",
        "`for` with a name that its steps do not use",
        "Then all copies are the same, which `repeat` says; or the name was meant to be used. A name that starts with `_` is not\n"
        "reported.",
        digits("logits = image -> flatten -> for w in [64, 32] { dense(64) -> relu } -> dense(10)\noutput logits"),
        digits("logits = image -> flatten -> repeat 2 { dense(64) -> relu } -> dense(10)\noutput logits"),
    ),
    Entry(
        "W625",
        "unscaled-bytes",
        "bytes of 0 to 255 go straight into a layer with weights",
        "Layers start with weights for numbers around 1. With numbers a hundred times as large the first steps diverge, or\n"
        "training crawls.",
        model("M", "input photo: u8[8, 8]\nscores = photo -> flatten -> dense(10)\noutput scores"),
        model("M", "input photo: u8[8, 8]\nscores = photo -> rescale(1 / 255) -> flatten -> dense(10)\noutput scores"),
    ),
    Entry(
        "W626",
        "unused-ignore",
        "a comment that silences nothing",
        "`# kdsl: ignore[W603]` is there for a warning that is not given (any more). It would hide the next one.",
        digits(f"{OUT}  # kdsl: ignore[W603]"),
        digits(OUT),
    ),
    Entry(
        "W627",
        "channels-first",
        "a picture whose channels come first",
        "Layers with windows slide along all axes but the last, which is that of the channels: a picture is [height, width,\n"
        "channels], as image files and Keras have it. PyTorch's pictures are the other way round; `permute` turns them.",
        model("M", "input photo: f32[3, 32, 32]\nh = photo -> conv(8, kernel = 3)\noutput h"),
        model("M", "input photo: f32[3, 32, 32]\nh = photo -> permute([1, 2, 0]) -> conv(8, kernel = 3)\noutput h"),
    ),
    Entry(
        "W628",
        "picture-without-channels",
        "a picture without an axis of channels",
        "[28, 28] is a sequence of 28 steps with 28 features, and a window of 3 sees three whole lines. A grey picture has one\n"
        "channel, [28, 28, 1].",
        model("M", "input image: f32[28, 28]\nh = image -> conv(8, kernel = 3)\noutput h"),
        model("M", "input image: f32[28, 28, 1]\nh = image -> conv(8, kernel = 3)\noutput h"),
    ),
)
