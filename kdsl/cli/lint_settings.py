"""Which rules run on a file: the command line, and `[tool.kdsl.lint]` of the nearest pyproject.toml."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from kdsl.cli.console import CliError
from kdsl.diagnostics.suggest import nearest
from kdsl.records import dataclass

LISTS = ("select", "extend-select", "ignore")
KEYS = (*LISTS, "per-file-ignores")


@dataclass(frozen=True)
class Settings:
    """What a pyproject.toml says, and the folder it lies in."""

    select: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    by_file: tuple[tuple[str, tuple[str, ...]], ...] = ()
    folder: Path = Path()

    def ignored_in(self, path: Path) -> list[str]:
        """What patterns such as `examples/*` leave out for this file."""
        inside = path.is_relative_to(self.folder)
        names = (path.relative_to(self.folder).as_posix() if inside else path.as_posix(), path.name)
        return [word for glob, words in self.by_file if any(fnmatch(name, glob) for name in names) for word in words]


def add_options(parser: argparse.ArgumentParser) -> None:
    for name, text in (
        ("select", "run these rules only: codes, beginnings of codes, names, or ALL; commas between"),
        ("extend-select", "run these too"),
        ("ignore", "leave these out"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="RULES", help=text)


def rules_for(name: str, options: argparse.Namespace) -> frozenset[str]:
    """The codes of the rules that run on a file. `--select` takes the place of what a pyproject.toml chooses."""
    from kdsl.lint import chosen

    given = {key: words(getattr(options, key.replace("-", "_")), f"--{key}") for key in LISTS}
    path = Path(options.stdin_filename if name == "-" else name).absolute()
    settings = settings_of(path.parent)
    ignored = [*given["ignore"], *settings.ignored_in(path)]
    if given["select"]:
        return chosen(given["select"], given["extend-select"], ignored)
    return chosen(settings.select, [*settings.extend, *given["extend-select"]], [*settings.ignore, *ignored])


@cache
def settings_of(folder: Path) -> Settings:
    """The settings of the nearest pyproject.toml at or above a folder that has some."""
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        if "tool.kdsl" in text:  # TOML is not read for nothing
            return from_table(path, table_of(path, text))
    return Settings()


def table_of(path: Path, text: str) -> Mapping[str, Any]:
    toml: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        tool = toml.loads(text).get("tool", {})
    except toml.TOMLDecodeError as error:
        raise CliError(f"{path} is not TOML: {error}") from error
    table = tool.get("kdsl", {}) if isinstance(tool, dict) else {}
    return table if isinstance(table, dict) else {}


def from_table(path: Path, table: Mapping[str, Any]) -> Settings:
    known(path, "[tool.kdsl]", table, ("lint",))
    lint = table.get("lint", {})
    if not isinstance(lint, dict):
        raise CliError(f"{path}: tool.kdsl.lint is a table", "write [tool.kdsl.lint]")
    known(path, "[tool.kdsl.lint]", lint, KEYS)
    lists = {key: words(strings(path, key, lint.get(key, [])), f"{path}: {key}") for key in LISTS}
    by_file = lint.get("per-file-ignores", {})
    if not isinstance(by_file, dict):
        raise CliError(
            f"{path}: per-file-ignores is a table", '[tool.kdsl.lint.per-file-ignores]: "drafts/*" = ["W603"]'
        )
    patterns = tuple((glob, words(strings(path, glob, rules), f"{path}: {glob}")) for glob, rules in by_file.items())
    return Settings(lists["select"], lists["extend-select"], lists["ignore"], patterns, path.parent)


def known(path: Path, where: str, table: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in table:
        if key not in keys:
            near = nearest(key, keys, limit=1)
            raise CliError(
                f"{path}: {where} has no {key}", f"did you mean {near[0]}?" if near else f"there is {', '.join(keys)}"
            )


def strings(path: Path, key: str, value: object) -> list[str]:
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return list(value)
    raise CliError(f'{path}: {key} is a list of rules, as in ["W603", "W619"]')


def words(given: Iterable[str], where: str) -> tuple[str, ...]:
    """The words between commas, each one that means some rule."""
    from kdsl.lint import matching

    found = [word.strip() for text in given for word in text.split(",") if word.strip()]
    for word in found:
        if not matching(word):
            from kdsl.diagnostics.lint_codes import LINT

            near = nearest(word, [name for entry in LINT for name in (entry.code, entry.name)], limit=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise CliError(f"{where}: there is no rule {word}", f"{hint}kdsl explain --rules shows them all")
    return tuple(found)
