"""`docs/layers.md`: every layer and tensor function."""

from __future__ import annotations

from kdsl.docs.declared import entry, summary
from kdsl.docs.examples import findings, whole
from kdsl.docs.markdown import code, link, page, table
from kdsl.ops import LAYERS
from kdsl.ops.registry import Layer

SECTIONS = {
    "Dense layers and embeddings": ("dense", "embedding"),
    "Convolutions": ("conv_layers",),
    "Pooling, resizing, cropping": ("pooling", "adaptive_pooling", "global_pooling", "resizing", "frames"),
    "Normalisation": ("normalization", "batch_norm", "group_norm"),
    "Preparing inputs": ("preprocessing", "adapting"),
    "Activations": ("piecewise_activations", "smooth_activations", "softmax", "prelu"),
    "Regularisation": ("dropout", "noise"),
    "Merging": ("merging", "joining"),
    "Shape": ("shape", "axes", "movement"),
    "Products": ("einsum",),
    "Elementwise functions": ("functions", "powers", "steps", "comparisons"),
    "Reductions": ("reduction_functions",),
    "Picking and counting": ("gathering", "ranges"),
    "Random values": ("random",),
    "Random changes of images": ("augmentation_layers",),
}
OTHERS = "Other layers and functions"
SHAPES = frozenset(["broadcast_to"])  # defined beside the reductions that undo it

INTRODUCTION = """\
A layer stands after an arrow: `x -> dense(64) -> relu`. What has no weights may be called as well, with its inputs first:
`softmax(logits)`. A function is called inside expressions, `exp(x) + 1`, and may stand after an arrow too.

A layer takes at most one argument without a name, and its table of parameters says which: `conv(32, kernel = 3)`. All others are
given by name. Functions take their arguments in order, or by name. `axis` counts from 0 at the first axis after the
batch, or from the end: `-1` is the last. Shapes leave the batch axis out, like everything in the language.

Integers and bytes become floats where arithmetic needs it. Defaults and initial weights are Keras's. Every value has a gradient
unless its entry says that nothing flows back."""


def page_sections() -> dict[str, list[str]]:
    """Names of layers by section, in the order of the registry."""
    by_module = {module: section for section, modules in SECTIONS.items() for module in modules}
    found: dict[str, list[str]] = {section: [] for section in (*SECTIONS, OTHERS)}
    for name, layer in LAYERS.items():
        section = "Shape" if name in SHAPES else by_module.get(layer.__module__.rpartition(".")[2], OTHERS)
        found[section].append(name)
    return {section: names for section, names in found.items() if names}


def layers_page() -> str:
    sections = page_sections()
    contents = table(
        ["section", "layers and functions"],
        [
            [link(title, title), ", ".join(link(code(name), name) for name in names)]
            for title, names in sections.items()
        ],
    )
    parts = [INTRODUCTION, contents]
    for title, names in sections.items():
        parts.append(f"## {title}")
        parts.append(table(["", "in short"], [[link(code(name), name), summary(LAYERS[name])] for name in names]))
        parts += [entry(name, LAYERS[name], weights(name, LAYERS[name])) for name in names]
    return page("Layers and functions", *parts)


def weights(name: str, layer: type[Layer]) -> str:
    """The weights that the layer makes in its own example."""
    if layer.weights is Layer.weights:
        return ""
    program = findings(whole(layer.example(), name))[0].models[0]
    record = next(each for each in program.layers if each.layer == name)
    made = [each for each in program.weights if each.name in record.weights]
    rows = [
        [
            code(each.name.rpartition(".")[2]),
            code(shape(each.shape)),
            each.initializer[0],
            "yes" if each.trainable else "no",
        ]
        for each in made
    ]
    return "Its weights, with their sizes in this example:\n\n" + table(
        ["weight", "shape", "at first", "trained"], rows
    )


def shape(sizes: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, sizes))}]"
