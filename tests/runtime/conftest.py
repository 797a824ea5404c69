"""Modules that the tests of the runtime use, each compiled once."""

from __future__ import annotations

import numpy as np
import pytest
from made_modules import PICTURES, SMALL, TWO, UNTRAINED, build


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    return tmp_path_factory.mktemp("built")


@pytest.fixture(scope="session")
def small(built):
    return build(built, SMALL, "small")


@pytest.fixture(scope="session")
def pictures(built):
    return build(built, PICTURES, "pictures")


@pytest.fixture(scope="session")
def two(built):
    return build(built, TWO, "two")


@pytest.fixture(scope="session")
def untrained(built):
    return build(built, UNTRAINED, "untrained")


@pytest.fixture
def data():
    """40 rows that can be learned: the class is where the largest of the first three numbers stands."""
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    return x, x[:, :3].argmax(axis=1).astype(np.int32)


@pytest.fixture
def images():
    random = np.random.default_rng(1)
    return random.integers(0, 256, (40, 4, 4), np.uint8), random.integers(0, 3, 40)
