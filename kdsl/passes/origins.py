"""Where a node comes from that stands for several others."""

from __future__ import annotations

from collections.abc import Iterable

from kdsl.graph.graph import Node
from kdsl.source import Span


def merged(nodes: Iterable[Node]) -> tuple[Span, ...]:
    """The places of all of them, each once, in order."""
    return tuple(dict.fromkeys(span for node in nodes for span in node.origin))
