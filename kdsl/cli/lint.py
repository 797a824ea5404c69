"""Check model files: syntax, names, shapes, settings, and what is probably not meant."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl.cli.console import FINDINGS, OK, USAGE, CliError, Console
from kdsl.cli.lint_settings import add_options, rules_for
from kdsl.cli.models import add_settings, checked, counted, read, settings
from kdsl.cli.rewriting import model_files, put, rewrite
from kdsl.records import replace
from kdsl.source import Source

if TYPE_CHECKING:
    from kdsl.diagnostics.diagnostic import Diagnostic

EXAMPLES = """\
  kdsl lint digits.kmodel
  kdsl lint models/                                     every .kmodel file in it
  kdsl lint models/ --fix                               make the edits that change no results
  kdsl lint models/ --extend-select W619,W620           with rules that are off by themselves
  kdsl lint models/ --output json                       for programs
  kdsl lint - --stdin-filename a.kmodel < a.kmodel      for editors

A comment `# kdsl: ignore[W603]` behind a line, or above it, lets it pass; `# kdsl: ignore-file[W603]` the whole file.
[tool.kdsl.lint] in pyproject.toml takes select, extend-select, ignore and per-file-ignores.
"""
FORMS = ("full", "concise", "json", "github", "sarif")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="model files, folders of them, or - for standard input"
    )
    parser.add_argument("--output", choices=FORMS, default="full", help="the form of the findings (default: full)")
    add_options(parser)
    parser.add_argument("--fix", action="store_true", help="make the suggested edits that change no results")
    parser.add_argument("--unsafe-fixes", action="store_true", help="make all suggested edits that leave no new errors")
    parser.add_argument("--statistics", action="store_true", help="how often each code was found, instead of where")
    add_settings(parser)
    parser.add_argument("--stdin-filename", metavar="NAME", default="<stdin>", help="what messages call standard input")


def run(options: argparse.Namespace, console: Console) -> int:
    """Exit code 0 where nothing was found, 1 where something was, 2 where a file could not be read."""
    found: list[Diagnostic] = []
    unread = read_files = made = 0
    given = settings(options.set)
    report_to = console
    for name in model_files(options.files):
        try:
            source = read(name, options.stdin_filename)
        except CliError as error:
            console.error(error.message, error.help)
            unread += 1
            continue
        rules = rules_for(name, options)
        if (options.fix or options.unsafe_fixes) and isinstance(source, Source):
            source, count = mend(name, source, given, rules, options.unsafe_fixes, console)
            made += count
            if name == "-":  # the text goes to standard output, so the findings do not
                report_to = replace(console, out=console.err, out_color=console.err_color)
        found += findings(source, given, rules)
        read_files += 1
    found = once(found)
    if options.statistics:
        from kdsl.cli.statistics import statistics

        report_to.out.write(statistics(found, options.output))
    else:
        report(found, read_files, made, options.output, report_to)
    return USAGE if unread else FINDINGS if found else OK


def once(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """What is found in a file that others import is found with each of them; it is said once."""
    places = {(realpath(it.span.source.name), it.code, it.span.start, it.span.stop): it for it in reversed(found)}
    kept = {id(it) for it in places.values()}
    return [it for it in found if id(it) in kept]


def findings(source: Source | Diagnostic, given: Mapping[str, str], rules: frozenset[str]) -> Sequence[Diagnostic]:
    return checked(source, given, rules)[1]


def mend(
    name: str, source: Source, given: Mapping[str, str], rules: frozenset[str], unsafe: bool, console: Console
) -> tuple[Source, int]:
    """The source with its edits made and written, and how many there were."""
    from kdsl.lint.fixing import fixed

    after, count = fixed(source, lambda it: findings(it, given, rules), unsafe)
    data = after.text.encode("utf-8")
    if name == "-":
        put(data, console)
    elif count:
        mark = b"\xef\xbb\xbf" if Path(name).read_bytes().startswith(b"\xef\xbb\xbf") else b""
        rewrite(name, mark + data)
    return after, count


def report(found: Sequence[Diagnostic], files: int, made: int, form: str, console: Console) -> None:
    if form == "full":
        full(found, files, made, console)
    else:
        console.out.write(rendered(found, form))


def rendered(found: Sequence[Diagnostic], form: str) -> str:
    if form == "json":
        from kdsl.diagnostics.json import render_json
        from kdsl.lint import SAFE

        return render_json(found, SAFE)
    if form == "github":
        from kdsl.diagnostics.github import render_github

        return render_github(found)
    if form == "sarif":
        from kdsl.diagnostics.sarif import render_sarif

        return render_sarif(found)
    from kdsl.diagnostics.concise import render_concise

    return render_concise(found)


def full(found: Sequence[Diagnostic], files: int, made: int, console: Console) -> None:
    if found:
        from kdsl.diagnostics.text import render_text

        console.out.write(render_text(found, colour=console.out_color) + "\n")
    if made:
        console.print(f"{made} mended." if made > 1 else "1 mended.")
    if found:
        hint = fixes(found)
        console.print(f"{counted(found)}. `kdsl explain {found[0].code}` says more about the first.{hint}")
    elif files and not made:
        console.done("No problems found." if files == 1 else f"No problems found in {files} files.")


def fixes(found: Sequence[Diagnostic]) -> str:
    """How many edits `--fix` would make."""
    from kdsl.lint import SAFE

    count = sum(bool(it.edits) and it.code in SAFE for it in found)
    return f" --fix mends {count}." if count else ""
