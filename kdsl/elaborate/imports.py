"""Files that import each other: found inside the project, read once, and never in a circle.

A path that begins with `kdsl:` names a file of the library. Any other is relative to the file it is written in. It is
followed through links first, and what it then leads to must lie inside the project: the nearest folder above the main
file that has a `pyproject.toml`, `kdsl.toml` or `.git`, else the main file's own. Nothing of a file outside is ever read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Union

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate import library
from kdsl.elaborate.constants import Constant
from kdsl.elaborate.context import Context, Effort
from kdsl.elaborate.definitions import check_definitions, declare, items_of
from kdsl.elaborate.dims import evaluate_dims
from kdsl.elaborate.doubts import doubtful_lines, without_doubts
from kdsl.elaborate.project import SUFFIX, identity, inside, model_files, project, unusable
from kdsl.elaborate.report import Report
from kdsl.elaborate.scope import Bound, Scope, Unknown
from kdsl.elaborate.words import counted, listed, question, short
from kdsl.records import dataclass, field
from kdsl.source import Source, read
from kdsl.syntax import parse, tree

Reader = Callable[[str, str], Union[Source, Diagnostic]]  # (where the file lies, what messages call it)
DEEPEST = 64  # files that import each other in a row
MOST_FILES = 500
MOST_IMPORTS = 2_000  # statements, in all files together


@dataclass(eq=False)
class Home:
    """One file that was read: its names, and the texts it is made of, imported ones included."""

    file: tree.File
    context: Context
    folder: str
    sources: set[Source] = field(default_factory=set)
    dims: set[str] = field(default_factory=set)
    imported: dict[int, Home] = field(default_factory=dict)  # place of an import statement -> the file


@dataclass
class Loader:
    """Reads the files of one elaboration. `open` are those on the way to the one being read."""

    report: Report
    effort: Effort
    reader: Reader
    root: str = ""
    homes: dict[object, Home | None] = field(default_factory=dict)
    open: list[tuple[object, str]] = field(default_factory=list)
    given: dict[object, dict[str, Constant]] = field(default_factory=dict)
    imports: int = 0

    def main(self, file: tree.File, settings: Mapping[str, Constant]) -> Home:
        """The main file and all it imports. `settings` are values for dims, imported ones too."""
        path = os.path.realpath(os.path.dirname(file.source.name) or os.curdir)
        self.root = project(path)
        for item in file.items:
            if isinstance(item, tree.Import):
                self.settle(path, item, settings)
        own = identity(os.path.join(path, os.path.basename(file.source.name)))
        self.given.setdefault(own, {}).update(settings)
        return self.enter(file, path, own)

    def settle(self, folder: str, item: tree.Import, settings: Mapping[str, Constant]) -> None:
        """Settings of names that the main file imports are settings of the file they come from."""
        wanted = {
            name.text: settings[(alias or name).text] for name, alias in item.names if (alias or name).text in settings
        }
        if wanted and not unusable(item.path.value):
            real = os.path.realpath(os.path.join(folder, item.path.value))
            self.given.setdefault(identity(real), {}).update(wanted)

    def enter(self, file: tree.File, folder: str, key: object) -> Home:
        """A file's names, those of the files it imports first."""
        self.open.append((key, file.source.name))
        context = Context(self.report, items_of(file), Scope(), effort=self.effort)
        home = self.homes[key] = Home(file, context, folder, {file.source})
        dims = declare(context, file)
        home.dims = {dim.name.text for dim in dims}
        for item in file.items:
            if isinstance(item, tree.Import):
                other = self.load(home, item)
                if other is not None:
                    home.imported[id(item)] = other
                    home.sources |= other.sources
                    take(context, item, other)
        check_definitions(context)
        evaluate_dims(context, dims, {n: v for n, v in self.given.get(key, {}).items() if n in home.dims})
        self.open.pop()
        return home

    def load(self, home: Home, item: tree.Import) -> Home | None:
        """The file an import names; None where it cannot be had, which is reported."""
        if item.path.value.startswith(library.PREFIX):
            return self.from_library(item)
        self.imports += 1
        if self.imports > MOST_IMPORTS:
            if self.imports == MOST_IMPORTS + 1:
                self.unreadable(item, f"there are more than {MOST_IMPORTS:_} imports before it", "import fewer files")
            return None
        real = self.resolve(home, item)
        if real is None:
            return None
        key = identity(real)
        name = os.path.normpath(os.path.join(os.path.dirname(home.file.source.name), item.path.value))
        if any(key == other for other, _ in self.open):
            self.circle(item, key, name)
            return None
        if key in self.homes:
            return self.homes[key]
        self.homes[key] = None
        if len(self.open) > DEEPEST or len(self.homes) > MOST_FILES:
            what = f"{DEEPEST} files deep" if len(self.open) > DEEPEST else f"{MOST_FILES} files"
            self.unreadable(item, f"it is more than {what}", "import fewer files")
            return None
        source = self.reader(real, name)
        if isinstance(source, Diagnostic):
            self.refused(item, real, source)
            return None
        parsed = parse(source)
        for diagnostic in parsed.diagnostics:
            self.report.add(diagnostic)
        self.report.doubt(source, doubtful_lines(parsed.tree))
        return self.enter(without_doubts(parsed.tree), os.path.dirname(real), key)

    def from_library(self, item: tree.Import) -> Home | None:
        """A file that comes with kdsl; it imports only such files, and none of them itself."""
        written = item.path.value
        if written not in self.homes:
            source = library.source_of(written)
            if source is None:
                near = nearest(written, library.files(), limit=1)
                self.report.error(
                    "E230",
                    f"there is no file {quoted(written)} in the library of kdsl",
                    item.path.span,
                    help=f'did you mean `"{near[0]}"`?' if near else f"it has {listed(library.files(), 'and')}",
                    edits=[Edit(item.path.span, f'"{near[0]}"')] if near else [],
                )
                return None
            self.enter(parse(source).tree, "", written)
        return self.homes[written]

    # -- where a file lies

    def resolve(self, home: Home, item: tree.Import) -> str | None:
        """The real place of the file, inside the project."""
        written = item.path.value
        reason = unusable(written)
        if not reason:
            real = os.path.realpath(os.path.join(home.folder, written))
            if inside(real, self.root):
                if real.endswith(SUFFIX) and written.endswith(SUFFIX):
                    return real
                self.not_a_model_file(home, item)
                return None
            reason = "it lies outside of the project"
        self.report.error(
            "E231",
            f"{quoted(written)} cannot be imported: {reason}",
            item.path.span,
            help='a path is relative to this file, and stays inside its project: `from "blocks/conv.kmodel"`',
        )
        return None

    def not_a_model_file(self, home: Home, item: tree.Import) -> None:
        written = item.path.value
        there = not written.endswith(SUFFIX) and os.path.isfile(os.path.join(home.folder, written + SUFFIX))
        self.report.error(
            "E230",
            f"{quoted(written)} is not the name of a model file, which ends in `{SUFFIX}`",
            item.path.span,
            help=f'did you mean `"{written}{SUFFIX}"`?' if there else "",
            edits=[Edit(item.path.span, f'"{written}{SUFFIX}"')] if there else [],
        )

    # -- what is said

    def circle(self, item: tree.Import, key: object, name: str) -> None:
        chain = [shown for _, shown in self.open]
        start = next(number for number, (other, _) in enumerate(self.open) if other == key)
        files = [os.path.basename(shown) for shown in chain[start:]]
        itself = len(files) == 1
        self.report.error(
            "E232",
            f"{quoted(item.path.value)} imports itself" + ("" if itself else f": {' -> '.join([*files, files[0]])}"),
            item.path.span,
            help="names of this file need no import" if itself else "move what they share into a file of its own",
        )

    def refused(self, item: tree.Import, real: str, why: Diagnostic) -> None:
        """What `read` says about a file, said about the import."""
        if why.code == "E150" and not os.path.lexists(real):
            near = nearest(os.path.basename(real), model_files(os.path.dirname(real)), limit=1)
            meant = "/".join([*item.path.value.split("/")[:-1], *near])
            self.report.error(
                "E230",
                f"there is no file {quoted(item.path.value)}",
                item.path.span,
                help=f'did you mean `"{meant}"`?' if near else "a path is relative to the file it stands in",
                edits=[Edit(item.path.span, f'"{meant}"')] if near else [],
            )
            return
        reason = why.message.removeprefix("this file cannot be read: ").replace("this file is", "it is")
        if why.span.stop > why.span.start:
            reason += f" (line {why.span.line}, column {why.span.column})"
        self.unreadable(item, reason, why.help)

    def unreadable(self, item: tree.Import, reason: str, help: str) -> None:
        self.report.error("E234", f"{quoted(item.path.value)} cannot be imported: {reason}", item.path.span, help=help)

    def errors_inside(self, home: Home) -> None:
        """At each import of the main file: that there are mistakes behind it."""
        for item in home.file.items:
            other = home.imported.get(id(item))
            if other is None or not isinstance(item, tree.Import):
                continue
            found = [d for d in self.report.diagnostics if d.span.source in other.sources and d.severity == "error"]
            if found:
                first = min(found, key=lambda d: (d.span.source is not other.file.source, d.span.start))
                message = f"{quoted(item.path.value)} has {counted(len(found), 'error')}"
                help = f"{'the first' if len(found) > 1 else 'it'} is at {first.span}: {first.message}"
                self.report.error("E234", message, item.path.span, help=help)


