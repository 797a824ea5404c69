"""Where diagnostics are collected. One mistake is reported once, however often its line is elaborated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.records import dataclass, field
from kdsl.source import Source, Span

LIMIT = 100
MOST_NOTES = 3  # about calls around a place, the innermost ones


@dataclass
class Log:
    """What one run of the elaborator has found."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    seen: set[tuple[str, int, int, int]] = field(default_factory=set)
    silent: int = 0
    doubtful: set[tuple[int, int]] = field(default_factory=set)  # (source, line) where the parser had to guess


class Report:
    """`error(code, message, span, ...)` adds a diagnostic; a second one of that code at that place is dropped.

    `inside(note)` is the same report for the body of a call: what is reported there says which call it was.
    """

    def __init__(self, log: Log | None = None, calls: tuple[str, ...] = ()) -> None:
        self.log = Log() if log is None else log
        self.calls = calls

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self.log.diagnostics

    def inside(self, note: str) -> Report:
        return Report(self.log, (note, *self.calls)[:MOST_NOTES])

    def outside(self) -> Report:
        """For what is wrong whoever calls."""
        return Report(self.log)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """For looking ahead: what is found wrong inside is not said."""
        self.log.silent += 1
        try:
            yield
        finally:
            self.log.silent -= 1

    def error(
        self,
        code: str,
        message: str,
        at: Span,
        label: str = "",
        *,
        secondary: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: str = "",
        edits: Iterable[Edit] = (),
    ) -> None:
        all_notes = (*notes, *self.calls)
        changes = tuple(edits)
        if any(edit.span.source is not at.source for edit in changes):
            changes = ()  # what is wrong here is mended here, not in a file that was imported
        self.add(Diagnostic(code, message, Label(at, label), tuple(secondary), all_notes, help, changes))

    def doubt(self, source: Source, lines: Iterable[int]) -> None:
        """Nothing is said about these lines."""
        self.log.doubtful |= {(id(source), line) for line in lines}

    def add(self, diagnostic: Diagnostic) -> None:
        """A finished diagnostic."""
        span = diagnostic.span
        key = (diagnostic.code, id(span.source), span.start, span.stop)
        if (id(span.source), span.line) in self.log.doubtful:
            return
        if self.log.silent or key in self.log.seen or len(self.log.diagnostics) >= LIMIT:
            return
        self.log.seen.add(key)
        self.log.diagnostics.append(diagnostic)

    def finished(self, main: Source) -> tuple[Diagnostic, ...]:
        """In the order of the text: what comes from outside it (`--set`) first, what lies in imported files last."""

        def order(found: Diagnostic) -> tuple[int, str, int, str]:
            source = found.span.source
            rank = 0 if source.name.startswith("--") else 1 if source is main else 2
            return rank, source.name if rank == 2 else "", found.span.start, found.code

        return tuple(sorted(self.log.diagnostics, key=order))
