"""Pickles of plain data: dicts, lists, texts, bytes, numbers and arrays of numbers, and nothing else.

A pickle is a program that may call anything. This reader looks up none of the names that one asks for: a few names of
NumPy's stand for functions of this file, which make arrays out of bytes, and every other name is an error.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np

NUMBERS = frozenset(f"{kind}{size}" for kind in "iuf" for size in (1, 2, 4, 8)) - {"f1"} | {"b1"}


class NotPlain(Exception):
    """The pickle asks for something that is no plain data; the text says for what."""


class _Dtype:
    """`numpy.dtype("u1")` and the byte order it is given."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else code
        if self.code not in NUMBERS:
            raise NotPlain(f"an array of {self.code}")
        self.order = "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        self.order = order if order in ("<", ">") else "="

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.code)


class _Class:
    """Stands for `numpy.ndarray` among the arguments of functions; it makes nothing."""


class _Array:
    """An array that is filled by the state that follows it."""

    def __init__(self, *_: object) -> None:
        self.array = np.empty(0, np.uint8)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, columns_first, data = state
        self.array = _filled(data, dtype, shape, columns_first)


def _filled(data: Any, dtype: Any, shape: Any, columns_first: bool) -> Any:
    """The array of these bytes; their number must be what the shape announces."""
    if not isinstance(dtype, _Dtype) or not isinstance(data, (bytes, bytearray)):
        raise NotPlain("an array that is not made of bytes")
    if math.prod(shape) * dtype.dtype.itemsize != len(data):
        raise NotPlain(f"an array of shape {shape} made of {len(data)} bytes")
    return np.frombuffer(data, dtype.dtype).reshape(shape, order="F" if columns_first else "C")


def _from_buffer(data: Any, dtype: Any, shape: Any, order: str) -> _Array:
    made = _Array()
    made.array = _filled(data, dtype, shape, order == "F")
    return made


def _encoded(text: str, encoding: str) -> bytes:
    """How protocol 2 writes bytes: as the text that they are in Latin-1."""
    if encoding != "latin1":
        raise NotPlain(f"a text in {encoding}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    return b""


MEANINGS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Class,
    ("numpy", "dtype"): _Dtype,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
    ("_codecs", "encode"): _encoded,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in MEANINGS:
            raise NotPlain(f"{module}.{name}")
        return MEANINGS[module, name]


def loads(data: bytes) -> Any:
    """What the pickle holds. Texts that Python 2 wrote are bytes.

    Raises NotPlain where it asks for anything but plain data, and ValueError where it is damaged.
    """
    try:
        return _plain(_Reader(io.BytesIO(data), encoding="bytes").load())
    except NotPlain:
        raise
    except Exception as error:  # damaged pickles fail in every way a program can
        raise ValueError(str(error) or "it ends too early") from error


def _plain(value: Any) -> Any:
    """The value with arrays in the place of what stands for them, at any depth that data sets have."""
    if isinstance(value, _Array):
        return value.array
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
