"""`docs/keras.md`: Keras's words and habits, and what they are in kdsl. Tables come from the registries."""

from __future__ import annotations

from collections.abc import Mapping

from kdsl.docs.keras_texts import CALLBACKS, HABITS, INTRODUCTION, USING
from kdsl.docs.markdown import code, codes, link, page, table
from kdsl.docs.training import SECTIONS, own_anchor
from kdsl.elaborate import foreign, not_yet
from kdsl.ops import LAYERS
from kdsl.ops.registry import Declared, Param
from kdsl.training.registry import INITIALIZERS, LOSSES, METRICS, OPTIMIZERS, REGULARIZERS, SCHEDULES

CONTENTS = (
    "Habits", "Layers", "Arguments", "Losses", "Metrics", "Optimizers", "Schedules", "Regularizers", "Augmentations",
    "Initializers", "Callbacks", "Using a model", "Not there yet",
)  # fmt: skip

KERAS = frozenset(["LSTM", "GRU", "SimpleRNN", "Bidirectional", "MultiHeadAttention"])


def keras_page() -> str:
    parts = [INTRODUCTION, " · ".join(link(title, title) for title in CONTENTS), HABITS]
    parts += ["## Layers", layers(), "## Arguments", arguments()]
    for title, (registry, _) in SECTIONS.items():
        parts += [f"## {title}", phrases(title, registry)]
    parts += [CALLBACKS, USING, "## Not there yet", missing()]
    return page("From Keras to kdsl", *parts)


def layers() -> str:
    named = {name: layer for name, layer in LAYERS.items() if layer.keras}
    same = [name for name, layer in named.items() if layer.keras == (name,)]
    rows = [
        [codes(layer.keras), f"[`{name}{arguments_of(layer.parameters)}`](layers.md#{name})"]
        for name, layer in sorted(named.items(), key=lambda pair: pair[1].function)
        if name not in same
    ]
    return "\n\n".join(
        [
            "What Keras spells in several ways, or for one, two and three dimensions, is one word here; the rank of the input "
            "decides. Functions of `keras.ops` follow the layers.",
            table(["Keras", "kdsl"], rows),
            f"The same word in both: {', '.join(f'[`{name}`](layers.md#{name})' for name in same)}.",
        ]
    )


def arguments_of(parameters: Mapping[str, Param]) -> str:
    """What must be given: `(filters, kernel = ...)`."""
    needed = [(key, each) for key, each in parameters.items() if each.required]
    written = [
        key if each.positional else f"{key} = ..." for key, each in sorted(needed, key=lambda p: not p[1].positional)
    ]
    return f"({', '.join(written)})" if written else ""


def arguments() -> str:
    """Every renamed argument, once, with where it occurs."""
    where: dict[tuple[str, str], list[str]] = {}
    registries: tuple[Mapping[str, type[Declared]], ...] = (
        LAYERS, LOSSES, METRICS, OPTIMIZERS, SCHEDULES, REGULARIZERS, INITIALIZERS,
    )  # fmt: skip
    for registry in registries:
        for name, declared in registry.items():
            for key, param in declared.parameters.items():
                if param.keras and not param.keras.startswith(("beta_init", "gamma_init")):
                    where.setdefault((param.keras, key), []).append(name)
    rows = [[code(theirs), code(ours), some(names)] for (theirs, ours), names in where.items()]
    rows += [
        ["`activation=`", "a step of its own: `-> relu`", "every layer"],
        ["`input_shape=`, `input_dim=`", "nothing: sizes that come in are inferred", "every layer"],
        ["`name=`", "`as name`, behind the step", "every layer"],
        ["`from_logits=True`", "nothing: losses always take logits", "losses"],
        ["`kernel_regularizer=`", '`regularize = l2(1e-4, weights = "*.kernel")` in `train`', "every layer"],
        ["`trainable=False`", '`tune "name.*" { frozen = true }` in `train`', "every layer"],
        ["`dtype=`", "nothing: `kdsl build --dtype f64` computes all of it in double precision", "every layer"],
    ]
    return "All other arguments keep Keras's names and defaults.\n\n" + table(["Keras", "kdsl", "of"], rows)


def some(names: list[str]) -> str:
    return codes(names) if len(names) <= 6 else f"{codes(names[:5])} and others"


def phrases(title: str, registry: Mapping[str, type[Declared]]) -> str:
    rows = []
    for name, declared in registry.items():
        theirs = getattr(declared, "keras", ())
        rows.append([codes(theirs) or "nothing of its own", f"[{code(name)}](training.md#{own_anchor(title, name)})"])
    return table(["Keras", "kdsl"], rows)


def missing() -> str:
    """What the language knows by name and does not compile yet."""
    rows = []
    for name in sorted(not_yet.LAYERS.keys() - LAYERS.keys()):
        words = foreign.LATER_NAMES.get(name, "").split()
        rows.append([codes(word for word in words if word in KERAS) or "`MultiHeadAttention` of one input", code(name)])
    for ours, theirs in (("stop_early", "EarlyStopping"), ("keep_best", "ModelCheckpoint(save_best_only=True)")):
        if ours in not_yet.SETTINGS:
            rows.append([code(theirs), f"`{ours}`, in `train`"])
    return "\n\n".join(
        [
            "The language has names for these and answers them with `E290`. Attention is in the library meanwhile: "
            '`import SelfAttention, Transformer from "kdsl:attention"`.',
            table(["Keras", "kdsl"], rows),
            "For these there is nothing yet: masks that travel with a sequence, loops whose length is known at run time only, "
            "several optimizers for one model, mixed precision, GPUs, more than one machine.",
        ]
    )
