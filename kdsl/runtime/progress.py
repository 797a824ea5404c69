"""What `fit` shows while it trains: a bar redrawn in place on a terminal, else one line for each epoch."""

from __future__ import annotations

import shutil
import sys
import time

REDRAW_SECONDS = 0.1
BAR = 20


class Progress:
    """`verbose`: 0 nothing, 1 a bar, 2 one line for each epoch, "auto" a bar where the output is a terminal.

    A bar needs a terminal: without one, 1 means 2.
    """

    def __init__(self, verbose: int | str, epochs: int) -> None:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f'verbose is "auto", 0 (silent), 1 (bar) or 2 (one line for each epoch), not {verbose!r}')
        self.out = sys.stdout
        self.lines = verbose != 0 and self.out is not None
        self.bar = self.lines and verbose != 2 and self.out.isatty()
        self.epochs, self.epoch = epochs, 0
        full, empty, encoding = "━", "─", getattr(self.out, "encoding", None) or "ascii"
        try:
            (full + empty).encode(encoding)
        except (UnicodeEncodeError, LookupError):
            full, empty = "=", "."
        self.full, self.empty = full, empty

    def begin(self, epoch: int, steps: int, rows: int) -> None:
        self.epoch, self.steps, self.rows = epoch, steps, rows
        self.started = time.perf_counter()
        self.drawn, self.width = 0.0, 0
        if self.bar:
            self._write(f"Epoch {epoch + 1}/{self.epochs}\n")
            self._draw(0, "")

    def update(self, step: int, rows: int, logs: dict[str, float]) -> None:
        """`step` steps over `rows` rows of this epoch are done."""
        now = time.perf_counter()
        if not self.bar or now - self.drawn < REDRAW_SECONDS:
            return
        self.drawn = now
        seconds = now - self.started
        left = seconds / rows * (self.rows - rows)
        self._draw(step, f" ETA {_clock(left)} {_rate(rows, seconds)}{_numbers(logs)}")

    def end(self, logs: dict[str, float]) -> None:
        """The epoch is over; `logs` has the validation's numbers too."""
        seconds = time.perf_counter() - self.started
        if self.bar:
            self._draw(self.steps, f" {_clock(seconds)} {_rate(self.rows, seconds)}{_numbers(logs)}", last=True)
            self._write("\n")
            self.width = 0
        elif self.lines:
            head = f"Epoch {self.epoch + 1}/{self.epochs} - {_clock(seconds)} - {_rate(self.rows, seconds)}"
            self._write(f"{head}{_numbers(logs)}\n")

    def interrupted(self) -> None:
        """Leaves the bar's line, so that what is printed next has its own."""
        if self.bar and self.width:
            self._write("\n")

    def _draw(self, step: int, rest: str, last: bool = False) -> None:
        count = f"{step:>{len(str(self.steps))}}/{self.steps}"
        done = BAR * step // self.steps
        text = f"{count} {self.full * done}{self.empty * (BAR - done)}{rest}"
        room = max(shutil.get_terminal_size().columns - 1, 1)
        if len(text) > room:  # a narrow terminal: no bar, and no second line that could not be drawn over
            text = count + rest if last else (count + rest)[:room]
        self._write("\r" + text + " " * (min(self.width, room) - len(text)))
        self.width = len(text)

    def _write(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()


def _numbers(logs: dict[str, float]) -> str:
    return "".join(f" - {name}: {_short(value)}" for name, value in logs.items())


def _short(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.3e}"


def _rate(rows: int, seconds: float) -> str:
    return f"{rows / max(seconds, 1e-9):,.0f} samples/s"


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f}s" if seconds < 9.95 else f"{seconds:.0f}s"
    minutes = round(seconds) // 60
    return f"{minutes}m{round(seconds) % 60:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"
