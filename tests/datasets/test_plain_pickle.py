"""The reader of plain pickles: every protocol's arrays, and nothing that could call anything."""

from __future__ import annotations

import collections
import contextlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from kdsl.datasets.plain_pickle import MEANINGS, NotPlain, loads

HELD = {
    "data": np.arange(12, dtype=np.uint8).reshape(3, 4),
    b"labels": [1, 2, 3],
    "name": "batch",
    "empty": b"",
    "bytes": bytes(range(256)),
    "floats": np.array([[1.5, -2.0]], dtype=">f4"),
    "columns": np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_every_protocol(protocol: int) -> None:
    back = loads(pickle.dumps(HELD, protocol=protocol))
    assert list(back) == list(HELD)
    for key, value in HELD.items():
        assert np.array_equal(back[key], value), key
        assert type(back[key]) is type(value), key


def test_what_python_2_wrote() -> None:
    """The form of the published files: protocol 2, texts as bytes, NumPy's old names."""
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\nI2\nt"
    dtype = b"cnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb"
    text = b"(dS'data'\n" + array + dtype + b"I00\nS'\\x01\\x02\\x03\\x04'\ntbsS'labels'\n(lI7\naI8\nas."
    back = loads(text)
    assert back[b"data"].tolist() == [[1, 2], [3, 4]] and back[b"labels"] == [7, 8]


class Evil:
    def __init__(self, call: object, *arguments: object) -> None:
        self.made = (call, arguments)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.made  # type: ignore[return-value]


@pytest.mark.parametrize(
    "value",
    [
        Evil(os.system, "touch {}"),
        Evil(eval, "open('{}', 'w')"),
        Evil(getattr, {}, "pop"),
        Evil(np.load, "{}"),
        Evil(np.fromfile, "{}"),
        Evil(Path, "{}"),
        collections.OrderedDict(),
        np.float64(3.0),
        os.system,
        np.array([object()]),
        np.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")]),
    ],
)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_anything_else_is_refused(value: object, protocol: int, tmp_path: Path) -> None:
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = np.array([1, "x"], dtype=object)
    if isinstance(value, Evil):
        call, arguments = value.made
        value = Evil(call, *(str(a).format(tmp_path / "made") if isinstance(a, str) else a for a in arguments))  # type: ignore[misc]
    with pytest.raises((NotPlain, ValueError)):
        loads(pickle.dumps({"data": value}, protocol=protocol))
    assert not list(tmp_path.iterdir())


def test_names_are_looked_up_nowhere() -> None:
    """A dotted name, a name through an allowed module, an extension code: none reaches an object of Python's."""
    for text in (
        b"\x80\x04\x8c\x05numpy\x8c\x12ndarray.__class__\x93.",
        b"cnumpy\nfromfile\n.",
        b"cnumpy.core.multiarray\nfromfile\n.",
        b"\x80\x02\x82\x01.",
        b"Pname\n.",
    ):
        with pytest.raises((NotPlain, ValueError)):
            loads(text)
    assert all(value.__module__ == "kdsl.datasets.plain_pickle" for value in MEANINGS.values())


def test_arrays_are_as_long_as_they_say() -> None:
    good = pickle.dumps(np.zeros((2, 3), np.uint8), protocol=2)
    assert loads(good).shape == (2, 3)
    with pytest.raises(NotPlain, match=r"an array of shape \(2, 4\) made of 6 bytes"):
        loads(good.replace(b"K\x02K\x03", b"K\x02K\x04"))


def test_damaged_pickles_are_one_kind_of_error() -> None:
    whole = pickle.dumps(HELD, protocol=2)
    for end in range(0, len(whole), 7):
        with pytest.raises((NotPlain, ValueError)):
            loads(whole[:end])
    rng = np.random.default_rng(1)
    for _ in range(300):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            changed[place] = int(rng.integers(0, 256))
        with contextlib.suppress(NotPlain, ValueError):  # nothing else may come out
            loads(bytes(changed))
