"""What commands print with: colour or not, and the errors that end a command."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from kdsl.records import dataclass

OK, FINDINGS, USAGE, INTERRUPTED = 0, 1, 2, 130

RED, GREEN, BOLD, DIM, RESET = "\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


class CliError(Exception):
    """Ends the command with one clear line, and one of help where there is some."""

    def __init__(self, message: str, help: str = "", code: int = USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.code = code


@dataclass(frozen=True)
class Console:
    """Results go to `out`, errors and remarks to `err`; each has colour of its own."""

    out: TextIO
    err: TextIO
    out_color: bool
    err_color: bool

    @classmethod
    def standard(cls, color: str) -> Console:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal of another encoding shows `?`, it does not end the program
                stream.reconfigure(errors="replace")
        return cls(sys.stdout, sys.stderr, wants_color(color, sys.stdout), wants_color(color, sys.stderr))

    def print(self, text: str = "") -> None:
        print(text, file=self.out)

    def done(self, text: str) -> None:
        """A result in a word or two: green where there is colour."""
        self.print(f"{GREEN}{text}{RESET}" if self.out_color else text)

    def note(self, text: str) -> None:
        self.out.flush()
        print(f"{DIM}{text}{RESET}" if self.err_color else text, file=self.err)

    def error(self, message: str, help: str = "") -> None:
        self.out.flush()
        mark = f"{RED}{BOLD}error{RESET}" if self.err_color else "error"
        print(f"{mark}: {message}", file=self.err)
        if help:
            print(f"  help: {help}", file=self.err)


def wants_color(mode: str, stream: TextIO) -> bool:
    """`--color` beats NO_COLOR, which beats FORCE_COLOR; otherwise a terminal has colour unless TERM is `dumb`."""
    if mode != "auto":
        return mode == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()
