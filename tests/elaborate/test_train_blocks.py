"""What a `train` block means: losses that are expressions, their parts, schedules, regularizers, tuned weights."""

from __future__ import annotations

import numpy as np
import pytest
from elaborate_corpus import check, codes, elaborated, program

from kdsl.elaborate.program import ModelProgram, Tuned
from kdsl.elaborate.reprint import reprint
from kdsl.graph.interpreter import run
from kdsl.ops.registry import Declared
from kdsl.source import Source
from kdsl.syntax import parse, tree
from kdsl.training import AUGMENTATIONS, REGULARIZERS, SCHEDULES

MODEL = """fn rmse(a, b) = sqrt(mse(a, b))
fn above(a, low) = maximum(a - low, 0)

model Net(share: float = 0.25) {
  input  x: f32[6]
  target y: f32
  target z: f32[3]
  h     = x -> dense(4) as stem -> tanh
  guess = h -> dense(1)
  side  = h -> dense(3) as head
  output guess, side
}
"""


def net(settings: str) -> ModelProgram:
    return program(text(settings))


def text(settings: str, image: bool = False) -> str:
    """`image`: with an input that can be augmented."""
    model = MODEL.replace("{\n", "{\n  input pixels: u8[4, 4]\n", 1) if image else MODEL
    return f"{model}train Net {{\n  {settings}\n}}\n"


def results(model: ModelProgram, rows: int = 5) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """({"loss": ..., metrics}, inputs, targets, predictions and weights) with random numbers."""
    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((rows, 6))}
    targets = {"y": rng.standard_normal(rows), "z": rng.standard_normal((rows, 3))}
    weights = {weight.name: rng.standard_normal(weight.shape) for weight in model.weights}
    found = run(model.graph, given, targets, weights)
    assert model.graph.loss is not None
    numbers = {name: found[value] for name, value in (("loss", model.graph.loss), *model.graph.metrics)}
    assert all(np.shape(number) == () for number in numbers.values()), "every result is one number"
    outputs = {name: found[value] for name, value in model.graph.outputs}
    return {name: float(number) for name, number in numbers.items()}, {**given, **targets, **weights, **outputs}


def mse(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a - b) ** 2).mean())


def test_one_loss_has_no_parts() -> None:
    model = net("loss = mse(guess, y)")
    assert model.graph.loss == "loss" and model.graph.metrics == ()
    assert net("loss = (mse(guess, y))").graph.metrics == ()
    assert net("loss = 2 * mse(guess, y)").graph.metrics == ()


def test_a_sum_of_losses_reports_its_parts() -> None:
    model = net("loss = mse(guess, y) + share * mse(side, z) - 1 / 2 * rmse(guess, y) / 2")
    found, values = results(model)
    first, second = mse(values["guess"][:, 0], values["y"]), mse(values["side"], values["z"])
    wanted = {"mse": first, "mse_2": second, "rmse": first**0.5}
    assert found == pytest.approx({"loss": first + 0.25 * second - first**0.5 / 4, **wanted})
    assert list(found) == ["loss", "mse", "mse_2", "rmse"]
    assert model.training is not None
    assert model.training.loss == "mse(guess, y) + share * mse(side, z) - 1 / 2 * rmse(guess, y) / 2"


def test_parts_inside_of_parentheses_count_too() -> None:
    found, values = results(net("loss = 0.5 * (mse(guess, y) + mae(guess, y)) + 0.1 * mean(h ** 2)"))
    error = values["guess"][:, 0] - values["y"]
    h = np.tanh(values["x"] @ values["stem.kernel"] + values["stem.bias"])
    wanted = {"mse": (error**2).mean(), "mae": np.abs(error).mean(), "mean": (h**2).mean()}
    assert found == pytest.approx({"loss": 0.5 * (wanted["mse"] + wanted["mae"]) + 0.1 * wanted["mean"], **wanted})


def test_a_tensor_as_loss_is_its_mean() -> None:
    found, values = results(net("loss = above(abs(side - z), 0.1) ** 2"))
    assert found == pytest.approx({"loss": (np.maximum(np.abs(values["side"] - values["z"]) - 0.1, 0) ** 2).mean()})
    found, values = results(net("loss = mse(guess, y) + (side - z) ** 2 + stem.kernel ** 2"))
    kernel, rest = (values["stem.kernel"] ** 2).mean(), mse(values["side"], values["z"])
    assert found["loss"] == pytest.approx(mse(values["guess"][:, 0], values["y"]) + rest + kernel)

    assert results(net("loss = mse(guess, y) + [1, 2, 6]"))[0]["loss"] == pytest.approx(
        results(net("loss = mse(guess, y)"))[0]["loss"] + 3
    )


def test_metrics_are_expressions_too() -> None:
    model = net(
        "loss = mse(guess, y)\n"
        "  metrics = [mse(guess, y), gap = abs(side - z), rmse(side, z), worst = 1 - mae(guess, y), max(side, axis = 0)]"
    )
    found, values = results(model)
    error = values["guess"][:, 0] - values["y"]
    assert found == pytest.approx(
        {
            "loss": (error**2).mean(),
            "mse": (error**2).mean(),
            "gap": np.abs(values["side"] - values["z"]).mean(),
            "rmse": mse(values["side"], values["z"]) ** 0.5,
            "worst": 1 - np.abs(error).mean(),
            "max": values["side"].max(-1).mean(),
        }
    )


