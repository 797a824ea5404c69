"""A picture as a Mermaid flow chart, which many pages of documentation show as it is. Whatever Mermaid or a browser could
take for more than text is written as a numbered character."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.draw.dot import title
from kdsl.draw.palette import COLOURS
from kdsl.draw.scene import Card, Item, Part, Scene, cards
from kdsl.draw.text import printable

BRACKETS = {"card": ('["', '"]'), "chip": ('("', '")'), "pill": ('(["', '"])'), "circle": ('(("', '"))')}
ARROWS = {"data": "-->", "gradient": "==>", "kept": "-.->"}
PLAIN = frozenset(" _,.:+=/'")


def mermaid(scene: Scene) -> str:
    names = {card.id: f"n{number}" for number, card in enumerate(c for item in scene.items for c in cards(item))}
    lines = ["---", f'title: "{escaped(scene.title)}"', "---", "flowchart TD"]
    numbers = iter(range(10**6))
    for item in scene.items:
        lines += _item(item, names, numbers, "  ")
    for edge in scene.edges:
        label = f'|"{escaped(edge.label)}"|' if edge.label else ""
        lines.append(f"  {names[edge.source]} {ARROWS[edge.style]}{label} {names[edge.target]}")
    kinds: dict[str, list[str]] = {}
    for card in (card for item in scene.items for card in cards(item)):
        kinds.setdefault(card.parts[0].kind, []).append(names[card.id])
    for kind, members in kinds.items():
        lines.append(f"  classDef {kind} stroke:{COLOURS[kind][0]},stroke-width:2px")
        lines.append(f"  class {','.join(members)} {kind}")
    return "\n".join([*lines, ""])


def _item(item: Item, names: dict[str, str], numbers: Iterator[int], indent: str) -> Iterator[str]:
    if isinstance(item, Card):
        begin, end = BRACKETS[item.form]
        text = "<br/>".join(escaped(_line(part)) for part in item.parts)
        yield f"{indent}{names[item.id]}{begin}{text}{end}"
        return
    yield f'{indent}subgraph g{next(numbers)}["{escaped(title(item))}"]'
    for inner in item.items:
        yield from _item(inner, names, numbers, f"{indent}  ")
    yield f"{indent}end"


def _line(part: Part) -> str:
    return f"{part.name} {part.text}" if part.name else part.text


def escaped(text: str) -> str:
    """Letters and digits as they are, everything else as `#number;`."""
    return "".join(c if c.isalnum() or c in PLAIN else f"#{ord(c)};" for c in printable(text))
