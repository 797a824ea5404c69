"""Where modules are kept that run at once (`kdsl train`, `kdsl.load`), so that the second run finds its kernels compiled."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from kdsl.runtime.checkpoint import replacing


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
    cache cannot be written, a temporary folder takes its place.
    """
    data = text.encode("utf-8")
    key = hashlib.sha256(data).hexdigest()[:16]
    try:
        place = folder() / f"{name}-{key}"
        return _written(place, name, data)
    except OSError:
        return _written(Path(tempfile.mkdtemp(prefix="kdsl-")), name, data)


def _written(place: Path, name: str, data: bytes) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{name}.py"
    if not path.exists() or path.read_bytes() != data:
        with replacing(path) as file:
            file.write(data)
    return path
