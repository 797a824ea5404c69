"""Clocks around the calls of kernels, for `kdsl time`: what a call is timed as, and the text that does it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from kdsl.graph.graph import Node

WORDS = ("CLOCK_WORDS", "clock")  # names that the text defines
NEEDED = ("note_time", "tell_time", "busiest", "WORK_OF_TURN")
CALL = re.compile(r"(?:[^=(]+ = )?(\w+)\(")
Role = Literal["launch", "gradient", "step"]


class Moved(NamedTuple):
    """What a call reads and writes, each value once: numbers for each row and numbers in all, padding included, and bytes of
    each row of the caller's data."""

    row: int = 0
    whole: int = 0
    data: int = 0


NOTHING = Moved()


@dataclass(frozen=True, slots=True)
class Timed:
    """One call in the text of a function, made anew for each block or chunk.

    role    launch: of a node of the graph.  gradient: adds up the gradient of `weight`, whose sum `node` is.
            step: changes `weight`, or copies it into another layout
    """

    kernel: str
    node: Node
    role: Role = "launch"
    weight: str = ""
    moved: Moved = NOTHING


@dataclass(slots=True)
class Clocks:
    """The calls that are timed of one function of a model: two words each, ticks and calls, in a line for each thread.
    `port` is the place of the lines' address among those of the data."""

    kind: Literal["predict", "evaluate", "train"]
    port: int = 0
    calls: list[Timed] = field(default_factory=list)

    @property
    def words(self) -> int:
        """Of one thread: whole cache lines."""
        return -(-2 * len(self.calls) // 16) * 16

    def around(self, text: str, node: Node, me: str, moved: Moved, role: Role = "launch", weight: str = "") -> str:
        """The call with a clock around it. `me` is the text of the thread's number."""
        found = CALL.match(text)
        assert found is not None, text
        place = 2 * len(self.calls)
        self.calls.append(Timed(found[1], node, role, weight, moved))
        at = str(place) if me == "0" else f"{me} * CLOCK_WORDS + {place}"
        return f"clock = read_clock()\n{text}\nnote_time(longs_at(job[DATA + {self.port}]), {at}, clock)"
