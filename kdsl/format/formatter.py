"""A whole file: parsed, laid out anew, and checked.

The layout comes from the tokens, the tree only says where statements begin and end. So nothing is lost, and statements
that could not be read stay exactly as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kdsl.format.document import INDENT, WIDTH
from kdsl.format.entries import HEADED, Entry, Page
from kdsl.format.safety import problem
from kdsl.format.statements import ALIGNED, Written, aligned_comments, statement
from kdsl.source import Source
from kdsl.syntax import Parsed, parse, tree
from kdsl.syntax.tokens import Token, lex

ROUNDS = 3


class FormatterBug(Exception):
    """What the formatter made does not mean what was written: the text is left alone."""


@dataclass(frozen=True, slots=True)
class Formatted:
    """`text` in the one style; `left` counts the statements that could not be read and stay as they are."""

    text: str
    left: int


def format_source(source: Source) -> Formatted:
    """The text of a file in the one style, with the line ends it had. FormatterBug: a check of the result failed."""
    windows = source.text.count("\r\n") * 2 > source.text.count("\n")
    plain = Source(source.name, source.text.removeprefix("\ufeff").replace("\r\n", "\n"))
    before = parse(plain)
    text, left = settled(plain, before)
    why = problem(before, text, lambda again, parsed: laid_out(again, parsed)[0])
    if why and not before.diagnostics:
        raise FormatterBug(f"the formatted text {why}")
    if why:  # what cannot be read may be read otherwise when lines around it move
        text = plain.text
        left = max(left, 1)
    return Formatted(text.replace("\n", "\r\n") if windows else text, left)


def settled(source: Source, parsed: Parsed) -> tuple[str, int]:
    """As `laid_out`. What was broken because it was too long is broken by choice the next time, which can free a line
    beside it to be joined: so it is laid out until nothing changes."""
    text, left = laid_out(source, parsed)
    for _ in range(ROUNDS):
        again = Source(source.name, text)
        before, (text, _) = text, laid_out(again, parse(again))
        if text == before:
            break
    return text, left


def laid_out(source: Source, parsed: Parsed) -> tuple[str, int]:
    """(the text, how many places stay as they are)."""
    writer = Writer(Page(source, *lex(source), parsed.diagnostics))
    lines = writer.level(parsed.tree.items, 0, len(source.text) + 1, 0)
    return "".join(f"{line}\n" for line in lines), writer.left


class Writer:
    """Writes the levels of one file."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.left = 0

    def level(self, nodes: Sequence[Any], low: int, high: int, indent: int, settings: bool = False) -> list[str]:
        """The lines of a file or body."""
        entries = self.page.entries(nodes, low, high)
        words = self.words(entries)
        lines: list[str] = []
        for run in runs(entries, indent == 0):
            pads = self.pads(run) if settings else {}
            lines += [""] if lines else []
            written = [self.write(entry, indent, pads.get(entry.start, 0), words.get(entry.start, "")) for entry in run]
            lines += aligned_comments(written)
        return lines

    def words(self, entries: Sequence[Entry]) -> dict[int, str]:
        """`input` is written as wide as `target` in a model that has both."""
        if not any(isinstance(entry.node, tree.Target) for entry in entries):
            return {}
        return {entry.start: "input  " for entry in entries if isinstance(entry.node, tree.Input)}

    def pads(self, run: Sequence[Entry]) -> dict[int, int]:
        """The `=` of neighbouring settings stand below each other; long names stand apart."""
        names = {e.start: e.node.names[0].text for e in run if isinstance(e.node, tree.Let) and len(e.node.names) == 1}
        short = {start: name for start, name in names.items() if len(name) <= ALIGNED}
        return dict.fromkeys(short, max(map(len, short.values()), default=0))

    def write(self, entry: Entry, indent: int, pad: int, word: str) -> Written:
        node = entry.node
        if node is None:
            self.left += 1
            return Written(self.verbatim(entry, indent))
        if isinstance(node, Token):
            return Written((" " * indent + node.text.rstrip(),))
        opener = self.page.opening(node) if isinstance(node, HEADED) else None
        if opener is not None:
            return self.body(node, opener, indent)
        return statement(self.page.between(entry.start, entry.stop), self.page.comments, indent, pad, word)

    def body(self, node: Any, opener: Token, indent: int) -> Written:
        """An item or group: its first line, its body one step deeper, its brace."""
        page = self.page
        head = statement(page.between(node.span.start, opener.stop), page.comments, indent)
        closer = page.closing(node)
        assert closer is not None
        settings = isinstance(node, (tree.Train, tree.Group))
        inside = self.level(node.body, opener.stop, closer.start, indent + INDENT, settings)
        behind = page.comments.behind.get(closer.start, "")
        first = aligned_comments([head])
        if not inside and not head.comment:
            return Written((*first[:-1], first[-1] + "}"), behind)
        if isinstance(node, tree.Group) and len(inside) == 1 and not head.comment and "#" not in inside[0]:
            joined = f"{head.lines[-1]} {inside[0].strip()} }}"
            if isinstance(node.body[0], tree.Let) and len(joined) <= WIDTH:
                return Written((*first[:-1], joined), behind)
        last = " " * indent + "}"
        return Written((*first, *inside, f"{last}  {behind}" if behind else last))

    def verbatim(self, entry: Entry, indent: int) -> tuple[str, ...]:
        """The text as it is, to the end of its last line."""
        text = self.page.source.text
        start = text.rfind("\n", 0, entry.start) + 1
        lead = text[start : entry.start]
        end = text.find("\n", entry.stop)
        rest = text[entry.stop : end if end >= 0 else len(text)]
        last = rest if not rest.strip() or rest.lstrip().startswith("#") else ""
        lead = " " * indent if lead.strip() else lead
        return tuple((lead + text[entry.start : entry.stop] + last).split("\n"))


def runs(entries: Sequence[Entry], top: bool) -> list[list[Entry]]:
    """The entries as blank lines divide them: those that were written, and one around each item with a body."""
    out: list[list[Entry]] = []
    for i, entry in enumerate(entries):
        apart = i == 0 or entry.first_line - entries[i - 1].last_line > 1
        if apart or (top and set_apart(entries, i)):
            out.append([])
        out[-1].append(entry)
    return out


def set_apart(entries: Sequence[Entry], i: int) -> bool:
    """A blank line belongs before this entry: behind an item with a body, or before one and the comments above it."""
    before, entry = entries[i - 1], entries[i]
    if before.node is None or entry.node is None:
        return False
    if bodied(before):
        return True
    if isinstance(before.node, Token):
        return False
    k = i
    while k + 1 < len(entries) and isinstance(entries[k].node, Token):
        if entries[k + 1].first_line - entries[k].last_line > 1:
            return False
        k += 1
    return bodied(entries[k])


def bodied(entry: Entry) -> bool:
    return isinstance(entry.node, (tree.Model, tree.Block, tree.Train)) or (
        isinstance(entry.node, tree.Fn) and entry.node.span.text.endswith("}")
    )
