"""fit, evaluate, predict and train_on_batch: Keras's semantics, on the NumPy target."""

from __future__ import annotations

import numpy as np
import pytest
from made_modules import SMALL, build


def same(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a) and a.keys() == b.keys()


def calls_of_train(monkeypatch, model):
    """Records (order, batch size, step, numbers) of each call of the compiled part."""
    calls, train = [], model._core.train

    def recorded(inputs, targets, order, batch_size, step, seed, hyper):
        calls.append((list(order), batch_size, step, list(hyper[0])))
        return train(inputs, targets, order, batch_size, step, seed, hyper)

    monkeypatch.setattr(model._core, "train", recorded)
    return calls


def test_learns(small, data):
    model = small.Small(lr=0.05)
    history = model.fit(*data, epochs=30, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert history.epoch == list(range(30))
    assert model.history is history
    assert model.evaluate(*data)["accuracy"] > 0.85


def test_epoch_loss_is_the_mean_of_batch_losses_weighted_by_rows(small, data, monkeypatch):
    x, y = data
    model, other = small.Small(seed=1), small.Small(seed=1)
    history = model.fit(x[:20], y[:20], batch_size=8, epochs=1, shuffle=False, verbose=0)
    batches = [other.train_on_batch(x[a:b], y[a:b]) for a, b in ((0, 8), (8, 16), (16, 20))]
    for name in ("loss", "accuracy"):
        expected = (8 * batches[0][name] + 8 * batches[1][name] + 4 * batches[2][name]) / 20
        assert history.history[name] == [pytest.approx(expected, rel=1e-6)]
    assert same(model.get_weights(), other.get_weights())


def test_every_row_is_trained_once_an_epoch_in_an_order_of_its_own(small, data, monkeypatch):
    x, y = data
    model = small.Small(seed=3)
    calls = calls_of_train(monkeypatch, model)
    model.fit(x[:21], y[:21], batch_size=8, epochs=2, verbose=0)
    rows = [row for order, *_ in calls for row in order]
    first, second = rows[:21], rows[21:]
    assert sorted(first) == sorted(second) == list(range(21))
    assert first == list(np.random.default_rng([3, 0]).permutation(21))
    assert second == list(np.random.default_rng([3, 1]).permutation(21))
    assert calls[0][2] == 0 and model._iterations == 6


def test_shuffle_goes_on_where_the_last_fit_ended(small, data, monkeypatch):
    x, y = data
    model = small.Small(seed=3)
    calls = calls_of_train(monkeypatch, model)
    model.fit(x, y, batch_size=40, epochs=1, verbose=0)
    model.fit(x, y, batch_size=40, epochs=1, verbose=0)
    assert calls[0][0] != calls[1][0]


def test_without_shuffle_rows_keep_their_order(small, data, monkeypatch):
    model = small.Small()
    calls = calls_of_train(monkeypatch, model)
    model.fit(*data, epochs=1, shuffle=False, verbose=0)
    assert [row for order, *_ in calls for row in order] == list(range(40))


@pytest.mark.parametrize(("share", "cut"), [(0.1, 36), (0.25, 30), (0.33, 26), (0.99, 0)])
def test_validation_split_is_the_tail(small, data, monkeypatch, share, cut):
    x, y = data
    model = small.Small()
    calls = calls_of_train(monkeypatch, model)
    if cut == 0:
        with pytest.raises(ValueError, match=r"validation_split=0.99 leaves 0 of 40 rows for training and 40"):
            model.fit(x, y, validation_split=share, verbose=0)
        return
    history = model.fit(x, y, epochs=1, validation_split=share, verbose=0)
    assert sorted(row for order, *_ in calls for row in order) == list(range(cut))
    held_out = model.evaluate(x[cut:], y[cut:])
    assert history.history["val_loss"] == [held_out["loss"]]
    assert history.history["val_accuracy"] == [held_out["accuracy"]]


def test_validation_data_replaces_the_split(small, data, monkeypatch):
    x, y = data
    model = small.Small()
    calls = calls_of_train(monkeypatch, model)
    history = model.fit(x, y, epochs=1, validation_split=0.5, validation_data=(x[:5], y[:5]), verbose=0)
    assert len([row for order, *_ in calls for row in order]) == 40
    assert history.history["val_loss"] == [model.evaluate(x[:5], y[:5])["loss"]]


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5])
def test_validation_split_is_a_share(small, data, share):
    with pytest.raises(ValueError, match="validation_split is a share"):
        small.Small().fit(*data, validation_split=share)


