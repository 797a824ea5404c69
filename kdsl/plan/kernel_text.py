"""The text of a generated kernel, compared by what it does: equal ones are one kernel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KernelText:
    """A kernel without its name."""

    parameters: tuple[str, ...]
    doc: str
    body: tuple[str, ...]

    def named(self, name: str) -> str:
        head = f"def {name}({', '.join(self.parameters)}) -> None:"
        if len(head) > 120:
            head = f"def {name}(\n    {', '.join(self.parameters)}\n) -> None:"
        if len(max(head.split("\n"), key=len)) > 120:
            head = "\n".join([f"def {name}(", *(f"    {parameter}," for parameter in self.parameters), ") -> None:"])
        return "\n".join([head, f'    """{self.doc}"""', *self.body])


def operand_name(index: int) -> str:
    """x, y, z, u, v, w, x6, x7 ..."""
    return "xyzuvw"[index] if index < 6 else f"x{index}"