def test_a_condition_as_metric_is_a_share() -> None:
    found, values = results(net("loss = mse(guess, y)\n  metrics = [close = abs(side - z) < 1]"))
    assert found["close"] == pytest.approx((np.abs(values["side"] - values["z"]) < 1).mean())


def test_parts_and_metrics_have_names_of_their_own() -> None:
    model = net("loss = mse(guess, y) + mae(guess, y)\n  metrics = [mse(side, z), mae(side, z)]")
    assert [name for name, _ in model.graph.metrics] == ["mse", "mae", "mse_2", "mae_2"]


# -- regularizers --------------------------------------------------------------------------------------


def test_regularizers_add_to_the_loss() -> None:
    plain, values = results(net("loss = mse(guess, y)"))
    model = net(
        'loss = mse(guess, y)\n  regularize = [l2(0.1), l1(0.01, weights = "*.bias"), l1_l2(l1 = 0.2, l2 = 0.3, weights = "head.*")]'
    )
    found, values = results(model)
    kernels = sum((values[name] ** 2).sum() for name in values if name.endswith("kernel"))
    biases = sum(np.abs(values[name]).sum() for name in values if name.endswith("bias"))
    head = [values["head.kernel"], values["head.bias"]]
    both = sum(0.2 * np.abs(w).sum() + 0.3 * (w**2).sum() for w in head)
    assert found["loss"] == pytest.approx(plain["loss"] + 0.1 * kernels + 0.01 * biases + both)
    assert list(found) == ["loss"], "what regularizers add is no part"
    assert model.training is not None
    assert model.training.loss.startswith('mse(guess, y) + l2(0.1) + l1(0.01, weights = "*.bias") + l1_l2(')


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal_is_keras(mode: str) -> None:
    plain, _ = results(net("loss = mse(guess, y)"))
    found, values = results(
        net(f'loss = mse(guess, y)\n  regularize = orthogonal(0.5, weights = "stem.kernel", mode = {mode})')
    )
    w = values["stem.kernel"] if mode == "rows" else values["stem.kernel"].T
    unit = w / np.sqrt((w**2).sum(1, keepdims=True))
    products = unit @ unit.T * (1 - np.eye(len(w)))
    wanted = 0.5 * 0.5 * np.abs(products).sum() / (len(w) * (len(w) - 1.0) / 2.0)
    assert found["loss"] == pytest.approx(plain["loss"] + wanted)


def test_frozen_weights_are_not_regularized() -> None:
    settings = 'loss = mse(guess, y)\n  regularize = l2(1, weights = "*")\n  tune "stem.*" {\n    frozen = true\n  }'
    found, values = results(net(settings))
    squares = sum((values[name] ** 2).sum() for name in values if name.startswith(("head", "guess.")))
    assert found["loss"] == pytest.approx(mse(values["guess"][:, 0], values["y"]) + squares)


# -- tune ------------------------------------------------------------------------------------------------


def tuned(*blocks: str) -> ModelProgram:
    groups = "".join(f"\n  tune {block}" for block in blocks)
    return net(f"loss = mse(guess, y) + mse(side, z){groups}")


def test_later_blocks_win_setting_by_setting() -> None:
    model = tuned(
        '"*" {\n    lr_scale = 0.5\n    weight_decay = 0.1\n  }',
        '"stem.*" {\n    lr_scale = 0.1\n  }',
        '"*.bias" {\n    weight_decay = 0\n  }',
        '"head.*" { lr_scale = 1 }',
    )
    assert model.training is not None
    assert {each.weight: (each.lr_scale, each.weight_decay) for each in model.training.tuned} == {
        "stem.kernel": (0.1, 0.1),
        "stem.bias": (0.1, 0.0),
        "guess.dense.kernel": (0.5, 0.1),
        "guess.dense.bias": (0.5, 0.0),
        "head.kernel": (1.0, 0.1),
        "head.bias": (1.0, 0.0),
    }


def test_frozen_weights_have_no_gradient() -> None:
    model = tuned('"*" { frozen = true }', '"head.*" { frozen = false }', '"guess*kernel" { frozen = false }')
    trained = {weight.name for weight in model.weights if weight.trainable}
    assert trained == {"head.kernel", "head.bias", "guess.dense.kernel"}
    assert {node.name for node in model.graph.of("weight") if node.attribute("trainable")} == trained
    assert model.training is not None and model.training.tuned == ()
    assert codes(text('loss = mse(guess, y)\n  tune "*" { frozen = true }')) == ["E509"]


