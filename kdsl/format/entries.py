"""What stands in a file or in a body, in order: statements, items with bodies, comments, and text that could not be read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.format.pieces import Comments
from kdsl.source import Source
from kdsl.syntax import tree
from kdsl.syntax.tokens import OPENER, Token

# These are said about statements that were read without trouble: their layout is as good as any other's.
READABLE = frozenset({"E130", "E131", "E132", "E133"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A part of the text. `node` is None for what stays as it is, and a token for a comment."""

    start: int
    stop: int
    node: Any
    first_line: int
    last_line: int


class Page:
    """A file as it was read: its tokens, comments, and the places where something is wrong."""

    def __init__(
        self,
        source: Source,
        tokens: Sequence[Token],
        comments: Sequence[Token],
        found: Iterable[Diagnostic],
    ) -> None:
        self.source = source
        self.tokens = [token for token in tokens if token.kind != "_NL"]
        self.starts = [token.start for token in self.tokens]
        self.comments = Comments.of(self.tokens, comments)
        spans = [
            span
            for problem in found
            if problem.code not in READABLE
            for span in (problem.span, *(edit.span for edit in problem.edits))
        ]
        self.spoiled = [(span.start, span.stop) for span in spans]

    def between(self, low: int, high: int) -> list[Token]:
        return self.tokens[bisect_left(self.starts, low) : bisect_left(self.starts, high)]

    def is_spoiled(self, low: int, high: int) -> bool:
        return any(start <= high and low <= stop for start, stop in self.spoiled)

    def opening(self, node: Any) -> Token | None:
        """The `{` of a body; None where the node has none, or one that could not be read."""
        depth = 0
        for token in self.between(node.span.start, node.span.stop):
            if token.kind == "LBRACE" and depth == 0:
                return token
            if token.kind == "EQUAL" and depth == 0:
                return None
            depth += (token.kind in OPENER) - (token.kind in OPENER.values())
        return None

    def closing(self, node: Any) -> Token | None:
        """The `}` of a body, where it was written."""
        last = self.between(node.span.start, node.span.stop)[-1]
        return last if last.kind == "RBRACE" and last.stop == node.span.stop else None

    def is_left(self, node: Any) -> bool:
        """The node, or the frame of its body, could not be read: it stays as it is."""
        if isinstance(node, (tree.Broken, tree.BrokenItem)):
            return True
        start, stop = node.span.start, node.span.stop
        if not isinstance(node, HEADED):
            return self.is_spoiled(start, stop)
        opener = self.opening(node)
        if opener is None:
            return not isinstance(node, tree.Fn) or self.is_spoiled(start, stop)
        closer = self.closing(node)
        return closer is None or self.is_spoiled(start, opener.stop) or self.is_spoiled(closer.start, closer.stop)

    # -- what stands between two places

    def entries(self, nodes: Iterable[Any], low: int, high: int) -> list[Entry]:
        """The nodes of a body, the comments between them, and the rest of the text there."""
        parts: list[tuple[int, int, Any]] = []
        place = low
        for node in sorted(nodes, key=lambda node: (node.span.start, node.span.stop)):
            parts += self.unread(place, node.span.start)
            if node.span.start >= place:
                parts.append((node.span.start, node.span.stop, None if self.is_left(node) else node))
                place = node.span.stop
        parts += self.unread(place, high)
        merged = self.merged(parts)
        for comment in self.comments.between(low, high):
            if not any(start < comment.start < stop for start, stop, _ in merged):
                merged.append((comment.start, comment.stop, comment))
        return [self.entry(*part) for part in sorted(merged, key=lambda part: part[:2])]

    def unread(self, low: int, high: int) -> list[tuple[int, int, Any]]:
        """What stands between two nodes and belongs to none."""
        tokens = self.between(low, high)
        return [(tokens[0].start, tokens[-1].stop, None)] if tokens else []

    def merged(self, parts: Sequence[tuple[int, int, Any]]) -> list[tuple[int, int, Any]]:
        """What stays as it is takes along what stands in the same line; nothing of no width is left."""
        out: list[tuple[int, int, Any]] = []
        line = self.source.position
        for start, stop, node in parts:
            if start == stop:
                continue
            shares = bool(out) and line(out[-1][1])[0] == line(start)[0]
            if shares and (node is None or out[-1][2] is None):
                out[-1] = (out[-1][0], stop, None)
            else:
                out.append((start, stop, node))
        return out

    def entry(self, start: int, stop: int, node: Any) -> Entry:
        position = self.source.position
        return Entry(start, stop, node, position(start)[0], position(stop)[0])


HEADED = (tree.Model, tree.Block, tree.Train, tree.Fn, tree.Group)
