"""The learning rate of every step of `fit`: exact, however the steps are cut into calls, and after a break."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kdsl
from kdsl.source import Source

ROWS, BATCH = 50, 8
EPOCH = 7  # steps: the last batch is smaller


def model_of(schedule: str, optimizer: str = "sgd(lr = 0.1)", metrics: str = "") -> Any:
    text = (
        "model Line {\n  input x: f32[3]\n  target y: f32\n  guess = x -> dense(1)\n  output guess\n}\n"
        f"train Line {{\n  loss = mse(guess, y)\n  optimizer = {optimizer}\n  schedule = {schedule}\n{metrics}  batch = {BATCH}\n  epochs = 6\n}}\n"
    )
    return kdsl.load(Source("line.kmodel", text), target="numpy", dtype="f64").Line


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, 3))
    return x, x @ [1.0, -2.0, 0.5] + 0.1 * rng.standard_normal(ROWS)


def recorded(model: Any) -> list[float]:
    """The learning rate of each step from now on."""
    rates: list[float] = []
    train = model._core.train

    def record(inputs: Any, targets: Any, order: Any, batch: int, step: int, seed: int, hyper: Any) -> Any:
        assert hyper.shape[0] == -(-len(order) // batch) and hyper.flags.c_contiguous and hyper.dtype == np.float64
        rates.extend(hyper[:, 0].tolist())
        return train(inputs, targets, order, batch, step, seed, hyper)

    model._core.train = record
    return rates


def cosine(step: int, total: int, warmup: int) -> float:
    if step < warmup:
        return 0.1 * step / warmup
    return 0.1 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / (total - warmup))))


SCHEDULES: dict[str, Callable[[int], float]] = {
    "cosine(warmup = 2 epochs)": lambda s: cosine(s, 6 * EPOCH, 2 * EPOCH),
    "cosine(warmup = 5 steps)": lambda s: cosine(s, 6 * EPOCH, 5),
    "step(every = 2 epochs, factor = 0.5)": lambda s: 0.1 * 0.5 ** (s // (2 * EPOCH)),
    "step(at = [1 epoch, 30 steps])": lambda s: 0.1 * 0.1 ** ((s >= EPOCH) + (s >= 30)),
    "exponential(0.9, every = 1 epoch)": lambda s: 0.1 * 0.9 ** (s / EPOCH),
    "exponential(0.9, every = 10 steps, staircase = true)": lambda s: 0.1 * 0.9 ** (s // 10),
    "inverse_time(0.5, every = 3 epochs)": lambda s: 0.1 / (1 + 0.5 * s / (3 * EPOCH)),
    "polynomial(end = 0.01, over = 4 epochs)": lambda s: 0.09 * (1 - min(1.0, s / (4 * EPOCH))) + 0.01,
    "constant(warmup = 1 epoch)": lambda s: 0.1 * min(1.0, s / EPOCH),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_step_has_its_own_rate(schedule: str, data: Any) -> None:
    model = model_of(schedule)()
    rates = recorded(model)
    history = model.fit(*data, verbose=0)
    wanted = [SCHEDULES[schedule](step) for step in range(6 * EPOCH)]
    assert np.allclose(rates, wanted, rtol=1e-13, atol=1e-17)
    assert history.history["lr"] == rates[EPOCH - 1 :: EPOCH], "the history has the rate of each epoch's last step"
    assert model.declaration.training.schedule == schedule


def test_rates_do_not_depend_on_how_steps_are_cut_into_calls(data: Any) -> None:
    made = model_of("cosine(warmup = 1 epoch)")
    found = []
    for units in (1, 3, 100):
        model = made(seed=1)
        model._step_pace.slices = lambda total, units=units: (
            (start, min(start + units, total)) for start in range(0, total, units)
        )
        rates = recorded(model)
        model.fit(*data, verbose=0)
        found.append((rates, model.get_weights()["guess.dense.kernel"].tolist()))
    assert found[0] == found[1] == found[2]


def test_training_that_goes_on_follows_the_schedule(data: Any, tmp_path: Path) -> None:
    made = model_of("cosine(warmup = 2 epochs)", "adam(lr = 0.1)")
    whole = made(seed=1)
    rates = recorded(whole)
    whole.fit(*data, verbose=0)
    first = made(seed=1)
    first.fit(*data, verbose=0, callbacks=[lambda epoch, logs, model: epoch == 3])
    first.save(tmp_path / "line.npz")
    second = made.load(tmp_path / "line.npz")
    others = recorded(second)
    second.fit(*data, verbose=0, initial_epoch=4)
    assert others == rates[4 * EPOCH :]
    for name, value in whole.get_weights().items():
        assert np.array_equal(value, second.get_weights()[name])


def test_a_given_rate_is_what_the_schedule_starts_from(data: Any) -> None:
    made = model_of("exponential(0.5, every = 1 epoch, staircase = true)")
    model = made(lr=0.2)
    assert model.fit(*data, epochs=2, verbose=0).history["lr"] == [0.2, 0.1]
    assert model.fit(*data, epochs=4, initial_epoch=3, lr=0.8, verbose=0).history["lr"] == [0.2]


def test_numbers_of_a_schedule_can_be_set_without_compiling_again(data: Any) -> None:
    made = model_of("step(every = 2 epochs, factor = 0.5)")
    assert made.declaration.training.schedule_numbers == {"every": 2.0, "factor": 0.5, "warmup": 0.0}
    model = made(factor=0.1, every=1.0)
    assert model.fit(*data, epochs=3, verbose=0).history["lr"] == pytest.approx([0.1, 0.01, 0.001])
    assert model.fit(*data, epochs=4, initial_epoch=3, every=4.0, verbose=0).history["lr"] == [0.1]
    with pytest.raises(TypeError):
        made(rate=0.5)


def test_single_batches_follow_the_schedule_once_an_epoch_has_a_length(data: Any) -> None:
    model = model_of("exponential(0.5, every = 1 epoch, staircase = true)")()
    assert model.train_on_batch(*data)["lr"] == 0.1
    model.fit(*data, epochs=1, verbose=0)
    assert model.train_on_batch(*data)["lr"] == 0.05


def test_plateau(data: Any, tmp_path: Path) -> None:
    made = model_of("plateau(patience = 2 epochs, factor = 0.5, min_delta = 1000)")
    model = made()
    history = model.fit(*data, validation_split=0.2, epochs=7, verbose=0).history
    # no epoch is better by 1000 than the first: two of them, half the rate, two of them again
    assert history["lr"] == [0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025]
    model.save(tmp_path / "line.npz")
    again = made.load(tmp_path / "line.npz")
    assert again.fit(*data, validation_split=0.2, initial_epoch=7, epochs=8, verbose=0).history["lr"] == [0.0125]


def test_plateau_of_a_metric_that_rises(data: Any) -> None:
    made = model_of("plateau(on = share, patience = 1 epochs)", metrics="  metrics = [share = accuracy(guess, y)]\n")
    model = made()
    seen = [0.5, 0.6, 0.6, 0.7, 0.7]
    scales = []
    for value in seen:
        model._watch(model._numbers, {"share": value})
        scales.append(model._memory.get("scale", 1.0))
    assert scales == pytest.approx([1.0, 1.0, 0.1, 0.1, 0.01])


def test_plateau_without_validation_data(data: Any) -> None:
    with pytest.raises(ValueError, match="looks at val_loss, and there is no validation data"):
        model_of("plateau")().fit(*data, verbose=0)


def test_no_schedule_shows_no_rate(data: Any) -> None:
    text = (
        "model Line {\n  input x: f32[3]\n  target y: f32\n  guess = x -> dense(1)\n  output guess\n}\n"
        "train Line {\n  loss = mse(guess, y)\n}\n"
    )
    model = kdsl.load(Source("line.kmodel", text), target="numpy").Line()
    x, y = data
    assert list(model.fit(x.astype(np.float32), y.astype(np.float32), verbose=0).history) == ["loss"]


def test_a_loss_that_is_not_finite_names_the_rate_of_its_step(data: Any) -> None:
    model = model_of("constant(warmup = 1 epoch)", "sgd(lr = 7e200)")()
    with pytest.raises(kdsl_error(model), match=r"step 3 of 7 .*now lr=2e\+200"):
        model.fit(*data, verbose=0)


def kdsl_error(model: Any) -> type[Exception]:
    import sys

    error: type[Exception] = sys.modules[type(model).__module__].NonFiniteLoss
    return error
