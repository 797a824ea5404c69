"""What the grammar has and the elaborator does not handle yet: one code, E290, says so, names it, and says what does it now."""

from __future__ import annotations

from kdsl.elaborate.report import Report
from kdsl.source import Span

# Layers of the language that have no meaning so far -> what to take in their place.
RECURRENT = 'over steps there are `conv(32, kernel = 5, pad = causal)`, and `import Transformer from "kdsl:attention"`'
LAYERS = {
    "lstm": RECURRENT,
    "gru": RECURRENT,
    "simple_rnn": RECURRENT,
    "bidirectional": RECURRENT,
    "attention": 'the library has it as a block: `import SelfAttention, CrossAttention from "kdsl:attention"`',
    "self_attention": 'the library has it as a block: `import SelfAttention from "kdsl:attention"`',
}
CALLBACK = "give `fit` a callback: in Python, `def watch(epoch, logs, model)` "
SETTINGS = {
    "stop_early": ("early stopping", f"{CALLBACK}ends training by `return True`"),
    "keep_best": ("way to keep the best weights", f'{CALLBACK}keeps them by `model.save("best.npz")`'),
}
PARTS = 'in the `train` of the whole model, `tune "stem.*" { ... }` gives weights settings of their own'


def not_yet(report: Report, what: str, at: Span, help: str) -> None:
    """`what` as in "kdsl has no blocks yet", `help` says what does it meanwhile."""
    report.error("E290", f"kdsl has no {what} yet", at, help=help)