def take(context: Context, item: tree.Import, other: Home) -> None:
    """Binds the imported names to what they are there."""
    for name, alias in item.names:
        here = (alias or name).text
        bound = other.context.scope.names.get(name.text)
        own = bound is not None and exported(other, name.text)
        if own and bound is not None:
            if context.scope.names[here].span == (alias or name).span:
                context.scope.names[here] = Bound(bound.meaning, (alias or name).span)
        elif not (other.context.items.any_unread or (bound is not None and isinstance(bound.meaning, Unknown))):
            not_there(context, item, name, other, alias is not None)


def exported(home: Home, name: str) -> bool:
    """Whether a block, fn or dim of this name is defined in the file itself."""
    kinds = (tree.Dim, tree.Block, tree.Fn)
    return any(isinstance(item, kinds) and item.name.text == name for item in home.file.items)


def not_there(context: Context, item: tree.Import, name: tree.Name, other: Home, renamed: bool) -> None:
    """`renamed`: the name is used in no other place, so that it can be mended here."""
    own = [each.name.text for each in other.file.items if isinstance(each, (tree.Dim, tree.Block, tree.Fn))]
    near = nearest(name.text, own)
    help = question(name.text, own) or (f"it has {listed(own[:12], 'and')}" if own else "it has no blocks, fns or dims")
    message = f"{quoted(item.path.value)} has no block, fn or dim called `{name.text}`"
    secondary: list[Label] = []
    if name.text in other.context.items.models:
        message = f"`{name.text}` is a model, and only blocks, fns and dims can be imported"
        help = "what several models share is a block"
    for each in other.file.items:
        names = each.names if isinstance(each, tree.Import) else ()
        if any((alias or written).text == name.text for written, alias in names) and isinstance(each, tree.Import):
            message = f"{quoted(item.path.value)} imports `{name.text}` itself"
            help = f"import it from where it is defined, {quoted(each.path.value)} beside that file"
            secondary.append(Label(each.path.span))
    edits = [Edit(name.span, near[0])] if renamed and len(near) == 1 and help.startswith("did") else []
    context.report.error("E233", message, name.span, secondary=secondary, help=help, edits=edits)


def quoted(written: str) -> str:
    return f'"{short(written)}"'


def read_import(path: str, name: str) -> Source | Diagnostic:
    return read(path, name, follow=False)
