"""Model files found, and written anew: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kdsl.cli.console import BOLD, GREEN, RED, RESET, CliError, Console


def model_files(names: Sequence[str]) -> list[str]:
    """Folders replaced by the models in them; each file once."""
    files: list[str] = []
    for name in names:
        inside = sorted(str(path) for path in Path(name).rglob("*.kmodel")) if Path(name).is_dir() else [name]
        if not inside:
            raise CliError(f"the folder {name} has no .kmodel file in it")
        files += inside
    return list(dict.fromkeys(files))


def rewrite(name: str, data: bytes) -> None:
    """Replace what a file holds, in one step; what a link points to is replaced, not the link."""
    import secrets

    path = Path(os.path.realpath(name))
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with open(beside, "xb") as file:
            file.write(data)
        os.chmod(beside, path.stat().st_mode & 0o777)
        os.replace(beside, path)
    except OSError as error:
        raise CliError(f"{name} cannot be written: {(error.strerror or 'it cannot be opened').lower()}") from error
    finally:
        beside.unlink(missing_ok=True)


def put(data: bytes, console: Console) -> None:
    """To standard output byte for byte: line ends are not translated."""
    console.out.flush()
    binary = getattr(console.out, "buffer", None)
    if binary is None:
        console.out.write(data.decode("utf-8"))
    else:
        binary.write(data)
        binary.flush()


def diff(name: str, before: str, after: str, colour: bool) -> str:
    """What changes, as `diff -u` shows it."""
    import difflib

    lines = difflib.unified_diff(lines_of(before), lines_of(after), name, name)
    return "".join(
        tinted(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n", colour) for line in lines
    )


def lines_of(text: str) -> list[str]:
    """Lines with their ends; they end at `\\n` only."""
    return [line for line in text.replace("\n", "\n\0").split("\0") if line]


def tinted(line: str, colour: bool) -> str:
    tint = BOLD if line.startswith(("+++", "---")) else GREEN if line[0] == "+" else RED if line[0] == "-" else ""
    return f"{tint}{line.rstrip()}{RESET}\n" if colour and tint else line