def test_validation_data_is_a_pair(small, data):
    with pytest.raises(TypeError, match=r"validation_data is a pair \(x, y\), not ndarray"):
        small.Small().fit(*data, validation_data=data[0])
    with pytest.raises(ValueError, match=r"validation_data\[1\] has 9 in row 0"):
        small.Small().fit(*data, validation_data=(data[0], data[1] * 0 + 9))


def test_call_over_constructor_over_train_block(small, data, monkeypatch):
    def trained(model, **arguments):
        calls = calls_of_train(monkeypatch, model)
        history = model.fit(*data, verbose=0, **arguments)
        _, batch_size, _, numbers = calls[-1]
        return len(history.epoch), batch_size, numbers[0], numbers[1]

    assert trained(small.Small()) == (3, 8, 0.01, 0.9)
    assert trained(small.Small(epochs=2, batch_size=10, lr=0.5)) == (2, 10, 0.5, 0.9)
    assert trained(small.Small(epochs=2, batch_size=10, lr=0.5), epochs=1, batch_size=5, lr=0.25) == (1, 5, 0.25, 0.9)
    model = small.Small(lr=0.5)
    trained(model, lr=0.25)
    assert trained(model)[2] == 0.5  # the call's argument was for that call


@pytest.mark.parametrize("make", ["constructor", "fit"])
def test_unknown_and_foolish_numbers(small, data, make):
    def use(**numbers):
        return small.Small(**numbers) if make == "constructor" else small.Small().fit(*data, **numbers)

    with pytest.raises(TypeError, match="learning_rate"):
        use(learning_rate=0.1)
    with pytest.raises(ValueError, match="lr is a finite number, not nan"):
        use(lr=float("nan"))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"batch_size": 0}, ValueError, "batch_size is a whole number of at least 1, not 0"),
        ({"batch_size": -3}, ValueError, "batch_size is a whole number of at least 1, not -3"),
        ({"batch_size": 2.5}, TypeError, "batch_size is a whole number, not 2.5"),
        ({"epochs": -1}, ValueError, "epochs is a whole number of at least 0, not -1"),
        ({"initial_epoch": "2"}, TypeError, "initial_epoch is a whole number, not '2'"),
        ({"verbose": 3}, ValueError, "verbose is"),
    ],
)
def test_foolish_settings_of_fit(small, data, arguments, error, text):
    with pytest.raises(error, match=text):
        small.Small().fit(*data, **arguments)


@pytest.mark.parametrize("arguments", [{"batch_size": 0}, {"epochs": -1}, {"seed": -1}, {"threads": 0}, {"seed": True}])
def test_foolish_settings_of_the_constructor(small, arguments):
    with pytest.raises(ValueError, match=f"{next(iter(arguments))} is a whole number of at least"):
        small.Small(**arguments)


def test_no_epochs_train_nothing(small, data):
    model = small.Small()
    before = model.get_weights()
    assert model.fit(*data, epochs=0, verbose=0).epoch == []
    assert model.fit(*data, epochs=3, initial_epoch=3, verbose=0).history == {}
    assert same(before, model.get_weights())


def test_a_batch_larger_than_the_data_is_one_step(small, data):
    model = small.Small()
    model.fit(*data, epochs=1, batch_size=10**9, verbose=0)
    assert model._iterations == 1


