"""Products of the data that are made ahead, as text: a function for each kernel, which takes one share."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.codegen.chunks import by_chunks, counted_from, run_of
from kdsl.codegen.numba_emit import Emitter
from kdsl.codegen.text import indented
from kdsl.plan.ahead import Ahead

NAME = "first_product"
DOC = "What some columns of a step's data add to their product, for all rows of the batch. Of no step: nothing."


class AheadText:
    """The functions, and how they are called: by the update for the next step, and before the first step."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter, self.ahead = emitter, emitter.plan.ahead
        several = len(self.ahead) > 1
        self.names = {path: f"{emitter.prefix}{NAME}{f'_{n}' * several}" for n, path in enumerate(self.ahead)}

    @property
    def shares(self) -> int:
        return sum(ahead.shares for ahead in self.ahead.values())

    def texts(self) -> dict[str, str]:
        return {self.names[path]: self._function(path, ahead) for path, ahead in self.ahead.items()}

    def for_next_step(self, path: str) -> str:
        """The call behind the step of a share of the lines of `path`."""
        return f"{self.names[path]}(job, step + 1, share, me)"

    def for_first_step(self) -> list[str]:
        """What a chunk of the phase before the first step does."""
        parts, first = [], 0
        for path, ahead in self.ahead.items():
            parts.append((ahead.shares, [f"{self.names[path]}(job, 0, {counted_from(first)}, me)"]))
            first += ahead.shares
        return by_chunks(parts)

    def _function(self, path: str, ahead: Ahead) -> str:
        head = f"def {self.names[path]}(job: Longs, step: int, share: int, me: int) -> None:"
        lines: Sequence[str] = [
            "rows = min(job[BATCH], job[COUNT] - step * job[BATCH])",
            "if rows <= 0:",
            "    return",
            *run_of("line", "share", ahead.cut, ahead.lines),
            "mem = memory_at(job[MEM])",
            "order, first = job[ORDER], job[FIRST] + step * job[BATCH]",
            *self.emitter.pointers(ahead.ports),
            *self.emitter.fetched_ahead(ahead.ports, "rows", columns=True),
            *self.emitter.locals_of(self._texts(ahead), memory=False, start=""),
            *self.emitter.calls([ahead.move, ahead.product]),
        ]
        return "\n".join([head, f'    """{DOC}"""', *(indented(line, 4) for line in lines)])

    @staticmethod
    def _texts(ahead: Ahead) -> list[str]:
        return [text for launch in (ahead.move, ahead.product) for _, text in launch.arguments]
