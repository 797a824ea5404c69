"""A picture as a graph for Graphviz: `dot -Tsvg`. Texts of users stand in quotes, with quotes and backslashes escaped."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.draw.palette import COLOURS, LIGHT
from kdsl.draw.scene import Card, Frame, Item, Part, Scene, cards
from kdsl.draw.text import printable

SHAPES = {"card": "box", "chip": "box", "pill": "box", "circle": "circle"}


def dot(scene: Scene) -> str:
    names = {card.id: f"n{number}" for number, card in enumerate(c for item in scene.items for c in cards(item))}
    ink, edge = LIGHT["ink"], LIGHT["edge"]
    lines = [
        f"digraph {quoted(scene.title)} {{",
        f"  graph [label={quoted(scene.title)}, labelloc=t, tooltip={quoted(scene.doc or scene.title)}, fontname=Helvetica]",
        f'  node [fontname=Helvetica, fontsize=11, fontcolor="{ink}", shape=box, style="rounded,filled", fillcolor=white]',
        f'  edge [fontname=Helvetica, fontsize=9, fontcolor="{LIGHT["soft"]}", color="{edge}", arrowsize=0.7]',
    ]
    numbers = iter(range(10**6))
    for item in scene.items:
        lines += _item(item, names, numbers, "  ")
    for each in scene.edges:
        style = (
            ", style=dashed"
            if each.style == "kept"
            else f', color="{COLOURS["loss"][0]}"'
            if each.style == "gradient"
            else ""
        )
        lines.append(f"  {names[each.source]} -> {names[each.target]} [label={quoted(each.label)}{style}]")
    return "\n".join([*lines, "}", ""])


def _item(item: Item, names: dict[str, str], numbers: Iterator[int], indent: str) -> Iterator[str]:
    if isinstance(item, Card):
        first = item.parts[0]
        label = "\\n".join(escaped(_line(part)) for part in item.parts)
        tip = "\n".join(line for part in item.parts for line in part.tip)
        colour = COLOURS[first.kind][0]
        filled = f', fillcolor="{colour}", fontcolor=white' if item.form == "pill" else ""
        yield (
            f'{indent}{names[item.id]} [label="{label}", shape={SHAPES[item.form]}, color="{colour}", '
            f"tooltip={quoted(tip)}{filled}]"
        )
        return
    yield f"{indent}subgraph cluster_{next(numbers)} {{"
    yield f"{indent}  label={quoted(title(item))}; tooltip={quoted(chr(10).join(item.tip))}"
    yield f'{indent}  style="rounded,filled"; color="{LIGHT["border"]}"; fillcolor="{LIGHT["even"]}"'
    for inner in item.items:
        yield from _item(inner, names, numbers, f"{indent}  ")
    yield f"{indent}}}"


def title(frame: Frame) -> str:
    return "  ".join(text for text in (frame.title, frame.badge, frame.shared) if text)


def _line(part: Part) -> str:
    name = f"{part.name} " if part.name else ""
    return f"{name}{part.text}" + (f"  {part.shared or part.note}" if part.shared or part.note else "")


def escaped(text: str) -> str:
    """Inside of a quoted text; lines stay lines."""
    return "\\n".join(printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))


def quoted(text: str) -> str:
    return f'"{escaped(text)}"'
