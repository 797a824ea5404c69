"""Explain the code of an error or warning: what it means, an example, and the example mended."""

from __future__ import annotations

import argparse

from kdsl.cli.console import OK, CliError, Console
from kdsl.diagnostics.suggest import nearest

EXAMPLES = """\
  kdsl explain E401
  kdsl explain --list       every code, one a line
  kdsl explain --rules      the rules of kdsl lint
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("code", nargs="?", metavar="CODE", help="a code such as E401, or its name")
    what.add_argument("--list", action="store_true", help="list every code with its name")
    what.add_argument("--rules", action="store_true", help="list the rules of kdsl lint: which run, which mend")


def run(options: argparse.Namespace, console: Console) -> int:
    from kdsl.diagnostics.catalogue import CATALOGUE
    from kdsl.diagnostics.explain import explain

    if options.list:
        for entry in sorted(CATALOGUE.values(), key=lambda entry: entry.code):
            console.print(f"{entry.code}  {entry.name}: {entry.title}")
        return OK
    if options.rules:
        list_rules(console)
        return OK
    text = explain(options.code)
    if text is None:
        names = [*CATALOGUE, *(entry.name for entry in CATALOGUE.values())]
        near = nearest(options.code, names, limit=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise CliError(f"kdsl has no code {options.code}", f"{hint}kdsl explain --list shows them all")
    console.out.write(text)
    return OK


def list_rules(console: Console) -> None:
    """Code, name and title of each rule, and what holds of it."""
    from kdsl.diagnostics.catalogue import CATALOGUE
    from kdsl.lint import RULES

    fixes = {"": "", "safe": "--fix", "unsafe": "--unsafe-fixes"}
    for rule in RULES:
        entry = CATALOGUE[rule.code]
        remarks = ", ".join(filter(None, ["" if rule.default else "off", fixes[rule.fix]]))
        console.print(f"{rule.code}  {entry.name}: {entry.title}{f' ({remarks})' if remarks else ''}")
