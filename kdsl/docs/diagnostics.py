"""`docs/diagnostics.md`: every code with its explanation, an example and the example mended."""

from __future__ import annotations

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.entry import Entry
from kdsl.docs.markdown import fenced, page, table

GROUPS = {
    "E1": ("Reading", "What is not in the grammar, or not even text. A broken line spoils its own statement only."),
    "E2": ("Names", "Names that are unknown, bound twice or used for something else, and files that are imported."),
    "E3": ("Arguments and values", "Arguments of layers and blocks, types, compile-time values."),
    "E4": ("Shapes", "Shapes and types that do not fit, sizes that are impossible, limits."),
    "E5": ("Training", "The `train` block: settings, losses, what is compared with what."),
    "W6": ("Lint", "What is allowed and probably not meant. [Which rules run, and how to choose](lint.md)."),
}
INTRODUCTION = """\
`kdsl lint` reports with these codes, and `kdsl explain E502` prints the entries below. Errors begin with E and stop the compiler;
warnings begin with W. Every example gives exactly its code, and every mended example gives nothing: the tests compile them all."""


def diagnostics_page() -> str:
    groups = {
        title: [CATALOGUE[code] for code in sorted(CATALOGUE) if code.startswith(prefix)]
        for prefix, (title, _) in GROUPS.items()
    }
    parts = [INTRODUCTION]
    for title, entries in groups.items():
        rows = [[f"[{each.code}](#{own_anchor(each)})", each.name, each.title] for each in entries]
        parts += [f"**{title}**", table(["code", "name", "says"], rows)]
    for (title, text), entries in zip(GROUPS.values(), groups.values(), strict=True):
        parts += [f"## {title}", text, *map(entry, entries)]
    return page("Diagnostics", *parts)


def own_anchor(entry: Entry) -> str:
    return f"{entry.code.lower()}-{entry.name}"


def entry(each: Entry) -> str:
    parts = [f"### {each.code} {each.name}", f"**{capital(each.title)}.** {each.explanation.strip()}"]
    if each.example:
        parts += [
            "For example:",
            fenced(shortened(each.example), "text"),
            "Mended:",
            fenced(shortened(each.fix), "text"),
        ]
    return "\n\n".join(parts)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def shortened(text: str) -> str:
    """An example of what is too long is shown by its ends."""
    lines = [line if len(line) <= 160 else f"{line[:70]} ... {line[-30:]}" for line in text.rstrip("\n").split("\n")]
    if len(lines) > 40:
        lines = [*lines[:8], f"... {len(lines) - 12} lines like these ...", *lines[-4:]]
    return "\n".join(lines)
