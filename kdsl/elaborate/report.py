"""Where diagnostics are collected. One mistake is reported once, however often its line is elaborated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.source import Span

LIMIT = 100


class Report:
    """`error(code, message, span, ...)` adds a diagnostic; a second one of that code at that place is dropped."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._seen: set[tuple[str, str, int, int]] = set()
        self._silent = 0

    @contextmanager
    def silence(self) -> Iterator[None]:
        """For looking ahead: what is found wrong inside is not said."""
        self._silent += 1
        try:
            yield
        finally:
            self._silent -= 1

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
        key = (code, at.source.name, at.start, at.stop)
        if self._silent or key in self._seen or len(self.diagnostics) >= LIMIT:
            return
        self._seen.add(key)
        self.diagnostics.append(
            Diagnostic(code, message, Label(at, label), tuple(secondary), tuple(notes), help, tuple(edits))
        )

    def finished(self) -> tuple[Diagnostic, ...]:
        """In the order of the text; what comes from outside it (`--set`) first."""
        return tuple(sorted(self.diagnostics, key=lambda d: (d.span.source.name[:2] != "--", d.span.start, d.code)))
