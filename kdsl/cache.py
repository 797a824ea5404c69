"""Where modules are kept that run at once (`kdsl train`, `kdsl.load`), so that the second run finds its kernels compiled."""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from kdsl.runtime.checkpoint import replacing

KEPT = 100  # modules; the ones used longest ago go first
PLACE = re.compile(r".+-[0-9a-f]{16}")


def folder() -> Path:
    """The user's cache folder for kdsl: KDSL_CACHE_DIR, or where this system keeps caches."""
    if own := os.environ.get("KDSL_CACHE_DIR"):
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "kdsl" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "kdsl"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kdsl"


def store(name: str, text: str) -> Path:
    """The module's file in the cache: one folder per text, so that builds never replace one another's kernels.

    The file is written anew unless it holds exactly this text: what runs is what was compiled just now. Where the
    cache cannot be written, a temporary folder takes its place, for as long as this process runs.
    """
    data = text.encode("utf-8")
    key = hashlib.sha256(data).hexdigest()[:16]
    try:
        path = _written(folder() / f"{name}-{key}", name, data)
        _prune(folder())
        return path
    except OSError:
        place = Path(tempfile.mkdtemp(prefix="kdsl-"))
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        return _written(place, name, data)


def _written(place: Path, name: str, data: bytes) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{name}.py"
    if not path.exists() or path.read_bytes() != data:
        with replacing(path) as file:
            file.write(data)
    os.utime(place)  # the time of its last use
    return path


def _prune(cache: Path) -> None:
    places = [place for place in cache.iterdir() if PLACE.fullmatch(place.name) and place.is_dir()]
    if len(places) > KEPT:
        oldest = sorted(places, key=lambda place: place.stat().st_mtime)[: len(places) - KEPT]
        for place in oldest:
            shutil.rmtree(place, ignore_errors=True)
