"""An optimizer's rule as a kernel: the text of its update over registers, and of its coefficients over numbers."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kdsl.codegen.text import call
from kdsl.elaborate.program import Optimizer, Tuned


def _body(function: Callable[..., Any]) -> tuple[list[str], list[ast.stmt], list[ast.expr]]:
    """A straight-line function -> its parameters, its statements, and what it returns."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    *statements, returned = [s for s in tree.body if not isinstance(s, ast.Expr)]
    assert isinstance(returned, ast.Return) and returned.value is not None
    results = returned.value.elts if isinstance(returned.value, ast.Tuple) else [returned.value]
    return [argument.arg for argument in tree.args.args], statements, results


def _filled(tree: ast.expr, values: Mapping[str, ast.expr]) -> ast.expr:
    """The expression with names replaced by what they stand for."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return values.get(node.id, node)

    filled = Fill().visit(ast.parse(ast.unparse(tree), mode="eval").body)
    assert isinstance(filled, ast.expr)
    return filled


class OptimizerText:
    """What one optimizer, with its flags, puts into a module. `name` is its kernel's; `tuned` are the weights that have a
    rate or decay of their own."""

    def __init__(self, optimizer: Optimizer, prefix: str, tuned: Sequence[Tuned] = ()) -> None:
        from kdsl.training.optimizers import OPTIMIZERS

        self.flags = dict(optimizer.flags)
        self.rule = OPTIMIZERS[optimizer.name].rule(self.flags)
        self.title = optimizer.name
        self.numbers = [name for name, _ in optimizer.numbers]
        parameters, self.statements, self.results = _body(self.rule.update)
        self.states = parameters[2 : 2 + len(self.rule.slots)]
        self.factors = parameters[2 + len(self.rule.slots) :]
        self.extra = ["clip"] if self.flags.get("clip") in ("norm", "global_norm") else []
        self.extra += ["limit"] if self.flags.get("clip") == "value" else []
        self.tuned = {each.weight: each for each in tuned}
        own_decay = any(each.weight_decay is not None for each in tuned)
        self.extra += ["decay"] if self.flags.get("weight_decay") or own_decay else []
        self.name = f"{prefix}{self.rule.update.__name__}_step"

    @property
    def locals(self) -> set[str]:
        """Names that the update function uses for numbers."""
        return {*self.numbers, *self.factors, *self.extra}

    def kernel(self) -> str:
        """Moves `count` weights from `weight_at` on. Order as in Keras: clip, decay, then the rule."""
        states = ["weight", "gradient", *self.states]
        parameters = ["mem: Memory", "count: int", *(f"{s}_at: int" for s in states)]
        parameters += [f"{f}: float" for f in (*self.factors, *self.extra)]
        lines = [
            call(f"def {self.name}(", parameters, ") -> None:"),
            f'    """{self.title}, on `count` weights and their states."""',
            "    for i in range(0, count, LANES):",
            *(f"        {s} = load(mem, {s}_at + i)" for s in states),
        ]
        if "clip" in self.extra:
            lines.append("        gradient = gradient * clip")
        if "limit" in self.extra:
            lines.append("        gradient = minimum(maximum(gradient, -limit), limit)")
        if "decay" in self.extra:
            lines.append("        weight = weight - weight * decay")
        lines += [f"        {ast.unparse(statement)}" for statement in self.statements]
        new = [ast.unparse(result) for result in self.results]
        for state, value in zip(["weight", *self.states], new, strict=True):
            lines.append(f"        store(mem, {state}_at + i, {value})")
        return "\n".join(lines)

    def coefficient_lines(self) -> list[str]:
        """The step's factors from the optimizer's numbers, which `hyper` holds in their declared order, a row each step."""
        _, statements, results = _body(self.rule.coefficients)
        first = "step" if len(self.numbers) == 1 else f"step * {len(self.numbers)}"
        lines = [f"{name} = hyper[{first} + {place}]" for place, name in enumerate(self.numbers)]
        texts = [ast.unparse(self._iteration(part)) for part in (*statements, *results)]
        if any("iteration" in text for text in texts):
            lines.append("iteration = job[STEP] + step  # of the whole training, from 0")
        lines += texts[: len(statements)]
        for factor, text in zip(self.factors, texts[len(statements) :], strict=True):
            lines += [f"{factor} = {text}"] if factor != text else []
        lines += ["limit = clip_value"] if "limit" in self.extra else []
        return lines + (["decay = weight_decay * lr"] if self.flags.get("weight_decay") else [])

    def _iteration(self, tree: ast.AST) -> ast.AST:
        """The rule's `step` counts from the first of all; that of the update function from the first of a call."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "step":
                node.id = "iteration"
        return tree

    def place_of_limit(self) -> int:
        """Which of the numbers bounds the length of gradients."""
        return self.numbers.index("clip_norm" if self.flags["clip"] == "norm" else "global_clip_norm")

    def arguments(self, path: str, place: str, capital: str, clip: str) -> list[str]:
        """Of a call of the kernel for the weight `path`, behind weight and gradient."""
        tuned = self.tuned.get(path, Tuned(path))
        texts = {"clip": clip, "decay": self._decay(tuned)}
        slots = zip(self.states, self.rule.slots, strict=True)
        return [
            *(f"{state}_at={place} + {capital}{slot.upper()}" for state, slot in slots),
            *(f"{factor}={text}" for factor, text in self._factors(tuned)),
            *(f"{name}={texts.get(name, name)}" for name in self.extra),
        ]

    def _factors(self, tuned: Tuned) -> list[tuple[str, str]]:
        """(factor, text): a factor that depends on the rate is calculated anew where the weight's rate is its own."""
        if tuned.lr_scale == 1.0:
            return [(factor, factor) for factor in self.factors]
        _, statements, results = _body(self.rule.coefficients)
        known: dict[str, ast.expr] = {
            "step": ast.Name("iteration"),
            "lr": ast.parse(self._rate(tuned), mode="eval").body,
        }
        for statement in statements:
            assert isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
            known[statement.targets[0].id] = _filled(statement.value, known)
        found = []
        for factor, result in zip(self.factors, results, strict=True):
            whole = _filled(result, known)
            scaled = any(isinstance(node, ast.Name) and node.id == "lr" for node in ast.walk(whole))
            found.append((factor, ast.unparse(whole) if scaled else factor))
        return found

    def _rate(self, tuned: Tuned) -> str:
        return "lr" if tuned.lr_scale == 1.0 else f"lr * {tuned.lr_scale!r}"

    def _decay(self, tuned: Tuned) -> str:
        usual = bool(self.flags.get("weight_decay"))
        if tuned.weight_decay is None and (tuned.lr_scale == 1.0 or not usual):
            return "decay" if usual else "0.0"
        own = "weight_decay" if tuned.weight_decay is None else repr(float(tuned.weight_decay))
        return f"{own} * ({self._rate(tuned)})"
