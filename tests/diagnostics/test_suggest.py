"""Did you mean: near names, and only near ones."""

from __future__ import annotations

import pytest

from kdsl.diagnostics.suggest import distance, nearest

LAYERS = ["dense", "dropout", "conv", "concat", "relu", "leaky_relu", "elu", "flatten", "softmax", "log_softmax"]


@pytest.mark.parametrize(
    ("left", "right", "apart"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("dense", "dense", 0),
        ("dnse", "dense", 1),
        ("dennse", "dense", 1),
        ("danse", "dense", 1),
        ("desne", "dense", 1),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),
        ("abcd", "badc", 2),
    ],
)
def test_distance(left: str, right: str, apart: int) -> None:
    assert distance(left, right) == distance(right, left) == apart


def test_nearest_first() -> None:
    assert nearest("rel", LAYERS) == ["relu"]
    assert nearest("softmaxx", ["log_softmax", "softmix", "softmax"]) == ["softmax", "softmix"]
    assert nearest("dropuot", LAYERS) == ["dropout"]
    assert nearest("softmx", LAYERS) == ["softmax"]


def test_case_does_not_count() -> None:
    assert nearest("DENSE", LAYERS) == ["dense"]
    assert nearest("dense", ["Dense", "DENSE"]) == ["Dense", "DENSE"]


def test_what_is_far_is_not_suggested() -> None:
    assert nearest("transformer", LAYERS) == []
    assert nearest("x", ["y", "xy"]) == []
    assert nearest("", LAYERS) == []


def test_the_limit_and_the_order_of_equals() -> None:
    names = ["aaa1", "aaa2", "aaa3", "aaa4"]
    assert nearest("aaa0", names) == names[:3]
    assert nearest("aaa0", names[::-1], limit=1) == ["aaa4"]
    assert nearest("aaa0", ["aaa1", "aaa1"]) == ["aaa1"]
