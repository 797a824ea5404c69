"""The type of a value: dtype and shape, with the batch axis apart."""

from __future__ import annotations

from math import prod
from typing import Literal

from kdsl.records import dataclass, replace

Dtype = Literal["f32", "u8", "i32", "index", "bool"]


@dataclass(frozen=True, slots=True)
class TensorType:
    """`f32[28, 28]`, `index(10)`.

    `shape` leaves the batch axis out; `batched` says whether there is one (weights, constants and a batch's loss have
    none). `classes` is n for `index(n)`, else None. `f32` is the module's scalar type: `--dtype f64` computes it in
    double precision.
    """

    dtype: Dtype
    shape: tuple[int, ...] = ()
    batched: bool = True
    classes: int | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """Elements of one sample (of the whole value where it is not batched)."""
        return prod(self.shape)

    def with_shape(self, *shape: int) -> TensorType:
        return replace(self, shape=shape)

    def as_float(self) -> TensorType:
        return replace(self, dtype="f32", classes=None)

    @property
    def dims(self) -> str:
        """`[28, 28]`, as shape trails and messages print it; `[]` for a scalar."""
        return f"[{', '.join(map(str, self.shape))}]"

    def __str__(self) -> str:
        """As written in the language: `u8[28, 28]`, `index(10)`."""
        name = f"index({self.classes})" if self.dtype == "index" else self.dtype
        return name + (self.dims if self.shape else "")


FLOAT_SCALAR = TensorType("f32", (), batched=False)
