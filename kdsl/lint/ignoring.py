"""Comments that silence warnings: `# kdsl: ignore[W603]` for its line, or in a line of its own for the next one;
`# kdsl: ignore-file[W603]` for the file. W626 reports those that silence nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.rules import UNUSED_IGNORE, matching
from kdsl.records import dataclass
from kdsl.source import Source, Span
from kdsl.syntax.tokens import lex

FORM = re.compile(r"#\s*kdsl:\s*ignore(-file)?\[([^\]#]*)\]")


@dataclass(frozen=True)
class Word:
    """One code in such a comment; `line` is the line it speaks of, 0 for all."""

    text: str
    codes: frozenset[str]
    line: int
    span: Span
    comment: Span
    others: tuple[Span, ...]


def words(source: Source) -> list[Word]:
    """Every code that is silenced somewhere."""
    if "ignore" not in source.text:
        return []
    tokens, comments = lex(source)
    busy = {token.line for token in tokens if token.kind != "_NL"}
    found: list[Word] = []
    for comment in comments:
        for match in FORM.finditer(comment.text):
            line = 0 if match[1] else comment.line + (comment.line not in busy)
            start = comment.start + match.start(2)
            whole = source.span(comment.start + match.start(), comment.start + match.end())
            spans = [source.span(start + m.start(), start + m.end()) for m in re.finditer(r"[^,\s]+", match[2])]
            for span in spans or [source.span(start, start)]:
                found.append(Word(span.text, matching(span.text), line, span, whole, tuple(spans)))
    return found


def silenced(source: Source, found: Sequence[Diagnostic], chosen: frozenset[str]) -> list[Diagnostic]:
    """The warnings that no comment silences, and one for each word that silences nothing."""
    listed = words(source)
    used: set[int] = set()
    kept: list[Diagnostic] = []
    for diagnostic in found:
        hits = [i for i, word in enumerate(listed) if diagnostic.severity == "warning" and covers(word, diagnostic)]
        used.update(hits)
        if not hits:
            kept.append(diagnostic)
    if UNUSED_IGNORE not in chosen:
        return kept
    return [*kept, *unused((word for i, word in enumerate(listed) if i not in used), chosen)]


def covers(word: Word, diagnostic: Diagnostic) -> bool:
    span = diagnostic.span
    lines = range(span.line, span.source.position(span.stop)[0] + 1)
    return diagnostic.code in word.codes and (word.line == 0 or word.line in lines)


def unused(left: Iterable[Word], chosen: frozenset[str]) -> Iterable[Diagnostic]:
    """Words of rules that do not run are let pass: they may be of use another time."""
    for word in left:
        if word.codes and not word.codes & chosen:
            continue
        if not word.text:
            message, help = "this comment names no code to ignore", "write one: `# kdsl: ignore[W603]`"
        elif not word.codes:
            message, help = f"there is no warning `{word.text}` to ignore", "`kdsl explain --list` shows them all"
        else:
            message, help = f"nothing here is reported as {word.text}", "remove it"
        yield Diagnostic(
            UNUSED_IGNORE, message, Label(word.span if word.text else word.comment), help=help, edits=removal(word)
        )


def removal(word: Word) -> tuple[Edit, ...]:
    """The word, with its comma; the whole comment where it has no other."""
    source = word.span.source
    if len(word.others) > 1:
        place = word.others.index(word.span)
        if place + 1 < len(word.others):
            return (Edit(source.span(word.span.start, word.others[place + 1].start), ""),)
        return (Edit(source.span(word.others[place - 1].stop, word.span.stop), ""),)
    start, stop = word.comment.start, word.comment.stop
    while start > 0 and source.text[start - 1] in " \t":
        start -= 1
    rest = source.text[stop : (source.text + "\n").index("\n", stop)]
    if rest.strip():  # more is said behind it
        rest_start = stop + len(rest) - len(rest.lstrip())
        joined = "" if source.text[rest_start] == "#" else "# "
        return (Edit(source.span(word.comment.start, rest_start), joined),)
    own_line = start == 0 or source.text[start - 1] == "\n"
    if own_line:
        stop = min(stop + len(rest) + 1, len(source.text))
    return (Edit(source.span(start, stop), ""),)
