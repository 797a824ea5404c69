"""The wheel and the editable install, each in a fresh environment: complete, and usable from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "digits.kmodel"
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"


def run(*command: object, cwd: Path) -> str:
    """Standard output of a command that must succeed, in an environment where only what is installed can be imported."""
    env = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(folder: Path) -> Path:
    """A fresh virtual environment -> its scripts folder. The dependencies are those of this one, so nothing is fetched."""
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    site = run(
        folder / SCRIPTS / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder.parent
    ).strip()
    # a path in a .pth file is searched, but the .pth files there (this environment's own kdsl) are not read
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / SCRIPTS


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_carries_everything_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    carried = {name for name in names if ".dist-info/" not in name}
    for folder in ("kdsl", "grammar", "templates"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = path.relative_to(ROOT).as_posix()
                assert (inside if folder == "kdsl" else f"kdsl/{inside}") in carried
    assert "kdsl/py.typed" in carried
    assert {name.split("/")[0] for name in carried} == {"kdsl"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_an_installation_builds_a_model_from_another_folder(wheel: Path, tmp_path: Path, kind: str) -> None:
    scripts = environment(tmp_path / "env")
    what = [wheel] if kind == "wheel" else ["--no-build-isolation", "--editable", ROOT]
    run(scripts / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", *what, cwd=tmp_path)
    place = run(scripts / "python", "-c", "import kdsl; print(kdsl.__file__)", cwd=tmp_path)
    assert (str(tmp_path) in place) is (kind == "wheel")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    assert run(scripts / "kdsl", "lint", MODEL, cwd=folder) == "No problems found.\n"
    assert run(scripts / "kdsl", "build", MODEL, "-o", "digits.py", "--target", "numpy", cwd=folder) == (
        "wrote digits.py\n"
    )
    assert "dense" in run(scripts / "python", "digits.py", "summary", cwd=folder)
