"""A team of threads that run one compiled function together, chunk by chunk.

Work comes in phases, a phase in a fixed number of chunks. Whoever is free takes the next chunk, every other thread from the
end: so a thread mostly meets the weights and rows again that lie in its processor's cache since the last step. The thread
that finishes a phase's last chunk closes it and opens the next one. What a chunk computes does not depend on who runs it or
when: results are the same bits for any number of threads, and a thread that the system puts aside holds up the others only if
it has a chunk in hand.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

import numpy as np

from kdsl.runtime.numba_kernel import (
    Longs,
    add_to_word,
    give_way,
    kernel,
    pause,
    read_word,
    swap_word,
    write_word,
)

# Words that the threads share, 128 bytes apart: phase number << 32 | chunks taken from the end << 16 | from the beginning;
# chunks finished in this phase.
CLAIM, FINISHED, TEAM_WORDS = 0, 16, 32
MOST_CHUNKS, MOST_PHASES = 32768, 1 << 30  # of one phase; until they are counted anew


@kernel
def claim(team: Longs, phase: int, chunks: int, me: int) -> int:
    """The next chunk of this phase for thread `me`; -1 once a later phase is open. Waits in between."""
    turns = 0
    while True:
        word = read_word(team, CLAIM)
        first, last = word & 0xFFFF, word >> 16 & 0xFFFF
        if word >> 32 > phase:
            return -1
        if word >> 32 == phase and first + last < chunks:
            if me % 2:
                taken: int = chunks - 1 - last
                if swap_word(team, CLAIM, word, word + 0x10000):
                    return taken
            else:
                taken = first
                if swap_word(team, CLAIM, word, word + 1):
                    return taken
        elif turns < 300:
            turns += 1
            pause()
        else:
            give_way()


@kernel
def finish(team: Longs, chunks: int) -> int:
    """Counts a finished chunk -> 1 for the last of the phase: its thread must then call `open_phase`."""
    if add_to_word(team, FINISHED, 1) < chunks:
        return 0
    write_word(team, FINISHED, 0)
    return 1


@kernel
def open_phase(team: Longs, phase: int) -> None:
    write_word(team, CLAIM, phase << 32)


def usable_threads(most: int, wanted: int | None) -> int:
    """`wanted`, else KDSL_NUM_THREADS, else the processors this process may use; at most what has work."""
    asked = wanted or int(os.environ.get("KDSL_NUM_THREADS", "0"))
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(most, asked or processors))


class Board:
    """What the threads of a team share in Python: the work at hand, and how many are inside it."""

    def __init__(self) -> None:
        self.change = threading.Condition()
        self.work: tuple[Callable[[int, int], None], int] | None = None
        self.round = self.inside = 0
        self.closed = False

    def close(self) -> None:
        with self.change:
            self.closed = True
            self.change.notify_all()

    def serve(self, me: int) -> None:
        """One thread's life: wait for a round of work, take part in it."""
        seen = 0
        while True:
            with self.change:
                while not self.closed and (self.work is None or self.round == seen):
                    self.change.wait()
                if self.work is None or self.closed:
                    return
                (function, job), seen = self.work, self.round
                self.inside += 1
            function(job, me)
            with self.change:
                self.inside -= 1
                if not self.inside:
                    self.change.notify_all()


class Team:
    """Threads 1 .. threads - 1 sleep until `run` wakes them; the caller is thread 0."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.words = np.zeros(TEAM_WORDS, dtype=np.int64)
        self.board = Board()
        self.started = False

    def first_phase(self) -> int:
        """The phase that is open, while no thread is at work. Numbers grow, so that a late thread never mistakes old work
        for new."""
        if int(self.words[CLAIM]) >> 32 > MOST_PHASES:
            self.words[CLAIM] = 0
        return int(self.words[CLAIM]) >> 32

    def run(self, function: Callable[[int, int], None], job: int) -> None:
        """function(job, me) on every thread; back when all of it is done."""
        if self.threads == 1:
            function(job, 0)
            return
        if not self.started:
            self.started = True
            weakref.finalize(self, self.board.close)
            for me in range(1, self.threads):
                threading.Thread(target=self.board.serve, args=(me,), daemon=True, name=f"kdsl-{me}").start()
        board = self.board
        with board.change:
            board.work, board.round = (function, job), board.round + 1
            board.change.notify_all()
        try:
            function(job, 0)
        finally:
            with board.change:
                board.work = None  # who has not come yet need not come
                while board.inside:
                    board.change.wait()
