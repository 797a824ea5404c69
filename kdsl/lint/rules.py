"""Every rule, and which are chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kdsl.lint import (
    bias_before_norm,
    captured_dim,
    clipped_regression,
    dense_after_dense,
    doubled_activation,
    dropout_before_loss,
    dropout_on_input,
    leading_colon,
    learning_rate,
    missing_validation,
    names,
    picture_axes,
    repeat_once,
    repeat_without_braces,
    repeated_steps,
    shadowing,
    sigmoid_before_loss,
    softmax_before_loss,
    undocumented,
    unscaled_bytes,
    unused_definition,
    unused_import,
    unused_loop_name,
    unused_size,
    unused_value,
    wide_flatten,
)
from kdsl.lint.subject import Rule

UNUSED_IGNORE = "W626"  # found behind all others, from what they said

RULES: tuple[Rule, ...] = (
    Rule("W601", model=softmax_before_loss.check),
    Rule("W602", model=sigmoid_before_loss.check),
    Rule("W603", file=unused_value.check, fix="unsafe"),
    Rule("W604", file=unused_size.check),
    Rule("W605", file=unused_import.check, fix="safe"),
    Rule("W606", model=clipped_regression.check),
    Rule("W607", model=dropout_before_loss.check),
    Rule("W608", model=learning_rate.check),
    Rule("W609", model=repeat_without_braces.check, fix="unsafe"),
    Rule("W610", model=dense_after_dense.check, fix="unsafe"),
    Rule("W611", file=unused_definition.check),
    Rule("W612", model=dropout_on_input.check),
    Rule("W613", model=bias_before_norm.check, fix="unsafe"),
    Rule("W614", model=missing_validation.check, default=False),
    Rule("W615", file=leading_colon.check, fix="unsafe"),
    Rule("W616", file=captured_dim.check, default=False),
    Rule("W617", file=repeated_steps.check, fix="unsafe"),
    Rule("W618", model=wide_flatten.check),
    Rule("W619", file=undocumented.check, default=False),
    Rule("W620", file=names.check, default=False),
    Rule("W621", file=shadowing.check),
    Rule("W622", file=repeat_once.check, fix="unsafe"),
    Rule("W623", file=doubled_activation.check, fix="safe"),
    Rule("W624", file=unused_loop_name.check, fix="safe"),
    Rule("W625", model=unscaled_bytes.check, fix="unsafe"),
    Rule(UNUSED_IGNORE, fix="safe"),
    Rule("W627", model=picture_axes.channels_first, fix="unsafe"),
    Rule("W628", model=picture_axes.without_channels, fix="unsafe"),
)

DEFAULT = frozenset(rule.code for rule in RULES if rule.default)
SAFE = frozenset(rule.code for rule in RULES if rule.fix == "safe")
ALL = "ALL"


def matching(word: str) -> frozenset[str]:
    """The codes that a word of `--select` means: a code, the beginning of some, a rule's name, or ALL."""
    from kdsl.diagnostics.lint_codes import LINT

    if word.upper() == ALL:
        return frozenset(rule.code for rule in RULES)
    named = {entry.name: entry.code for entry in LINT}
    if word.lower() in named:
        return frozenset({named[word.lower()]})
    return frozenset(rule.code for rule in RULES if word and rule.code.startswith(word.upper()))


def chosen(select: Sequence[str], extend: Sequence[str] = (), ignore: Sequence[str] = ()) -> frozenset[str]:
    """The rules that run; without `select` those that are on from the start."""
    started = union(select) if select else DEFAULT
    return (started | union(extend)) - union(ignore)


def union(words: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(matching, words))
