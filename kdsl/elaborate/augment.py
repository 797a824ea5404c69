"""`augment = [flip_horizontal, pad_crop(4)]`: names and arguments are checked; they do not run yet."""

from __future__ import annotations

from kdsl.elaborate.context import Context
from kdsl.elaborate.not_yet import not_yet
from kdsl.elaborate.optimizers import configured
from kdsl.source import Span
from kdsl.syntax import tree
from kdsl.training.registry import AUGMENTATIONS


def augment(context: Context, value: tree.Value, at: Span) -> None:
    """Reports what is wrong with them, or that there are none yet. `at` is the setting's name."""
    sound = True
    for each in value.items if isinstance(value, tree.ListOf) else (value,):
        written = each.value if isinstance(each, tree.Argument) else each
        _, bound = configured(context, written, AUGMENTATIONS, "an augmentation", {})
        sound = sound and bound is not None
    if sound:
        not_yet(context.report, "augmentation (`augment`)", at, "train without it, or prepare the data before `fit`")