def test_same_seed_same_weights_other_seed_others(small, data):
    first, second, other, default = small.Small(seed=5), small.Small(seed=5), small.Small(seed=6), small.Small()
    for model in (first, second, other, default):
        model.fit(*data, epochs=2, verbose=0)
    assert same(first.get_weights(), second.get_weights())
    assert not same(first.get_weights(), other.get_weights())
    assert same(default.get_weights(), trained_with_seed_7(small, data).get_weights())


def trained_with_seed_7(small, data):
    model = small.Small(seed=7)
    model.fit(*data, epochs=2, verbose=0)
    return model


def test_slices_do_not_change_the_result(small, data, monkeypatch):
    """How many steps one compiled call takes depends on the machine's speed; nothing else may."""
    fast, slow = small.Small(), small.Small()
    fast._step_pace.units = 1000
    monkeypatch.setattr(small, "SLICE_SECONDS", 0.0)
    one = slow.fit(*data, batch_size=1, epochs=2, validation_split=0.2, verbose=0)
    monkeypatch.setattr(small, "SLICE_SECONDS", 1000.0)
    other = fast.fit(*data, batch_size=1, epochs=2, validation_split=0.2, verbose=0)
    assert one.history == other.history
    assert same(slow.get_weights(), fast.get_weights())


def test_callbacks_see_epoch_logs_and_model_and_may_stop(small, data):
    seen = []
    model = small.Small()

    def watch(epoch, logs, given):
        seen.append((epoch, sorted(logs), given is model))
        return epoch == 1

    history = model.fit(*data, epochs=5, callbacks=[watch], verbose=0)
    assert seen == [(0, ["accuracy", "loss"], True), (1, ["accuracy", "loss"], True)]
    assert history.epoch == [0, 1]


def test_only_true_stops(small, data):
    model = small.Small()
    assert len(model.fit(*data, epochs=3, callbacks=[lambda *_: "anything"], verbose=0).epoch) == 3


def test_non_finite_loss_says_where_and_what_to_try(small, data):
    model = small.Small(lr=1e30)
    with pytest.raises(small.NonFiniteLoss) as caught:
        model.fit(*data, epochs=4, verbose=0)
    text = str(caught.value)
    assert "epoch 1, step 2 of 5 (after 1 updates)" in text and "lr=1e+30" in text and "clip_norm" in text
    assert isinstance(caught.value, FloatingPointError)
    assert model._iterations == 1  # the bad step was not applied


def test_evaluate_and_predict_change_nothing_and_drop_nothing(small, data):
    model = small.Small()
    model.fit(*data, epochs=1, verbose=0)
    before, iterations = model.get_weights(), model._iterations
    first, loss = model.predict(data[0]), model.evaluate(*data)
    assert np.array_equal(first, model.predict(data[0])) and loss == model.evaluate(*data)
    assert loss == model.evaluate(*data, batch_size=3)
    assert same(before, model.get_weights()) and model._iterations == iterations
    assert np.allclose(first.sum(axis=1), 1, atol=1e-6) and first.dtype == np.float32 and first.shape == (40, 3)


def test_results_do_not_depend_on_how_rows_are_cut(small):
    x = np.random.default_rng(5).normal(size=(1000, 4)).astype(np.float32)
    y = np.zeros(1000, int)
    model, other = small.Small(), small.Small()
    other._predict_pace.units = other._row_pace.units = 100
    assert np.array_equal(model.predict(x), other.predict(x))
    assert model.evaluate(x, y) == other.evaluate(x, y)
    rows = np.concatenate([model.predict(x[i : i + 1]) for i in range(50)])
    assert np.allclose(rows, model.predict(x[:50]), atol=1e-6)


def test_models_of_one_module_share_nothing(small, data):
    first, second = small.Small(seed=1), small.Small(seed=2)
    untouched = second.get_weights()
    first.fit(*data, epochs=2, verbose=0)
    assert same(untouched, second.get_weights()) and second.history.epoch == []


