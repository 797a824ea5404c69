"""Suggested edits made, as long as they do no harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kdsl.diagnostics.diagnostic import Diagnostic, Edit
from kdsl.diagnostics.edits import apply
from kdsl.lint.rules import SAFE, UNUSED_IGNORE
from kdsl.source import Source

Check = Callable[[Source], Sequence[Diagnostic]]
ROUNDS = 50


def fixed(source: Source, check: Check, unsafe: bool) -> tuple[Source, int]:
    """The source with the edits of its diagnostics made, again and again until none is left, and how many there were.

    Edits that overlap wait for the next round. One that leaves more errors than there were, or would take a comment
    away, is not made. `unsafe`: also those that may change what the model computes, or the names of its weights.
    """
    count = 0
    refused: set[tuple[str, str]] = set()
    for _ in range(ROUNDS):
        found = check(source)
        wanted = [it for it in found if may(it, source, unsafe) and (it.code, it.message) not in refused]
        batch = apart(wanted)
        if not batch:
            break
        for group in (batch, *([it] for it in batch)):
            after = made(source, group)
            if errors(check(after)) <= errors(found) - (group[0].severity == "error"):
                source, count = after, count + len(group)
                break
            if len(group) == 1:
                refused.add((group[0].code, group[0].message))
    return source, count


def may(found: Diagnostic, source: Source, unsafe: bool) -> bool:
    """The edits of this diagnostic are wanted, and lie in this file."""
    if not found.edits or any(edit.span.source is not source for edit in found.edits):
        return False
    if found.code != UNUSED_IGNORE and any("#" in edit.span.text for edit in found.edits):
        return False
    return unsafe or found.code in SAFE


def apart(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """As many as can be made at once: warnings only behind all errors, and no two that touch."""
    kinds = [it for it in found if it.severity == "error"] or found
    taken: list[Edit] = []
    kept: list[Diagnostic] = []
    for it in kinds:
        if not any(touch(edit, other) for edit in it.edits for other in taken):
            taken += it.edits
            kept.append(it)
    return kept


def touch(left: Edit, right: Edit) -> bool:
    return left.span.start <= right.span.stop and right.span.start <= left.span.stop


def made(source: Source, found: Sequence[Diagnostic]) -> Source:
    return Source(source.name, apply(source.text, [edit for it in found for edit in it.edits]))


def errors(found: Sequence[Diagnostic]) -> int:
    return sum(it.severity == "error" for it in found)
