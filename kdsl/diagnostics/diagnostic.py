"""A diagnostic is data: what is wrong, where, what else to look at, and the edits that mend it."""

from __future__ import annotations

from typing import Literal

from kdsl.records import dataclass
from kdsl.source import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Label:
    """A marked place with a short text beside it; the text may be empty."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the span by the text. A span of no width inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake, reported once.

    `code` is a key of the catalogue (`kdsl.diagnostics.catalogue`), which adds the kebab name, the severity and the
    explanation. `primary` is where to look first; `secondary` are the places that explain it. `notes` are whole
    sentences such as the shape trail; `help` says what to write; `edits`, where given, do that when applied together.
    """

    code: str
    message: str
    primary: Label
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    edits: tuple[Edit, ...] = ()

    @property
    def severity(self) -> Severity:
        return "warning" if self.code.startswith("W") else "error"

    @property
    def span(self) -> Span:
        return self.primary.span
