"""`kdsl summary` and `kdsl ir`."""

from __future__ import annotations

from pathlib import Path


def test_summary_names_layers_shapes_and_parameters(kdsl, tiny: Path) -> None:
    done = kdsl("summary", tiny, "--target", "numpy")
    assert done.returncode == 0
    assert "logits.dense " in done.stdout and "f32[4]" in done.stdout
    assert "parameters        35\n" in done.stdout  # 4 * 4 + 4 + 4 * 3 + 3
    assert "parameters        75\n" in kdsl("summary", tiny, "--target", "numpy", "--set", "hidden=9").stdout


def test_summary_of_the_numba_target_announces_its_memory(kdsl, tiny: Path) -> None:
    done = kdsl("summary", tiny)
    assert done.returncode == 0
    assert "training memory" in done.stdout


def test_ir_shows_each_function(kdsl, tiny: Path) -> None:
    train = kdsl("ir", "tiny.kmodel")
    assert train.returncode == 0
    assert "gradient.logits.dense.kernel" in train.stdout
    assert "# tiny.kmodel:4" in train.stdout
    predict = kdsl("ir", tiny, "--graph", "predict").stdout
    assert "softmax" in predict and "gradient." not in predict and "label" not in predict
    assert "accuracy" in kdsl("ir", tiny, "--graph", "evaluate").stdout


def test_ir_after_a_pass(kdsl, tiny: Path) -> None:
    assert "fused" in kdsl("ir", tiny).stdout
    early = kdsl("ir", tiny, "--after", "differentiate").stdout
    assert "gradient." in early and "fused" not in early
    assert "gradient." not in kdsl("ir", tiny, "--after", "fold_constants").stdout
    wrong = kdsl("ir", tiny, "--after", "diferentiate")
    assert wrong.returncode == 2
    assert "there is no pass diferentiate\n  help: did you mean differentiate?" in wrong.stderr


def test_ir_after_the_plan(kdsl, tiny: Path) -> None:
    train = kdsl("ir", "tiny.kmodel", "--after", "plan").stdout
    assert "dense" in train and "why" not in train.split("\n", 1)[1]
    assert "chunk 0: logits.dense.kernel, logits.dense.bias" in train
    predict = kdsl("ir", "tiny.kmodel", "--after", "plan", "--graph", "predict", "--no-pass", "reuse_buffers").stdout
    assert predict.startswith("predict: a batch of ") and "deliver" in predict


def test_ir_of_one_model_of_several(kdsl, tiny: Path) -> None:
    text = tiny.read_text(encoding="utf-8")
    model, _ = text.split("\n\n")
    tiny.write_text(
        f"{text}\n{model.replace('Tiny', 'Other').replace('dense(3)', 'dense(3) as head')}\n", encoding="utf-8"
    )
    done = kdsl("ir", "tiny.kmodel")
    assert done.returncode == 2
    assert "tiny.kmodel has 2 models\n  help: choose one with --model: Tiny, Other" in done.stderr
    assert "head.kernel" in kdsl("ir", tiny, "--model", "Other").stdout  # no train block: predict
    none = kdsl("ir", "tiny.kmodel", "--model", "Other", "--graph", "train")
    assert none.returncode == 2 and "Other has no train block" in none.stderr
    assert "did you mean Other?" in kdsl("ir", tiny, "--model", "Othr").stderr


def test_errors_of_the_model(kdsl, broken: Path) -> None:
    for command in ("ir", "summary"):
        done = kdsl(command, "broken.kmodel")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error[E114]: ")
