"""E23x: imports. Beside the examples lies `blocks.kmodel`, with a block `Hidden`."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.samples import model

USE = model("Net", "input x: f32[8]\noutput y = x -> Hidden(16)")
GOOD = f'import Hidden from "blocks.kmodel"\n\n{USE}'
BESIDE = {
    "blocks.kmodel": "block Hidden(x: f32[C], out: int = C) -> f32[out] {\n  return x -> dense(out) -> relu\n}\n",
    "folder.kmodel": None,
}

IMPORTS = (
    Entry(
        "E230",
        "no-such-file",
        "an import of a file that is not there",
        "The path in an `import` is relative to the file it stands in, with `/` between folders, and ends in `.kmodel`.",
        GOOD.replace("blocks", "block"),
        GOOD,
    ),
    Entry(
        "E231",
        "outside-of-the-project",
        "an import of a file outside of the project",
        "A model file may come from anywhere, and checking it must not read what it has no business with. Paths are\n"
        "relative, and what they lead to once links are followed lies inside the project: the nearest folder upwards with a\n"
        "`pyproject.toml`, `kdsl.toml` or `.git`, else the folder of the file that is compiled.",
        GOOD.replace("blocks.kmodel", "/usr/share/blocks.kmodel"),
        GOOD,
    ),
    Entry(
        "E232",
        "imports-itself",
        "files that import each other in a circle",
        "Each file is read after those it imports, so they cannot stand in a circle. What two files need from each other\n"
        "belongs in a third. The message shows the way around.",
        GOOD.replace("blocks", "net"),
        GOOD,
    ),
    Entry(
        "E233",
        "name-not-in-file",
        "an imported name that the file does not define",
        "Blocks, fns and dims can be imported, from the file that defines them: models cannot, nor what a file has imported\n"
        "itself.",
        GOOD.replace("Hidden", "Hiden", 1).replace("-> Hidden(16)", "-> dense(16)"),
        GOOD,
    ),
    Entry(
        "E234",
        "cannot-be-imported",
        "a file that cannot be read, or has errors",
        "An imported file is a regular file of at most 4 MiB, in UTF-8, and imports go at most 64 files deep. Where it has\n"
        "errors, they are reported at their places in that file, and once more in short at the import.",
        GOOD.replace("blocks", "folder"),
        GOOD,
    ),
)
