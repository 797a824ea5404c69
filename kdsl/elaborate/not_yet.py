"""What the grammar has and the elaborator does not handle yet: one code, E290, says so and names it."""

from __future__ import annotations

from kdsl.elaborate.report import Report
from kdsl.source import Span

# Layers of the language that have no meaning so far.
LAYERS = frozenset(
    [
        "lstm",
        "gru",
        "simple_rnn",
        "bidirectional",
        "attention",
        "self_attention",
    ]
)
SETTINGS = {"stop_early": "early stopping", "keep_best": "way to keep the best weights"}


def not_yet(report: Report, what: str, at: Span, help: str = "") -> None:
    """`what` as in "kdsl has no blocks yet"."""
    report.error("E290", f"kdsl has no {what} yet", at, help=help)