def test_a_star_stands_for_any_part_of_a_name() -> None:
    def named(pattern: str) -> list[str]:
        found = tuned(f'"{pattern}" {{ lr_scale = 2 }}').training
        assert found is not None
        assert all(each == Tuned(each.weight, 2.0) for each in found.tuned)
        return [each.weight for each in found.tuned]

    assert named("*kernel") == ["stem.kernel", "guess.dense.kernel", "head.kernel"]
    assert named("*.*.kernel") == ["guess.dense.kernel"]
    assert named("g*l") == ["guess.dense.kernel"]
    assert named("head.bias") == ["head.bias"]
    assert named("head*.bias*") == ["head.bias"]
    assert named("*" * 40 + "e*e*e*e*l") == ["guess.dense.kernel"]
    (found,) = check(text('loss = mse(guess, y)\n  tune "h.ad.*" { lr_scale = 2 }'))
    assert found.code == "E520"
    assert [d.code for d in check(text('loss = mse(guess, y)\n  tune "stem.[a-z]+" { lr_scale = 2 }'))] == ["E520"]


# -- schedules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "settings"),
    [
        ("cosine", {"over": None, "alpha": 0.0, "warmup": (0.0, "steps")}),
        ("cosine(warmup = 1 epoch, alpha = 0.1)", {"over": None, "alpha": 0.1, "warmup": (1.0, "epochs")}),
        ("step(every = 200 steps)", {"every": (200.0, "steps"), "at": None, "factor": 0.1, "warmup": (0.0, "steps")}),
        (
            "step(at = [5 epochs, 7.5 epochs], factor = 1 / 2)",
            {"every": None, "at": ((5.0, "epochs"), (7.5, "epochs")), "factor": 0.5, "warmup": (0.0, "steps")},
        ),
        (
            "exponential(0.9, every = 2 epochs)",
            {"rate": 0.9, "every": (2.0, "epochs"), "staircase": False, "warmup": (0.0, "steps")},
        ),
    ],
)
def test_schedules_keep_their_units(written: str, settings: dict[str, object]) -> None:
    training = net(f"loss = mse(guess, y)\n  schedule = {written}").training
    assert training is not None and training.schedule is not None
    assert dict(training.schedule.settings) == settings
    assert training.schedule.watches == ""


def test_plateau_watches_what_the_history_has() -> None:
    settings = "loss = mse(guess, y) + mse(side, z)\n  metrics = [fit = accuracy(guess, y), err = mae(guess, y)]\n  schedule = plateau(on = {})"

    def watched(name: str) -> tuple[str, bool]:
        training = net(settings.format(name)).training
        assert training is not None and training.schedule is not None
        return training.schedule.watches, training.schedule.rises

    assert watched("val_loss") == ("val_loss", False)
    assert watched("val_fit") == ("val_fit", True)
    assert watched("err") == ("err", False)
    assert watched("mse_2") == ("mse_2", False)
    (found,) = check(text(settings.format("val_accuracy")))
    assert found.code == "E303" and "`val_fit`" in found.help


# -- printing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "a + b * (c - 1) / 2",
        "-x ** 2",
        "not a and b",
        "f(x, [1, 2], axis = -1, keep = true)",
        "x[0, 1:, :2, ::3, 1:4:2]",
        "if a > 1 then b else c",
        '(a, b) -> einsum("ij,jk->ik") -> dense(3) as head',
        "5 epochs",
        'l2(weights = "*.kernel")',
        "tokens.embeddings",
    ],
)
def test_reprinted_values_read_as_they_were_written(written: str) -> None:
    for spaced in (written, written.replace(" ", "  ")):
        if '"' in spaced and spaced != written:
            continue
        (item,) = parse(Source("test.kmodel", f"dim value = {spaced}")).tree.items
        assert isinstance(item, tree.Dim)
        assert reprint(item.value) == written


# -- the registries' examples ------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [*SCHEDULES.values(), *REGULARIZERS.values(), *AUGMENTATIONS.values()])
def test_examples_are_accepted(cls: type[Declared]) -> None:
    augments = cls.example().startswith("augment")
    assert not elaborated(text(f"loss = mse(guess, y)\n  {cls.example()}", image=augments)).diagnostics


def test_augmentations_are_checked() -> None:
    settings = "loss = mse(guess, y)\n  augment = [flip_horizontal, RandomRotation(10), cutout, zoom(2), crop(3)]"
    assert sorted(codes(text(settings))) == ["E208", "E208", "E301", "E307"]
    assert not elaborated(text("loss = mse(guess, y)\n  augment = pad_crop(4)", image=True)).diagnostics
    assert codes(text("loss = mse(guess, y)\n  augment = pad_crop(4)")) == ["E524"]
    assert not elaborated(text("loss = mse(guess, y)\n  augment = []")).diagnostics
    assert codes(text("loss = mse(guess, y)\n  augment = [mixup(0), mixup(alpha = -1)]")) == ["E307", "E307"]
    assert codes(text("loss = mse(guess, y)\n  augment = [mixup, pad_crop(4)]")) == ["E524"]


def test_mixing_needs_no_image() -> None:
    """All that is read, and nothing that is not: `z` is the target of nothing here."""
    graph = net("loss = mse(guess, y)\n  augment = mixup(0.4)").graph
    mixed = [node.inputs[0] for node in graph if node.op == "mix_rows"]
    assert mixed == ["x", "y"]
    assert [node.op for node in graph if "x" in node.inputs] == ["random_share", "mix_rows"]
