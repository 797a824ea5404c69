"""`docs/training.md`: losses, metrics, optimizers, schedules, regularizers, augmentations and initializers."""

from __future__ import annotations

from collections.abc import Mapping

from kdsl.docs.declared import entry, summary
from kdsl.docs.markdown import anchor, code, link, page, table
from kdsl.ops.registry import Declared
from kdsl.training.registry import (
    AUGMENTATIONS,
    INITIALIZERS,
    LOSSES,
    METRICS,
    OPTIMIZERS,
    REGULARIZERS,
    SCHEDULES,
)

INTRODUCTION = """\
What a `train` block and the `init` of a layer can name. How they are used together is in
[the reference of the language](language.md#train); numbers of optimizers and schedules are arguments at run time too,
`Fashion(lr=3e-4)`, so that a sweep does not compile anew.

The examples stand in the `train` of a model that has `logits` and a `label` of ten classes, a `logit` and `spam`, a `price` and what it
`sold_for`."""

SECTIONS: dict[str, tuple[Mapping[str, type[Declared]], str]] = {
    "Losses": (
        LOSSES,
        "`loss = cross_entropy(logits, label)`. A prediction and a target; the result is one number, the mean over the batch and "
        "over every axis that is left. Losses of classes take logits, never probabilities. A loss may also be any expression of "
        "values of the model that gives one number for each sample, and a weighted sum: `cross_entropy(a, x) + 0.3 * mse(b, y)`.",
    ),
    "Metrics": (
        METRICS,
        "`metrics = [accuracy(logits, label), top3 = top_k(logits, label, k = 3)]`. A name before `=` is what the history calls "
        "it. Formulas and expressions are metrics too: `error = mean(abs(price - sold_for))`.",
    ),
    "Optimizers": (
        OPTIMIZERS,
        "`optimizer = adam(lr = 1e-3)`; without the setting it is `adam`. In every step gradients are clipped, then weights decay, "
        "then the optimizer's rule runs. One way of clipping at a time.",
    ),
    "Schedules": (
        SCHEDULES,
        "`schedule = cosine(warmup = 5 epochs)`: how the learning rate changes. Times are `5 epochs`, `200 steps` or fractions "
        "such as `0.5 epochs`. Every step has its own exact rate.",
    ),
    "Regularizers": (
        REGULARIZERS,
        '`regularize = l2(1e-4, weights = "*.kernel")`, or a list of several: added to the loss for every trained weight whose '
        "name the pattern fits. `*` stands for any part of a name, dots included.",
    ),
    "Augmentations": (
        AUGMENTATIONS,
        "`augment = [flip_horizontal, pad_crop(4)]`: random changes of the model's image, one behind the other, drawn anew in "
        "every step of the training and left out elsewhere. The model has one image as an input, `[height, width]` or "
        "`[height, width, channels]`; `mixup` alone is for any inputs. Where Keras has changes of images as layers, so has kdsl: "
        "[random changes of images](layers.md#random-changes-of-images).",
    ),
    "Initializers": (
        INITIALIZERS,
        "`dense(10, init = he_normal)`, `weight gain: f32[D] = ones`. `fan_in` and `fan_out` are how many numbers feed an output "
        "and how many outputs a number feeds. A seed gives the same first weights everywhere.",
    ),
}


def training_page() -> str:
    contents = table(
        ["section", "names"],
        [
            [link(title, title), ", ".join(f"[`{name}`](#{own_anchor(title, name)})" for name in registry)]
            for title, (registry, _) in SECTIONS.items()
        ],
    )
    parts = [INTRODUCTION, contents]
    for title, (registry, text) in SECTIONS.items():
        parts += [f"## {title}", text]
        rows = [[f"[{code(name)}](#{own_anchor(title, name)})", summary(each)] for name, each in registry.items()]
        parts.append(table(["", "in short"], rows))
        parts += [entry(name, declared) for name, declared in registry.items()]
    return page("Training", *parts)


def own_anchor(title: str, name: str) -> str:
    """GitHub numbers headings that come again: `mse` the loss, `mse-1` the metric."""
    before = 0
    for section, (registry, _) in SECTIONS.items():
        if section == title:
            break
        before += name in registry
    return anchor(name) + (f"-{before}" if before else "")
