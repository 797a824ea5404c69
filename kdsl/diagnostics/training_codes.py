"""E5xx: predictions against targets, and the settings of `train`."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.samples import digits, model, prices

OUT = "logits = image -> flatten -> dense(10)\noutput logits"
LOSS = "loss = cross_entropy(logits, label)"
GOOD = digits(OUT, LOSS)
WORDS = "input  words: index(100)[20]\ntarget mood: index(2)"
MOOD = "loss = cross_entropy(logits, mood)"
GUESS = "guess = house -> dense(1)\noutput guess"

TRAINING = (
    Entry(
        "E501",
        "classes-differ",
        "the prediction has another number of classes than the target",
        "A label typed `index(10)` is compared with ten scores, one for each class.",
        digits("logits = image -> flatten -> dense(12)\noutput logits", LOSS),
        GOOD,
    ),
    Entry(
        "E502",
        "missing-flatten",
        "a prediction for every row, a target for the whole sample",
        "`dense` works on the last axis and keeps all others: [28, 28] becomes [28, 128]. To look at a whole image, `flatten`\n"
        "it first. The mistake shows only at the loss; the place marked is the layer that kept the axes.",
        digits("logits = image -> dense(10)\noutput logits", LOSS),
        GOOD,
    ),
    Entry(
        "E503",
        "unknown-setting",
        "a `train` block has no setting of this name",
        "The settings are loss, metrics, optimizer, schedule, regularize, augment, batch, epochs, seed and validation_split. The\n"
        "learning rate is the optimizer's: `optimizer = adam(lr = 1e-3)`. Settings of single weights stand in `tune`.",
        digits(OUT, f"{LOSS}\nbatch_size = 32"),
        digits(OUT, f"{LOSS}\nbatch = 32"),
    ),
    Entry(
        "E504",
        "no-loss",
        "a `train` block without a loss",
        "Training minimises a loss. `cross_entropy` is for classes, `binary_cross_entropy` for yes or no, `mse`, `mae` and\n"
        "`huber` for numbers; sums of them and any other expression can be one too. All other settings have defaults.",
        digits(OUT, "epochs = 3"),
        digits(OUT, f"{LOSS}\nepochs = 3"),
    ),
    Entry(
        "E505",
        "unsuitable-setting",
        "a setting gets something else than it takes",
        "`metrics` is a list of metrics, named or not; `optimizer` is one optimizer with its arguments. A metric may not be\n"
        "called like the loss, nor start with `val_`.",
        digits(OUT, f"{LOSS}\nmetrics = accuracy(logits, label)"),
        digits(OUT, f"{LOSS}\nmetrics = [accuracy(logits, label)]"),
    ),
    Entry(
        "E506",
        "setting-twice",
        "a setting is set twice",
        "Each setting has one value.",
        digits(OUT, f"{LOSS}\nbatch = 32\nbatch = 64"),
        digits(OUT, f"{LOSS}\nbatch = 64"),
    ),
    Entry(
        "E507",
        "second-train-block",
        "a model has two `train` blocks",
        "All settings of a model stand in one block.",
        f"{GOOD}\ntrain Digits {{\n  {LOSS}\n}}\n",
        GOOD,
    ),
    Entry(
        "E508",
        "nothing-to-compare",
        "a loss or metric without its prediction and target",
        "Losses and metrics are calls that say what they compare: the prediction first, then the target.",
        digits(OUT, f"{LOSS}\nmetrics = [accuracy]"),
        digits(OUT, f"{LOSS}\nmetrics = [accuracy(logits, label)]"),
    ),
    Entry(
        "E509",
        "nothing-to-train",
        "the loss depends on no weights",
        "Training changes weights so that the loss falls. Between the inputs and the loss must lie a layer that has some.",
        prices("guess = house -> reshape([2, 2]) -> flatten\noutput guess", "loss = mse(guess, house)").replace(
            "  target price: f32\n", ""
        ),
        prices(GUESS, "loss = mse(guess, price)"),
    ),
    Entry(
        "E510",
        "prediction-and-target-differ",
        "prediction and target have shapes that cannot be compared",
        "Both sides need the same shape; only a last axis of 1 is left out against a side that has none. Nothing is silently\n"
        "broadcast: that would train nonsense.",
        model("Net", "input  x: f32[4]\ntarget y: f32[3]\nh = x -> dense(4)\noutput h", "loss = mse(h, y)"),
        model("Net", "input  x: f32[4]\ntarget y: f32[3]\nh = x -> dense(3)\noutput h", "loss = mse(h, y)"),
    ),
    Entry(
        "E511",
        "target-of-another-type",
        "the loss or metric is not for targets of this type",
        "`cross_entropy` is for classes (`index(n)`, or a share for each class), `mse`, `mae` and `huber` for numbers,\n"
        "`binary_cross_entropy` for yes or no (`bool`).",
        digits(OUT, "loss = mse(logits, label)"),
        GOOD,
    ),
    Entry(
        "E512",
        "prediction-first",
        "the first argument of a loss or metric is not a prediction",
        "The prediction comes first, then the target. Keras has them the other way round.",
        digits(OUT, "loss = cross_entropy(label, logits)"),
        GOOD,
    ),
    Entry(
        "E513",
        "top-k-too-large",
        "`top_k` counts more answers than there are classes",
        "With as many answers as classes every sample counts as right.",
        digits(OUT, f"{LOSS}\nmetrics = [top_k(logits, label, k = 11)]"),
        digits(OUT, f"{LOSS}\nmetrics = [top_k(logits, label, k = 3)]"),
    ),
    Entry(
        "E514",
        "several-clippings",
        "gradients are clipped in more than one way",
        "An optimizer takes one of clip_norm (each weight array by itself), global_clip_norm (all together) and clip_value\n"
        "(each element).",
        digits(OUT, f"{LOSS}\noptimizer = adam(clip_norm = 1.0, clip_value = 0.5)"),
        digits(OUT, f"{LOSS}\noptimizer = adam(clip_norm = 1.0)"),
    ),
    Entry(
        "E520",
        "no-such-weights",
        "a pattern names no weight",
        "`tune` and regularizers find weights by name: `*` stands for any part of it, dots included. `*.kernel` are all\n"
        "kernels, `stem.*` all weights of the step `stem`. `kdsl summary` lists the names.",
        digits(OUT, f'{LOSS}\nregularize = l2(1e-4, weights = "stem.*")'),
        digits(OUT, f'{LOSS}\nregularize = l2(1e-4, weights = "logits.*")'),
    ),
    Entry(
        "E521",
        "unknown-tuning",
        "a `tune` block has no setting of this name",
        "The settings of single weights are `lr_scale`, which multiplies the learning rate, `weight_decay` in place of the\n"
        "optimizer's, and `frozen = true`, which stops their training.",
        digits(OUT, f'{LOSS}\ntune "*.bias" {{ lr_scal = 2 }}'),
        digits(OUT, f'{LOSS}\ntune "*.bias" {{ lr_scale = 2 }}'),
    ),
    Entry(
        "E522",
        "unsuitable-schedule",
        "a schedule's arguments contradict each other",
        "`step` lowers the rate either each time `every` has passed or at the times `at`. `plateau` looks at the ends of epochs,\n"
        "so its times are in epochs.",
        digits(OUT, f"{LOSS}\nschedule = step(every = 30 epochs, at = [50 epochs])"),
        digits(OUT, f"{LOSS}\nschedule = step(every = 30 epochs)"),
    ),
    Entry(
        "E523",
        "unsuitable-weight",
        "a regularizer is not for weights of this shape",
        "`orthogonal` makes the rows or columns of a matrix perpendicular to each other; a bias has none.",
        digits(OUT, f'{LOSS}\nregularize = orthogonal(0.01, weights = "*")'),
        digits(OUT, f'{LOSS}\nregularize = orthogonal(0.01, weights = "*.kernel")'),
    ),
    Entry(
        "E524",
        "no-image-to-augment",
        "`augment` finds no image, or several",
        "It changes the one input of the model that is an image: `u8` or `f32`, [height, width] or [height, width, channels],\n"
        "and read as quantities. Where there are several, the layers `random_flip`, `random_rotation` .. stand behind the one\n"
        "that is meant.",
        prices(GUESS, "loss = mse(guess, price)\naugment = [flip_horizontal]"),
        digits(OUT, f"{LOSS}\naugment = [flip_horizontal]"),
    ),
    Entry(
        "E525",
        "whole-numbers-mixed",
        "`mixup` makes fractions of classes, or of true and false",
        "It mixes all inputs and targets: `share * own + (1 - share) * next`. A class has no such mixture where it is looked up,\n"
        "as by `embed`. As the target of `cross_entropy`, `accuracy` or `top_k` it becomes a share for each class.",
        model(
            "Words",
            f"{WORDS}\nlogits = words -> embed(8) -> flatten -> dense(2)\noutput logits",
            f"{MOOD}\naugment = [mixup]",
        ),
        digits(OUT, f"{LOSS}\naugment = [mixup]"),
    ),
)
