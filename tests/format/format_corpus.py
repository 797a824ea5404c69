"""What the tests of the formatter share: the files, and ways to spoil their layout without changing what they say."""

from __future__ import annotations

import random
from pathlib import Path

from kdsl.source import Source
from kdsl.syntax.tokens import CONTINUES, OPENER, lex, starts_item

ROOT = Path(__file__).resolve().parents[2]
GOOD = sorted([*(ROOT / "tests" / "good").rglob("*.kmodel"), *(ROOT / "tests" / "elaborate" / "good").glob("*.kmodel")])
MODELS = sorted((ROOT / "models").rglob("*.kmodel"))
BAD = sorted((ROOT / "tests" / "bad").glob("*.kmodel"))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def source(text: str) -> Source:
    return Source("test.kmodel", text)


def respaced(text: str, rng: random.Random) -> str:
    """The same statements with other blanks, line breaks and further comments, wherever the language lets them stand."""
    tokens, comments = lex(source(text))
    notes = {comment.start: comment for comment in comments}
    out: list[str] = []
    stack: list[str] = []
    for i, token in enumerate(tokens):
        gap = text[tokens[i - 1].stop if i else 0 : token.start]
        if gap.strip():  # comments stay where they are
            out.append(gap)
        elif token.kind != "_NL":
            free = bool(stack) and stack[-1] != "LBRACE"
            free = (
                free
                or token.kind in CONTINUES
                or token.kind == "RBRACE"
                or (bool(i) and tokens[i - 1].kind == "LBRACE")
            )
            free = free and not starts_item(tokens, i)  # `train shared` inside brackets is taken for an item there
            out.append(broken(rng) if i and free and rng.random() < 0.2 else blanks(gap, rng))
        if token.kind in OPENER:
            stack.append(token.kind)
        elif token.kind in OPENER.values():
            stack.pop()
        out.append(token.text)
        if token.kind == "_NL" and rng.random() < 0.1 and not notes.get(token.stop):
            out.append(rng.choice(["\n", "\n\n\n", "# more\n", "   # more\n\n"]))
    return "".join(out)


def blanks(gap: str, rng: random.Random) -> str:
    if not gap:
        return ""
    return rng.choice([" ", "  ", "\t", gap])


def broken(rng: random.Random) -> str:
    return rng.choice(["\n", "\n\t", " # note\n    ", "\n  # own\n  ", "\n\n      ", "\n# first\n# second\n"])
