"""Which files belong to a project: where it begins, and which paths may lead to one."""

from __future__ import annotations

import os
import re

MARKS = ("pyproject.toml", "kdsl.toml", ".git")
SUFFIX = ".kmodel"


def unusable(written: str) -> str:
    """Why such a path is none of a project's own; empty where it may be."""
    if not written.strip():
        return "it names no file"
    if "\0" in written:
        return "it is not a path"
    if "\\" in written:
        return "folders are written with `/`"
    if "://" in written:
        return "only files can be imported"
    if os.path.isabs(written) or written[0] in "/~" or re.match(r"[A-Za-z]:", written):
        return "its path does not start from this file"
    return ""


def project(folder: str) -> str:
    """The nearest folder upwards that is marked as a project, else this one."""
    place = folder
    while True:
        if any(os.path.lexists(os.path.join(place, mark)) for mark in MARKS):
            return place
        above = os.path.dirname(place)
        if above == place:
            return folder
        place = above


def inside(path: str, root: str) -> bool:
    try:
        return os.path.commonpath([path, root]) == root
    except ValueError:  # on another drive
        return False


def identity(path: str) -> object:
    """What is the same for all names of one file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return os.path.realpath(path)
    return found.st_dev, found.st_ino


def model_files(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(SUFFIX))
    except OSError:
        return []
