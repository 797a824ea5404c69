"""What the grammar has and the elaborator does not handle yet: one code, E290, says so and names it."""

from __future__ import annotations

from kdsl.elaborate.report import Report
from kdsl.source import Span

# Functions of tensor expressions, and layers of the language, that have no meaning so far.
FUNCTIONS = frozenset(
    [
        "where",
        "exp",
        "log",
        "sqrt",
        "abs",
        "clip",
        "maximum",
        "minimum",
        "mean",
        "sum",
        "argmax",
        "argmin",
        "transpose",
        "concat",
        "einsum",
        "normal",
        "uniform",
        "normal_like",
        "uniform_like",
        "sin",
        "cos",
        "one_hot",
    ]
)
LAYERS = frozenset(
    [
        "conv",
        "depthwise_conv",
        "separable_conv",
        "conv_transpose",
        "max_pool",
        "avg_pool",
        "global_avg_pool",
        "global_max_pool",
        "batch_norm",
        "layer_norm",
        "group_norm",
        "rms_norm",
        "spatial_dropout",
        "embed",
        "positions",
        "lstm",
        "gru",
        "simple_rnn",
        "bidirectional",
        "attention",
        "self_attention",
        "permute",
        "concat",
        "add",
        "subtract",
        "multiply",
        "average",
        "maximum",
        "minimum",
        "dot",
        "upsample",
        "zero_pad",
        "crop",
        "standardize",
        "identity",
        "random_flip",
        "pad_crop",
        "flip_horizontal",
    ]
)
SCHEDULES = frozenset({"cosine", "step", "plateau", "inverse_time", "CosineDecay", "ExponentialDecay", "StepLR"})
SETTINGS = {
    "schedule": "learning rate schedules",
    "regularize": "regularisation",
    "augment": "augmentation",
    "stop_early": "early stopping",
    "keep_best": "keeping the best weights",
}


def not_yet(report: Report, what: str, at: Span, help: str = "") -> None:
    """`what` as in "kdsl has no blocks yet"."""
    report.error("E290", f"kdsl has no {what} yet", at, help=help)