def test_train_on_batch_is_one_step(small, data):
    model, other = small.Small(), small.Small()
    logs = [model.train_on_batch(*data) for _ in range(3)]
    other.fit(*data, epochs=3, batch_size=40, shuffle=False, verbose=0)
    assert same(model.get_weights(), other.get_weights())
    assert sorted(logs[0]) == ["accuracy", "loss"] and model._iterations == 3


def test_weights_by_name(small):
    model = small.Small()
    weights = model.get_weights()
    assert {name: value.shape for name, value in weights.items()} == {
        "logits.dense.kernel": (4, 8),
        "logits.dense.bias": (8,),
        "logits.dense_2.kernel": (8, 3),
        "logits.dense_2.bias": (3,),
    }
    weights["logits.dense.bias"][:] = 5  # a copy
    assert not model.get_weights()["logits.dense.bias"].any()
    model.set_weights({"logits.dense.bias": range(8)})
    assert list(model.get_weights()["logits.dense.bias"]) == list(range(8))


def test_set_weights_checks_all_before_it_changes_any(small):
    model = small.Small()
    before = model.get_weights()
    good = {"logits.dense.bias": np.ones(8)}
    with pytest.raises(ValueError, match=r"Small has no weight 'nothing'; it has logits.dense.kernel, "):
        model.set_weights({**good, "nothing": 1})
    with pytest.raises(ValueError, match=r"logits.dense.kernel is float32\[4, 8\], not float64\[4, 7\]"):
        model.set_weights({**good, "logits.dense.kernel": np.ones((4, 7))})
    assert same(before, model.get_weights())


def test_several_inputs_targets_and_outputs(two):
    random = np.random.default_rng(0)
    a, b = random.normal(size=(10, 3)), random.integers(-5, 5, (10, 2))
    yes, price = random.integers(0, 2, 10).astype(bool), random.normal(size=(10, 1))
    model, other = two.Two(), two.Two()
    first = model.fit((a, b), (yes, price), epochs=2, verbose=0).history
    second = other.fit({"b": b, "a": a}, {"yes": yes, "price": price[:, 0]}, epochs=2, verbose=0).history
    assert first == second and sorted(first) == ["error", "loss"]
    outputs = model.predict({"a": a, "b": b})
    assert list(outputs) == ["logit", "cost"] and outputs["logit"].shape == outputs["cost"].shape == (10, 1)


def test_a_model_without_train_block_predicts_only(untrained):
    model = untrained.Untrained()
    x = np.ones((2, 4))
    assert model.predict(x).shape == (2, 2)
    for call in (lambda: model.fit(x), lambda: model.evaluate(x), lambda: model.train_on_batch(x)):
        with pytest.raises(RuntimeError, match=r"untrained.kmodel has no `train Untrained \{ ... \}` block"):
            call()


def test_summary_announces_what_the_engine_holds(small, capsys):
    model = small.Small()
    model.summary()
    text = capsys.readouterr().out
    assert f"training memory   {model._core.nbytes:,} bytes" in text
    assert "parameters        67" in text and "dense(8)" in text and "small.kmodel:6" in text
    model.summary(depth=1)
    assert capsys.readouterr().out == text  # there are no blocks to fold
    with pytest.raises(ValueError, match="depth is a whole number of at least 1, not 0"):
        model.summary(depth=0)
    weights = sum(value.nbytes for value in model.get_weights().values())
    assert model._core.nbytes == 3 * weights  # with Adam's two states


def test_double_precision(built, data):
    module = build(built, SMALL, "small64", dtype="f64")
    model = module.Small()
    model.fit(*data, epochs=1, verbose=0)
    assert model.predict(data[0]).dtype == np.float64
    assert all(value.dtype == np.float64 for value in model.get_weights().values())
