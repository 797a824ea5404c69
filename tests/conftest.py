"""Golden files: a test compares with the text beside it; `--update-golden` writes what the code now says. And Ctrl-C, which tests
send: a shell starts what it runs in the background without it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing")


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """`golden(path, text)` fails where the file does not hold exactly this text."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8", newline="\n")
        wanted = path.read_text(encoding="utf-8") if path.exists() else ""
        assert text == wanted, f"{path.name} differs; look at it, then run pytest --update-golden"

    return compare
