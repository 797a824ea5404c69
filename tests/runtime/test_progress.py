"""What fit shows: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import pytest

from kdsl.runtime import progress as progress_module
from kdsl.runtime.progress import Progress

FIT = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np
from small import Small
x = np.random.default_rng(0).normal(size=(2000, 4)).astype(np.float32)
Small().fit(x, x[:, :3].argmax(axis=1), batch_size=8, epochs=2, validation_split=0.1, verbose={verbose!r})
"""


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A function that makes standard output a terminal; called in the test, since pytest sets its own before it."""

    def install():
        stream = Terminal()
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(progress_module, "REDRAW_SECONDS", 0.0)
        return stream

    monkeypatch.setenv("COLUMNS", "100")
    return install


def screen(text):
    """The lines a terminal shows: what follows a carriage return overwrites."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


def draw(progress, logs):
    progress.begin(0, 4, 32)
    progress.update(2, 16, logs)
    progress.end(logs)


def test_bar(terminal):
    stream = terminal()
    progress = Progress("auto", 3)
    progress.begin(1, 40, 320)
    progress.update(10, 80, {"loss": 0.51236, "accuracy": 0.25})
    progress.update(20, 160, {"loss": 0.00001234, "accuracy": 0.5})
    states = screen(stream.getvalue())
    assert states[0] == "Epoch 2/3"
    assert re.fullmatch(
        r"20/40 ━{10}─{10} ETA [\d.]+s [\d,]+ samples/s - loss: 1\.234e-05 - accuracy: 0\.5000", states[1]
    )
    progress.end({"loss": 0.5, "val_loss": 123456.0})
    final = screen(stream.getvalue())
    assert re.fullmatch(r"40/40 ━{20} [\d.]+s [\d,]+ samples/s - loss: 0\.5000 - val_loss: 1\.235e\+05", final[1])
    assert final[2:] == [""]


@pytest.mark.parametrize("columns", ["1", "5", "20", "40", "80"])
def test_a_narrow_terminal_never_wraps_what_is_redrawn(terminal, monkeypatch, columns):
    stream = terminal()
    monkeypatch.setenv("COLUMNS", columns)
    draw(Progress(1, 1), {"loss": 0.123456789, "accuracy": 0.5, "another_metric": 1.0})
    *redrawn, last = stream.getvalue().split("\n")[1].split("\r")
    assert max(map(len, redrawn)) <= max(int(columns) - 1, 1)
    assert last.endswith("samples/s - loss: 0.1235 - accuracy: 0.5000 - another_metric: 1.0000")  # nothing is lost


def test_old_text_is_overwritten(terminal):
    stream = terminal()
    progress = Progress(1, 1)
    progress.begin(0, 4, 32)
    progress.update(2, 16, {"a_long_name_of_a_metric": 0.123456})
    progress.end({"m": 1.0})
    assert screen(stream.getvalue())[1].endswith("samples/s - m: 1.0000")


def test_redraws_at_most_ten_times_a_second(terminal, monkeypatch):
    stream = terminal()
    monkeypatch.setattr(progress_module, "REDRAW_SECONDS", 0.1)
    progress = Progress(1, 1)
    progress.begin(0, 10_000, 10_000)
    for step in range(1, 2000):
        progress.update(step, step, {"loss": 1.0})
    seconds = progress_module.time.perf_counter() - progress.started
    assert stream.getvalue().count("\r") <= 2 + 10 * seconds


def test_plain_characters_where_the_encoding_lacks_others(terminal, monkeypatch):
    stream = terminal()
    monkeypatch.setattr(Terminal, "encoding", "ascii")
    draw(Progress(1, 1), {"loss": 1.0})
    assert stream.getvalue().isascii() and "2/4 ==========.........." in stream.getvalue()


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_lines_without_a_terminal(monkeypatch, verbose):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    draw(Progress(verbose, 7), {"loss": 0.25})
    assert re.fullmatch(r"Epoch 1/7 - [\d.]+s - [\d,]+ samples/s - loss: 0\.2500\n", stream.getvalue())


def test_silence_and_no_output_at_all(monkeypatch, terminal):
    stream = terminal()
    draw(Progress(0, 1), {"loss": 1.0})
    assert stream.getvalue() == ""
    monkeypatch.setattr(sys, "stdout", None)  # as in a windowed Python
    draw(Progress("auto", 1), {"loss": 1.0})


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0s"), (9.96, "10s"), (59.4, "59s"), (61, "1m01s"), (7199, "1h59m"), (119.7, "2m00s")])  # fmt: skip
def test_clock(seconds, text):
    assert progress_module._clock(seconds) == text


def test_piped(small, built):
    script = FIT.format(folder=str(built), verbose="auto")
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60).stdout
    assert len(out.splitlines()) == 2 and "\r" not in out
    assert all(" - val_accuracy: " in line for line in out.splitlines())


def test_on_a_terminal(small, built):
    pty = pytest.importorskip("pty")
    main, side = pty.openpty()
    script = FIT.format(folder=str(built), verbose="auto")
    environment = {**os.environ, "COLUMNS": "160", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen([sys.executable, "-c", script], stdout=side, env=environment)
    os.close(side)
    out = b""
    try:
        while part := os.read(main, 4096):
            out += part
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(main)
    assert process.wait(timeout=60) == 0
    lines = screen(out.decode().replace("\r\n", "\n"))
    assert [line for line in lines if line.startswith("Epoch")] == ["Epoch 1/2", "Epoch 2/2"]
    assert len([line for line in lines if re.match("225/225 ━{20} .* - val_loss: ", line)]) == 2
