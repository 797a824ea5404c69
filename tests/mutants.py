"""Good files with one token lost, doubled, swapped with the next, replaced, or preceded by another.

`python tests/mutants.py` looks at every token of every good file and prints the figures; tests take a sample.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.diagnostics.edits import apply
from kdsl.diagnostics.text import render_text
from kdsl.elaborate import elaborate
from kdsl.lint import lint
from kdsl.source import Source
from kdsl.syntax import Parsed, parse

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("tests/good", "tests/elaborate/good", "models", "benchmarks/models", "kdsl/library")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.kmodel"))
POOL = (
    *("(", ")", "[", "]", "{", "}", "->", "=", ",", ":", "+", "-", ".", "//", "$", '"', "3x", ";"),
    *("name", "7", "0.5", '"text"', "\n", "# note\n", "x ="),
    *("if", "else", "repeat", "for", "each", "as", "model", "input", "import", "return", "block"),
)
REPLACEMENTS, INSERTIONS = 4, 2  # of each token, drawn from the pool
MOST, USUAL = 5, 2  # problems of one mutant: at most; nearly always


@dataclass(frozen=True)
class Mutant:
    path: Path
    place: int
    stop: int
    change: str
    new: str  # what stands in [place:stop] instead

    @property
    def text(self) -> str:
        text = original(self.path)
        return text[: self.place] + self.new + text[self.stop :]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)} at {self.place}, {self.change}:\n{self.text}"


@cache
def original(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@dataclass
class Tally:
    """What became of mutants. `wrong` are descriptions of what must never happen."""

    count: int = 0
    problems: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    edits: int = 0
    useless: list[str] = field(default_factory=list)  # edits that leave what they are about
    many: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def few(self) -> float:
        """The part of the mutants that have at most two problems."""
        return sum(number for problems, number in self.problems.items() if problems <= USUAL) / max(1, self.count)


def mutants_of(path: Path) -> Iterator[Mutant]:
    """The same ones each time."""
    rng = random.Random(path.name)
    tokens = parse(Source(path.name, original(path))).tokens
    for token, after in zip(tokens, (*tokens[1:], None), strict=True):
        text, low, high = token.text, token.start, token.stop
        yield Mutant(path, low, high, f"without {text!r}", "")
        if token.kind != "_NL":
            yield Mutant(path, low, high, f"{text!r} twice", f"{text} {text}")
        if after is not None and after.text != text:
            yield Mutant(path, low, after.stop, f"{text!r} and {after.text!r} swapped", f"{after.text} {text}")
        for new in rng.sample(POOL, REPLACEMENTS):
            yield Mutant(path, low, high, f"{new!r} for {text!r}", f" {new} ")
        for new in rng.sample(POOL, INSERTIONS):
            yield Mutant(path, low, low, f"{new!r} before {text!r}", f" {new} ")


@cache
def every_mutant() -> tuple[Mutant, ...]:
    return tuple(mutant for path in FILES for mutant in mutants_of(path))


def sample(count: int, seed: int, paths: Sequence[Path] = ()) -> list[Mutant]:
    """Some of them, or some of those of these files."""
    chosen = [mutant for mutant in every_mutant() if not paths or mutant.path in paths]
    return random.Random(seed).sample(chosen, count)


@cache
def whole_files() -> tuple[Path, ...]:
    """Files without a problem at any stage: one mistake in them is one mistake."""
    return tuple(path for path in FILES if not problems(path, original(path))[1])


def problems(path: Path, text: str) -> tuple[Parsed, tuple[Diagnostic, ...]]:
    """What all stages say about a text at that place."""
    parsed = parse(Source(str(path), text))
    result = elaborate(parsed.tree)
    lint(parsed.tree, result)
    return parsed, (*parsed.diagnostics, *result.diagnostics)


def examine(mutants: Iterable[Mutant], tally: Tally, whole: bool) -> Tally:
    """Counts; `whole`: what all stages say, else what the parser says."""
    for mutant in mutants:
        tally.count += 1
        try:
            found = said(mutant, mutant.text, whole)
            judge(mutant, found, tally, whole)
        except Exception as error:  # the point of it all
            tally.wrong.append(f"{type(error).__name__}: {error}\n{mutant}")
    return tally


def said(mutant: Mutant, text: str, whole: bool) -> tuple[Diagnostic, ...]:
    return problems(mutant.path, text)[1] if whole else parse(Source(mutant.path.name, text)).diagnostics


def judge(mutant: Mutant, found: Sequence[Diagnostic], tally: Tally, whole: bool) -> None:
    tally.problems[len(found)] += 1
    tally.codes.update({diagnostic.code for diagnostic in found})
    if len(found) > USUAL:
        tally.many.append(f"{len(found)} problems: {mutant.change}\n{render_text(found)}\n{mutant}")
    render_text(found)
    for diagnostic in found:
        labels = (diagnostic.primary, *diagnostic.secondary)
        spans = [label.span for label in labels] + [edit.span for edit in diagnostic.edits]
        if not all(0 <= span.start <= span.stop <= len(span.source.text) for span in spans):
            tally.wrong.append(f"a place outside the file: {diagnostic.message}\n{mutant}")
        if diagnostic.code == "E199" or not diagnostic.message:
            tally.wrong.append(f"the fallback message: {mutant}")
        if diagnostic.edits:
            tally.edits += 1
            after = said(mutant, apply(mutant.text, diagnostic.edits), whole)
            if len(after) >= len(found) and diagnostic.message in [each.message for each in after]:
                tally.useless.append(f"{render_text([diagnostic])}\n{mutant}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parser", action="store_true", help="look at the parser alone")
    parser.add_argument("--count", type=int, default=0, help="a sample of so many (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="files whose path holds this")
    parser.add_argument("--show", type=int, default=0, help="print so many of those with more than two problems")
    options = parser.parse_args()
    paths = FILES if options.parser else whole_files()
    paths = [path for path in paths if options.only in str(path)]
    chosen = [mutant for mutant in every_mutant() if mutant.path in paths]
    if options.count:
        chosen = random.Random(options.seed).sample(chosen, min(options.count, len(chosen)))
    start = time.process_time()
    tally = examine(chosen, Tally(), not options.parser)
    print(figures(tally, len(paths), "the parser" if options.parser else "all stages"))
    print(f"{time.process_time() - start:.0f} s of processor time")
    for text in (tally.wrong + tally.many + tally.useless)[: options.show]:
        print(f"\n{'=' * 100}\n{text}")
    return 1 if tally.wrong else 0


def figures(tally: Tally, files: int, what: str) -> str:
    spread = ", ".join(f"{size}: {tally.problems[size]}" for size in sorted(tally.problems))
    return "\n".join(
        [
            f"{tally.count} mutants of {files} files, read by {what}",
            f"problems of one mutant  {spread}",
            f"at most two problems    {100 * tally.few():.2f} %",
            f"codes                   {len(tally.codes)}",
            f"crashes, fallback messages, places outside the file  {len(tally.wrong)}",
            f"suggested edits made    {tally.edits}, of which {len(tally.useless)} leave what they are about",
        ]
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
