"""Functions of tensors as Keras computes them: `x0`, `x1` .. and `upstream` in, `y` and the gradients `dx0` .. out.

`FUNCTIONS[case] = (layer or operator, kdsl's arguments, inputs, the same in keras.ops)`. All inputs have a batch of 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from fixture_file import Case

BATCH = 3
Inputs = list[np.ndarray]
Functions = dict[str, tuple[str, dict[str, Any], Inputs, Callable[..., Any]]]


def functions(ops: Any) -> Functions:
    """The table; `ops` is the module keras.ops."""
    rng = np.random.default_rng(8)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(size=(BATCH, *shape))

    def positive(*shape: int) -> np.ndarray:
        return rng.uniform(0.2, 3.0, (BATCH, *shape))

    def tied(*shape: int) -> np.ndarray:
        return rng.integers(-2, 3, (BATCH, *shape)).astype("float64")

    def condition(*shape: int) -> np.ndarray:
        return rng.integers(0, 2, (BATCH, *shape)).astype("uint8")

    table: Functions = {}
    for name, given in {
        **{name: normal(3, 4) for name in ("exp", "expm1", "sin", "cos", "erf", "square", "abs", "sign")},
        **{name: normal(3, 4) * 3 for name in ("floor", "ceil", "round")},
        **{name: positive(3, 4) for name in ("log", "log1p", "sqrt", "rsqrt")},
    }.items():
        table[name] = (name, {}, [given], getattr(ops, name))
    table["round_halves"] = ("round", {}, [tied(6) + 0.5], ops.round)
    table["clip"] = ("clip", {"low": -0.5, "high": 0.8}, [normal(3, 4)], lambda x: ops.clip(x, -0.5, 0.8))
    for symbol, name in {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}.items():
        for case, other in {"": normal(3, 4), "_row": normal(1, 4), "_column": normal(3, 1)}.items():
            table[f"{name}{case}"] = (symbol, {}, [normal(3, 4), other], getattr(ops, name))
    table["power"] = ("**", {}, [positive(3, 4), normal(3, 4)], ops.power)
    table["power_column"] = ("**", {}, [positive(3, 4), normal(3, 1)], ops.power)
    for name in ("maximum", "minimum"):
        table[name] = (name, {}, [normal(3, 4), normal(1, 4)], getattr(ops, name))
        table[f"{name}_ties"] = (name, {}, [tied(3, 4), tied(3, 4)], getattr(ops, name))
    choice = [condition(3, 4), normal(3, 4), normal(1, 4)]
    table["where"] = ("where", {}, choice, lambda c, x, y: ops.where(c > 0, x, y))
    for name in ("sum", "mean", "max", "min", "var", "std", "norm", "logsumexp"):
        function = getattr(ops, name)
        for case, axes, keep in (
            ("", None, False),
            ("_last", [-1], False),
            ("_keep", [0], True),
            ("_two", [0, -1], False),
        ):
            theirs = tuple(a + 1 if a >= 0 else a for a in (axes or [0, 1, 2]))
            if name == "norm" and case != "_last":
                continue  # Keras has norms of matrices for two axes
            table[f"{name}{case}"] = (
                *(name, {"axis": axes, "keep": keep}, [normal(2, 3, 4)]),
                lambda x, f=function, a=theirs, k=keep: f(x, axis=a if len(a) > 1 else a[0], keepdims=k),
            )
    for name in ("max", "min"):
        function = getattr(ops, name)
        table[f"{name}_ties"] = (name, {"axis": [-1]}, [tied(3, 5)], lambda x, f=function: f(x, axis=-1))
    for name in ("argmax", "argmin"):
        function = getattr(ops, name)
        table[name] = (name, {"axis": 0}, [tied(4, 3)], lambda x, f=function: f(x, axis=1))
    table["any"] = ("any", {"axis": [0]}, [tied(2, 3)], lambda x: ops.any(x != 0, axis=1))
    table["all"] = ("all", {"axis": [-1]}, [tied(4, 2)], lambda x: ops.all(x != 0, axis=-1))
    for equation, shapes in {
        "qd,kd->qk": [(4, 3), (5, 3)],
        "hqk,khd->qhd": [(2, 4, 3), (3, 2, 5)],
        "ab,bc,cd->ad": [(2, 3), (3, 4), (4, 2)],
        "ijk->ki": [(2, 3, 4)],
    }.items():
        left, right = equation.split("->")
        whole = ",".join(f"Z{term}" for term in left.split(",")) + f"->Z{right}"
        given = [normal(*shape) for shape in shapes]
        table[equation] = ("einsum", {"equation": equation}, given, lambda *x, e=whole: ops.einsum(e, *x))
    table["matmul"] = ("@", {}, [normal(2, 3, 4), normal(2, 4, 5)], ops.matmul)
    table["broadcast_to"] = (
        "broadcast_to",
        {"shape": [2, 3]},
        [normal(1, 3)],
        lambda x: ops.broadcast_to(x, (BATCH, 2, 3)),
    )
    return table


def make(ops: Any, value_and_gradients: Callable[..., Any]) -> list[Case]:
    """Every case computed by Keras. Upstream is what the result is multiplied by, before all of it is summed."""
    rng = np.random.default_rng(9)
    cases = []
    for case, (name, arguments, inputs, function) in functions(ops).items():
        floats = [number for number, array in enumerate(inputs) if array.dtype.kind == "f"]
        y = np.asarray(function(*map(ops.convert_to_tensor, inputs)))
        arrays = {f"x{number}": array for number, array in enumerate(inputs)} | {"y": y}
        if y.dtype.kind == "f":
            upstream = arrays["upstream"] = rng.normal(size=y.shape)

            def total(*given: Any, f: Any = function, all: Inputs = inputs, at: Any = floats, u: Any = upstream) -> Any:
                values: list[Any] = list(all)
                for place, value in zip(at, given, strict=True):
                    values[place] = value
                return ops.sum(f(*values) * u)

            _, gradients = value_and_gradients(total, [inputs[number] for number in floats])
            arrays |= {f"dx{number}": g for number, g in zip(floats, gradients, strict=True)}
        cases.append(Case(case, {"function": name, "arguments": arguments}, arrays))
    return cases
