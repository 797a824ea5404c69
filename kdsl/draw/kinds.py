"""What kind of thing a layer or op is, and how operators are written."""

from __future__ import annotations

import re

from kdsl.draw.scene import Kind
from kdsl.graph.graph import Node

SIGNS = {
    "add": "+",
    "subtract": "−",
    "multiply": "×",
    "divide": "÷",
    "power": "**",
    "matmul": "@",
    "negative": "−",
    "maximum": "max",
    "minimum": "min",
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "≤",
    "greater": ">",
    "greater_equal": "≥",
    "logical_and": "and",
    "logical_or": "or",
    "logical_not": "not",
}
HIDDEN = frozenset({"cast", "broadcast_to", "identity"})  # change nothing that the reader would look for
RANDOM = frozenset({"dropout", "spatial_dropout", "gaussian_noise", "random_normal", "random_uniform"})
LONGEST = 54  # characters of a call
ACTIVATIONS = frozenset({"softmax", "log_softmax", "prelu"})


def sign_of(node: Node) -> str:
    """The operator that an op was written with; empty for a function. `@` of batches is an einsum with capital letters."""
    if node.op == "einsum" and str(node.attribute("equation")).split("->")[0].replace(",", "").isupper():
        return "@"
    return SIGNS.get(node.op, "")


def kind_of(layer: str, weights: bool) -> Kind:
    """The colour of a layer."""
    from kdsl.ops.activation import Activation
    from kdsl.ops.registry import LAYERS, OPS

    if layer in RANDOM:
        return "random"
    if "norm" in layer or layer in ("standardize", "rescale"):
        return "norm"
    if weights:
        return "weights"
    known = LAYERS.get(layer) or OPS.get(layer)
    if layer in ACTIVATIONS or (known is not None and issubclass(known, Activation)):
        return "activation"
    return "shape"


def op_kind(op: str) -> Kind:
    """The colour of a node of the computation graph: by the layer that its op is named after."""
    plain = op.replace("_gradient", "").replace("_data", "").replace("_kernel", "")
    if plain.startswith(("matmul", "conv", "depthwise", "einsum", "gather")):
        return "weights"
    return kind_of(plain, False)


def shown_call(layer: str, text: str) -> str:
    """A call short enough for a card: without what is left to its default, lists and long numbers abbreviated."""
    from kdsl.ops.registry import LAYERS
    from kdsl.render.defaults import written

    if layer in LAYERS and text.startswith(f"{layer}(") and text.endswith(")"):
        usual = {f"{key} = {written(p, p.default)}" for key, p in LAYERS[layer].parameters.items() if _plain(p.default)}
        kept = [each for each in re.split(r", (?=\w+ = )", text[len(layer) + 1 : -1]) if each not in usual]
        text = f"{layer}({', '.join(kept)})" if kept else layer
    text = re.sub(r"\[[^\[\]]{12,}\]", "[...]", text)
    text = re.sub(r"\d+\.\d{5,}", lambda found: f"{float(found[0]):.4g}", text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _plain(default: object) -> bool:
    return default is not ... and default is not None
