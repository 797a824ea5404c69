"""The documentation of one code: what `kdsl explain` prints, and what the tests hold the compiler to."""

from __future__ import annotations

from kdsl.records import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of the catalogue.

    `name` is the kebab name under which a warning can be allowed. `title` is one line without a full stop.
    `explanation` says what the diagnostic means and why the language insists. `example` is a whole `.kmodel` text
    that gives exactly this code, `fix` the same text mended.
    """

    code: str
    name: str
    title: str
    explanation: str
    example: str
    fix: str
