"""Colours of a picture: one for each kind of layer, for light pages and dark ones."""

from __future__ import annotations

# kind -> (light, dark): stripes of cards, borders of circles
COLOURS = {
    "weights": ("#2f6fd0", "#6aa5f8"),
    "activation": ("#d98014", "#f0ab4c"),
    "norm": ("#148f83", "#45c2b4"),
    "random": ("#8a63c9", "#b494ea"),
    "shape": ("#7a8794", "#94a3b3"),
    "plain": ("#7a8794", "#94a3b3"),
    "weight": ("#2f6fd0", "#6aa5f8"),
    "input": ("#1f9254", "#4cc282"),
    "target": ("#b8487c", "#e783b1"),
    "output": ("#26394d", "#c9d6e4"),
    "loss": ("#c2413b", "#f0807a"),
}
FILLED = ("input", "target", "output")  # pills

LIGHT = {
    "page": "#ffffff",
    "sheet": "#ffffff",
    "line": "#c6d0da",
    "ink": "#1d2b3a",
    "soft": "#627282",
    "edge": "#8796a5",
    "even": "#f3f6f9",
    "odd": "#e9eef4",
    "border": "#ccd6e0",
    "badge": "#44566a",
    "on": "#ffffff",
    "shared": "#7d4bbf",
}
DARK = {
    "page": "#12181f",
    "sheet": "#1d2630",
    "line": "#3c4a59",
    "ink": "#e3eaf1",
    "soft": "#97a7b7",
    "edge": "#75869a",
    "even": "#18202a",
    "odd": "#1f2934",
    "border": "#344252",
    "badge": "#a9bacb",
    "on": "#12181f",
    "shared": "#bd97f2",
}

SHAPE = """
text{font:12px "Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif}
.heading{font-size:18px;font-weight:700}
.frame-title{font-weight:700}
.layer{font-weight:700}
.sign{font-size:16px;text-anchor:middle}
.middle,.badge-text{text-anchor:middle}
.badge-text{font-size:10px;font-weight:700}
.note,.type{font-size:10px}
.note,.end{text-anchor:end}
.edge{fill:none;stroke-width:1.5}
.edge.kept{stroke-dasharray:3 3;stroke-width:1}
.card .sheet,.frame rect{stroke-width:1}
.hit{fill:none;pointer-events:all}
.circle circle,.chip rect,.weight rect{stroke-width:1.5}
"""


def style_sheet() -> str:
    """Shapes, light colours, and dark ones for readers who prefer them."""
    dark = _colours(DARK, 1)
    return f"{SHAPE}{_colours(LIGHT, 0)}@media (prefers-color-scheme:dark){{\n{dark}}}\n"


def _colours(theme: dict[str, str], column: int) -> str:
    rules = [
        f".page{{fill:{theme['page']}}}",
        f"text{{fill:{theme['ink']}}}",
        f".doc,.note,.name,.type{{fill:{theme['soft']}}}",
        f".sheet,.circle circle,.chip rect{{fill:{theme['sheet']};stroke:{theme['line']}}}",
        f".rule{{stroke:{theme['line']};stroke-width:.7}}",
        f".even rect{{fill:{theme['even']};stroke:{theme['border']}}}",
        f".odd rect{{fill:{theme['odd']};stroke:{theme['border']}}}",
        f".edge{{stroke:{theme['edge']}}}",
        f".arrow{{fill:{theme['edge']}}}",
        f".frame .badge{{fill:{theme['badge']};stroke:none}}",
        f".frame .sharing{{fill:{theme['shared']};stroke:none}}",
        f".badge-text,.pill text,.pill .name{{fill:{theme['on']}}}",
        f".note.sharing{{fill:{theme['shared']}}}",
    ]
    for kind, pair in COLOURS.items():
        colour = pair[column]
        rules.append(f".{kind} .stripe{{fill:{colour}}}")
        rules.append(f".circle.{kind} circle,.chip.{kind} rect{{stroke:{colour}}}")
        if kind in FILLED:
            rules.append(f".pill.{kind} rect{{fill:{colour}}}")
    gradient = COLOURS["loss"][column]
    rules += [f".edge.gradient{{stroke:{gradient}}}", f".arrow.gradient{{fill:{gradient}}}"]
    return "\n".join(rules) + "\n"
