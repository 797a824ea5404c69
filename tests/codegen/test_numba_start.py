"""Start-up of a numba module: a damaged or missing cache, registers of other widths. Each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba_models import assert_equal, module, results, text

from kdsl.compiler import compile_file
from kdsl.source import Source

SMALL = text("-> dense(3) -> dense(5)", metrics="accuracy(h, t)")
PROGRAM = """
import os, sys, warnings
warnings.simplefilter("always")
if len(sys.argv) > 1:
    exec(sys.argv[1])
import numpy as np, small
core = small.Engine(1)
for name, value in small.initial_weights(0).items():
    core.set_weight(name, value)
x, t = np.ones((4, 7), np.float32), np.zeros(4, np.int32)
totals, bad = core.train((x,), (t,), np.arange(4), 2, 0, 0, np.full((2, 1), 0.1))
print(repr(float(totals[0])), bad)
"""


NO_FOLDER = """
import numba.core.caching as caching
caching.CompileResultCacheImpl._locator_classes = []
"""
OTHER_NAMES = """
from numba.core.caching import Cache
load = Cache._load_overload
del Cache._load_overload
Cache.load_overload = lambda self, sig, context: (context.refresh(), load(self, sig, context))[1]
"""
OTHER_CACHE = """
from numba.core.caching import FunctionCache
FunctionCache.load_overload = FunctionCache._load_overload = None
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("small")
    compiled = compile_file(Source("small.kmodel", SMALL))
    assert compiled.text is not None
    (made / "small.py").write_text(compiled.text)
    (made / "run.py").write_text(PROGRAM)
    return made


def run(folder: Path, *arguments: str) -> tuple[str, str]:
    # Compiled code lies beside the module unless the environment says otherwise.
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "run.py", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_the_cache_may_be_damaged(folder: Path) -> None:
    wanted, complaints = run(folder)
    assert not complaints
    code = sorted((folder / "__pycache__").glob("*.nbc"))
    index = sorted((folder / "__pycache__").glob("*.nbi"))
    assert code and index
    for path in code[::2]:
        path.write_bytes(path.read_bytes()[:100])
    for path in index[::3]:
        path.write_bytes(b"")
    assert run(folder) == (wanted, "")
    sizes = {path.name: path.stat().st_size for path in (folder / "__pycache__").glob("*.nb?")}
    assert min(sizes.values()) > 100  # written anew
    assert run(folder) == (wanted, "")
    assert {path.name: path.stat().st_size for path in (folder / "__pycache__").glob("*.nb?")} == sizes


def test_no_folder_can_be_written(folder: Path) -> None:
    output, complaints = run(folder, NO_FOLDER)
    assert output.endswith("-1\n")
    assert complaints.count("compiled code is not kept for the next run") == 1


def test_a_numba_with_other_names_inside_still_finds_its_code(folder: Path) -> None:
    wanted, _ = run(folder)
    times = {path: path.stat().st_mtime_ns for path in (folder / "__pycache__").glob("*.nb?")}
    assert run(folder, OTHER_NAMES) == (wanted, "")
    assert {path: path.stat().st_mtime_ns for path in (folder / "__pycache__").glob("*.nb?")} == times != {}


def test_a_numba_whose_cache_is_another_one_compiles(folder: Path) -> None:
    wanted, _ = run(folder)
    for path in (folder / "__pycache__").glob("*.nb?"):
        path.unlink()
    output, complaints = run(folder, OTHER_CACHE)
    assert output == wanted
    assert complaints.count("compiled code is not kept for the next run") == 1


LANES_PROGRAM = """
import sys
sys.path[:0] = {path!r}
import numpy as np
from numba_models import module, results
import pathlib
found = results(module(pathlib.Path("lanes.kmodel").read_text(), dtype="{dtype}"))
np.savez("found.npz", **found)
"""
MIXED = text(
    "-> rescale(1 / 255) -> flatten -> dense(49) -> elu -> dropout(0.2) -> dense(5)",
    input="u8[5, 7]",
    optimizer="sgd(lr = 0.1, global_clip_norm = 0.3)",
)


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_registers_of_other_widths(lanes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dtype = "f64" if lanes == 8 else "f32"
    monkeypatch.setenv("KDSL_LANES", str(lanes))
    (tmp_path / "lanes.kmodel").write_text(MIXED)
    path = [str(Path(__file__).parent), *sys.path]
    program = LANES_PROGRAM.format(path=path, dtype=dtype)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "found.npz") as found:
        assert_equal(results(module(MIXED, "numpy", dtype)), dict(found), 1e-10 if dtype == "f64" else 1e-5)
