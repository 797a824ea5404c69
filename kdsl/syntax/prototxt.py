"""Layers as Caffe writes them, `layer { type: "Convolution" ... }`: one message for each, not one for each line."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.source import Source
from kdsl.syntax.problems import problem
from kdsl.syntax.tokens import Token

LAYERS = {
    "Convolution": "conv(20, kernel = 5)",
    "InnerProduct": "dense(10)",
    "ReLU": "relu",
    "Pooling": "max_pool(2)",
    "Dropout": "dropout(0.5)",
    "Softmax": "softmax",
    "BatchNorm": "batch_norm",
    "Flatten": "flatten",
    "Concat": "concat",
    "Sigmoid": "sigmoid",
    "TanH": "tanh",
}


def in_their_place(source: Source, tokens: Sequence[Token], problems: list[Diagnostic]) -> list[Diagnostic]:
    """The problems, with one in place of all those inside of such a layer."""
    for start, stop in found(tokens):
        head, inside = tokens[start], tokens[start : stop + 1]
        types = [b.text.strip('"') for a, b in zip(inside, inside[2:]) if a.text == "type"]  # noqa: B905
        example = LAYERS.get(types[0] if types else "", "dense(10)")
        low, high = head.start, tokens[stop].stop
        if not any(low <= each.span.start < high for each in problems):
            continue
        problems = [each for each in problems if not low <= each.span.start < high]
        help = f"a layer stands after an arrow, with its sizes in parentheses: `h = x -> {example}`"
        problems.append(problem(source, "E112", "this is a layer as Caffe writes it", head, help))
    return problems


def found(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """(first, last) token of each `layer { word: ... }`."""
    places: list[tuple[int, int]] = []
    i = 0
    while i < len(tokens):
        words = [token for token in tokens[i + 2 : i + 6] if token.kind != "_NL"]
        begins = tokens[i].text in ("layer", "layers") and i + 1 < len(tokens) and tokens[i + 1].kind == "LBRACE"
        if begins and len(words) > 1 and words[0].kind == "NAME" and words[1].kind == "COLON":
            last = closing(tokens, i + 1)
            places.append((i, last))
            i = last
        i += 1
    return places


def closing(tokens: Sequence[Token], i: int) -> int:
    depth = 0
    for k in range(i, len(tokens)):
        depth += (tokens[k].kind == "LBRACE") - (tokens[k].kind == "RBRACE")
        if depth == 0:
            return k
    return len(tokens) - 1
