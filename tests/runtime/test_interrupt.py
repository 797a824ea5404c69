"""Ctrl-C: a real SIGINT to a process that trains."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

TRAINING = """
import json, sys, time
sys.path.insert(0, {folder!r})
import numpy as np
from small import Small
x = np.random.default_rng(0).normal(size=(20_000, 4)).astype(np.float32)
y = x[:, :3].argmax(axis=1)
model = Small()
def ready(epoch, logs, model):
    if epoch == 1:
        print("ready", flush=True)
try:
    model.fit(x, y, batch_size={batch}, epochs=10**6, verbose=0, callbacks=[ready])
except KeyboardInterrupt:
    stopped = time.time()
    steps_per_epoch = -(-len(x) // {batch})
    print(json.dumps(dict(
        stopped=stopped,
        epochs=len(model.history.epoch),
        losses=len(model.history.history["loss"]),
        whole=model._iterations >= steps_per_epoch * len(model.history.epoch),
        finite=bool(np.isfinite(model.predict(x[:5])).all()),
        loss=model.evaluate(x[:100], y[:100])["loss"],
    )))
    model.fit(x[:100], y[:100], epochs=1, verbose=0)
    model.save({path!r})
"""


@pytest.mark.parametrize("batch", [32, 5000])
def test_ctrl_c_stops_at_once_and_leaves_a_usable_model(small, built, tmp_path, batch):
    script = TRAINING.format(folder=str(built), batch=batch, path=str(tmp_path / "w"))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.11)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    told = json.loads(out)
    assert told["stopped"] - sent < 0.25
    assert told["epochs"] == told["losses"] >= 2 and told["whole"] and told["finite"] and np.isfinite(told["loss"])
    small.Small.load(tmp_path / "w")


def test_a_step_is_never_left_half_applied(small, data, monkeypatch):
    """The signal comes while the compiled part works: the step ends, the counter agrees, then the exception comes."""
    model = small.Small()
    train = model._core.train
    applied = []

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        result = train(*arguments)
        applied.append(len(arguments[2]) // arguments[3])
        return result

    monkeypatch.setattr(model._core, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, epochs=3, verbose=0)
    assert model._iterations == sum(applied) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_signal_does_not_wait(small, data, monkeypatch):
    model = small.Small()

    def stuck(*arguments):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second signal was not heard")

    monkeypatch.setattr(model._core, "train", stuck)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, epochs=1, verbose=0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_user_is_left_alone(small, data):
    def own(number, frame):
        pass

    before = signal.signal(signal.SIGINT, own)
    try:
        seen = []
        small.Small().fit(
            *data, epochs=1, verbose=0, callbacks=[lambda *_: seen.append(signal.getsignal(signal.SIGINT))]
        )
        assert seen == [own] and signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


def test_two_threads_train_two_models(small, data):
    models = [small.Small(seed=seed) for seed in (1, 2)]
    threads = [threading.Thread(target=model.fit, args=data, kwargs={"epochs": 3, "verbose": 0}) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, model in zip((1, 2), models, strict=True):
        alone = small.Small(seed=seed)
        alone.fit(*data, epochs=3, verbose=0)
        assert all(np.array_equal(alone.get_weights()[name], value) for name, value in model.get_weights().items())
