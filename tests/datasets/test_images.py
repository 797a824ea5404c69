"""Folders of images: classes, parts, kinds of pixels, and every way a file can be wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from kdsl.datasets import DataError, load
from kdsl.graph.types import TensorType

TWO = {"label": TensorType("index", (), classes=2)}
PICTURE = {"image": TensorType("u8", (4, 6, 3))}
RNG = np.random.default_rng(3)


@pytest.fixture
def pillow():
    return pytest.importorskip("PIL.Image", reason="Pillow is not installed")


@pytest.fixture
def pictures(model):
    return model(PICTURE, TWO)


def pixels(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape).astype(np.uint8)


def save(pillow, path: Path, array: np.ndarray, **how: object) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    pillow.fromarray(array).save(path, **how)
    return array


def refused(spec: str, program) -> str:
    with pytest.raises(DataError) as caught:
        load(spec, program)
    return str(caught.value)


def test_one_folder_for_each_class(tmp_path: Path, pillow, pictures) -> None:
    dog = save(pillow, tmp_path / "dog" / "a.png", pixels(4, 6, 3))
    cats = [save(pillow, tmp_path / "cat" / name, pixels(4, 6, 3)) for name in ("1.png", "2.PNG", "below/3.png")]
    (tmp_path / "cat" / "notes.txt").write_text("x")
    (tmp_path / ".hidden").mkdir()
    data = load(f"images:{tmp_path}", pictures)
    assert np.array_equal(data.train.inputs["image"], np.stack([*cats, dog]))
    assert data.train.inputs["image"].dtype == np.uint8
    assert data.train.targets["label"].tolist() == [0, 0, 0, 1]
    assert data.test is None and data.unused == ("notes.txt",)


@pytest.mark.parametrize("part", ["test", "val", "validation"])
def test_a_test_part(part: str, tmp_path: Path, pillow, pictures) -> None:
    for name in ("cat", "dog"):
        save(pillow, tmp_path / "train" / name / "a.png", pixels(4, 6, 3))
    dog = save(pillow, tmp_path / part / "dog" / "b.png", pixels(4, 6, 3))
    data = load(f"images:{tmp_path}", pictures)
    assert data.train.rows == 2 and data.test is not None
    assert np.array_equal(data.test.inputs["image"], dog[None]) and data.test.targets["label"].tolist() == [1]


def test_of_two_test_parts_one_is_used(tmp_path: Path, pillow, pictures) -> None:
    for part in ("train", "test", "val"):
        for name in ("cat", "dog"):
            save(pillow, tmp_path / part / name / "a.png", pixels(4, 6, 3))
    assert load(f"images:{tmp_path}", pictures).unused == ("val",)


def test_jpeg_is_near_what_was_saved(tmp_path: Path, pillow, pictures) -> None:
    smooth = np.full((4, 6, 3), (200, 100, 50), np.uint8)
    for name in ("a/1.jpg", "b/1.JPEG"):
        save(pillow, tmp_path / name, smooth, quality=95)
    made = load(f"images:{tmp_path}", pictures).train.inputs["image"].astype(int)
    assert np.abs(made - smooth).max() < 6


@pytest.mark.parametrize(("shape", "channels"), [((4, 6), ()), ((4, 6, 1), ()), ((4, 6, 4), (4,))])
def test_channels_of_the_input(shape, channels, tmp_path: Path, pillow, model) -> None:
    one = save(pillow, tmp_path / "a" / "1.png", pixels(4, 6, *channels))
    save(pillow, tmp_path / "b" / "1.png", pixels(4, 6, *channels))
    data = load(f"images:{tmp_path}", model({"image": TensorType("u8", shape)}, TWO))
    assert np.array_equal(data.train.inputs["image"][0], one.reshape(shape))


def test_grey_images_in_colour(tmp_path: Path, pillow, pictures) -> None:
    grey = save(pillow, tmp_path / "a" / "1.png", pixels(4, 6))
    save(pillow, tmp_path / "b" / "1.png", pixels(4, 6))
    made = load(f"images:{tmp_path}", pictures).train.inputs["image"]
    assert np.array_equal(made[0], np.repeat(grey[:, :, None], 3, axis=2))


def test_other_sizes_are_named_or_resized(tmp_path: Path, pillow, pictures) -> None:
    save(pillow, tmp_path / "a" / "1.png", pixels(4, 6, 3))
    save(pillow, tmp_path / "b" / "1.png", np.full((8, 9, 3), 77, np.uint8))
    message = refused(f"images:{tmp_path}", pictures)
    assert message.startswith(
        f"{tmp_path / 'b' / '1.png'} is 8 x 9 (height x width), wanted is 4 x 6 for image: u8[4, 6, 3]"
    )
    made = load(f"images:{tmp_path}:resize", pictures).train.inputs["image"]
    assert made.shape == (2, 4, 6, 3) and (made[1] == 77).all()


def test_files_that_are_no_images(tmp_path: Path, pillow, pictures) -> None:
    save(pillow, tmp_path / "a" / "1.png", pixels(4, 6, 3))
    bad = tmp_path / "b" / "1.png"
    save(pillow, bad, pixels(4, 6, 3))
    whole = bad.read_bytes()
    for data in (b"", b"text", whole[:40], whole[:-20], b"GIF89a" + whole):
        bad.write_bytes(data)
        assert f"{bad} cannot be read as a PNG or JPEG image" in refused(f"images:{tmp_path}", pictures)
    save(pillow, bad, RNG.integers(0, 60000, (4, 6)).astype(np.uint16))
    assert f"{bad} has pixels of the kind I;16; 8 bits for each channel are read" in refused(
        f"images:{tmp_path}", pictures
    )


def test_classes_and_models_that_do_not_fit(tmp_path: Path, pillow, model, pictures) -> None:
    save(pillow, tmp_path / "a" / "1.png", pixels(4, 6, 3))
    assert f"{tmp_path} has 1 class folder (a), label: index(2) (net.kmodel:3) has 2 classes" in refused(
        f"images:{tmp_path}", pictures
    )
    (tmp_path / "b").mkdir()
    assert f"{tmp_path / 'b'} has no images (.png, .jpg, .jpeg)" in refused(f"images:{tmp_path}", pictures)
    assert refused(f"images:{tmp_path / 'none'}", pictures).startswith(
        f"images: there is no folder {tmp_path / 'none'}"
    )
    for inputs, targets, says in (
        ({**PICTURE, "x": TensorType("f32")}, TWO, "one input and one target, the model Net has 2 and 1"),
        ({"x": TensorType("f32", (7,))}, TWO, "images have the shape [height, width] or"),
        ({"x": TensorType("u8", (4, 6, 2))}, TWO, "the model has x: u8[4, 6, 2]"),
        (PICTURE, {"y": TensorType("f32")}, "classes are for an `index` or `bool` target"),
    ):
        assert says in refused(f"images:{tmp_path}", model(inputs, targets))


def test_a_test_class_that_training_does_not_know(tmp_path: Path, pillow, pictures) -> None:
    for name in ("train/a", "train/b", "test/a", "test/c"):
        save(pillow, tmp_path / name / "1.png", pixels(4, 6, 3))
    assert f"{tmp_path / 'test' / 'c'} is no class of the training part: those are a, b" in refused(
        f"images:{tmp_path}", pictures
    )


def test_without_pillow(tmp_path: Path, pictures, monkeypatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert 'pip install "kdsl[images]"' in refused(f"images:{tmp_path}", pictures)
